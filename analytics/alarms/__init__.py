"""Alarms: what a rule finds in readings and in the ledger, how an alarm lives, and who is told of it when."""
