"""Accounts: people and programs who sign in, what they were granted, their sessions and tokens."""
