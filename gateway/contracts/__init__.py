"""Contracts, their baselines and statements, in the records."""
