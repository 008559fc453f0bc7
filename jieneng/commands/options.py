"""Options that several commands share."""

from __future__ import annotations

import asyncio
import getpass
import signal
from collections.abc import Callable, Coroutine
from contextlib import suppress
from datetime import UTC, datetime
from functools import wraps
from pathlib import Path
from typing import Any, TypeVar, cast

import click

F = TypeVar("F", bound=Callable[..., Any])


class _Instant(click.ParamType[datetime]):
    name = "instant"

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> datetime:
        try:
            made = value if isinstance(value, datetime) else datetime.fromisoformat(value)
        except ValueError:
            self.fail(f"{value!r} is not an instant; write ISO 8601, such as 2026-01-31T08:00:00+08:00", param, ctx)
        if made.tzinfo is None:
            self.fail(f"{value!r} has no offset; write {value}+08:00", param, ctx)
        return made.astimezone(UTC)


INSTANT = _Instant()
config = click.option(
    "--config",
    type=click.Path(path_type=Path),
    envvar="JIENENG_CONFIG",
    help="Settings file (YAML); options given here win over it.",
)
site = click.option("--site", type=click.Path(path_type=Path), help="Site file: which meters there are (YAML).")
data = click.option("--data", type=click.Path(path_type=Path), help="Folder for everything that is kept. [var]")
bus = click.option("--bus", help="Broker: mqtt://HOST:PORT, mqtts://HOST:PORT, or embedded. [embedded]")
broker_port = click.option("--broker-port", type=int, help="Port of the embedded broker, on 127.0.0.1. [18830]")
_store = click.option(
    "--store",
    help="Store of the readings: duckdb:FILE, victoria+http://HOST:8428, or influx+http://HOST:8086/ORG/BUCKET. "
    "[duckdb:DATA/readings.duckdb]",
)
_ledger = click.option(
    "--ledger",
    envvar="JIENENG_LEDGER",
    help="Database of the ledger: postgresql://USER@HOST:PORT/DATABASE. [in the file of the readings]",
)
broker_listen = click.option(
    "--broker-listen", help="HOST:PORT where the embedded broker listens by TLS, beyond this machine too. [no]"
)
identity = click.option(
    "--identity",
    type=click.Path(path_type=Path),
    help="Folder made by `jieneng edge enroll`, with which this process comes to its broker. [DATA/identities/own/…]",
)
ledger_memory_mb = click.option(
    "--ledger-memory-mb",
    type=click.IntRange(0, 1_000_000),
    help="Megabytes for registers of the last weeks, beside a ledger in a database of its own. [384]",
)
records = click.option(
    "--records",
    envvar="JIENENG_RECORDS",
    help="Database of the records: sqlite:FILE or postgresql://USER@HOST:PORT/DATABASE. [sqlite:DATA/records.sqlite]",
)
listen = click.option("--listen", help="Where API and page are served. [127.0.0.1:8080]")
roles = click.option(
    "--roles", help="What this process is there for: ingest, jobs, api, with commas between. [ingest,jobs,api]"
)
name = click.option("--name", help="What this process is called among several. [the machine's name, with its roles]")
who = click.option("--who", default=getpass.getuser, help="Who says so. [the user of this session]")
why = click.option("--why", default="", help="Why, or where from: a letter, an order.")
edge = click.option("--edge", help="Id of this edge, part of its topics. [edge]")
accounts = click.option(
    "--accounts",
    type=click.Choice(["required", "off"]),
    help="Whether one must sign in; off: whoever reaches the gateway reads all and enters. [required]",
)
behind_tls = click.option(
    "--behind-tls",
    is_flag=True,
    default=None,
    help="A proxy with TLS stands before the gateway: cookies are Secure, X-Forwarded-For tells the address.",
)
token_file = click.option(
    "--token-file",
    type=click.Path(path_type=Path),
    envvar="JIENENG_TOKEN_FILE",
    help="File with a token, for a running gateway that asks who comes.",
)
metrics_token_file = click.option(
    "--metrics-token-file",
    type=click.Path(path_type=Path),
    help="File with a token by which /metrics, and nothing else, may be fetched from another machine. [none]",
)
meter_clock_s = click.option(
    "--meter-clock-s",
    type=click.IntRange(1),
    help="By how many seconds the clock of a meter may be wrong before it is told as a problem. [300]",
)
audit_days = click.option(
    "--audit-days", type=click.IntRange(180), help="Days the audit log is kept, 180 at least. [365]"
)
audit_folder = click.option(
    "--audit-folder",
    type=click.Path(path_type=Path),
    envvar="JIENENG_AUDIT_FOLDER",
    help="Folder of audit.key and audit.head. [beside records in a file, else --data]",
)
password_days = click.option(
    "--password-days", type=click.IntRange(1), help="Days after which a password must be changed. [never]"
)
providers = click.option(
    "--providers", type=click.Path(path_type=Path), help="File of identity providers to sign in by (OpenID Connect)."
)
channels = click.option(
    "--channels",
    type=click.Path(path_type=Path),
    help="File of the channels by which people are told of alarms (YAML). [the log alone]",
)
mappings = click.option(
    "--mappings",
    type=click.Path(path_type=Path),
    help="Folder of mapping files, for readings that gateways of others publish. [DATA/mappings, if it is there]",
)
outbox_bytes = click.option(
    "--outbox-bytes", type=click.IntRange(1_000_000), help="How much an edge keeps that is not stored yet. [5000000000]"
)
outbox_days = click.option("--outbox-days", type=click.IntRange(1), help="For how long an edge keeps it. [365]")
outbox_when_full = click.option(
    "--outbox-when-full",
    type=click.Choice(["thin", "stop"]),
    help="thin: of old readings the last of each hour stays, then the oldest go; stop: meters are not read. [thin]",
)
history_bytes_per_s = click.option(
    "--history-bytes-per-s",
    type=click.IntRange(1000),
    help="How much of what has waited may go out a second, behind what is new. [as much as is answered promptly]",
)
listen_health = click.option(
    "--listen-health", help="Where an edge tells how it is: PORT on this machine, or HOST:PORT. [nowhere]"
)
clock = click.option(
    "--clock", help="system, or scaled:START@BEGANxSPEED for a rehearsal; shifted:FILE for tests. [system]"
)


def store(command: F) -> F:
    """Put on a command what names the readings and the ledger over them."""
    return _store(_ledger(command))


def chosen(*options: Callable[[F], F]) -> Callable[[F], F]:
    """Put several options on a command, in this order."""

    def decorate(command: F) -> F:
        for option in reversed(options):
            command = option(command)
        return command

    return decorate


def of_records(command: F) -> F:
    """Put on a command what names the records; it is given as `settings`."""

    @config
    @data
    @records
    @audit_folder
    @wraps(command)
    def resolved(
        *args: Any,
        config: Path | None,
        data: Path | None,
        records: str | None,
        audit_folder: Path | None,
        **given: Any,
    ) -> Any:
        from jieneng.settings import load_settings

        return command(
            *args, settings=load_settings(config, data=data, records=records, audit_folder=audit_folder), **given
        )

    return cast(F, resolved)


def run_until_signalled(
    main: Coroutine[Any, Any, None], *, loop_factory: Callable[[], asyncio.AbstractEventLoop] | None = None
) -> None:
    """Run until done, Ctrl-C or SIGTERM; what was opened is closed in order."""

    async def guarded() -> None:
        task = asyncio.ensure_future(main)
        loop = asyncio.get_running_loop()
        for number in (signal.SIGINT, signal.SIGTERM):
            loop.add_signal_handler(number, task.cancel)
        with suppress(asyncio.CancelledError):
            await task

    try:
        with asyncio.Runner(loop_factory=loop_factory) as runner:
            runner.run(guarded())
    except BaseExceptionGroup as group:
        # Of tasks that ran together the first error is the cause; the others were cancelled for it.
        raise _first(group) from None


def _first(group: BaseExceptionGroup[BaseException]) -> BaseException:
    inner = group.exceptions[0]
    return _first(inner) if isinstance(inner, BaseExceptionGroup) else inner
