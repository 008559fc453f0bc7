"""Tables of alarms. Nothing is deleted: alarms are closed, rules superseded, messages stay as they were sent."""

from __future__ import annotations

from typing import Any

from sqlalchemy import JSON, BigInteger, Boolean, Float, ForeignKey, Integer, String, Text
from sqlalchemy.orm import Mapped, mapped_column

from gateway.records.base import Base


class _Numbered:
    id: Mapped[int] = mapped_column(Integer, primary_key=True, autoincrement=True)


class AlarmRulesRow(Base):
    """A whole file of rules as it was entered; the newest holds."""

    __tablename__ = "alarm_rules"

    number: Mapped[int] = mapped_column(Integer, primary_key=True, autoincrement=True)
    document: Mapped[str] = mapped_column(Text)
    who: Mapped[str] = mapped_column(String)
    why: Mapped[str] = mapped_column(String)
    entered_at_ms: Mapped[int] = mapped_column(BigInteger)


class AlarmRow(_Numbered, Base):
    """An alarm. `cause` is of one open alarm at a time; `figures` is what has flowed since, and what it cost."""

    __tablename__ = "alarms"

    cause: Mapped[str] = mapped_column(String, index=True)
    kind: Mapped[str] = mapped_column(String)
    rule: Mapped[str | None] = mapped_column(String)
    subject: Mapped[str] = mapped_column(String)
    title_zh: Mapped[str] = mapped_column(String)
    title_en: Mapped[str] = mapped_column(String)
    detail_zh: Mapped[str] = mapped_column(Text)
    detail_en: Mapped[str] = mapped_column(Text)
    first_zh: Mapped[str] = mapped_column(Text)
    first_en: Mapped[str] = mapped_column(Text)
    point: Mapped[str | None] = mapped_column(String)
    value: Mapped[float | None] = mapped_column(Float)
    beyond: Mapped[float | None] = mapped_column(Float)
    unit: Mapped[str] = mapped_column(String)
    crossed_ms: Mapped[int] = mapped_column(BigInteger)
    figures: Mapped[dict[str, Any] | None] = mapped_column(JSON(none_as_null=True))
    level: Mapped[str] = mapped_column(String)
    opened_ms: Mapped[int] = mapped_column(BigInteger)
    began_ms: Mapped[int] = mapped_column(BigInteger)
    round: Mapped[int] = mapped_column(Integer)
    flaps: Mapped[int] = mapped_column(Integer)
    pushed_ms: Mapped[int | None] = mapped_column(BigInteger)
    read_ms: Mapped[int | None] = mapped_column(BigInteger)
    acknowledged_ms: Mapped[int | None] = mapped_column(BigInteger)
    recovered_ms: Mapped[int | None] = mapped_column(BigInteger)
    closed_ms: Mapped[int | None] = mapped_column(BigInteger, index=True)
    acknowledged_by: Mapped[str | None] = mapped_column(String)
    acknowledged_how: Mapped[str | None] = mapped_column(String)


class AlarmMemberRow(_Numbered, Base):
    """What an alarm is about: a point METER:QUANTITY, a meter, an edge; `until_ms` is null while it is still so."""

    __tablename__ = "alarm_members"

    alarm: Mapped[int] = mapped_column(ForeignKey("alarms.id"), index=True)
    name: Mapped[str] = mapped_column(String)
    since_ms: Mapped[int] = mapped_column(BigInteger)
    until_ms: Mapped[int | None] = mapped_column(BigInteger)


class AlarmStepRow(_Numbered, Base):
    """A step in the life of an alarm; `how` is page, link, a channel, or empty where the program did it."""

    __tablename__ = "alarm_steps"

    alarm: Mapped[int] = mapped_column(ForeignKey("alarms.id"), index=True)
    at_ms: Mapped[int] = mapped_column(BigInteger)
    kind: Mapped[str] = mapped_column(String)
    who: Mapped[str] = mapped_column(String)
    how: Mapped[str] = mapped_column(String)
    note: Mapped[str] = mapped_column(Text)


class AlarmMessageRow(_Numbered, Base):
    """A message to one person, kept before it is sent; `key` is of one message alone, so that none is made twice.

    `state` is waiting, sent, refused (by the channel, or given up), or moot (nobody needed it any more).
    """

    __tablename__ = "alarm_messages"

    key: Mapped[str] = mapped_column(String, unique=True)
    alarm: Mapped[int | None] = mapped_column(ForeignKey("alarms.id"), index=True)
    kind: Mapped[str] = mapped_column(String)
    round: Mapped[int] = mapped_column(Integer)
    rung: Mapped[int] = mapped_column(Integer)
    person: Mapped[str] = mapped_column(String)
    channel: Mapped[str] = mapped_column(String)
    address: Mapped[str] = mapped_column(String)
    # Which of the ways to reach the person this is.
    way: Mapped[int] = mapped_column(Integer)
    language: Mapped[str] = mapped_column(String)
    title: Mapped[str] = mapped_column(String)
    text: Mapped[str] = mapped_column(Text)
    more: Mapped[str] = mapped_column(Text)
    linked: Mapped[bool] = mapped_column(Boolean)
    state: Mapped[str] = mapped_column(String, index=True)
    attempts: Mapped[int] = mapped_column(Integer)
    made_ms: Mapped[int] = mapped_column(BigInteger)
    next_ms: Mapped[int] = mapped_column(BigInteger)
    done_ms: Mapped[int | None] = mapped_column(BigInteger)
    answer: Mapped[str] = mapped_column(String)
