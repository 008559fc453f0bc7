"""The metadata that the tables of all subjects share."""

from __future__ import annotations

from sqlalchemy import MetaData, Table
from sqlalchemy.orm import DeclarativeBase

# Constraints have names, so that a migration can change them on every database.
_NAMES = {
    "ix": "ix_%(table_name)s_%(column_0_N_name)s",
    "uq": "uq_%(table_name)s_%(column_0_N_name)s",
    "ck": "ck_%(table_name)s_%(constraint_name)s",
    "fk": "fk_%(table_name)s_%(column_0_N_name)s",
    "pk": "pk_%(table_name)s",
}


# Ids are integers of 32 bits; a database may refuse to look for a larger one.
LARGEST_ID = 2**31 - 1


class Base(DeclarativeBase):
    """What every table is made from."""

    metadata = MetaData(naming_convention=_NAMES)


def table_of(row: type[Base]) -> Table:
    """The table that a class of rows is of."""
    table = row.__table__
    assert isinstance(table, Table)
    return table
