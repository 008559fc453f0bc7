"""Where a database of PostgreSQL is, and a connection to it by asyncpg."""

from __future__ import annotations

import ssl
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, unquote

import asyncpg

from adapters.addresses import parts_of, secret_in, shown
from energy.errors import EnergyError, StoreError

_FORM = "postgresql://USER@HOST:PORT/DATABASE"
_OPTIONS = ("password_file", "sslmode", "ca", "host")
_MODES = ("disable", "prefer", "require", "verify-full")
_CONNECT_TIMEOUT_S = 10.0
# Names of errors of PostgreSQL: https://www.postgresql.org/docs/15/errcodes-appendix.html
_LOCKED, _TOO_LONG, _FORBIDDEN, _STANDBY = "55P03", "57014", "42501", "25006"
# A connection that is gone.
# Of one that ends within an operation asyncpg may say that it is in the wrong state.
LOST = (OSError, asyncpg.PostgresConnectionError, asyncpg.OperatorInterventionError, asyncpg.InternalClientError)
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
    # What is kept there, for errors.
    what: str = "records"

    @classmethod
    def parse(cls, address: str, what: str = "records") -> PostgresAddress:
        parts = parts_of(address, what)
        options = {key: values[-1] for key, values in parse_qs(parts.query).items()}
        unknown = sorted(set(options) - set(_OPTIONS))
        if unknown:
            raise _wrong(what, address, f"{', '.join(unknown)} is not known; known are {', '.join(_OPTIONS)}")
        port = parts.port or 5432
        host, database = options.get("host") or parts.hostname, unquote(parts.path.strip("/"))
        if not host or not database:
            raise _wrong(what, address, f"write {_FORM}")
        mode = options.get("sslmode", "verify-full" if "ca" in options else "prefer")
        if mode not in _MODES or ("ca" in options and mode != "verify-full"):
            raise _wrong(what, address, f"sslmode is one of {', '.join(_MODES)}; with ca it is verify-full")
        if "ca" in options and not Path(options["ca"]).is_file():
            raise _wrong(what, address, f"ca {options['ca']}: there is no such file")
        password = (
            secret_in(options["password_file"], f"password file {options['password_file']}:")
            if "password_file" in options
            else _said(parts.password)
        )
        return cls(host, port, database, _said(parts.username), password, mode, options.get("ca"), what)

    def __str__(self) -> str:
        return f"{self.host}:{self.port}"

    async def connect(self, settings: dict[str, str], patience_s: float | None) -> Any:
        """A connection; StoreError in words where there is none to be had."""
        with self._reached():
            return await asyncpg.connect(**self._options(settings, patience_s))

    async def pool(self, settings: dict[str, str], patience_s: float | None, *, largest: int = 6) -> Any:
        """Connections to take and give back; StoreError in words where there is none to be had."""
        with self._reached():
            return await asyncpg.create_pool(min_size=1, max_size=largest, **self._options(settings, patience_s))

    def _options(self, settings: dict[str, str], patience_s: float | None) -> dict[str, Any]:
        return {
            "host": self.host,
            "port": self.port,
            "database": self.database,
            "user": self.user,
            "password": self.password,
            "ssl": self._tls(),
            "timeout": _CONNECT_TIMEOUT_S,
            "command_timeout": patience_s,
            "server_settings": settings,
        }

    @contextmanager
    def _reached(self) -> Iterator[None]:
        try:
            yield
        except (OSError, asyncpg.PostgresError, asyncpg.InterfaceError, asyncpg.InternalClientError) as error:
            # What libraries keep of an error may hold the password: only our words go on.
            raise StoreError(f"{self.what}: {self._unreached(error)}") from None

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


@asynccontextmanager
async def transaction(pool: Any, what: str) -> AsyncIterator[Any]:
    """A connection within a transaction: all or nothing, on disk at the end; StoreError, of `what`, where it fails."""
    try:
        async with pool.acquire() as connection, connection.transaction():
            yield connection
    except (asyncpg.PostgresError, asyncpg.InterfaceError, ValueError, *LOST) as error:
        raise StoreError(f"{what}: {told(error)}") from error


def told(error: BaseException) -> str:
    """What went wrong with a connection that was there, in words."""
    code = getattr(error, "sqlstate", None)
    if code == _LOCKED:
        return "somebody else has been writing for too long; try again"
    if code == _TOO_LONG:
        return "PostgreSQL gave up, since it took too long; try again"
    if code == _FORBIDDEN:
        return f"PostgreSQL does not allow it: {error}; the user must own the database and its tables"
    if code == _STANDBY:
        return "the PostgreSQL at this address is a copy that cannot be written to; name the first one"
    if isinstance(error, LOST):
        return f"the connection to PostgreSQL was lost: {str(error) or 'no answer'}"
    return f"PostgreSQL: {error}"


def _wrong(of: str, address: str, what: str) -> EnergyError:
    return EnergyError(f"{of} {shown(address)}: {what}")


def _said(text: str | None) -> str | None:
    return None if text is None else unquote(text)
