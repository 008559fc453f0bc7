"""Who may say and hear what at a broker: each edge its own topics, the gateway the answers."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass

from adapters.wire import BETWEEN, READINGS, ROOT, STATE, STORED
from energy.errors import EnergyError

GATEWAY = "jieneng-gateway"
# A client on the machine itself that gives no name; it hears and never speaks.
ONLOOKER = "onlooker"
FROM_EDGE = (READINGS, STATE)
TO_EDGE = (STORED, "wanted", "site")
# Of Sparkplug B: whether the gateway listens, and what it asks nodes for.
_SPARKPLUG = "spBv1.0/#"
_OF_PROCESSES = BETWEEN.split("/", 1)[0]

_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,63}")
_TOPIC = re.compile(r"/?[^\s/+#$\"\\\x00-\x1f\x7f][^\s\"\\\x00-\x1f\x7f]{0,199}")


@dataclass(frozen=True, slots=True)
class Rights:
    """Topics to which somebody may publish and which he may subscribe to; `+` and `#` as in a subscription."""

    publish: tuple[str, ...]
    subscribe: tuple[str, ...]


def rights_of(name: str, topics: Sequence[str] = (), hears: Sequence[str] = ()) -> Rights:
    """Those of an edge, who may publish under `topics` and subscribe to `hears` too; or of the gateway."""
    if name == GATEWAY:
        # It clears the retained state of an edge that is gone.
        to_edges = (f"{ROOT}/+/{leaf}" for leaf in (*TO_EDGE, STATE))
        return Rights((*to_edges, f"{_OF_PROCESSES}/#", _SPARKPLUG), ("#",))
    if name == ONLOOKER:
        return Rights((), (f"{ROOT}/#",))
    own = tuple(f"{ROOT}/{name}/{leaf}" for leaf in FROM_EDGE)
    return Rights((*own, *topics), (*(f"{ROOT}/{name}/{leaf}" for leaf in TO_EDGE), *hears))


def checked_name(name: str) -> str:
    """The name of an edge; EnergyError where it cannot be one."""
    if not _NAME.fullmatch(name):
        raise EnergyError(
            f"edge {name!r}: a name is made of letters, digits, '-', '_' and '.', begins with a letter or digit, and "
            "has 64 characters at most"
        )
    if name in (GATEWAY, ONLOOKER):
        raise EnergyError(f"edge {name!r}: this name is taken; choose another")
    return name


def checked_topic(topic: str) -> str:
    """A topic besides those of an edge; EnergyError where nobody is given it."""
    levels = topic.split("/")
    misplaced = any("+" in one and one != "+" for one in levels) or any("#" in one for one in levels[:-1])
    misplaced = misplaced or ("#" in levels[-1] and levels[-1] != "#")
    if not _TOPIC.fullmatch(topic) or misplaced or "" in levels[1:]:
        raise EnergyError(
            f"topic {topic!r}: must begin with a word, have no blank, quote or empty level, and '+' or a last '#' for "
            "a whole level only, such as spBv1.0/plant/+/press-7 or /neuron/#"
        )
    if levels[0] == ROOT.split("/", 1)[0]:
        raise EnergyError(f"topic {topic!r}: topics below {ROOT} are given by the names of edges alone")
    if levels[0] == _OF_PROCESSES:
        raise EnergyError(f"topic {topic!r}: topics below {_OF_PROCESSES} are for the processes of the gateway alone")
    return topic


def subjects(topic: str) -> list[str]:
    """What nats-server calls a topic: levels end with dots, what was a dot is two slashes, what was nothing is one.

    >>> subjects("jieneng/v1/a.b/state"), subjects("jieneng/+/#")
    (['jieneng.v1.a//b.state'], ['jieneng.*', 'jieneng.*.>'])
    """
    levels = [{"+": "*", "#": ">", "": "/"}.get(one, one.replace(".", "//")) for one in topic.split("/")]
    whole = ".".join(levels)
    return [".".join(levels[:-1]), whole] if levels[-1] == ">" and len(levels) > 1 else [whole]
