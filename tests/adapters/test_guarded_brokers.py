"""Only known edges get in, each speaks for itself alone, and who is revoked gets nowhere: over both brokers."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterator, Mapping
from contextlib import AbstractContextManager
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import pytest

from adapters.certificates import Authority, make_authority, open_authority
from adapters.mqtt_bus import open_bus
from energy.ports import Message
from tests.adapters.guarded import (
    Guarded,
    Stranger,
    embedded,
    embedded_on_loopback,
    legitimate,
    mosquitto,
    the_gateway,
)
from tests.waiting import PATIENCE_S

# What a thief would like to hear.
OTHERS = ["jieneng/v1/north/stored", "jieneng/v1/+/stored", "jieneng/v1/#", "#", "$MQTT/sub/#", "$SYS/#", "$JS/#"]

Start = Callable[[Path], AbstractContextManager[Guarded]]
BY_CERTIFICATE: dict[str, Start] = {"embedded": embedded, "mosquitto": mosquitto}
BY_PASSWORD: dict[str, Start] = {"embedded": embedded_on_loopback, "mosquitto": mosquitto}
BOTH: dict[str, tuple[Start, bool]] = {
    **{f"{name}, certificate": (start, False) for name, start in BY_CERTIFICATE.items()},
    **{f"{name}, password": (start, True) for name, start in BY_PASSWORD.items()},
}


@pytest.fixture(params=BY_CERTIFICATE)
def guarded(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Guarded]:
    with BY_CERTIFICATE[request.param](tmp_path) as made:
        yield made


@pytest.fixture(params=BOTH)
def either(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[tuple[Guarded, bool]]:
    start, password = BOTH[request.param]
    with start(tmp_path) as made:
        yield made, password


def stranger(guarded: Guarded, folder: Path | None = None, *, password: bool = False, **more: Any) -> Stranger:
    """Somebody with the certificate or the password of a folder, who does not speak as our client does; `password_`
    is another one."""
    parts = urlsplit(guarded.password_bus if password else guarded.bus)
    tls = parts.scheme == "mqtts"
    given: dict[str, Any] = {"ca": guarded.known.transport.authority if tls else None}
    if folder is not None and (folder / "client.pem").exists() and tls:
        given["cert"] = (folder / "client.pem", folder / "client.key")
    elif folder is not None:
        given |= {"user": folder.name.removeprefix("for-"), "password": (folder / "password").read_text()}
    if "password_" in more:
        given["password"] = more.pop("password_")
    return Stranger(str(parts.hostname), int(parts.port or 0), **{**given, **more})


# -- who is enrolled ------------------------------------------------------------------------------------------------


async def test_an_edge_is_heard_by_the_gateway_and_hears_what_is_stored(either: tuple[Guarded, bool]) -> None:
    guarded, password = either
    # To one of the brokers a dot is what a slash is to the other.
    names = ["north", "north.annex", "a"]
    folders = [guarded.enroll(name, password=password) for name in names]
    async with the_gateway(guarded) as gateway:
        for name, folder in zip(names, folders, strict=True):
            will = Message(f"jieneng/v1/{name}/state", b"offline", retained=True)
            address = guarded.of(folder, name)
            async with legitimate(address, f"jieneng-edge-{name}", [f"jieneng/v1/{name}/stored"], will=will) as edge:
                await edge.say(f"jieneng/v1/{name}/readings", b"readings")
                await edge.say(f"jieneng/v1/{name}/state", b"online", retain=True)
                # Of two topics either may come first.
                assert {await gateway.hear(), await gateway.hear()} == {
                    (f"jieneng/v1/{name}/readings", b"readings"),
                    (f"jieneng/v1/{name}/state", b"online"),
                }
                await gateway.say(f"jieneng/v1/{name}/stored", b"stored")
                assert await edge.hear() == (f"jieneng/v1/{name}/stored", b"stored")


async def test_nobody_speaks_under_the_topic_of_another(either: tuple[Guarded, bool]) -> None:
    guarded, password = either
    north, thief = (guarded.enroll(name, password=password) for name in ("north", "thief"))
    guarded.enroll("north.thief", password=password)
    stolen = [
        *(f"jieneng/v1/north/{leaf}" for leaf in ("readings", "state", "stored", "site")),
        "jieneng/v1/thief/stored",
        "jieneng/v1/thief/readings/more",
        "jieneng/v1/north.thief/readings",
        "jieneng/v1/north//thief/readings",
        "jieneng/v1/readings",
        "jieneng-gateway/v1/one/readings",
        "elsewhere",
    ]
    async with (
        the_gateway(guarded, ["#"]) as gateway,
        legitimate(guarded.of(north, "north"), "jieneng-edge-north", ["jieneng/v1/north/stored"]) as edge,
    ):
        await edge.say("jieneng/v1/north/readings", b"before")
        assert await gateway.hear() == ("jieneng/v1/north/readings", b"before")
        for i, topic in enumerate(stolen):
            # Who comes back at once under its client id may find its last connection still there, and be hung up on.
            with stranger(guarded, thief, password=password, client_id=f"stranger-{i}") as one:
                assert one.outcome == "in"
                one.say(topic, retain=topic.endswith("state"))
        with stranger(guarded, thief, password=password, will="jieneng/v1/north/state", client_id="dying") as one:
            one.vanish()

        await edge.say("jieneng/v1/north/readings", b"after")
        assert await gateway.hear() == ("jieneng/v1/north/readings", b"after")
        await gateway.say("jieneng/v1/north/stored", b"stored")
        assert await edge.hear() == ("jieneng/v1/north/stored", b"stored")


async def test_nobody_hears_what_is_meant_for_another(either: tuple[Guarded, bool]) -> None:
    guarded, password = either
    north, thief = (guarded.enroll(name, password=password) for name in ("north", "thief"))
    async with (
        the_gateway(guarded) as gateway,
        legitimate(guarded.of(north, "north"), "jieneng-edge-north", ["jieneng/v1/north/stored"]) as edge,
    ):
        with stranger(guarded, thief, password=password, subscribe=[*OTHERS, "jieneng/v1/thief/stored"]) as one:
            await edge.say("jieneng/v1/north/readings", b"readings")
            assert await gateway.hear() == ("jieneng/v1/north/readings", b"readings")
            await gateway.say("jieneng/v1/north/stored", b"stored")
            assert await edge.hear() == ("jieneng/v1/north/stored", b"stored")
            await gateway.say("jieneng/v1/thief/stored", b"its own")
            async with asyncio.timeout(PATIENCE_S):
                while not one.heard:
                    await asyncio.sleep(0.01)

    assert one.heard == ["jieneng/v1/thief/stored"]


async def test_the_session_of_another_is_not_taken_over_by_its_client_id(either: tuple[Guarded, bool]) -> None:
    guarded, password = either
    north, thief = (guarded.enroll(name, password=password) for name in ("north", "thief"))
    async with (
        the_gateway(guarded) as gateway,
        legitimate(guarded.of(north, "north"), "jieneng-edge-north") as edge,
    ):
        for client_id in ("jieneng-gateway", "jieneng-edge-north", "north"):
            with stranger(guarded, thief, password=password, client_id=client_id, clean=False) as one:
                assert one.outcome == "in"
                await edge.say("jieneng/v1/north/readings", client_id.encode())
                assert await gateway.hear() == ("jieneng/v1/north/readings", client_id.encode())
            assert one.heard == []


async def test_an_edge_may_be_given_topics_besides_its_own(guarded: Guarded) -> None:
    topics = ["spBv1.0/plant/+/press/#", "/neuron/press/+"]
    folder = guarded.enroll("press", topics=topics, hears=["spBv1.0/plant/NCMD/press"])
    async with (
        the_gateway(guarded, ["spBv1.0/plant/DDATA/#", "/neuron/#", "jieneng/v1/+/state"]) as gateway,
        legitimate(guarded.of(folder, "press"), "press", ["spBv1.0/plant/NCMD/press"]) as edge,
    ):
        for topic in ("spBv1.0/plant/DDATA/other/7", "/neuron/other/7", "neuron/press/7", "//neuron/press/7"):
            await edge.say(topic, b"not given")
        for topic in ("spBv1.0/plant/DDATA/press/7", "/neuron/press/7"):
            await edge.say(topic, b"given")
            assert await gateway.hear() == (topic, b"given")
        await gateway.say("spBv1.0/plant/NCMD/press", b"again")
        assert await edge.hear() == ("spBv1.0/plant/NCMD/press", b"again")


# -- who is not -----------------------------------------------------------------------------------------------------


def bundle(folder: Path, authority: Authority, name: str, now: datetime) -> Path:
    issued = authority.for_client(name, now)
    folder.mkdir()
    (folder / "client.pem").write_bytes(issued.certificate)
    (folder / "client.key").write_bytes(issued.key)
    return folder


async def let_in(guarded: Guarded, north: Path, tried: Mapping[str, Stranger]) -> list[str]:
    """Which of them come in. What they say in the name of an edge the gateway does not hear, and the edge goes on."""
    async with (
        the_gateway(guarded) as gateway,
        legitimate(guarded.of(north, "north"), "jieneng-edge-north") as edge,
    ):
        outcomes = {}
        for what, one in tried.items():
            with one:
                outcomes[what] = one.outcome
                one.say("jieneng/v1/north/readings") if one.outcome == "in" else None
            await edge.say("jieneng/v1/north/readings", what.encode())
            assert await gateway.hear() == ("jieneng/v1/north/readings", what.encode())
    return [what for what, outcome in outcomes.items() if outcome == "in"]


async def test_who_shows_no_good_certificate_gets_nowhere(guarded: Guarded, tmp_path: Path) -> None:
    north, gone = guarded.enroll("north"), guarded.enroll("gone")
    guarded.revoke("gone")
    now = datetime.now(UTC)
    own = open_authority(guarded.known.folder / "ca", now)
    late = bundle(tmp_path / "late", own, "north", now - timedelta(days=900))
    foreign = bundle(tmp_path / "foreign", make_authority(now), "north", now)
    tried = {
        "no certificate": stranger(guarded),
        "a name and no certificate": stranger(guarded, user="north", password_="guessed"),
        "an expired certificate": stranger(guarded, late),
        "a certificate of another authority": stranger(guarded, foreign),
        "a revoked certificate": stranger(guarded, gone),
        "plain text": stranger(guarded, ca=None),
    }
    assert await let_in(guarded, north, tried) == []


@pytest.mark.parametrize("start", BY_PASSWORD.values(), ids=BY_PASSWORD)
async def test_who_knows_no_good_password_gets_nowhere(start: Start, tmp_path: Path) -> None:
    with start(tmp_path) as guarded:
        north, gone = guarded.enroll("north", password=True), guarded.enroll("gone", password=True)
        of_other = (guarded.enroll("other", password=True) / "password").read_text()
        guarded.revoke("gone")
        tried = {
            "a wrong password": stranger(guarded, north, password=True, password_="guessed"),
            "no password": stranger(guarded, north, password=True, password_=None),
            "the password of another": stranger(guarded, north, password=True, password_=of_other),
            "a revoked password": stranger(guarded, gone, password=True),
            "a name that nobody has": stranger(guarded, password=True, user="nobody", password_="x"),
        }
        assert await let_in(guarded, north, tried) == []


async def test_who_gives_no_name_hears_on_this_machine_and_never_speaks(tmp_path: Path) -> None:
    with embedded_on_loopback(tmp_path) as guarded:
        north = guarded.enroll("north", password=True)
        async with (
            the_gateway(guarded) as gateway,
            legitimate(guarded.of(north, "north"), "jieneng-edge-north") as edge,
        ):
            with stranger(guarded, password=True, subscribe=["jieneng/v1/#"], client_id="jieneng-gateway") as one:
                one.say("jieneng/v1/north/readings")
                await edge.say("jieneng/v1/north/readings", b"after")
                assert await gateway.hear() == ("jieneng/v1/north/readings", b"after")
                async with asyncio.timeout(PATIENCE_S):
                    while one.heard != ["jieneng/v1/north/readings"]:
                        await asyncio.sleep(0.01)


async def test_who_gives_no_name_is_not_let_in_over_a_network(tmp_path: Path) -> None:
    with mosquitto(tmp_path) as guarded, stranger(guarded, password=True) as one:
        assert one.outcome.startswith("refused")


# -- who is no longer -----------------------------------------------------------------------------------------------


async def test_who_is_revoked_is_out_at_once_and_everybody_else_stays(either: tuple[Guarded, bool]) -> None:
    guarded, password = either
    north, gone = (guarded.enroll(name, password=password) for name in ("north", "gone"))
    async with (
        the_gateway(guarded) as gateway,
        legitimate(guarded.of(north, "north"), "jieneng-edge-north") as edge,
    ):
        with stranger(guarded, gone, password=password, subscribe=["jieneng/v1/gone/stored"]) as one:
            one.say("jieneng/v1/gone/readings", b"before")
            assert await gateway.hear() == ("jieneng/v1/gone/readings", b"before")

            guarded.revoke("gone")
            # Until it is out, or what it says is heard by nobody.
            async with asyncio.timeout(PATIENCE_S):
                while not one.ended.is_set():
                    one.say("jieneng/v1/gone/readings", b"late")
                    await edge.say("jieneng/v1/north/readings", b"mark")
                    if await gateway.hear_of(b"mark") == [("jieneng/v1/north/readings", b"mark")]:
                        break
            await gateway.say("jieneng/v1/gone/stored", b"stored")
            await edge.say("jieneng/v1/north/readings", b"after")
            assert await gateway.hear_of(b"after") == [("jieneng/v1/north/readings", b"after")]
            assert (edge.bus.lost_since, gateway.bus.lost_since) == (None, None)
            assert one.heard == []
        with stranger(guarded, gone, password=password) as again:
            assert again.outcome != "in"


async def test_a_renewed_certificate_holds_beside_the_old_one_and_neither_after_revocation(guarded: Guarded) -> None:
    old = guarded.enroll("north")
    new = guarded.renew("north")
    async with the_gateway(guarded) as gateway:
        for folder in (old, new):
            async with legitimate(guarded.of(folder, "north"), "jieneng-edge-north") as edge:
                await edge.say("jieneng/v1/north/readings", folder.name.encode())
                assert await gateway.hear() == ("jieneng/v1/north/readings", folder.name.encode())

    guarded.revoke("north")
    for folder in (old, new):
        with stranger(guarded, folder) as one:
            assert one.outcome != "in"


async def test_the_broker_of_another_authority_is_not_believed(guarded: Guarded, tmp_path: Path) -> None:
    folder = guarded.enroll("north")
    (folder / "ca.pem").write_bytes(make_authority(datetime.now(UTC)).pem)
    async with open_bus(guarded.of(folder, "north"), "jieneng-edge-north") as bus:
        async with asyncio.timeout(PATIENCE_S):
            while bus.trouble is None:
                await asyncio.sleep(0.01)

        assert "certificate verify failed" in bus.trouble


async def test_a_broker_whose_certificate_is_for_another_name_is_not_believed(guarded: Guarded) -> None:
    folder = guarded.enroll("north")
    issued = open_authority(guarded.known.folder / "ca", datetime.now(UTC)).for_broker(["elsewhere"], datetime.now(UTC))
    guarded.known.transport.certificate.write_bytes(issued.certificate)
    guarded.known.transport.key.write_bytes(issued.key)
    guarded.follow()
    async with open_bus(guarded.of(folder, "north"), "jieneng-edge-north") as bus:
        async with asyncio.timeout(PATIENCE_S):
            while bus.trouble is None:
                await asyncio.sleep(0.01)

        assert "not valid for 'localhost'" in bus.trouble


async def test_who_is_refused_is_told_why_and_gets_in_once_it_is_enrolled_again(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    with embedded_on_loopback(tmp_path) as guarded:
        folder = guarded.enroll("north", password=True)
        address = guarded.of(folder, "north")
        guarded.revoke("north")
        async with open_bus(address, "jieneng-edge-north") as bus:
            async with asyncio.timeout(PATIENCE_S):
                while bus.refused is None:
                    await asyncio.sleep(0.01)

    assert "is north enrolled, and the password the newest one?" in str(bus.refused)
    assert (folder / "password").read_text() not in capsys.readouterr().out
