"""From series to what they mean: pure functions, one folder per subject. The ledger begins here."""
