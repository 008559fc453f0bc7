"""Real programs that tests start: found, or a reason to skip; in CI a missing one is a failure."""

from __future__ import annotations

import os
import shutil
import socket
from contextlib import ExitStack

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


def free_port() -> int:
    """A port of 127.0.0.1 that nobody has."""
    return free_ports(1)


def free_ports(count: int) -> int:
    """The first of so many ports of 127.0.0.1, one after the other, that nobody has."""
    while True:
        with ExitStack() as stack:
            probes = [stack.enter_context(socket.socket()) for _ in range(count)]
            probes[0].bind(("127.0.0.1", 0))
            first = int(probes[0].getsockname()[1])
            try:
                for i, probe in enumerate(probes[1:], start=1):
                    probe.bind(("127.0.0.1", first + i))
            except (OSError, OverflowError):
                continue
            return first
