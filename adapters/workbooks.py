"""Excel workbooks of strangers: looked at as a zip before anything is unpacked, opened to read values alone."""

from __future__ import annotations

from pathlib import Path
from typing import IO, Any
from xml.parsers import expat
from zipfile import BadZipFile, ZipFile, ZipInfo

from energy.errors import ConfigurationError

_MOST_BYTES = 64 << 20
MOST_UNPACKED = 1 << 30
_MOST_ENTRIES = 512
_MOST_RATIO = 200
# Small parts may be smaller still when compressed; a bomb is not small.
_SMALL = 1 << 20
_CHUNK = 1 << 16
_LONGEST_PROLOG = 1 << 20


class _Begun(Exception):
    """The root element begins: no DTD can follow."""


def check_workbook(path: Path, *, most_unpacked: int = MOST_UNPACKED) -> None:
    """Refuse what is no plain workbook: bombs, macros, links to other files, DTDs, names that lead elsewhere."""
    try:
        size = path.stat().st_size
        if size > _MOST_BYTES:
            raise ConfigurationError([f"{path}: has {size} bytes; {_MOST_BYTES} are taken at most"])
        with ZipFile(path) as book:
            faults = _faults(book.infolist(), most_unpacked)
            if not faults:
                faults = [text for entry in book.infolist() if _is_xml(entry.filename) for text in _dtd(book, entry)]
    except (BadZipFile, NotImplementedError, RuntimeError) as error:
        raise ConfigurationError([f"{path}: is no Excel workbook (.xlsx): {error}"]) from error
    except OSError as error:
        raise ConfigurationError([f"{path}: cannot be read: {error.strerror or error}"]) from error
    if faults:
        raise ConfigurationError([f"{path}: {fault}" for fault in faults])


def _faults(entries: list[ZipInfo], most_unpacked: int) -> list[str]:
    """What its directory says; what is unpacked is never more than it says, as zipfile stops there."""
    found: list[str] = []
    if len(entries) > _MOST_ENTRIES:
        found.append(f"holds {len(entries)} parts; a workbook has {_MOST_ENTRIES} at most")
    if (unpacked := sum(e.file_size for e in entries)) > most_unpacked:
        found.append(f"would unpack to {unpacked} bytes; {most_unpacked} are taken at most")
    names = [e.filename for e in entries]
    if len(set(names)) < len(names):
        found.append("holds a part twice")
    for entry in entries[:_MOST_ENTRIES]:
        name = entry.filename.replace("\\", "/")
        if entry.file_size > _SMALL and entry.file_size > _MOST_RATIO * entry.compress_size:
            found.append(f"{name} would unpack to more than {_MOST_RATIO} times its size")
        if name.startswith("/") or ".." in name.split("/") or ":" in name:
            found.append(f"part {name!r} leads out of the workbook")
        if name.lower().endswith("vbaproject.bin") or "/macrosheets/" in name.lower():
            found.append("holds macros; save it as .xlsx without them")
        if "/externallinks/" in name.lower():
            found.append("links to other workbooks; break the links (Data, Edit Links) and save it anew")
        if entry.flag_bits & 1:
            found.append("is encrypted; save it without a password")
    return found


def _is_xml(name: str) -> bool:
    return name.lower().endswith((".xml", ".rels", ".vml"))


def _dtd(book: ZipFile, entry: ZipInfo) -> list[str]:
    """Whether a part declares a DTD, in whatever encoding: entities of one can grow without end."""
    parser = expat.ParserCreate()
    declared: list[str] = []

    def begun(*_: Any) -> None:
        raise _Begun

    parser.StartDoctypeDeclHandler = lambda *_: declared.append(f"part {entry.filename} declares a DTD")
    parser.EntityDeclHandler = begun
    parser.StartElementHandler = begun
    with book.open(entry) as part:
        try:
            _fed(parser, part)
        except _Begun:
            pass
        except expat.ExpatError as error:
            return [*declared, f"part {entry.filename} is no XML: {error}"]
    return declared


def _fed(parser: expat.XMLParserType, part: IO[bytes]) -> None:
    for _ in range(_LONGEST_PROLOG // _CHUNK):
        if not (chunk := part.read(_CHUNK)):
            return
        parser.Parse(chunk)


def open_workbook(path: Path, *, most_unpacked: int = MOST_UNPACKED, values: bool = False) -> Any:
    """A checked workbook to read, row by row; formulas stay formulas, or are their
    `values` as last reckoned. It must be closed.
    """
    from openpyxl import load_workbook
    from openpyxl.utils.exceptions import InvalidFileException

    check_workbook(path, most_unpacked=most_unpacked)
    try:
        return load_workbook(path, read_only=True, data_only=values, keep_links=False)
    except (BadZipFile, InvalidFileException, KeyError, ValueError, SyntaxError) as error:
        raise ConfigurationError([f"{path}: is no Excel workbook (.xlsx)"]) from error
