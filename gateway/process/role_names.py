"""What the roles of a gateway are called."""

from __future__ import annotations

from typing import Literal, get_args

RoleName = Literal["ingest", "jobs", "api"]
ROLES: tuple[RoleName, ...] = get_args(RoleName)
