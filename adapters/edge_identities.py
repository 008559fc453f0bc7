"""Who may come to the broker: edges are enrolled, renewed and revoked in a folder from which both brokers are told.

Its index is what holds; all that brokers read is made from it anew after each change.
"""

from __future__ import annotations

import fcntl
import secrets
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path
from urllib.parse import urlsplit

import msgspec

from adapters import broker_mosquitto, broker_nats
from adapters.broker_rules import GATEWAY, ONLOOKER, Rights, checked_name, checked_topic, rights_of
from adapters.certificates import EDGE_DAYS, Authority, Issued, hosts_of, identity_of, open_authority, read_certificate
from adapters.identity_folders import CERTIFICATE, KEY, PASSWORD, Identity, must_be_new, write_identity
from adapters.identity_index import Certificate, Enrolled, Index, read_index, write_index
from adapters.secret_files import own_folder, read_secret, write_secret
from adapters.site_signing import open_signing_key
from energy.errors import EnergyError

# What belongs to this machine is renewed in time when it starts; what is elsewhere is told of.
_RENEWED_BEFORE = timedelta(days=60)
_HERE = ("localhost", "127.0.0.1", "::1")


class Identities:
    """The folder. Whoever changes it holds its lock; `now` tells the time."""

    def __init__(self, folder: Path, now: Callable[[], datetime]) -> None:
        self.folder, self._now = folder, now

    @property
    def index(self) -> Index:
        """What holds now; EnergyError where it cannot be read."""
        return read_index(self.folder)

    def own(self, name: str) -> Path:
        """The folder with which a process of this machine comes."""
        return self.folder / "own" / name

    def enroll(
        self,
        name: str,
        into: Path,
        bus: str,
        *,
        by: str,
        why: str = "",
        password: bool = False,
        kept: bool = False,
        topics: Sequence[str] = (),
        hears: Sequence[str] = (),
        days: int = EDGE_DAYS,
    ) -> Enrolled:
        """Let an edge come, by a certificate or a password, and write what it needs into a new folder.

        bus : where it finds the broker. kept : the password is kept here as it is, which the embedded broker needs;
        otherwise its hash alone is.
        """
        checked_name(name)
        must_be_new(into)
        made = Enrolled(name, self._ms(), by, why, bus)
        made.topics, made.hears = [[checked_topic(topic) for topic in given] for given in (topics, hears)]
        with self._changing() as index:
            found = index.edges.get(name)
            if found is not None and found.revoked_at is None:
                raise EnergyError(f"edge {name} is enrolled already; renew it with --renew, or revoke it first")
            self._remember(index, bus, password=password)
            self._give(made, into, password=password, kept=kept, days=days)
            index.edges[name] = made
            self._ensure_own(index, GATEWAY)
        return made

    def renew(self, name: str, into: Path, bus: str | None = None, *, by: str, days: int = EDGE_DAYS) -> Enrolled:
        """A new certificate for an edge, beside which those it has hold until their end; or a new password, with which
        the old one ends. bus : where it finds the broker from now on, if elsewhere than before."""
        must_be_new(into)
        with self._changing() as index:
            found = self._known(index, name)
            if found.revoked_at is not None:
                raise EnergyError(f"edge {name} was revoked; enroll it anew")
            if found.own:
                raise EnergyError(f"{name} is a process of this machine and renewed by itself when it starts")
            password, kept = not found.certificates, self._password_of(name).exists()
            made = msgspec.structs.replace(found, by=by, bus=bus or found.bus, certificates=[*found.certificates])
            self._remember(index, made.bus, password=password)
            self._give(made, into, password=password, kept=kept, days=days)
            index.edges[name] = made
            self._ensure_own(index, GATEWAY)
        return made

    def revoke(self, name: str, *, by: str) -> Enrolled:
        """Nothing that an edge was ever given lets it in again; as well where it was revoked before."""
        with self._changing() as index:
            found = self._known(index, name)
            if found.own:
                raise EnergyError(f"{name} is a process of this machine and not revoked; stop it instead")
            if found.revoked_at is None:
                now = self._ms()
                index.revoked |= {one.serial: now for one in found.certificates}
                found = msgspec.structs.replace(found, revoked_at=now, revoked_by=by, hash=None)
                index.edges[name] = found
            self._password_of(name).unlink(missing_ok=True)
        return found

    def ensure_own(self, names: Sequence[str], hosts: Sequence[str] = ()) -> bool:
        """The processes of this machine, and its broker under these names, have what they need for long enough.

        Whether the gateway has been given another secret: its session at the broker is then nobody's.
        """
        password = self.own(GATEWAY) / PASSWORD
        before = password.read_bytes() if password.exists() else b""
        with self._changing() as index:
            index.hosts = list(dict.fromkeys([*index.hosts, *hosts]))
            for name in (GATEWAY, *map(checked_name, names)):
                self._ensure_own(index, name)
        return password.read_bytes() != before

    @property
    def transport(self) -> broker_nats.Transport:
        """What the embedded broker needs to speak TLS."""
        files = self.folder / "mosquitto"
        return broker_nats.Transport(files / "server.pem", files / "server.key", files / "ca.pem")

    def users(self, *, tls: bool) -> Path:
        """The file of users for the embedded broker: by their certificates, or by their passwords."""
        return self.folder / "nats" / ("certificates.conf" if tls else "passwords.conf")

    # -- what is given -------------------------------------------------------------------------------------------------

    def _give(self, to: Enrolled, into: Path, *, password: bool, kept: bool, days: int) -> None:
        secret = secrets.token_urlsafe(32) if password else None
        issued = None if password else self._authority().for_client(to.name, self._now(), days)
        if issued is not None:
            to.certificates.append(_certificate(issued))
        if secret is not None:
            to.hash = broker_mosquitto.hashed_password(secret)
            if kept:
                write_secret(self._password_of(to.name), secret.encode())
        write_identity(into, Identity(to.name, to.bus, self._authority().pem, self._checking(), issued, secret))

    def _ensure_own(self, index: Index, name: str) -> None:
        found, folder = index.edges.get(name), self.own(name)
        if found is not None and not found.own:
            if found.revoked_at is not None or not any((folder / file).exists() for file in (CERTIFICATE, PASSWORD)):
                state = "was revoked" if found.revoked_at is not None else "is enrolled for elsewhere"
                raise EnergyError(f"edge {name} {state}; give the edge of this machine another name with --edge")
            return
        whole = found is not None and all((folder / file).exists() for file in (CERTIFICATE, KEY, PASSWORD))
        if found is None or not whole:
            found = Enrolled(name, self._ms(), own=True)
            index.edges[name] = found
        elif (found.until or 0) - self._ms() > _RENEWED_BEFORE / timedelta(milliseconds=1):
            return
        # By its secret the broker knows its session: the key and the password stay.
        secret = read_secret(folder / PASSWORD).decode() if whole else secrets.token_urlsafe(32)
        key = read_secret(folder / KEY) if whole else None
        issued = self._authority().for_client(name, self._now(), key=key)
        found.certificates = [*found.certificates, _certificate(issued)]
        found.hash = broker_mosquitto.hashed_password(secret)
        write_identity(folder, Identity(name, None, self._authority().pem, self._checking(), issued, secret))

    def _authority(self) -> Authority:
        return open_authority(self.folder / "ca", self._now())

    def _checking(self) -> bytes:
        return open_signing_key(self.folder).checking.pem

    def _password_of(self, name: str) -> Path:
        return self.folder / "passwords" / name

    @staticmethod
    def _remember(index: Index, bus: str, *, password: bool) -> None:
        """Where edges with certificates find the broker; it has one for every name by which it was called."""
        parts = urlsplit(bus)
        if parts.scheme == "mqtts" and parts.hostname:
            index.bus = index.bus if password else bus
            index.hosts = list(dict.fromkeys([*index.hosts, parts.hostname]))

    @staticmethod
    def _known(index: Index, name: str) -> Enrolled:
        found = index.edges.get(name)
        if found is None:
            known = ", ".join(sorted(n for n, one in index.edges.items() if not one.own)) or "nobody"
            raise EnergyError(f"edge {name!r} is not enrolled; enrolled: {known}")
        return found

    # -- what is kept --------------------------------------------------------------------------------------------------

    @contextmanager
    def _changing(self) -> Iterator[Index]:
        """The index, to be changed; it and what the brokers read is written afterwards, nothing where it fails."""
        own_folder(self.folder)
        with (self.folder / "lock").open("a") as lock:
            fcntl.flock(lock, fcntl.LOCK_EX)
            index = self.index
            yield index
            server, key = self._of_broker(index)
            write_index(self.folder, index)
            self._tell_brokers(index, server, key)

    def _tell_brokers(self, index: Index, server: bytes, key: bytes) -> None:
        files, authority = self.folder / "mosquitto", self._authority()
        there = [one for one in index.edges.values() if one.revoked_at is None]
        revoked = {serial: datetime.fromtimestamp(ms / 1000, UTC) for serial, ms in index.revoked.items()}
        broker_mosquitto.write_passwords(files, {one.name: one.hash for one in there if one.hash})
        broker_mosquitto.write_rules(files, {one.name: _rights(one) for one in there})
        revoked_list = authority.revoked_list(revoked, self._now())
        broker_mosquitto.write_transport(files, authority.pem, server, key, revoked_list)
        broker_nats.write_users(self.users(tls=True), self._by_certificate(there))
        broker_nats.write_users(self.users(tls=False), self._by_password(there))

    def _of_broker(self, index: Index) -> tuple[bytes, bytes]:
        """The broker's certificate and key: those it has, where they are for all its names and hold for long enough."""
        files, hosts = self.transport, list(dict.fromkeys([*index.hosts, *_HERE]))
        index.authority_until = _ms(self._authority().until)
        if files.certificate.exists() and files.key.exists():
            found = read_certificate(files.certificate)
            index.broker_until = _ms(found.not_valid_after_utc)
            if found.not_valid_after_utc - self._now() > _RENEWED_BEFORE and set(hosts) <= set(hosts_of(found)):
                return files.certificate.read_bytes(), read_secret(files.key)
        made = self._authority().for_broker(hosts, self._now())
        index.broker_until = _ms(made.until)
        return made.certificate, made.key

    @staticmethod
    def _by_certificate(there: Sequence[Enrolled]) -> Iterator[broker_nats.User]:
        for one in there:
            for held in one.certificates:
                yield broker_nats.User(identity_of(one.name, held.serial), _rights(one))

    def _by_password(self, there: Sequence[Enrolled]) -> Iterator[broker_nats.User]:
        yield broker_nats.User(ONLOOKER, rights_of(ONLOOKER))
        for one in there:
            file = self.own(one.name) / PASSWORD if one.own else self._password_of(one.name)
            if one.hash is not None and file.exists():
                yield broker_nats.User(one.name, _rights(one), read_secret(file).decode())

    def _ms(self) -> int:
        return _ms(self._now())


def _rights(one: Enrolled) -> Rights:
    return rights_of(one.name, one.topics, one.hears)


def _certificate(issued: Issued) -> Certificate:
    return Certificate(issued.serial, _ms(issued.until))


def _ms(at: datetime) -> int:
    return int(at.timestamp() * 1000)
