"""Alarms: raised by rules and findings, told to the person on duty, acknowledged, recovered, closed."""
