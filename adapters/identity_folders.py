"""The folder with which an edge comes to its broker: made by `jieneng edge enroll`, carried to the site."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from urllib.parse import urlencode, urlsplit

from adapters.certificates import Issued
from adapters.secret_files import own_folder, write_public, write_secret
from adapters.site_signing import CHECKING_KEY
from energy.errors import EnergyError

AUTHORITY, CERTIFICATE, KEY, PASSWORD, SETTINGS = "ca.pem", "client.pem", "client.key", "password", "edge.yaml"

_SETTINGS = """\
# Of the edge {name}; start it with: jieneng edge --config {settings}
# Paths are seen from here. Beside this file belongs the site file.
edge: {name}
site: site.yaml
data: var
bus: {bus}
identity: .
"""


@dataclass(frozen=True, slots=True)
class Identity:
    """What an edge is given: a certificate or a password or both, what to know its broker and its gateway by.

    bus : the address of the broker; None where it stands elsewhere.
    """

    name: str
    bus: str | None
    authority: bytes
    checking: bytes
    issued: Issued | None
    password: str | None


def must_be_new(folder: Path) -> None:
    """EnergyError where something lies there already."""
    if folder.exists() and (not folder.is_dir() or any(folder.iterdir())):
        raise EnergyError(f"{folder} is there already, and not empty; name another with --into")


def write_identity(folder: Path, identity: Identity) -> None:
    """Write it into a folder, for its owner alone."""
    own_folder(folder)
    write_public(folder / AUTHORITY, identity.authority)
    write_public(folder / CHECKING_KEY, identity.checking)
    if identity.issued is not None:
        write_public(folder / CERTIFICATE, identity.issued.certificate)
        write_secret(folder / KEY, identity.issued.key)
    if identity.password is not None:
        write_secret(folder / PASSWORD, identity.password.encode())
    if identity.bus is not None:
        text = _SETTINGS.format(name=identity.name, bus=identity.bus, settings=SETTINGS)
        write_public(folder / SETTINGS, text.encode())


def with_identity(bus: str, folder: Path, name: str) -> str:
    """The address of a broker with the files of a folder by which `name` comes; secrets stay in their files.

    By certificate where there is TLS and a certificate, by password otherwise; as it was where it says so itself.
    """
    parts = urlsplit(bus)
    if parts.username or parts.query:
        return bus
    tls = parts.scheme == "mqtts"
    files = {"ca": folder / AUTHORITY} if tls else {}
    user = ""
    if tls and (folder / CERTIFICATE).exists():
        files |= {"cert": folder / CERTIFICATE, "key": folder / KEY}
    elif (folder / PASSWORD).exists():
        user, files["password_file"] = f"{name}@", folder / PASSWORD
    query = urlencode({key: str(file) for key, file in files.items()}, safe="/")
    return parts._replace(netloc=f"{user}{parts.netloc}", query=query).geturl()
