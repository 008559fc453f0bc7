"""A disk that is full holds up, and costs nothing that was taken; when there is room again all goes on by itself."""

from __future__ import annotations

import time
from contextlib import AbstractContextManager
from pathlib import Path

import pytest

from tests.chaos.disks import SmallDisk, small_disk
from tests.chaos.installation import Installation, Layout, installed
from tests.chaos.killing import at_length
from tests.chaos.part import Part
from tests.journeys.campus import until

pytestmark = [at_length, pytest.mark.timeout(1200)]


def _edge_on(disk: SmallDisk, folder: Path) -> AbstractContextManager[Installation]:
    return installed(folder, Layout(edge_data=disk.folder))


def _gateway_on(disk: SmallDisk, folder: Path) -> AbstractContextManager[Installation]:
    return installed(folder, Layout(gateway_data=disk.folder))


def _kept_alive_on_a_full_disk(part: Part, disk: SmallDisk, *, seconds: float) -> int:
    """Start it again whenever it ends, as `jieneng run` does; how often that was."""
    starts, ends = 0, time.monotonic() + seconds
    while time.monotonic() < ends:
        disk.fill()
        if not part.runs:
            part.start()
            starts += 1
        time.sleep(0.5)
    return starts


def _until_up(part: Part) -> None:
    """As long as it ends it is started again."""

    def is_up() -> bool:
        if not part.runs:
            part.start()
        return part.is_up()

    until(is_up, part.name, within_s=120)


def test_what_is_read_while_the_disk_of_the_edge_is_full_is_kept_until_there_is_room(tmp_path: Path) -> None:
    """As long as the edge lives: it is memory that holds it."""
    with small_disk(tmp_path / "disk", 4) as disk, _edge_on(disk, tmp_path) as installation:
        installation.await_readings(100)
        disk.fill()
        starts = _kept_alive_on_a_full_disk(installation.edge, disk, seconds=8)
        disk.free()
        installation.await_readings(100)
        installation.settle()
        verdict = installation.verdict()
        refused_by_disk = b"outbox.failing" in installation.edge.log.read_bytes()

    assert starts == 0
    assert refused_by_disk
    assert verdict.faults == {}
    assert verdict.unrecorded == 0


def test_an_edge_that_dies_on_a_full_disk_keeps_what_it_had_taken(tmp_path: Path) -> None:
    with small_disk(tmp_path / "disk", 4) as disk, _edge_on(disk, tmp_path) as installation:
        installation.await_readings(100)
        # What has been taken waits, as the gateway is away.
        installation.cable.cut()
        installation.await_readings(100)
        for _ in range(3):
            disk.fill()
            time.sleep(1)
            installation.kill(installation.edge)
            _kept_alive_on_a_full_disk(installation.edge, disk, seconds=4)
        disk.free()
        _until_up(installation.edge)
        installation.cable.mend()
        installation.settle()
        verdict = installation.verdict()

    assert (verdict.lost, verdict.double, verdict.false) == ([], [], [])


def test_while_the_disk_of_the_gateway_is_full_the_edge_keeps_everything(tmp_path: Path) -> None:
    with (
        small_disk(tmp_path / "disk", 48) as disk,
        installed(tmp_path, Layout(gateway_data=disk.folder)) as installation,
    ):
        installation.await_readings(100)
        disk.fill()
        _kept_alive_on_a_full_disk(installation.gateway, disk, seconds=10)
        waiting = installation.waiting
        disk.free()
        installation.await_readings(100)
        _until_up(installation.gateway)
        installation.settle()
        verdict = installation.verdict()

    assert waiting > 10
    assert verdict.faults == {}
    assert verdict.unrecorded == 0


def test_a_gateway_that_dies_on_a_full_disk_has_lost_nothing_that_it_said_is_stored(tmp_path: Path) -> None:
    with (
        small_disk(tmp_path / "disk", 48) as disk,
        installed(tmp_path, Layout(gateway_data=disk.folder)) as installation,
    ):
        for _ in range(3):
            installation.await_readings(100)
            disk.fill()
            time.sleep(1)
            installation.kill(installation.gateway)
            _kept_alive_on_a_full_disk(installation.gateway, disk, seconds=6)
            disk.free()
            _until_up(installation.gateway)
        installation.settle()
        verdict = installation.verdict()

    assert verdict.faults == {}
    assert verdict.unrecorded == 0
