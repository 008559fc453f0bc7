"""Finding out which meters hang on a line: what is asked in which order, and what the answers make likely."""
