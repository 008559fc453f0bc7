"""Makes of meters, whatever they speak: registers of Modbus, data items of DL/T 645, records of CJ/T 188."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from functools import cache
from pathlib import Path

from collectors import cjt188, dlt645
from collectors.asked import Now, Plan
from collectors.cjt188.make import RecordMake
from collectors.cjt188.make import make_of as record_make
from collectors.cjt188.plan import RecordAsked, compile_record
from collectors.decoder import as_wired, compile_meter
from collectors.decoder import readable as registers_readable
from collectors.dlt645.make import ItemMake
from collectors.dlt645.make import make_of as item_make
from collectors.dlt645.plan import ItemsAsked, compile_items
from collectors.lines.address import Address, TcpAddress
from collectors.meter_profile import Profile, is_shipped, load_profile, profile_ids, read_profile
from collectors.planner import RequestCost
from energy.documents import Document, open_document
from energy.errors import ConfigurationError, UnknownName
from energy.sites import Meter

Make = Profile | ItemMake | RecordMake
AddressedMake = ItemMake | RecordMake
AddressedAsked = ItemsAsked | RecordAsked
# How a protocol is called where people read.
SPOKEN = {"dlt645": "DL/T 645", "cjt188": "CJ/T 188"}

_FOLDERS = {
    protocol: Path(package.__path__[0]) / "meters" for protocol, package in (("dlt645", dlt645), ("cjt188", cjt188))
}
_OWN_FILES = (".yaml", ".yml")
# Where makes of one's own stand, beside the site file.
OWN_FOLDER = "profiles"


def addressed_ids() -> list[str]:
    """The ids of the makes that are shipped and asked by the address on their plate, sorted."""
    return sorted(f"{protocol}/{path.stem}" for protocol, folder in _FOLDERS.items() for path in folder.glob("*.yaml"))


def make_ids() -> list[str]:
    """The ids of all makes that are shipped, sorted."""
    return sorted((*profile_ids(), *addressed_ids()))


@cache
def load_make(id_or_file: str) -> Make:
    """The shipped make of this id, or the one in this file, whose `protocol` says what it speaks; Modbus without one.

    UnknownName if there is neither; ConfigurationError lists all that is wrong in a file.
    """
    if id_or_file in addressed_ids():
        protocol, _, name = id_or_file.partition("/")
        path = _FOLDERS[protocol] / f"{name}.yaml"
    elif id_or_file.endswith(_OWN_FILES):
        path = Path(id_or_file)
    elif is_shipped(id_or_file):
        return load_profile(id_or_file)
    else:
        raise UnknownName(
            f"profile {id_or_file!r} is not known; shipped are {', '.join(make_ids())}; "
            f"one of your own stands in {OWN_FOLDER}/ beside the site file, or is named by its path that ends in .yaml"
        )
    return read_make(open_document(path), id_or_file)


def read_make(document: Document, own_id: str) -> Make:
    """The make that a file describes; ConfigurationError lists all that is wrong in it."""
    match document.value(("protocol",)):
        case "dlt645":
            return item_make(document, own_id)
        case "cjt188":
            return record_make(document, own_id)
        case None:
            return read_profile(document, own_id)
        case _:
            fault = "must be dlt645 or cjt188; leave it out where the meter speaks Modbus"
            raise ConfigurationError([document.fault(("protocol",), fault)])


def own_make(name: str, folder: Path) -> Path | None:
    """The file of a make of one's own that a site file names, beside which `folder` lies; None where there is none.

    A name that ends in .yaml is a path from there, any other one that of a file in its `profiles`.
    ConfigurationError where the name is that of a shipped make, too.
    """
    if name.endswith(_OWN_FILES):
        return (folder / name).resolve()
    within = (folder / OWN_FOLDER).resolve()
    file = (within / f"{name}.yaml").resolve()
    if not (file.is_relative_to(within) and file.is_file()):
        return None
    if name in make_ids():
        raise ConfigurationError([f"{file}: {name!r} is the name of a shipped profile; give the file another name"])
    return file


def own_ids(folder: Path) -> list[str]:
    """The names of the makes in a folder of one's own, as site files call them, sorted."""
    return sorted(path.relative_to(folder).with_suffix("").as_posix() for path in folder.rglob("*.yaml"))


def readable(make: Make, *, reversed_: bool = False) -> tuple[str, ...]:
    """The quantities that can be read of a meter of this make: built in backwards, its import is our export."""
    if isinstance(make, Profile):
        return registers_readable(make, reversed_=reversed_)
    return tuple(as_wired(name, reversed_=reversed_)[0] for name in make.quantities)


def compile_addressed(meter: Meter, make: AddressedMake, now: Now) -> Sequence[AddressedAsked]:
    """What is asked of a meter by its address."""
    return compile_items(meter, make, now) if isinstance(make, ItemMake) else compile_record(meter, make)


def compile_make(meter: Meter, make: Make, cost: RequestCost, now: Now) -> Sequence[Plan]:
    """What is asked of a meter as it is installed, whatever it speaks."""
    if not isinstance(make, Profile):
        return compile_addressed(meter, make, now)
    return compile_meter(meter, make, cost)


def placing_faults(meter: Meter, make: Make, line: Address | None) -> Iterator[tuple[str, str]]:
    """What is wrong with how a meter is named on its line, and with the line: key of the site file, and words."""
    if meter.line is None:
        return
    if isinstance(make, Profile):
        if meter.address is not None:
            yield "address", "is for meters that are asked by it; a Modbus meter has a unit"
        return
    digits, spoken = make.address_digits, SPOKEN[make.protocol]
    if meter.address is None:
        yield "address", f"is missing: a {spoken} meter is asked by the {digits} digits on its plate, in quotes"
    elif len(meter.address) != digits:
        given = len(meter.address)
        yield "address", f"a {spoken} meter has {digits} digits, these are {given}; fill up with zeros in front"
    if isinstance(line, TcpAddress):
        yield (
            "line",
            f"speaks Modbus TCP, a {spoken} meter does not: give it as rtu+tcp://HOST:PORT or serial:/dev/DEVICE",
        )
