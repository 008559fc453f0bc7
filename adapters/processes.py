"""Child processes that do not outlive their parent."""

from __future__ import annotations

import ctypes
import signal
import sys

_PR_SET_PDEATHSIG = 1


def ends_with_parent() -> None:
    """For `preexec_fn`: on Linux the kernel ends the child when its parent is gone, however it went.

    The child also leaves the terminal's process group, so that Ctrl-C reaches the parent alone, which ends the
    children in order.
    """
    import os

    os.setpgid(0, 0)
    if sys.platform == "linux":
        ctypes.CDLL(None).prctl(_PR_SET_PDEATHSIG, signal.SIGTERM)
