"""Real programs that tests start: found, or a reason to skip; in CI a missing one is a failure."""

from __future__ import annotations

import fcntl
import os
import shutil
import socket
from contextlib import ExitStack
from functools import cache
from itertools import count
from pathlib import Path

import pytest


def program(*names: str) -> str:
    """Where one of these programs is."""
    for name in names:
        found = shutil.which(name)
        if found:
            return found
    reason = f"{' or '.join(names)} is not installed"
    if os.environ.get("JIENENG_REAL_PARTS") == "required":
        pytest.fail(reason)
    pytest.skip(reason)


_FIRST_PORT, _PORTS = 20_000, 12_000
# Each process begins somewhere else, so that hardly one that is taken is tried.
_numbers = count(os.getpid() * 7417)
# A byte of this file for each port. Who was told a port holds the lock of its byte for as long as he lives.
_TOLD = Path(f"/tmp/jieneng-ports-of-tests-{os.getuid()}")


def free_port() -> int:
    """A port of 127.0.0.1 that nobody has."""
    return free_ports(1)


def free_ports(wanted: int) -> int:
    """The first of so many ports of 127.0.0.1, one after the other, that nobody has.

    Between being found and being listened on a port stays free. So none is told twice on this machine, while who was
    told it lives, and none is among those that the kernel gives to whoever connects.
    """
    for _ in range(_PORTS):
        begin = _FIRST_PORT + next(_numbers) % (_PORTS - wanted)
        if _is_ours(begin, wanted) and _is_free(begin, wanted):
            return begin
    raise AssertionError("there is no free port")


# The ports that were told by this process, which its own locks do not keep from it.
_told: set[int] = set()


@cache
def _file() -> int:
    return os.open(_TOLD, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)


def _is_ours(begin: int, wanted: int) -> bool:
    ports = range(begin, begin + wanted)
    if not _told.isdisjoint(ports):
        return False
    try:
        fcntl.lockf(_file(), fcntl.LOCK_EX | fcntl.LOCK_NB, wanted, begin)
    except OSError:
        return False
    _told.update(ports)
    return True


def _is_free(begin: int, wanted: int) -> bool:
    with ExitStack() as stack:
        try:
            for port in range(begin, begin + wanted):
                stack.enter_context(socket.socket()).bind(("127.0.0.1", port))
        except OSError:
            return False
    return True
