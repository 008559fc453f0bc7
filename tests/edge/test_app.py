"""How a site becomes workers."""

from __future__ import annotations

from edge.site_diff import wires
from energy.sites import LineSettings, Site, Text


def test_two_lines_of_one_port_are_one_wire_with_one_worker() -> None:
    lines = (
        LineSettings("a", "serial:/dev/ttyUSB0"),
        LineSettings("b", "tcp://converter:502"),
        LineSettings("c", "serial:/dev/ttyUSB0?baud=9600"),
        LineSettings("d", "tcp://Converter"),
        LineSettings("e", "tcp://converter:503"),
    )

    found = wires(Site("s", Text("", ""), "Asia/Shanghai", lines=lines))

    assert [[line.id for line in of_wire] for of_wire in found] == [["a", "c"], ["b", "d"], ["e"]]
