"""What does not look as it should: found in the ledger, told in words, confirmed or dismissed."""
