"""Real programs that tests start: found, or a reason to skip; in CI a missing one is a failure."""

from __future__ import annotations

import os
import shutil
import socket

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
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])
