"""Other people's gateways: their messages as readings, by mapping files."""
