"""Routes of site files, and of organisations."""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Sequence
from datetime import date
from functools import partial
from typing import Any

import msgspec

from energy.organisations import Fact
from energy.sites import Site
from gateway.access.door import Visit
from gateway.access.roles import Permission
from gateway.api.problems import RequestError
from gateway.api.route import NoQuery, Route
from gateway.api.uploads import Taken, Upload
from gateway.api.words import TextWords
from gateway.audit.chain import Action
from gateway.records.changes import Change
from gateway.services import Services
from gateway.sites.file_words import (
    ApplyQuery,
    Belonging,
    ExportQuery,
    FieldWords,
    FileFault,
    KindCount,
    OrganisationFact,
    OrganisationsAnswer,
    OrganisationWords,
    PreviewQuery,
    RecordWords,
    SiteApplied,
    SiteBook,
    SiteFile,
    SitePreview,
    SiteText,
    TemplateBook,
)
from gateway.sites.files import XLSX, YAML, Faulty, book_of, made, state_of, text_of, to_send, without_lines
from gateway.sites.records import MovedOn
from gateway.wording.chinese import said

# YAML is read at a few hundred kilobytes a second; who has more has a workbook.
_TAKEN = Taken({XLSX: 20 << 20, YAML: 4 << 20})
_MOST_FAULTS = 1_000
_MOVED_ON = TextWords("数据已变动，请重新比对", "The records moved on meanwhile; compare again")
_FAULTY = TextWords("文件有误，未作任何更改", "The file is wrong; nothing was changed")
_NOT_IN_NAMES = re.compile(r'[\\/:*?"<>|\x00-\x1f\x7f]')


async def preview_site(services: Services, query: PreviewQuery, upload: Upload) -> SitePreview:
    try:
        compared = await services.sites.compared(upload)
    except Faulty as error:
        faults = [FileFault(f.sheet, f.row, f.column, said(f.text)) for f in error.found[:_MOST_FAULTS]]
        more = max(0, len(error.found) - _MOST_FAULTS)
        return SitePreview(upload.digest.hex(), faults, more, None, [], 0, [], None)
    end = query.offset + query.limit
    shown = [_record(change) for change in compared.changes[query.offset : end]]
    total = len(compared.changes)
    counts, following = _counts(compared.changes), end if end < total else None
    return SitePreview(upload.digest.hex(), [], 0, compared.expected, counts, total, shown, following)


async def apply_site(services: Services, query: ApplyQuery, upload: Upload, visit: Visit) -> SiteApplied:
    if not query.why.strip():
        raise RequestError("why: must be said")
    try:
        compared = await services.sites.apply(
            upload, query.expected, visit.identity.account, query.why.strip(), file_name(query.name)
        )
    except MovedOn as error:
        raise RequestError(str(error), 409, _MOVED_ON) from error
    except Faulty as error:
        faults = [said(text) for text in error.faults[:_MOST_FAULTS]]
        raise RequestError(error.faults[0], 400, _FAULTY, faults=faults) from error
    return SiteApplied(upload.digest.hex(), len(compared.changes), _counts(compared.changes))


def file_name(given: str) -> str:
    """The last part of a name as its sender gave it, to be told and never opened."""
    return re.split(r"[\\/]", given)[-1].strip()[:200]


async def export_site(services: Services, query: ExportQuery) -> SiteFile:
    """The whole site, for who administers it."""
    return await _sent(services, to_send(await services.sites.present()), query)


async def seen_site_file(services: Services, query: ExportQuery) -> SiteFile:
    """What is seen of the site, without how its meters are reached."""
    return await _sent(services, without_lines(services.books.kept.site), query)


async def _sent(services: Services, site: Site, query: ExportQuery) -> SiteFile:
    content = await made(partial(book_of if query.form == "xlsx" else text_of, site))
    detail = {"as": query.form, "bytes": len(content), "meters": len(site.meters)}
    await services.audit.record(Action.EXPORT, f"site/{site.id}", detail=detail)
    title = _NOT_IN_NAMES.sub("_", site.name.zh)
    name = f"{title} {_today(services, site).isoformat()}.{query.form}"
    return SiteBook(name, content) if query.form == "xlsx" else SiteText(name, content)


async def site_template(_services: Services, _query: NoQuery) -> TemplateBook:
    return TemplateBook("站点模板 site-template.xlsx", await made(partial(book_of, None)))


async def organisations(services: Services, _query: NoQuery) -> OrganisationsAnswer:
    return _organisations(services, services.books.kept.site)


async def all_organisations(services: Services, _query: NoQuery) -> OrganisationsAnswer:
    return _organisations(services, await services.sites.present())


def _today(services: Services, site: Site) -> date:
    return services.clock.now().astimezone(site.zone_info).date()


def _organisations(services: Services, site: Site) -> OrganisationsAnswer:
    within: dict[str, list[Belonging]] = defaultdict(list)
    facts: dict[str, list[OrganisationFact]] = defaultdict(list)
    for m in site.memberships:
        within[m.organisation].append(Belonging(m.within, m.valid.start, m.valid.end))
    for fact in site.facts:
        if fact.organisation is not None:
            facts[fact.organisation].append(_fact(fact))
    told = []
    for o in site.organisations:
        above = [Belonging(o.parent, None, None)] if o.parent is not None else []
        head = (o.id, TextWords.of(o.name), o.kind, o.code, o.institution_class, o.valid.start, o.valid.end)
        told.append(OrganisationWords(*head, [*above, *within[o.id]], facts[o.id]))
    return OrganisationsAnswer(_today(services, site), site.zone, told)


def _fact(fact: Fact) -> OrganisationFact:
    return OrganisationFact(fact.fact, f"{fact.value:f}", fact.valid.start, fact.valid.end, fact.source)


def _counts(changes: Sequence[Change]) -> list[KindCount]:
    found: dict[str, KindCount] = {}
    for change in changes:
        count = found.setdefault(change.kind, KindCount(change.kind, 0, 0, 0, 0))
        state = state_of(change)
        setattr(count, state, getattr(count, state) + 1)
    return list(found.values())


def _record(change: Change) -> RecordWords:
    row = change.after or change.before or {}
    name = TextWords(row["name_zh"], row["name_en"]) if "name_zh" in row else None
    fields = [FieldWords(f, _said(before), _said(after)) for f, before, after in change.fields]
    told = [f for f in fields if (f.before, f.after) != (None, None)]
    return RecordWords(change.kind, change.key, name, state_of(change), told)


def _said(value: Any) -> str | None:
    if value is None or value in ([], {}):
        return None
    return value if isinstance(value, str) else msgspec.json.encode(value).decode()


_ADMINISTER = Permission.ADMINISTER_SYSTEM
ROUTES: tuple[Route[Services], ...] = (
    Route(
        "/api/v1/organisations",
        "The organisations that are seen, in each of their trees, with codes and dated numbers",
        Permission.READ,
        NoQuery,
        OrganisationsAnswer,
        organisations,
    ),
    Route(
        "/api/v1/site/file",
        "What is seen of the site, as a file",
        Permission.READ,
        ExportQuery,
        SiteFile,
        seen_site_file,
    ),
    Route(
        "/api/v1/site/organisations",
        "All organisations of the site",
        _ADMINISTER,
        NoQuery,
        OrganisationsAnswer,
        all_organisations,
    ),
    Route("/api/v1/site/export", "The whole site as a file", _ADMINISTER, ExportQuery, SiteFile, export_site),
    Route("/api/v1/site/template", "A workbook to fill in", _ADMINISTER, NoQuery, TemplateBook, site_template),
    Route(
        "/api/v1/site/preview",
        "What is wrong with a site file, or what it would change",
        _ADMINISTER,
        PreviewQuery,
        SitePreview,
        preview_site,
        "POST",
        file=_TAKEN,
    ),
    Route(
        "/api/v1/site/apply",
        "Change the records to what a site file says, as it was previewed; all or nothing",
        _ADMINISTER,
        ApplyQuery,
        SiteApplied,
        apply_site,
        "POST",
        visits=True,
        file=_TAKEN,
    ),
)
