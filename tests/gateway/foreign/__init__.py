"""Messages of other people's gateways."""
