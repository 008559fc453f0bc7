"""Migrations by Alembic, imported only where a database is not at the newest revision."""

from __future__ import annotations

from pathlib import Path

from alembic import command
from alembic.config import Config
from alembic.migration import MigrationContext
from alembic.script import ScriptDirectory
from sqlalchemy import Connection, text

from energy.errors import EnergyError

SCRIPTS = Path(__file__).parent / "migrations"


def upgrade(connection: Connection, address: str, revision: str = "head") -> None:
    """Bring the database to the newest revision, within the transaction of the connection."""
    _must_take_every_letter(connection, address)
    config = settings()
    _must_be_known(MigrationContext.configure(connection).get_current_revision(), config, address)
    config.attributes["connection"] = connection
    command.upgrade(config, revision)


def settings() -> Config:
    config = Config()
    config.set_main_option("script_location", SCRIPTS.as_posix().replace("%", "%%"))
    return config


def _must_be_known(revision: str | None, config: Config, address: str) -> None:
    script = ScriptDirectory.from_config(config)
    known = {found.revision for found in script.walk_revisions()}
    if revision is not None and revision not in known:
        raise EnergyError(
            f"{address} was written by a newer version of Jieneng (records {revision}, this one knows up to "
            f"{script.get_current_head()}): install that version again, or put a copy from before it in place"
        )


def _must_take_every_letter(connection: Connection, address: str) -> None:
    if connection.dialect.name != "postgresql":
        return
    encoding = connection.execute(text("SHOW server_encoding")).scalar()
    if encoding != "UTF8":
        raise EnergyError(f"{address} keeps letters as {encoding}; make the database with --encoding=UTF8")
