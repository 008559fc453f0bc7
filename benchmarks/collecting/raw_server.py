"""The least that answers Modbus TCP, on a core of its own: `python -m benchmarks.collecting.raw_server PORT`."""

from __future__ import annotations

import asyncio
import struct
import sys

REQUEST = 12


class _Answers(asyncio.Protocol):
    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = transport
        self._pending = b""

    def data_received(self, data: bytes) -> None:
        assert isinstance(self._transport, asyncio.Transport)
        data = self._pending + data
        whole = len(data) - len(data) % REQUEST
        self._pending = data[whole:]
        self._transport.write(b"".join(answer(data[i : i + REQUEST]) for i in range(0, whole, REQUEST)))


_BODIES: dict[bytes, bytes] = {}


def answer(request: bytes) -> bytes:
    """Registers that hold 220.5 as float32, over and over."""
    asked = request[6:]
    body = _BODIES.get(asked)
    if body is None:
        count = int.from_bytes(request[10:12], "big")
        words = (struct.pack(">f", 220.5) * count)[: 2 * count]
        body = struct.pack(">HHBBB", 0, 3 + len(words), request[6], request[7], len(words)) + words
        _BODIES[asked] = body
    return request[:2] + body


async def serve(port: int) -> None:
    server = await asyncio.get_running_loop().create_server(_Answers, "127.0.0.1", port, backlog=2000)
    await server.serve_forever()


if __name__ == "__main__":
    asyncio.run(serve(int(sys.argv[1])))
