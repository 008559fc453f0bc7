"""Where a broker is and as whom one comes: by a password or a certificate that lie in files, never in the address."""

from __future__ import annotations

import hashlib
import ipaddress
import ssl
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from urllib.parse import parse_qs

from adapters.addresses import parts_of, shown
from adapters.secret_files import must_be_private, read_secret
from energy.errors import EnergyError

_OPTIONS = ("password_file", "ca", "cert", "key")


@dataclass(frozen=True, slots=True)
class MqttAddress:
    """`mqtt://[USER@]HOST[:PORT]`, or `mqtts://`; `?password_file=`, `?ca=`, `?cert=` with `&key=` name files."""

    host: str
    port: int
    tls: bool
    user: str | None
    password: str | None
    ca: str | None
    cert: str | None = None
    key: str | None = None

    @classmethod
    def parse(cls, address: str) -> MqttAddress:
        parts = parts_of(address, "bus")
        if parts.scheme not in ("mqtt", "mqtts") or not parts.hostname:
            raise EnergyError(f"bus {shown(address)!r} must be of the form mqtt://HOST:PORT or mqtts://HOST:PORT")
        if parts.password:
            raise EnergyError("a password does not stand in an address; use ?password_file=FILE")
        options = {key: values[-1] for key, values in parse_qs(parts.query).items()}
        tls = parts.scheme == "mqtts"
        _check(address, options, tls=tls)
        port = parts.port or (8883 if tls else 1883)
        password = _password(options["password_file"]) if "password_file" in options else None
        files = (options.get("ca"), options.get("cert"), options.get("key"))
        return cls(parts.hostname, port, tls, parts.username, password, *files)

    def __str__(self) -> str:
        return f"{'mqtts' if self.tls else 'mqtt'}://{self.host}:{self.port}"

    @property
    def is_loopback(self) -> bool:
        """Whether it stays on this machine."""
        try:
            return ipaddress.ip_address(self.host).is_loopback
        except ValueError:
            return self.host == "localhost"

    def must_be_guarded(self) -> None:
        """EnergyError where readings would cross a network in the clear, or be taken by whoever answers."""
        if self.is_loopback:
            return
        if not self.tls:
            raise EnergyError(f"bus {self}: a broker beyond this machine is reached by TLS only: mqtts://{self.host}")
        if self.cert is None and self.password is None:
            raise EnergyError(
                f"bus {self}: nobody comes anonymously over a network; name the folder of `jieneng edge enroll` by "
                "--identity, or a password by mqtts://USER@HOST?password_file=FILE"
            )

    def client_id(self, name: str) -> str:
        """A name for the session that only who knows the secret knows too: a broker lets the newest of a name in and
        the one before out. A dot of ours is a tilde, since nats-server takes none."""
        name = name.replace(".", "~")
        secret = self.password.encode() if self.password else read_secret(Path(self.key)) if self.key else b""
        return f"{name}-{hashlib.sha256(b'session ' + secret).hexdigest()[:16]}" if secret else name

    def tls_context(self) -> ssl.SSLContext:
        """TLS 1.2 or newer; the broker's certificate must be of the authority, or of one that the machine trusts, and
        for the host."""
        try:
            context = ssl.create_default_context(cafile=self.ca)
        except (OSError, ssl.SSLError) as error:
            raise EnergyError(f"certificate authority {self.ca}: cannot be read: {error.strerror or error}") from error
        context.minimum_version = ssl.TLSVersion.TLSv1_2
        if self.cert is not None and self.key is not None:
            must_be_private(Path(self.key))
            try:
                context.load_cert_chain(self.cert, self.key)
            except (OSError, ssl.SSLError) as error:
                raise EnergyError(
                    f"certificate {self.cert} with key {self.key}: cannot be used: {error.strerror or error}"
                ) from error
        return context

    def doubt(self) -> str:
        """What is probably wrong where the broker says no."""
        if self.cert is not None:
            return self.doubt_of_certificate()
        if self.password is not None:
            return f"is {self.user or 'nobody'} enrolled, and the password the newest one?"
        return "it lets nobody in anonymously; enroll this edge by `jieneng edge enroll`"

    def doubt_of_certificate(self) -> str:
        """What is probably wrong with the certificate that was shown."""
        from adapters.certificates import read_certificate

        until = read_certificate(Path(self.cert or "")).not_valid_after_utc
        if until <= datetime.now(UTC):
            return f"the certificate {self.cert} ended on {until:%Y-%m-%d}; renew it by `jieneng edge enroll --renew`"
        return f"the certificate {self.cert} may be revoked, or of another authority"


def _check(address: str, options: dict[str, str], *, tls: bool) -> None:
    unknown = sorted(set(options) - set(_OPTIONS))
    if unknown:
        raise EnergyError(f"bus {shown(address)!r}: {', '.join(unknown)} is not known; known are {', '.join(_OPTIONS)}")
    if ("cert" in options) != ("key" in options):
        raise EnergyError(f"bus {shown(address)!r}: cert and key go together: ?cert=FILE&key=FILE")
    if not tls and set(options) & {"ca", "cert"}:
        raise EnergyError(f"bus {shown(address)!r}: certificates need TLS: mqtts://")


def _password(file: str) -> str:
    try:
        password = read_secret(Path(file)).decode().strip()
    except (EnergyError, UnicodeDecodeError) as error:
        raise EnergyError(f"password file {error}") from error
    if not password:
        raise EnergyError(f"password file {file}: is empty")
    return password
