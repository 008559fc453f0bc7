"""Grafana from the command line: what its dashboards are made of, read from records and ledger."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace
from pathlib import Path
from urllib.parse import parse_qs, urlsplit

import asyncpg

from adapters.clocks import SystemClock
from adapters.postgres_address import LOST, PostgresAddress, told
from adapters.victoria_client import VictoriaAddress
from energy.errors import EnergyError, StoreError
from energy.readings import Point
from energy.sites import Site, Text
from gateway.dashboards.making import Known
from gateway.dashboards.reader import reader_sql
from gateway.dashboards.sources import LEDGER, METRICS, READINGS, RECORDS, Secret, Source, Sources
from gateway.ledger.keeping import kept as kept_of_books
from gateway.ledger.learnt import with_points
from gateway.quotas.service import Quotas
from jieneng.records import kept
from jieneng.settings import Settings

READER = "jieneng_reader"


@dataclass(frozen=True, slots=True)
class Reader:
    """The role by which Grafana reads PostgreSQL, and the file with its password."""

    role: str = READER
    password_file: str = "/run/secrets/jieneng-reader"  # noqa: S105  # where it lies, not what it is


def sources_of(settings: Settings, reader: Reader, metrics: str | None) -> Sources:
    """The data sources that the settings name; EnergyError where Grafana can read none of the stores."""
    found = [
        *_of_postgres(settings.ledger, LEDGER, "ledger", reader),
        *_of_postgres(settings.records_address, RECORDS, "records", reader),
    ]
    series, missing = "jieneng", []
    readings = None
    if settings.store_address.startswith("victoria+"):
        series = VictoriaAddress.parse(settings.store_address).name
        readings = _of_victoria(settings.store_address)
        found.append(readings)
    if metrics is not None:
        found.append(Source(METRICS, metrics.rstrip("/")))
    elif readings is not None:
        # It takes the figures of the gateway too, where it is told to fetch them.
        found.append(replace(readings, of=METRICS))
    there = {source.of for source in found}
    for of, what in (
        (LEDGER, "consumption and quotas: the ledger is not on PostgreSQL"),
        (RECORDS, "quotas and contracts: the records are not on PostgreSQL"),
        (READINGS, "readings of meters: they are not in VictoriaMetrics"),
        (METRICS, "figures of the gateway: name the Prometheus that fetches them with --metrics"),
    ):
        missing += [what] if of not in there else []
    if not found:
        raise EnergyError(
            "Grafana can read none of the stores: it reads PostgreSQL and VictoriaMetrics, not the files of the "
            "embedded ones (docs/stores.md tells how to move)"
        )
    return Sources(tuple(found), series, tuple(missing))


def grants(settings: Settings, reader: Reader) -> dict[str, str]:
    """SQL that lets the reader read, by the name of its file."""
    made = {}
    for address, of, name in ((settings.ledger, LEDGER, "ledger"), (settings.records_address, RECORDS, "records")):
        if _is_postgres(address):
            made[f"reader-{name}.sql"] = reader_sql(reader.role, of, PostgresAddress.parse(str(address)).database)
    return made


async def grant_all(settings: Settings, reader: Reader) -> None:
    """Let the reader read, as who the settings come as; StoreError where the tables are not theirs, or not there."""
    for address, of in ((settings.ledger, LEDGER), (settings.records_address, RECORDS)):
        if not _is_postgres(address):
            continue
        at = PostgresAddress.parse(str(address), "ledger" if of == LEDGER else "records")
        connection = await at.connect({}, 60.0)
        try:
            await connection.execute(reader_sql(reader.role, of, at.database))
        except (asyncpg.PostgresError, asyncpg.InterfaceError, *LOST) as error:
            raise StoreError(f"{of.uid}: {reader.role} was not granted what dashboards show: {told(error)}") from error
        finally:
            await connection.close()


async def known(settings: Settings) -> Known:
    """The site of the records with what was ever read of its meters, their events, and the quotas that hold."""
    nobody = Site("site", Text("本地", "here"), "Asia/Shanghai")
    if not settings.has_records:
        raise EnergyError("there are no records yet; bring a site in with: jieneng site import FILE")
    async with kept(settings) as records:
        books = await kept_of_books(records, SystemClock(), nobody)
        if books.site is nobody:
            raise EnergyError("the records hold no site yet; bring one in with: jieneng site import FILE")
        quotas = [entry.value for entry in await Quotas(records, SystemClock()).entries()]
    return Known(with_points(books.site, await _points(settings)), books.events, quotas)


async def _points(settings: Settings) -> list[Point]:
    """All that the ledger has numbered; nothing where it was never opened."""
    if not _is_postgres(settings.ledger):
        return []
    connection = await PostgresAddress.parse(str(settings.ledger), "ledger").connect({}, 60.0)
    try:
        rows = await connection.fetch("SELECT meter, quantity FROM ledger.points ORDER BY id")
    except (asyncpg.UndefinedTableError, asyncpg.InvalidSchemaNameError):
        return []
    except (asyncpg.PostgresError, asyncpg.InterfaceError, *LOST) as error:
        raise StoreError(f"ledger: {told(error)}") from error
    finally:
        await connection.close()
    return [Point(meter, name) for meter, name in rows]


def _is_postgres(address: str | None) -> bool:
    return address is not None and address.startswith("postgresql:")


def _of_postgres(address: str | None, of: object, what: str, reader: Reader) -> Iterator[Source]:
    if address is None or not _is_postgres(address):
        return
    at = PostgresAddress.parse(address, what)
    # Grafana knows no `prefer`: where nothing was said, TLS is wanted.
    told: dict[str, object] = {"database": at.database, "sslmode": "require" if at.sslmode == "prefer" else at.sslmode}
    if at.ca is not None:
        told |= {"tlsConfigurationMethod": "file-path", "sslRootCertFile": at.ca}
    secret = {"password": Secret(reader.password_file)}
    yield Source(LEDGER if of == LEDGER else RECORDS, f"{at.host}:{at.port}", reader.role, told, secret)


def _of_victoria(address: str) -> Source:
    at = VictoriaAddress.parse(address)
    parts = urlsplit(address.removeprefix("victoria+"))
    options = {key: values[-1] for key, values in parse_qs(parts.query).items()}
    told: dict[str, object] = {"httpMethod": "POST"}
    if "token_file" in options:
        told["httpHeaderName1"] = "Authorization"
        return Source(READINGS, at.select, "", told, {"httpHeaderValue1": Secret(options["token_file"], "Bearer ")})
    if parts.username:
        secret = {"basicAuthPassword": Secret(options["password_file"])} if "password_file" in options else {}
        return Source(READINGS, at.select, "", told, secret, parts.username)
    return Source(READINGS, at.select, "", told)


def token_of(file: Path) -> str:
    """The token in a file, which is not empty."""
    try:
        token = file.read_text(encoding="utf-8").strip()
    except OSError as error:
        raise EnergyError(f"token file {file}: cannot be read: {error.strerror}") from error
    if not token:
        raise EnergyError(f"token file {file} is empty")
    return token
