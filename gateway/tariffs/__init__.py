"""Tariffs in the records: kept as documents, changed with who and why."""
