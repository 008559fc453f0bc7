"""Roles, what they permit, and who somebody is."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum


class Permission(StrEnum):
    """What a route needs; every route names one."""

    # Nobody needs to be signed in.
    OPEN = "open"
    # Whoever is signed in, for what is his own: his session, his password.
    OWN = "own"
    READ = "read"
    # Events of meters, bills, stock: what institutions enter.
    FILL = "fill"
    # Closing and correcting months, tariffs, factor sets.
    APPROVE = "approve"
    # Confirming and disputing the statements of contracts, each party for itself.
    CONFIRM = "confirm"
    # Returning and accepting what institutions submit.
    REVIEW = "review"
    # Edges, quarantine, problems of the installation.
    OPERATE = "operate"
    # Sites, meters, organisations.
    ADMINISTER_SYSTEM = "administer_system"
    # Accounts, grants, tokens.
    ADMINISTER_SECURITY = "administer_security"
    # The log of what was done.
    AUDIT = "audit"


class Role(StrEnum):
    """What somebody is to an organisation and all below it, or to the whole installation."""

    READER = "reader"
    FILLER = "filler"
    APPROVER = "approver"
    STATISTICIAN = "statistician"
    REVIEWER = "reviewer"
    ENERGY_OFFICER = "energy_officer"
    DUTY = "duty"
    PARTNER = "partner"
    AUDITOR = "auditor"
    SYSTEM_ADMINISTRATOR = "system_administrator"
    SECURITY_ADMINISTRATOR = "security_administrator"
    AUDIT_ADMINISTRATOR = "audit_administrator"


_READ = frozenset({Permission.READ})

PERMITS: Mapping[Role, frozenset[Permission]] = {
    Role.READER: _READ,
    Role.FILLER: _READ | {Permission.FILL},
    Role.APPROVER: _READ | {Permission.FILL, Permission.APPROVE, Permission.CONFIRM},
    Role.STATISTICIAN: _READ,
    Role.REVIEWER: _READ | {Permission.REVIEW},
    Role.ENERGY_OFFICER: _READ
    | {Permission.FILL, Permission.APPROVE, Permission.CONFIRM, Permission.REVIEW, Permission.OPERATE},
    Role.DUTY: _READ | {Permission.OPERATE},
    Role.PARTNER: _READ | {Permission.CONFIRM},
    Role.AUDITOR: _READ | {Permission.AUDIT},
    Role.SYSTEM_ADMINISTRATOR: frozenset({Permission.ADMINISTER_SYSTEM, Permission.OPERATE}),
    Role.SECURITY_ADMINISTRATOR: frozenset({Permission.ADMINISTER_SECURITY}),
    Role.AUDIT_ADMINISTRATOR: frozenset({Permission.AUDIT}),
}

# One account cannot hold two of these.
SEPARATE = frozenset({Role.SYSTEM_ADMINISTRATOR, Role.SECURITY_ADMINISTRATOR, Role.AUDIT_ADMINISTRATOR})
# Roles of the installation; all others are held of an organisation, or of everything where none is named.
OF_INSTALLATION = SEPARATE


@dataclass(frozen=True, slots=True)
class Grant:
    """A role of an organisation and all below it; of the whole installation where `organisation` is None.

    A partner's grant names the meters of its contract instead.
    """

    role: Role
    organisation: str | None = None
    meters: tuple[str, ...] = ()

    def __post_init__(self) -> None:
        if self.role in OF_INSTALLATION and (self.organisation or self.meters):
            raise ValueError(f"{self.role} is a role of the whole installation")
        if (self.role is Role.PARTNER) != bool(self.meters):
            raise ValueError("a partner, and nobody else, is granted the meters of its contract")


@dataclass(frozen=True, slots=True)
class Identity:
    """Who is asking: an account with its grants; `scopes` narrow an API token to fewer permissions, None does not."""

    account: str
    grants: tuple[Grant, ...] = ()
    scopes: frozenset[Permission] | None = None

    def __post_init__(self) -> None:
        if sum(g.role in SEPARATE for g in self.grants) > 1:
            raise ValueError(f"{self.account}: system, security and audit administration are of three accounts")

    def granted(self, permission: Permission) -> tuple[Grant, ...]:
        """The grants that permit it."""
        if self.scopes is not None and permission not in self.scopes:
            return ()
        return tuple(g for g in self.grants if permission in PERMITS[g.role])

    def may(self, permission: Permission) -> bool:
        """Whether it is permitted anywhere."""
        return permission in (Permission.OPEN, Permission.OWN) or bool(self.granted(permission))
