"""The embedded MQTT broker: nats-server as a child process, durable on disk (see docs/decisions)."""

from __future__ import annotations

import os
import shutil
import signal
import socket
import subprocess
import sysconfig
import time
from collections.abc import Iterable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path

from adapters.broker_rules import ONLOOKER, Rights, subjects
from adapters.processes import ends_with_parent
from adapters.secret_files import write_secret
from energy.errors import EnergyError

_CONFIGURATION = """\
server_name: jieneng
host: "127.0.0.1"
port: -1
pid_file: "{folder}/nats.pid"
jetstream {{ store_dir: "{folder}", sync_interval: "2s" }}
{users}mqtt {{ host: "{host}", port: {port}, max_ack_pending: 1024, ack_wait: "10s"{more} }}
"""
_TLS = """
  tls {{ cert_file: "{certificate}", key_file: "{key}", ca_file: "{authority}", verify_and_map: true, timeout: 5 }}"""
# The server hands a client its messages on a subject of its own below this one, and lets no client ask for it.
_DELIVERED = "$MQTT.sub.>"
_LOOPBACK = "127.0.0.1"


@dataclass(frozen=True, slots=True)
class Transport:
    """TLS of a broker: clients show a certificate of `authority`, and are who it says. All three are files."""

    certificate: Path
    key: Path
    authority: Path


@dataclass(frozen=True, slots=True)
class Guard:
    """Who may come: the file of users, written by `write_users`, and TLS, without which it listens on loopback only."""

    users: Path
    transport: Transport | None = None


@dataclass(frozen=True, slots=True)
class User:
    """Somebody with a password, or whose certificate says `name`."""

    name: str
    rights: Rights
    password: str | None = None


def write_users(file: Path, users: Iterable[User]) -> None:
    """The users of a broker; one that runs takes them when it is told by `reload`."""
    made = "\n".join(_user(user) for user in users)
    write_secret(file, f"authorization {{ users = [\n{made}\n] }}\n".encode())


def _user(user: User) -> str:
    password = "" if user.password is None else f' password: "{user.password}",'
    heard = [*user.rights.subscribe, _DELIVERED]
    return (
        f'{{ user: "{user.name}",{password} allowed_connection_types: ["MQTT"], permissions: {{ '
        f"publish: {{ {_allowed(user.rights.publish)} }}, subscribe: {{ {_allowed(heard)} }} }} }}"
    )


def _allowed(topics: Iterable[str]) -> str:
    found = [_DELIVERED if topic == _DELIVERED else subject for topic in topics for subject in subjects(topic)]
    return "allow: [" + ", ".join(f'"{one}"' for one in found) + "]" if found else 'deny: [">"]'


def find_server() -> str:
    """The nats-server that is installed with us, or the machine's."""
    own = Path(sysconfig.get_path("scripts")) / "nats-server"
    found = str(own) if own.exists() else shutil.which("nats-server")
    if found is None:
        raise EnergyError(
            "no nats-server is installed; run `make setup`, or name another broker with --bus mqtts://HOST"
        )
    return found


def broker_command(folder: Path, port: int, *, host: str = _LOOPBACK, guard: Guard | None = None) -> list[str]:
    """What starts a broker that keeps what it must in `folder`; EnergyError where it cannot.

    Beyond loopback it needs a guard with TLS: nobody comes anonymously over a network.
    """
    if host != _LOOPBACK and (guard is None or guard.transport is None):
        raise EnergyError(f"the embedded broker listens on {host} with TLS and credentials only")
    if answers(port, reached(host)):
        raise EnergyError(f"port {port} is taken by another program; give the broker another with --broker-port")
    folder.mkdir(parents=True, exist_ok=True)
    configuration = folder / "nats.conf"
    users = "" if guard is None else f'include "{os.path.relpath(guard.users.resolve(), folder.resolve())}"\n'
    text = _CONFIGURATION.format(folder=folder.resolve(), host=host, port=port, users=users, more=_more(guard))
    configuration.write_text(text)
    return [find_server(), "-c", str(configuration)]


def _more(guard: Guard | None) -> str:
    if guard is None:
        return ""
    if guard.transport is None:
        return f', no_auth_user: "{ONLOOKER}"'
    files = guard.transport
    made = {name: getattr(files, name).resolve() for name in ("certificate", "key", "authority")}
    return _TLS.format(**made)


def forget_all(folder: Path) -> None:
    """Let a broker that does not run forget sessions and what waits in them: edges send again what is not answered.

    A session that nobody comes back to would be kept everything for, for ever.
    """
    shutil.rmtree(folder / "jetstream", ignore_errors=True)


def reload(folder: Path) -> bool:
    """Tell the broker of a folder to read its users anew, by which those who are none any more are disconnected.

    Whether one runs.
    """
    try:
        process = int((folder / "nats.pid").read_text())
        # A number from before may be another program's by now.
        command = Path(f"/proc/{process}/cmdline").read_bytes()
    except (OSError, ValueError):
        return False
    if b"nats-server" not in command or str(folder.resolve() / "nats.conf").encode() not in _absolute(process, command):
        return False
    os.kill(process, signal.SIGHUP)
    return True


def _absolute(process: int, command: bytes) -> bytes:
    """The words of a command, its last one as a path from the root."""
    last = command.rstrip(b"\0").rpartition(b"\0")[2].decode(errors="replace")
    return os.fsencode((Path(f"/proc/{process}/cwd").resolve() / last).resolve())


@contextmanager
def embedded_broker(
    folder: Path,
    port: int,
    *,
    ready_within_s: float = 120.0,
    host: str = _LOOPBACK,
    guard: Guard | None = None,
) -> Iterator[subprocess.Popen[bytes]]:
    """A broker for as long as the context; EnergyError where it does not come up."""
    command = broker_command(folder, port, host=host, guard=guard)
    with (folder / "broker.log").open("ab") as log:
        process = subprocess.Popen(command, stdout=log, stderr=log, preexec_fn=ends_with_parent)
    try:
        _await_port(process, port, reached(host), folder / "broker.log", ready_within_s)
        yield process
    finally:
        process.terminate()
        with suppress(subprocess.TimeoutExpired):
            process.wait(10)
        if process.poll() is None:
            process.kill()
            process.wait()


def _await_port(process: subprocess.Popen[bytes], port: int, host: str, log: Path, within_s: float) -> None:
    deadline = time.monotonic() + within_s
    while not answers(port, host):
        if process.poll() is not None or time.monotonic() > deadline:
            raise EnergyError(f"the broker did not start; its last words are in {log}")
        time.sleep(0.01)


def reached(host: str) -> str:
    """Where this machine reaches what listens on `host`."""
    return {"0.0.0.0": _LOOPBACK, "::": "::1"}.get(host, host)  # noqa: S104 - what is told is where to call


def answers(port: int, host: str = _LOOPBACK) -> bool:
    """Whether somebody listens there."""
    with socket.socket(socket.AF_INET6 if ":" in host else socket.AF_INET) as probe:
        probe.settimeout(0.5)
        return probe.connect_ex((host, port)) == 0
