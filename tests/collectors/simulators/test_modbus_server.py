"""Modbus TCP as the standard has it, however the client behaves."""

from __future__ import annotations

import asyncio
import struct
from collections.abc import AsyncIterator

import pytest
from hypothesis import given
from hypothesis import strategies as st

from collectors.meter_profile import Table
from collectors.simulators.modbus_server import Answering, ModbusServer, answer
from collectors.simulators.registers import Image
from tests.waiting import PATIENCE_S

# Holding registers 100..103 hold 1, 2, 0, 4; 102 is a hole that the profile does not map.
_IMAGES = {Table.HOLDING: Image(100, struct.pack(">4H", 1, 2, 0, 4))}
_UNITS = {1: Answering(lambda: _IMAGES), 2: Answering(lambda: None), 3: Answering(lambda: _IMAGES, max_registers=2)}


def ask(transaction: int, unit: int, function: int, address: int, count: int) -> bytes:
    return struct.pack(">HHHBBHH", transaction, 0, 6, unit, function, address, count)


def said(transaction: int, unit: int, function: int, *registers: int) -> bytes:
    words = struct.pack(f">{len(registers)}H", *registers)
    return struct.pack(">HHHBBB", transaction, 0, 3 + len(words), unit, function, len(words)) + words


@pytest.fixture
async def server() -> AsyncIterator[ModbusServer]:
    server = ModbusServer(_UNITS)
    await server.start()
    yield server
    await server.stop()


async def exchange(server: ModbusServer, *segments: bytes, expected: int) -> bytes:
    """What comes back when these segments are sent one after another."""
    reader, writer = await asyncio.open_connection(server.host, server.port)
    try:
        for segment in segments:
            writer.write(segment)
            await writer.drain()
            await asyncio.sleep(0.001)
        return await asyncio.wait_for(reader.readexactly(expected), PATIENCE_S)
    finally:
        writer.close()


async def test_it_answers_what_was_asked(server: ModbusServer) -> None:
    expected = said(7, 1, 3, 1, 2, 0, 4)

    assert await exchange(server, ask(7, 1, 3, 100, 4), expected=len(expected)) == expected


async def test_requests_sent_at_once_are_answered_in_their_order(server: ModbusServer) -> None:
    expected = said(1, 1, 3, 4) + said(2, 3, 3, 1) + said(3, 1, 3, 2)
    together = ask(1, 1, 3, 103, 1) + ask(2, 3, 3, 100, 1) + ask(3, 1, 3, 101, 1)

    assert await exchange(server, together, expected=len(expected)) == expected


@pytest.mark.parametrize("cut", [1, 6, 7, 8, 11, 13, 20])
async def test_requests_may_come_in_pieces(server: ModbusServer, cut: int) -> None:
    expected = said(1, 1, 3, 1) + said(2, 1, 3, 2)
    together = ask(1, 1, 3, 100, 1) + ask(2, 1, 3, 101, 1)

    assert await exchange(server, together[:cut], together[cut:], expected=len(expected)) == expected


@pytest.mark.parametrize(
    ("request_", "code"),
    [
        (struct.pack(">BHH", 6, 100, 9), 1),  # write one register
        (struct.pack(">BHH", 1, 100, 1), 1),  # read coils
        (struct.pack(">BHH", 3, 99, 1), 2),
        (struct.pack(">BHH", 3, 103, 2), 2),
        (struct.pack(">BHH", 4, 100, 1), 2),  # nothing is mapped in the input table
        (struct.pack(">BHH", 3, 100, 0), 3),
        (struct.pack(">BHH", 3, 100, 126), 3),
        (struct.pack(">BH", 3, 100), 3),
    ],
)
def test_what_cannot_be_answered_is_refused_with_the_code_of_the_standard(request_: bytes, code: int) -> None:
    assert answer(_UNITS, 1, request_) == bytes((request_[0] | 0x80, code))


def test_a_unit_that_does_not_exist_does_not_respond_to_its_gateway() -> None:
    assert answer(_UNITS, 9, struct.pack(">BHH", 3, 100, 1)) == bytes((0x83, 0x0B))


def test_a_meter_refuses_more_registers_than_it_returns_at_once() -> None:
    assert answer(_UNITS, 3, struct.pack(">BHH", 3, 100, 3)) == bytes((0x83, 3))


async def test_a_silent_unit_says_nothing_and_holds_nobody_up(server: ModbusServer) -> None:
    expected = said(2, 1, 3, 1)

    assert await exchange(server, ask(1, 2, 3, 100, 1) + ask(2, 1, 3, 100, 1), expected=len(expected)) == expected


@pytest.mark.parametrize(
    "garbage", [b"GET / HTTP/1.1\r\n\r\n", b"\xff" * 300, b"\0\1\0\0\0\0\1", b"\0\1\0\0\xff\xff\1\3"]
)
async def test_garbage_ends_its_own_connection_only(server: ModbusServer, garbage: bytes) -> None:
    expected = said(1, 1, 3, 1)
    reader, writer = await asyncio.open_connection(server.host, server.port)
    writer.write(ask(1, 1, 3, 100, 1) + garbage)

    assert await asyncio.wait_for(reader.read(), PATIENCE_S) == expected
    assert await exchange(server, ask(1, 1, 3, 100, 1), expected=len(expected)) == expected
    writer.close()


@given(st.binary(min_size=1, max_size=253))
def test_no_request_breaks_it(request_: bytes) -> None:
    reply = answer(_UNITS, 1, request_)

    assert reply is not None
    assert 2 <= len(reply) <= 253


async def test_stopping_ends_every_connection_and_frees_the_port() -> None:
    server = ModbusServer(_UNITS)
    await server.start()
    reader, writer = await asyncio.open_connection(server.host, server.port)
    writer.write(ask(1, 1, 3, 100, 1))
    await reader.readexactly(11)
    await server.stop()

    with pytest.raises((ConnectionError, asyncio.IncompleteReadError)):
        await asyncio.wait_for(reader.readexactly(1), PATIENCE_S)
    again = ModbusServer(_UNITS, port=server.port)
    await again.start()
    await again.stop()
    writer.close()


async def test_each_answer_is_told_with_its_connection_before_it_is_sent() -> None:
    told: list[tuple[int, int, bytes, bytes]] = []
    server = ModbusServer(_UNITS, told=lambda *of: told.append(of))
    await server.start()
    try:
        for transaction in (1, 2):
            expected = said(transaction, 1, 3, 2)
            assert await exchange(server, ask(transaction, 1, 3, 101, 1), expected=len(expected)) == expected
    finally:
        await server.stop()

    request, answer = ask(1, 1, 3, 101, 1)[7:], said(1, 1, 3, 2)[7:]
    assert told == [(1, 1, request, answer), (2, 1, request, answer)]
