"""Lines: the wire to the meters. One request in flight per line, whatever number of meters hang on it."""
