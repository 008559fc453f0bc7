"""What the kernel says of its clock: whether anything disciplines it, and since which start of the machine it runs."""

from __future__ import annotations

import ctypes
import secrets
from collections.abc import Callable
from functools import cache
from pathlib import Path

# `struct timex` of Linux (adjtimex(2)): modes, four longs, then status; larger than any of them on any machine.
_ROOM = 512
_STATUS = 5 * ctypes.sizeof(ctypes.c_long)
_STA_UNSYNC = 0x0040
_PROC = Path("/proc")
_BOOT_ID = _PROC / "sys/kernel/random/boot_id"
# Programs that set clocks, as the kernel calls them (15 characters).
_SETTERS = frozenset(
    ("systemd-timesyn", "chronyd", "ntpd", "openntpd", "ntpsec", "connmand", "ptp4l", "phc2sys", "htpdate", "sntp")
)


def kernel_synchronized(any_setter: Callable[[], bool]) -> bool | None:
    """Whether the kernel's clock is disciplined (STA_UNSYNC is off); None where nobody can know.

    In a container and on a machine whose host keeps its time the kernel denies it for ever. So it is believed only
    while there is a program that could set the clock and has not yet done it.
    """
    told = _kernel_says()
    return None if told is False and not any_setter() else told


def _kernel_says() -> bool | None:
    try:
        libc = ctypes.CDLL(None, use_errno=True)
        found = ctypes.create_string_buffer(_ROOM)
        # All zero: modes 0 asks and sets nothing, and needs no privilege.
        if libc.adjtimex(found) < 0:
            return None
    except (OSError, AttributeError):
        return None
    return not ctypes.c_int.from_buffer(found, _STATUS).value & _STA_UNSYNC


def any_setter(proc: Path = _PROC) -> bool:
    """Whether a program runs here that sets clocks."""
    return any(_name(process) in _SETTERS for process in proc.glob("[0-9]*"))


def _name(process: Path) -> str:
    try:
        return (process / "comm").read_text().strip()
    except (OSError, UnicodeDecodeError):
        return ""


@cache
def kernel_boot() -> str:
    """Names this run of the machine; this run of the process, where the machine has no name for its own."""
    try:
        return _BOOT_ID.read_text().strip()
    except OSError:
        return f"process-{secrets.token_hex(8)}"
