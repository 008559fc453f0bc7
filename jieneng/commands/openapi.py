"""`jieneng openapi`."""

from __future__ import annotations

import click


@click.command()
def command() -> None:
    """Print the OpenAPI 3.1 description of the gateway's API as JSON; a running gateway serves the same at
    /api/v1/openapi.json."""
    import msgspec

    from gateway.api.openapi import openapi
    from gateway.app import ROUTES
    from gateway.live.words import PUSHED

    click.echo(msgspec.json.format(msgspec.json.encode(openapi(ROUTES, PUSHED))))
