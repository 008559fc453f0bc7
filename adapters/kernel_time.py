"""What the kernel says of its clock: whether anything disciplines it, and since which start of the machine it runs."""

from __future__ import annotations

import ctypes
import secrets
from functools import cache
from pathlib import Path

# `struct timex` of Linux (adjtimex(2)): modes, four longs, then status; larger than any of them on any machine.
_ROOM = 512
_STATUS = 5 * ctypes.sizeof(ctypes.c_long)
_STA_UNSYNC = 0x0040
_BOOT_ID = Path("/proc/sys/kernel/random/boot_id")


def kernel_synchronized() -> bool | None:
    """Whether the kernel's clock is disciplined (STA_UNSYNC is off); None where it cannot be asked."""
    try:
        libc = ctypes.CDLL(None, use_errno=True)
        told = ctypes.create_string_buffer(_ROOM)
        # All zero: modes 0 asks and sets nothing, and needs no privilege.
        if libc.adjtimex(told) < 0:
            return None
    except (OSError, AttributeError):
        return None
    return not ctypes.c_int.from_buffer(told, _STATUS).value & _STA_UNSYNC


@cache
def kernel_boot() -> str:
    """Names this run of the machine; this run of the process, where the machine has no name for its own."""
    try:
        return _BOOT_ID.read_text().strip()
    except OSError:
        return f"process-{secrets.token_hex(8)}"
