"""The second factor: codes by time (RFC 6238), each taken once, and recovery codes."""

from __future__ import annotations

import base64
import secrets

import pyotp
import segno

STEP_S = 30
RECOVERY_CODES = 10


def new_totp() -> str:
    """A secret of 160 bits."""
    return pyotp.random_base32(32)


def totp_address(secret: str, name: str) -> str:
    """What an authenticator app reads."""
    return pyotp.TOTP(secret).provisioning_uri(name=name, issuer_name="Jieneng 节能")


def qr_of(address: str) -> tuple[int, str]:
    """The address as a QR code: modules along a side, the quiet zone with them, and the dark ones as a path of SVG."""
    rows = [list(row) for row in segno.make_qr(address, error="m").matrix_iter(border=4)]
    dark = [(x, y) for y, row in enumerate(rows) for x, module in enumerate(row) if module]
    return len(rows), "".join(f"M{x} {y}h1v1h-1z" for x, y in dark)


def step_of(secret: str, code: str, now_s: float, last: int) -> int | None:
    """The step whose code this is: that of now or one beside it, and later than the last that was taken."""
    totp, now = pyotp.TOTP(secret), int(now_s) // STEP_S
    found = None
    for step in (now - 1, now, now + 1):
        if secrets.compare_digest(totp.generate_otp(step).encode(), code.encode()) and step > last:
            found = step
    return found


def recovery_codes() -> list[str]:
    """Codes of 80 bits, as one writes them down."""
    texts = [base64.b32encode(secrets.token_bytes(10)).decode().lower() for _ in range(RECOVERY_CODES)]
    return ["-".join(text[i : i + 4] for i in range(0, 16, 4)) for text in texts]


def plain(code: str) -> str:
    """A code as it is compared: without the spaces and capitals of who types it."""
    return "".join(code.split()).lower()
