"""What is in the outbox is on the disk until the gateway has stored it."""

from __future__ import annotations

import shutil
import signal
import sqlite3
import subprocess
import sys
from contextlib import closing
from pathlib import Path
from threading import Thread
from types import SimpleNamespace

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from adapters.outbox_sqlite import Kept, SqliteOutbox

ROOT = Path(__file__).parents[2]


def kept(outbox: SqliteOutbox) -> list[tuple[int, bytes]]:
    return [(k.sequence, k.payload) for k in outbox.after(0, 1000)]


def open_outbox(folder: Path, limit_bytes: int = 10_000) -> closing[SqliteOutbox]:
    return closing(SqliteOutbox(folder / "deep" / "outbox.sqlite", limit_bytes=limit_bytes))


def test_batches_come_back_by_sequence_oldest_first(tmp_path: Path) -> None:
    with open_outbox(tmp_path) as outbox:
        sequences = [outbox.put(1000, payload) for payload in (b"a", b"b", b"c")]

        assert sequences == [1, 2, 3]
        assert outbox.after(0, 10) == [Kept(1, b"a"), Kept(2, b"b"), Kept(3, b"c")]
        assert outbox.after(1, 1) == [Kept(2, b"b")]
        assert outbox.after(3, 10) == []
        assert (outbox.batches, outbox.size_bytes, outbox.dropped) == (3, 3, 0)


def test_batches_survive_a_restart(tmp_path: Path) -> None:
    with open_outbox(tmp_path) as outbox:
        outbox.put(1000, b"a")
        outbox.put(1000, b"bb")
    with open_outbox(tmp_path) as outbox:
        assert kept(outbox) == [(1, b"a"), (2, b"bb")]
        assert (outbox.batches, outbox.size_bytes) == (2, 3)


def test_what_the_gateway_has_stored_is_forgotten(tmp_path: Path) -> None:
    with open_outbox(tmp_path) as outbox:
        for payload in (b"a", b"bb", b"ccc"):
            outbox.put(1000, payload)

        outbox.forget([1, 3, 3, 99])

        assert kept(outbox) == [(2, b"bb")]
        assert (outbox.batches, outbox.size_bytes, outbox.dropped) == (1, 2, 0)
    with open_outbox(tmp_path) as outbox:
        assert kept(outbox) == [(2, b"bb")]


def test_a_sequence_never_comes_again(tmp_path: Path) -> None:
    with open_outbox(tmp_path) as outbox:
        outbox.put(1000, b"a")
        outbox.put(1000, b"b")
        outbox.forget([1, 2])
    with open_outbox(tmp_path) as outbox:
        assert outbox.put(1000, b"c") == 3


def test_a_full_outbox_drops_its_oldest_and_counts_them(tmp_path: Path) -> None:
    with open_outbox(tmp_path, limit_bytes=1000) as outbox:
        for letter in b"abcde":
            outbox.put(1000, bytes([letter]) * 300)

        assert [payload[:1] for _, payload in kept(outbox)] == [b"c", b"d", b"e"]
        assert outbox.dropped == 2
    with open_outbox(tmp_path, limit_bytes=1000) as outbox:
        assert outbox.dropped == 2


def test_no_more_is_dropped_than_makes_room(tmp_path: Path) -> None:
    with open_outbox(tmp_path, limit_bytes=1000) as outbox:
        for _ in range(200):
            outbox.put(1000, b"12345")
        outbox.put(1000, b"1234567")

        assert (outbox.dropped, outbox.batches, outbox.size_bytes) == (2, 199, 997)


def test_a_batch_larger_than_the_bound_is_kept_alone(tmp_path: Path) -> None:
    with open_outbox(tmp_path, limit_bytes=10) as outbox:
        outbox.put(1000, b"a")
        outbox.put(1000, b"b" * 50)

        assert [len(payload) for _, payload in kept(outbox)] == [50]


def test_a_file_that_is_no_outbox_is_set_aside_and_reading_goes_on(tmp_path: Path) -> None:
    path = tmp_path / "outbox.sqlite"
    path.write_text("dear diary, " * 1000)

    with closing(SqliteOutbox(path)) as outbox:
        sequence = outbox.put(1000, b"a")
        assert kept(outbox) == [(sequence, b"a")]
        assert outbox.damaged == 1
    assert (tmp_path / "outbox.sqlite.damaged-1").read_text().startswith("dear diary")


@settings(max_examples=25)
@given(
    st.lists(st.one_of(st.binary(max_size=40), st.lists(st.integers(1, 30), max_size=5)), max_size=30),
    st.integers(20, 200),
)
def test_an_outbox_is_a_queue_with_a_bound(steps: list[bytes | list[int]], limit: int) -> None:
    wanted: list[tuple[int, bytes]] = []
    dropped = sequence = 0
    with closing(SqliteOutbox(Path(":memory:"), limit_bytes=limit)) as outbox:
        for step in steps:
            if isinstance(step, bytes):
                sequence += 1
                while wanted and sum(len(p) for _, p in wanted) + len(step) > limit:
                    wanted, dropped = wanted[1:], dropped + 1
                wanted.append((sequence, step))
                assert outbox.put(0, step) == sequence
            else:
                wanted = [(s, p) for s, p in wanted if s not in step]
                outbox.forget(step)

        assert kept(outbox) == wanted
        assert (outbox.batches, outbox.size_bytes) == (len(wanted), sum(len(p) for _, p in wanted))
        assert outbox.dropped == dropped


def test_threads_may_put_and_forget_at_once(tmp_path: Path) -> None:
    with open_outbox(tmp_path) as outbox:

        def work() -> None:
            for _ in range(20):
                outbox.forget([outbox.put(0, b"x")])
                outbox.put(0, b"y")

        threads = [Thread(target=work) for _ in range(4)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()

        assert [payload for _, payload in kept(outbox)] == [b"y"] * 80
        assert (outbox.batches, outbox.size_bytes) == (80, 80)


_PUT = """
import sys
from pathlib import Path
from adapters.outbox_sqlite import SqliteOutbox

outbox = SqliteOutbox(Path(sys.argv[1]))
while True:
    sequence = outbox.put(0, b"x" * 500)
    if sequence % 10 == 0:
        outbox.forget([sequence - 9])
    print(sequence, flush=True)
"""


def test_a_killed_process_loses_nothing_that_was_put(tmp_path: Path) -> None:
    path = tmp_path / "outbox.sqlite"
    put: list[int] = []
    for n in (5, 40, 43):
        process = subprocess.Popen([sys.executable, "-c", _PUT, str(path)], cwd=ROOT, stdout=subprocess.PIPE, text=True)
        assert process.stdout is not None
        put += [int(process.stdout.readline()) for _ in range(n)]
        process.send_signal(signal.SIGKILL)
        put += [int(line) for line in process.stdout if line.endswith("\n")]
        process.wait()
        process.stdout.close()

    with closing(SqliteOutbox(path)) as outbox:
        there = [k.sequence for k in outbox.after(0, 100_000)]
        assert {s for s in put if s % 10 != 1} <= set(there)
        assert (outbox.batches, outbox.size_bytes) == (len(there), 500 * len(there))
    # The processes went on where those before them were killed.
    assert put == sorted(set(put))


_FULL_DISK = """
import resource, signal, sys
from pathlib import Path
from adapters.outbox_sqlite import SqliteOutbox
from energy.errors import StoreError

signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
outbox = SqliteOutbox(Path(sys.argv[1]))
first = outbox.put(0, b"first")
# From here on no file of this process may grow beyond 200 kB: the disk is full.
_, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
resource.setrlimit(resource.RLIMIT_FSIZE, (200_000, hard))
put = 0
try:
    while put < 1000:
        outbox.put(0, b"x" * 5000)
        put += 1
except StoreError:
    print("refused")
for _ in range(3):
    try:
        outbox.forget(range(first, first + put + 1))
    except StoreError:
        print("not forgotten")
    else:
        break
print(outbox.batches == len(outbox.after(0, 10_000)))
resource.setrlimit(resource.RLIMIT_FSIZE, (hard, hard))
print(outbox.put(0, b"last"), flush=True)
sys.stdin.read()
"""


def test_a_full_disk_refuses_batches_and_afterwards_they_are_safe_again(tmp_path: Path) -> None:
    path = tmp_path / "outbox.sqlite"
    process = subprocess.Popen(
        [sys.executable, "-c", _FULL_DISK, str(path)],
        cwd=ROOT,
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    )
    assert process.stdout is not None
    try:
        said: list[str] = []
        while not (said and said[-1].isdigit()):
            said.append(process.stdout.readline().strip())
            assert said[-1], f"the process has ended after saying {said}"

        assert said[0] == "refused"
        assert said[-2] == "True"
        # Another connection sees what is committed: the last batch is not waiting in an open transaction.
        with closing(sqlite3.connect(path)) as db:
            [(last,)] = db.execute("SELECT payload FROM batches WHERE sequence = ?", (int(said[-1]),)).fetchall()
        assert last == b"last"
    finally:
        process.communicate("")


def test_what_was_taken_is_not_let_go_of_because_others_filled_the_disk_when_it_was_opened(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    batch = bytes(400_000)
    with open_outbox(tmp_path, 10_000_000) as outbox:
        outbox.put(1000, batch)
    free = [0]
    monkeypatch.setattr(shutil, "disk_usage", lambda _: SimpleNamespace(free=free[0]))

    with open_outbox(tmp_path, 10_000_000) as outbox:
        free[0] = 1 << 40
        for _ in range(4):
            outbox.put(2000, batch)

        assert (outbox.batches, outbox.dropped, outbox.full) == (5, 0, False)
