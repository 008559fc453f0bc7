"""Contracts paid from savings: baselines, fee clauses, settlements, and their recomputation."""
