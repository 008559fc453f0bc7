"""Real programs that tests start: found, or a reason to skip; in CI a missing one is a failure."""

from __future__ import annotations

import os
import shutil
import socket
from contextlib import ExitStack
from itertools import count

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
_numbers = count(os.getpid() * 4001)


def free_port() -> int:
    """A port of 127.0.0.1 that nobody has."""
    return free_ports(1)


def free_ports(wanted: int) -> int:
    """The first of so many ports of 127.0.0.1, one after the other, that nobody has.

    None is told twice by one process, and none is among those that the kernel gives to whoever connects: between being
    found and being listened on it stays free. Tests that run beside each other begin far apart, by their processes.
    """
    for _ in range(_PORTS):
        first, *_ = (next(_numbers) for _ in range(wanted))
        begin = _FIRST_PORT + first % (_PORTS - wanted)
        with ExitStack() as stack:
            try:
                for port in range(begin, begin + wanted):
                    stack.enter_context(socket.socket()).bind(("127.0.0.1", port))
            except OSError:
                continue
            return begin
    raise AssertionError("there is no free port")
