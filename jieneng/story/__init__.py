"""The story of the demo: what has happened on the campus, as data, entered through the gateway's own services."""
