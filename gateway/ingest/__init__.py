"""From the bus to the store: every reading stored, or refused with a counted reason."""
