"""Site files and organisations as the API tells them."""

from __future__ import annotations

from datetime import date
from typing import Annotated, ClassVar, Literal

import msgspec

from energy.organisations import FactName
from gateway.api.words import Download, TextWords
from gateway.sites.files import XLSX, YAML, StateWord

# Both stand in the address of a request, in which a sign of Chinese is nine characters, and 8 KiB are taken.
FileName = Annotated[str, msgspec.Meta(max_length=200)]
FormWord = Literal["xlsx", "yaml"]


class ExportQuery(msgspec.Struct, forbid_unknown_fields=True, rename={"form": "as"}):
    """As a workbook, or as a site file."""

    form: FormWord = "xlsx"


class PreviewQuery(msgspec.Struct, forbid_unknown_fields=True):
    """So many of the differences, from one on; `name` is what the sender calls the file."""

    name: FileName = ""
    offset: Annotated[int, msgspec.Meta(ge=0)] = 0
    limit: Annotated[int, msgspec.Meta(ge=1, le=1000)] = 200


class ApplyQuery(msgspec.Struct, forbid_unknown_fields=True):
    """`expected` is what the preview of this file answered; `why` is kept with every change."""

    expected: Annotated[str, msgspec.Meta(min_length=64, max_length=64)]
    why: Annotated[str, msgspec.Meta(min_length=1, max_length=400)]
    name: FileName = ""


class SiteFile(Download):
    """A site as a file."""


class SiteBook(SiteFile):
    """As an Excel workbook."""

    media_type: ClassVar[str] = XLSX


class SiteText(SiteFile):
    """As YAML."""

    media_type: ClassVar[str] = YAML


class TemplateBook(Download):
    """A workbook to fill in."""

    media_type: ClassVar[str] = XLSX


class FileFault(msgspec.Struct):
    """What is wrong, by sheet, row and column of a workbook, or by line (`row`) of a site file."""

    sheet: str
    row: int | None
    column: str
    text: TextWords


class FieldWords(msgspec.Struct):
    """A field of a record, as text; null where it says nothing."""

    field: str
    before: str | None
    after: str | None


class RecordWords(msgspec.Struct):
    """A record that is new, other, gone, or no longer holds from some day on."""

    kind: str
    key: str
    name: TextWords | None
    state: StateWord
    fields: list[FieldWords]


class KindCount(msgspec.Struct):
    """How many records of a kind."""

    kind: str
    added: int
    changed: int
    ended: int
    removed: int


class SitePreview(msgspec.Struct):
    """What is wrong with a file; or, where nothing is, how it differs from the records.

    `expected` is needed to apply it, null where it cannot be. `next` is the `offset` of the next page of changes.
    """

    sha256: str
    faults: list[FileFault]
    more_faults: int
    expected: str | None
    counts: list[KindCount]
    total: int
    changes: list[RecordWords]
    next: int | None


class SiteApplied(msgspec.Struct):
    """The records are now as the file says."""

    sha256: str
    total: int
    counts: list[KindCount]


class Belonging(msgspec.Struct, rename={"from_": "from"}):
    """An organisation belongs below another one, from a day to a day that is not included; null is for good."""

    within: str
    from_: date | None
    to: date | None


class OrganisationFact(msgspec.Struct, rename={"from_": "from"}):
    """A dated number of an organisation, and the document that says so."""

    fact: FactName
    value: str
    from_: date | None
    to: date | None
    source: str


class OrganisationWords(msgspec.Struct, rename={"from_": "from", "institution_class": "class"}):
    """A region, department, institution or office; it belongs below each of `within`, one for each tree."""

    id: str
    name: TextWords
    kind: str
    code: str | None
    institution_class: str | None
    from_: date | None
    to: date | None
    within: list[Belonging]
    facts: list[OrganisationFact]


class OrganisationsAnswer(msgspec.Struct):
    """Organisations in the order of the records, as of `day`; `zone` is that of their days."""

    day: date
    zone: str
    organisations: list[OrganisationWords]
