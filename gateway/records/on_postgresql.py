"""Records in a database of PostgreSQL, by asyncpg."""

from __future__ import annotations

import ssl
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, unquote, urlsplit

import asyncpg
from sqlalchemy.ext.asyncio import create_async_engine

from energy.errors import EnergyError, StoreError
from gateway.records.engines import Engines, shown

_FORM = "postgresql://USER@HOST:PORT/DATABASE"
_OPTIONS = ("password_file", "sslmode", "ca", "host")
_MODES = ("disable", "prefer", "require", "verify-full")
_CONNECT_TIMEOUT_S = 10.0
_LOCK_TIMEOUT_S = 10
_STATEMENT_TIMEOUT_S = 60
_IDLE_TIMEOUT_S = 60
# Others that start wait for a migration.
_MIGRATION_S = 600
# Of one transaction that writes after the other; the number is ours in every database.
_LOCK = "SELECT pg_advisory_xact_lock(5208219163725061973)"
# Names of errors of PostgreSQL: https://www.postgresql.org/docs/15/errcodes-appendix.html
_LOCKED, _TOO_LONG, _FORBIDDEN, _STANDBY = "55P03", "57014", "42501", "25006"
_NO_DATABASE, _WRONG_PASSWORD, _NO_ENTRY = "3D000", "28P01", "28000"


@dataclass(frozen=True, slots=True)
class PostgresAddress:
    """`postgresql://[USER[:PASSWORD]@]HOST[:PORT]/DATABASE`.

    `?password_file=FILE` names a file with the password, `&sslmode=` is one of disable, prefer, require, verify-full,
    `&ca=FILE` whom verify-full believes, `?host=FOLDER` the folder of a Unix socket in place of HOST.
    """

    host: str
    port: int
    database: str
    user: str | None = None
    password: str | None = field(default=None, repr=False)
    sslmode: str = "prefer"
    ca: str | None = None

    @classmethod
    def parse(cls, address: str) -> PostgresAddress:
        parts = urlsplit(address)
        options = {key: values[-1] for key, values in parse_qs(parts.query).items()}
        unknown = sorted(set(options) - set(_OPTIONS))
        if unknown:
            raise _wrong(address, f"{', '.join(unknown)} is not known; known are {', '.join(_OPTIONS)}")
        try:
            port = parts.port or 5432
        except ValueError as error:
            raise _wrong(address, "the port is a number up to 65535") from error
        host, database = options.get("host") or parts.hostname, unquote(parts.path.strip("/"))
        if not host or not database:
            raise _wrong(address, f"write {_FORM}")
        mode = options.get("sslmode", "verify-full" if "ca" in options else "prefer")
        if mode not in _MODES or ("ca" in options and mode != "verify-full"):
            raise _wrong(address, f"sslmode is one of {', '.join(_MODES)}; with ca it is verify-full")
        if "ca" in options and not Path(options["ca"]).is_file():
            raise _wrong(address, f"ca {options['ca']}: there is no such file")
        password = _secret(options["password_file"]) if "password_file" in options else _said(parts.password)
        return cls(host, port, database, _said(parts.username), password, mode, options.get("ca"))

    def __str__(self) -> str:
        return f"{self.host}:{self.port}"

    async def connect(self, settings: dict[str, str], patience_s: float | None) -> Any:
        """A connection; StoreError in words where there is none to be had."""
        try:
            return await asyncpg.connect(
                host=self.host,
                port=self.port,
                database=self.database,
                user=self.user,
                password=self.password,
                ssl=self._tls(),
                timeout=_CONNECT_TIMEOUT_S,
                command_timeout=patience_s,
                server_settings=settings,
            )
        except (OSError, asyncpg.PostgresError, asyncpg.InterfaceError, asyncpg.InternalClientError) as error:
            # What libraries keep of an error may hold the password: only our words go on.
            raise StoreError(f"records: {self._unreached(error)}") from None

    def _tls(self) -> ssl.SSLContext | str:
        # On a socket of this machine there is no TLS.
        if self.host.startswith("/"):
            return "disable"
        return ssl.create_default_context(cafile=self.ca) if self.sslmode == "verify-full" else self.sslmode

    def _unreached(self, error: Exception) -> str:
        code, who = getattr(error, "sqlstate", None), self.user or "the user of this session"
        if code == _WRONG_PASSWORD:
            return f"PostgreSQL at {self} does not let {who} in: the password is wrong or missing (?password_file=FILE)"
        if code == _NO_ENTRY:
            return f"PostgreSQL at {self} does not let {who} in: {error}"
        if code == _NO_DATABASE:
            made = f"createdb --owner {self.user or 'USER'} {self.database}"
            return f"PostgreSQL at {self} has no database {self.database!r}; its administrator makes it by: {made}"
        if code is not None:
            return f"PostgreSQL at {self} refuses: {error}"
        if isinstance(error, ssl.SSLError):
            return f"PostgreSQL at {self} cannot be spoken to by TLS as sslmode={self.sslmode} wants: {error}"
        cause = f"no answer within {_CONNECT_TIMEOUT_S:g} s" if isinstance(error, TimeoutError) else error
        return f"PostgreSQL at {self} cannot be reached: {cause}"


def postgresql_engines(address: str, *, patient: bool) -> Engines:
    """The database at an address; `patient` for migrations, which may take long and be waited for."""
    parsed = PostgresAddress.parse(address)
    settings = {
        "application_name": "jieneng",
        "lock_timeout": f"{_MIGRATION_S if patient else _LOCK_TIMEOUT_S}s",
        "statement_timeout": f"{0 if patient else _STATEMENT_TIMEOUT_S}s",
        # A program that is stopped half way does not keep the others from writing.
        "idle_in_transaction_session_timeout": f"{_IDLE_TIMEOUT_S}s",
    }

    async def connect() -> Any:
        # Of a server that has vanished no answer comes: a little later than its own limits we do not wait any more.
        return await parsed.connect(settings, None if patient else _STATEMENT_TIMEOUT_S + 15.0)

    engine = create_async_engine("postgresql+asyncpg://", async_creator=connect, pool_pre_ping=True)
    reader = engine.execution_options(isolation_level="REPEATABLE READ", postgresql_readonly=True)
    # Each statement sees what was committed before it: what is read behind the lock is what the last writer left.
    writer = engine.execution_options(isolation_level="READ COMMITTED")
    return Engines(reader, writer, _LOCK, _told)


def _told(error: Exception) -> str:
    cause = getattr(getattr(error, "orig", None), "__cause__", None) or error
    code = getattr(cause, "sqlstate", None)
    if code == _LOCKED:
        return "somebody else has been writing for too long; try again"
    if code == _TOO_LONG:
        return "PostgreSQL gave up, since it took too long; try again"
    if code == _FORBIDDEN:
        return f"PostgreSQL does not allow it: {cause}; the user must own the database and its tables"
    if code == _STANDBY:
        return "the PostgreSQL at this address is a copy that cannot be written to; name the first one"
    lost = OSError | asyncpg.PostgresConnectionError | asyncpg.OperatorInterventionError
    if isinstance(cause, lost) or getattr(error, "connection_invalidated", False):
        return f"the connection to PostgreSQL was lost: {str(cause) or 'no answer'}"
    return f"PostgreSQL: {cause}"


def _wrong(address: str, what: str) -> EnergyError:
    return EnergyError(f"records {shown(address)}: {what}")


def _said(text: str | None) -> str | None:
    return None if text is None else unquote(text)


def _secret(file: str) -> str:
    try:
        return Path(file).read_text(encoding="utf-8").strip()
    except OSError as error:
        raise EnergyError(f"password file {file}: cannot be read: {error.strerror}") from error
