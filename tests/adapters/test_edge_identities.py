"""Who is enrolled stands in one index; what brokers and edges are given is made from it."""

from __future__ import annotations

import ssl
import stat
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from adapters.broker_rules import GATEWAY, checked_name, checked_topic, subjects
from adapters.certificates import hosts_of, read_certificate
from adapters.edge_identities import Identities
from adapters.identity_folders import with_identity
from adapters.identity_index import read_index
from adapters.mqtt_address import MqttAddress
from energy.errors import EnergyError

BUS = "mqtts://broker.example:8883"


class Office:
    """A folder of identities, by a clock that is moved."""

    def __init__(self, folder: Path) -> None:
        self.now = datetime(2026, 11, 21, 8, tzinfo=UTC)
        self.folder = folder
        self.known = Identities(folder / "identities", lambda: self.now)

    def enroll(self, name: str, into: str | None = None, *, password: bool = False, kept: bool = False) -> Path:
        folder = self.folder / (into or name)
        self.known.enroll(name, folder, BUS, by="li", why="letter 12", password=password, kept=kept)
        return folder

    def text(self, file: str) -> str:
        return (self.known.folder / file).read_text()

    def everything(self) -> str:
        files = [f for f in self.known.folder.rglob("*") if f.is_file()]
        return "\n".join(f.read_text() for f in files)


@pytest.fixture
def office(tmp_path: Path) -> Office:
    return Office(tmp_path)


def test_an_edge_is_given_what_it_needs_and_nobody_else_can_read_it(office: Office) -> None:
    folder = office.enroll("north")

    assert sorted(f.name for f in folder.iterdir()) == [
        "ca.pem",
        "client.key",
        "client.pem",
        "edge.yaml",
        "site-signing.pub",
    ]
    assert stat.S_IMODE(folder.stat().st_mode) == 0o700
    assert stat.S_IMODE((folder / "client.key").stat().st_mode) == 0o600
    held = read_certificate(folder / "client.pem")
    assert held.subject.rfc4514_string() == "CN=north"
    assert held.not_valid_after_utc == office.now + timedelta(days=730)


def test_the_key_of_an_edge_stays_in_its_folder_alone(office: Office) -> None:
    key = (office.enroll("north") / "client.key").read_text()

    assert key not in office.everything()


def test_a_password_is_kept_as_a_hash_where_the_broker_takes_one(office: Office) -> None:
    hashed = (office.enroll("logger", password=True) / "password").read_text()
    kept = (office.enroll("program", password=True, kept=True) / "password").read_text()

    assert hashed not in office.everything()
    assert "logger:$7$" in office.text("mosquitto/passwords")
    assert kept in office.text("nats/passwords.conf")
    assert kept not in office.text("mosquitto/passwords") + office.text("index.json")


def test_an_edge_is_enrolled_once_and_again_after_it_was_revoked(office: Office) -> None:
    first = read_certificate(office.enroll("north") / "client.pem").serial_number
    with pytest.raises(EnergyError, match="enrolled already; renew it with --renew"):
        office.enroll("north", "again")
    office.known.revoke("north", by="wang")
    office.enroll("north", "again")

    index = office.known.index
    assert list(index.revoked) == [f"{first:x}"]
    assert index.edges["north"].revoked_at is None
    assert f"{first:x}" not in office.text("nats/certificates.conf")


def test_revoking_again_does_no_harm_and_a_stranger_is_told_who_is_enrolled(office: Office) -> None:
    office.enroll("north")
    first = office.known.revoke("north", by="wang").revoked_at
    office.now += timedelta(hours=1)

    assert office.known.revoke("north", by="li").revoked_at == first
    with pytest.raises(EnergyError, match="'south' is not enrolled; enrolled: north"):
        office.known.revoke("south", by="li")
    with pytest.raises(EnergyError, match="enroll it anew"):
        office.known.renew("north", office.folder / "new", by="li")
    with pytest.raises(EnergyError, match="renewed by itself"):
        office.known.renew(GATEWAY, office.folder / "new", by="li")


def test_a_folder_that_holds_something_is_left_alone(office: Office) -> None:
    (office.folder / "north").mkdir()
    (office.folder / "north" / "notes").write_text("mine")

    with pytest.raises(EnergyError, match="not empty; name another with --into"):
        office.enroll("north")
    assert office.known.index.edges == {}


def test_who_was_not_given_his_folder_is_not_enrolled(office: Office) -> None:
    (office.folder / "file").write_text("")

    with pytest.raises(EnergyError, match="cannot be written"):
        office.enroll("north", "file/north")
    assert "north" not in office.known.index.edges


def test_processes_of_this_machine_are_renewed_in_time_and_keep_their_sessions(office: Office) -> None:
    assert office.known.ensure_own(["town-hall"])
    bus = "mqtts://127.0.0.1:8883"
    own = office.known.own(GATEWAY)
    before = (own / "client.pem").read_bytes(), (own / "client.key").read_bytes(), (own / "password").read_bytes()
    office.now += timedelta(days=600)
    office.known.ensure_own(["town-hall"])
    assert (own / "client.pem").read_bytes() == before[0]

    office.now += timedelta(days=80)
    assert not office.known.ensure_own(["town-hall"])

    assert (own / "client.pem").read_bytes() != before[0]
    assert ((own / "client.key").read_bytes(), (own / "password").read_bytes()) == before[1:]
    assert len(office.known.index.edges[GATEWAY].certificates) == 2
    assert with_identity(bus, own, GATEWAY) == f"{bus}?ca={own}/ca.pem&cert={own}/client.pem&key={own}/client.key"


def test_a_name_that_is_enrolled_for_elsewhere_is_not_taken_by_this_machine(office: Office) -> None:
    office.enroll("north")

    with pytest.raises(EnergyError, match=r"north is enrolled for elsewhere; .* --edge"):
        office.known.ensure_own(["north"])
    office.known.revoke("north", by="li")
    with pytest.raises(EnergyError, match="north was revoked"):
        office.known.ensure_own(["north"])


def test_an_edge_that_was_enrolled_into_this_machine_comes_from_here(office: Office) -> None:
    office.enroll("north", "identities/own/north")
    office.known.ensure_own(["north"])

    assert not office.known.index.edges["north"].own


def test_the_broker_has_a_certificate_for_every_name_it_was_called_by(office: Office) -> None:
    office.enroll("north")
    office.known.enroll("south", office.folder / "south", "mqtts://10.0.0.7:8883", by="li")

    hosts = hosts_of(read_certificate(office.known.transport.certificate))
    assert set(hosts) == {"broker.example", "10.0.0.7", "localhost", "127.0.0.1", "::1"}
    assert office.known.index.bus == "mqtts://10.0.0.7:8883"


def test_an_index_that_others_can_read_or_nobody_understands_is_refused(office: Office) -> None:
    office.enroll("north")
    file = office.known.folder / "index.json"
    file.chmod(0o644)
    with pytest.raises(EnergyError, match="chmod 600"):
        office.known.revoke("north", by="li")
    file.chmod(0o600)
    file.write_text("{")

    with pytest.raises(EnergyError, match="put it back from a backup"):
        read_index(office.known.folder)


def test_keys_of_two_backups_are_not_mixed(office: Office, tmp_path: Path) -> None:
    office.enroll("north")
    (tmp_path / "other").mkdir()
    other = Office(tmp_path / "other")
    other.enroll("north")
    (office.known.folder / "ca" / "ca.pem").write_bytes((other.known.folder / "ca" / "ca.pem").read_bytes())

    with pytest.raises(EnergyError, match="do not belong together"):
        office.enroll("south")


def test_whoever_enrolls_at_the_same_time_loses_nobody(office: Office) -> None:
    with ThreadPoolExecutor(4) as pool:
        list(pool.map(office.enroll, [f"edge-{i}" for i in range(12)]))

    assert set(office.known.index.edges) == {GATEWAY, *(f"edge-{i}" for i in range(12))}
    assert office.text("mosquitto/acl").count("user edge-") == 12


@pytest.mark.parametrize("file", ["client.key", "password"])
def test_a_key_or_password_that_others_can_read_is_not_used(office: Office, file: str) -> None:
    folder = office.enroll("north", password=file == "password")
    (folder / file).chmod(0o644)

    with pytest.raises(EnergyError, match=f"can be read by others; .* chmod 600 {folder}/{file}"):
        MqttAddress.parse(with_identity(BUS, folder, "north")).tls_context()


def test_transport_is_tls_1_2_at_least_and_the_broker_is_checked(office: Office) -> None:
    context = MqttAddress.parse(with_identity(BUS, office.enroll("north"), "north")).tls_context()

    assert context.minimum_version is ssl.TLSVersion.TLSv1_2
    assert (context.verify_mode, context.check_hostname) == (ssl.CERT_REQUIRED, True)


@pytest.mark.parametrize("name", ["", ".north", "a/b", "a+", "#", "a b", "x" * 65, 'a"', "a\n", GATEWAY, "onlooker"])
def test_a_name_that_could_be_mistaken_is_refused(name: str) -> None:
    with pytest.raises(EnergyError, match="edge"):
        checked_name(name)


@pytest.mark.parametrize(
    "topic",
    [
        "#",
        "+/a",
        "a//b",
        "a/",
        "//a",
        "/+/a",
        "$SYS/a",
        "jieneng/v1/north/readings",
        "jieneng",
        "jieneng-gateway/v1/one/readings",
        "a b",
        "a/#/b",
        "a/b+",
        'a"',
    ],
)
def test_a_topic_that_would_give_too_much_is_refused(topic: str) -> None:
    with pytest.raises(EnergyError, match="topic"):
        checked_topic(topic)


_LEVEL = st.text(st.sampled_from("ab.-_1"), max_size=4)


@given(st.lists(_LEVEL, min_size=1, max_size=4), st.lists(_LEVEL, min_size=1, max_size=4))
def test_two_topics_are_never_one_subject(one: list[str], other: list[str]) -> None:
    assert (subjects("/".join(one)) == subjects("/".join(other))) == (one == other)
