"""The frame of the API: how a route is declared, what an error looks like, OpenAPI out of both."""
