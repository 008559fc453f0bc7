"""Who answered on a line, and what that makes likely."""

from __future__ import annotations

from dataclasses import dataclass, field

from collectors.commissioning.fingerprint import Fit, likely


@dataclass(slots=True)
class Finding:
    """Somebody who answered. `proof` is by what; `fits` are the makes that were looked at, the likeliest first."""

    line: str
    protocol: str
    unit: int | None
    address: str | None
    proof: str
    # Of CJ/T 188: what kind of meter it says to be.
    meter_type: int | None = None
    identification: dict[str, str] = field(default_factory=dict)
    fits: list[Fit] = field(default_factory=list)
    looked_at: bool = False
    note: str | None = None

    @property
    def station(self) -> str:
        return f"unit {self.unit}" if self.address is None else f"meter {self.address}"

    @property
    def likely(self) -> list[Fit]:
        """One make where it is known, several where more than one fits, none where nobody knows."""
        return likely(self.fits)

    @property
    def verdict(self) -> str:
        """`identified`, `several`, `unknown`, or `not looked at` where the search was stopped before."""
        if not self.looked_at:
            return "not looked at"
        return ("unknown", "identified", "several")[min(2, len(self.likely))]


@dataclass(slots=True)
class Findings:
    """What was found so far, and what was strange."""

    meters: list[Finding] = field(default_factory=list)
    notes: list[str] = field(default_factory=list)
