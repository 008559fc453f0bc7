"""Quotas of organisations, how the year goes against them, and what was crossed."""
