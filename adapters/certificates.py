"""A private certificate authority for one broker and its edges: EC P-256 keys, X.509 certificates, what is revoked."""

from __future__ import annotations

import ipaddress
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path

from cryptography import x509
from cryptography.exceptions import UnsupportedAlgorithm
from cryptography.hazmat.primitives.asymmetric.ec import SECP256R1, EllipticCurvePrivateKey, generate_private_key
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat, load_pem_private_key
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID

from adapters.secret_files import read_secret, write_public, write_secret
from energy.errors import EnergyError

AUTHORITY_DAYS = 5480
BROKER_DAYS = EDGE_DAYS = 730
# Clocks of small boards are late: what is made now holds since then.
_BEFORE = timedelta(days=1)
_REVOKED_LIST_DAYS = 3650
_USES = (
    "digital_signature", "content_commitment", "key_encipherment", "data_encipherment", "key_agreement",
    "key_cert_sign", "crl_sign", "encipher_only", "decipher_only",
)  # fmt: skip


def _usage(*uses: str) -> x509.KeyUsage:
    """A key that may be used for these alone."""
    return x509.KeyUsage(**{use: use in uses for use in _USES})


_SIGNS, _CERTIFIES = _usage("digital_signature"), _usage("key_cert_sign", "crl_sign")


@dataclass(frozen=True, slots=True)
class Issued:
    """A certificate and its key in PEM; `serial` in hexadecimal digits."""

    certificate: bytes
    key: bytes
    serial: str
    until: datetime


class Authority:
    """Signs certificates of the broker, of the gateway and of edges, and the list of those that hold no longer."""

    def __init__(self, certificate: x509.Certificate, key: EllipticCurvePrivateKey) -> None:
        self.certificate, self._key = certificate, key

    @property
    def pem(self) -> bytes:
        return self.certificate.public_bytes(Encoding.PEM)

    @property
    def until(self) -> datetime:
        return self.certificate.not_valid_after_utc

    def for_broker(self, hosts: Sequence[str], now: datetime, days: int = BROKER_DAYS) -> Issued:
        """For a broker that is reached under these names and addresses."""
        names = x509.SubjectAlternativeName([_host(host) for host in hosts])
        return self._issue(hosts[0][:64], names, ExtendedKeyUsageOID.SERVER_AUTH, now, days)

    def for_client(self, name: str, now: datetime, days: int = EDGE_DAYS, key: bytes | None = None) -> Issued:
        """For an edge, or the gateway: its name is the common name, and `identity_of` is of this certificate alone.

        key : that it has already, in PEM; None makes one.
        """
        serial = x509.random_serial_number()
        names = x509.SubjectAlternativeName([x509.UniformResourceIdentifier(identity_of(name, f"{serial:x}"))])
        held = None if key is None else _loaded(key, "the key that is kept")
        return self._issue(name, names, ExtendedKeyUsageOID.CLIENT_AUTH, now, days, serial, held)

    def revoked_list(self, revoked: Mapping[str, datetime], now: datetime) -> bytes:
        """The list (CRL) in PEM of the serials that hold no longer, with when each was revoked."""
        made = x509.CertificateRevocationListBuilder().issuer_name(self.certificate.subject)
        made = made.last_update(now - _BEFORE).next_update(now + timedelta(days=_REVOKED_LIST_DAYS))
        made = made.add_extension(x509.CRLNumber(int(now.timestamp())), critical=False)
        made = made.add_extension(self._of_issuer(), critical=False)
        for serial, at in sorted(revoked.items()):
            one = x509.RevokedCertificateBuilder().serial_number(int(serial, 16)).revocation_date(at)
            made = made.add_revoked_certificate(one.build())
        return made.sign(self._key, SHA256()).public_bytes(Encoding.PEM)

    def _issue(
        self,
        name: str,
        names: x509.SubjectAlternativeName,
        purpose: x509.ObjectIdentifier,
        now: datetime,
        days: int,
        serial: int | None = None,
        key: EllipticCurvePrivateKey | None = None,
    ) -> Issued:
        key = key or generate_private_key(SECP256R1())
        # Nothing holds longer than what vouches for it.
        until = min(now + timedelta(days=days), self.until)
        made = (
            x509.CertificateBuilder()
            .subject_name(_named(name))
            .issuer_name(self.certificate.subject)
            .public_key(key.public_key())
            .serial_number(serial or x509.random_serial_number())
            .not_valid_before(now - _BEFORE)
            .not_valid_after(until)
            .add_extension(x509.BasicConstraints(ca=False, path_length=None), critical=True)
            .add_extension(_SIGNS, critical=True)
            .add_extension(x509.ExtendedKeyUsage([purpose]), critical=False)
            .add_extension(names, critical=False)
            .add_extension(x509.SubjectKeyIdentifier.from_public_key(key.public_key()), critical=False)
            .add_extension(self._of_issuer(), critical=False)
            .sign(self._key, SHA256())
        )
        pem = made.public_bytes(Encoding.PEM)
        return Issued(pem, _key_pem(key), f"{made.serial_number:x}", made.not_valid_after_utc)

    def _of_issuer(self) -> x509.AuthorityKeyIdentifier:
        return x509.AuthorityKeyIdentifier.from_issuer_public_key(self._key.public_key())


def identity_of(name: str, serial: str) -> str:
    """What a certificate says besides its name: the one edge by the one certificate."""
    return f"urn:jieneng:{name}:{serial}"


def open_authority(folder: Path, now: datetime) -> Authority:
    """The authority of a folder (`ca.pem`, `ca.key`), made where there is none yet."""
    certificate, key = folder / "ca.pem", folder / "ca.key"
    if not key.exists():
        made = make_authority(now)
        write_secret(key, _key_pem(made._key))
        write_public(certificate, made.pem)
    loaded = _loaded(read_secret(key), str(key))
    found = read_certificate(certificate)
    if found.public_key() != loaded.public_key():
        raise EnergyError(f"{certificate} and {key} do not belong together; put both back from one backup")
    return Authority(found, loaded)


def make_authority(now: datetime, days: int = AUTHORITY_DAYS) -> Authority:
    key = generate_private_key(SECP256R1())
    name = _named("Jieneng edges")
    made = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - _BEFORE)
        .not_valid_after(now + timedelta(days=days))
        .add_extension(x509.BasicConstraints(ca=True, path_length=0), critical=True)
        .add_extension(_CERTIFIES, critical=True)
        .add_extension(x509.SubjectKeyIdentifier.from_public_key(key.public_key()), critical=False)
        .sign(key, SHA256())
    )
    return Authority(made, key)


def read_certificate(file: Path) -> x509.Certificate:
    """The certificate of a file in PEM."""
    try:
        return x509.load_pem_x509_certificate(file.read_bytes())
    except OSError as error:
        raise EnergyError(f"{file}: cannot be read: {error.strerror}") from error
    except ValueError as error:
        raise EnergyError(f"{file}: is not a certificate in PEM") from error


def hosts_of(certificate: x509.Certificate) -> list[str]:
    """The names and addresses that a broker's certificate is for."""
    names = certificate.extensions.get_extension_for_class(x509.SubjectAlternativeName).value
    return [*names.get_values_for_type(x509.DNSName), *map(str, names.get_values_for_type(x509.IPAddress))]


def _loaded(pem: bytes, called: str) -> EllipticCurvePrivateKey:
    try:
        key = load_pem_private_key(pem, password=None)
    except (ValueError, UnsupportedAlgorithm) as error:
        raise EnergyError(f"{called}: is not a private key in PEM") from error
    if not isinstance(key, EllipticCurvePrivateKey):
        raise EnergyError(f"{called}: is not a key on an elliptic curve")
    return key


def _key_pem(key: EllipticCurvePrivateKey) -> bytes:
    return key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())


def _named(name: str) -> x509.Name:
    return x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, name)])


def _host(host: str) -> x509.GeneralName:
    try:
        return x509.IPAddress(ipaddress.ip_address(host))
    except ValueError:
        return x509.DNSName(host)
