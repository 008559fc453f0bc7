"""Quotas (用能定额): standards as data, ways to a quota, its months, how a year goes, and what its end will be."""
