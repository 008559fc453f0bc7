"""A site as a workbook: written, read, compared and applied, as over the API.

2,024 institutions below 30 regions and 22 departments with 40,480 meters; 1 in 10 meters is another in the file.
"""

from __future__ import annotations

import asyncio
import hashlib
import resource
import tempfile
import time
from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, date, datetime
from decimal import Decimal
from pathlib import Path
from typing import Any

from adapters.clocks import SteppedClock
from energy.organisations import Fact, FactName, Membership, Organisation
from energy.quantities import Medium
from energy.sites import LineSettings, Meter, Place, Site, Text
from energy.validity import Validity
from gateway.api.uploads import Upload
from gateway.records.database import open_records
from gateway.sites.files import XLSX, SiteFiles, book_of
from gateway.sites.records import SiteRecords, difference

INSTITUTIONS, METERS, REGIONS, DEPARTMENTS, LINES = 2_024, 40_480, 30, 22, 500
PROFILE, QUANTITIES = "eastron/sdm630", ("active_power", "active_energy_import")


def run() -> dict[str, Any]:
    with tempfile.TemporaryDirectory() as folder:
        return asyncio.run(_measured(Path(folder)))


async def _measured(folder: Path) -> dict[str, Any]:
    present, clock = site(), SteppedClock(datetime(2026, 3, 1, tzinfo=UTC))
    async with open_records(f"sqlite:{folder}/records.sqlite") as records:
        sites = SiteRecords(records, clock)
        await sites.apply(present.id, difference(None, present), "benchmark")
        export_s, book = _timed(lambda: book_of(present))
        upload = _upload(folder, book_of(_changed(present)))
        files, paused = SiteFiles(sites, present.id), _Pauses()
        began = time.perf_counter()
        async with asyncio.TaskGroup() as tasks:
            watching = tasks.create_task(paused.watch())
            compared = await files.compared(upload)
            preview_s = time.perf_counter() - began
            await files.apply(upload, compared.expected, "benchmark", "letter 1", "site.xlsx")
            import_s = time.perf_counter() - began
            watching.cancel()
        assert (await files.present()) == _changed(present)
    return {
        "institutions": INSTITUTIONS,
        "meters": METERS,
        "changes": len(compared.changes),
        "book_mb": len(book) / 1e6,
        "export_s": export_s,
        "preview_s": preview_s,
        "import_s": import_s,
        "loop_paused_s_max": paused.longest_s,
        "peak_rss_mb": resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024,
    }


class _Pauses:
    """How long others waited for the loop at most."""

    longest_s = 0.0

    async def watch(self) -> None:
        while True:
            began = time.perf_counter()
            await asyncio.sleep(0.01)
            self.longest_s = max(self.longest_s, time.perf_counter() - began - 0.01)


def _timed(do: Callable[[], bytes]) -> tuple[float, bytes]:
    began = time.perf_counter()
    made = do()
    return time.perf_counter() - began, made


def _upload(folder: Path, content: bytes) -> Upload:
    path = folder / "upload"
    path.write_bytes(content)
    return Upload(path, XLSX, len(content), hashlib.sha256(content).digest())


def _changed(present: Site) -> Site:
    meters = (replace(m, ct=2.0) if i % 10 == 0 else m for i, m in enumerate(present.meters))
    return replace(present, meters=tuple(meters))


def site() -> Site:
    """The city."""

    def name(word: str, i: int) -> Text:
        return Text(f"{word}{i}", f"{word} {i}")

    regions = [Organisation(f"r{i:02d}", name("区", i), "region") for i in range(REGIONS)]
    departments = [Organisation(f"d{i:02d}", name("局", i), "department") for i in range(DEPARTMENTS)]
    institutions = [
        Organisation(f"i{i:04d}", name("单位", i), parent=f"r{i % REGIONS:02d}", institution_class="021")
        for i in range(INSTITUTIONS)
    ]
    since = Validity(date(2024, 1, 1))
    return Site(
        "city",
        Text("城市", "City"),
        "Asia/Shanghai",
        places=tuple(Place(f"p{i:04d}", name("楼", i), "building") for i in range(INSTITUTIONS)),
        lines=tuple(LineSettings(f"l{i:03d}", f"tcp://192.0.2.1:{10_000 + i}") for i in range(LINES)),
        organisations=(*regions, *departments, *institutions),
        memberships=tuple(Membership(f"i{i:04d}", f"d{i % DEPARTMENTS:02d}", since) for i in range(INSTITUTIONS)),
        facts=tuple(
            Fact(fact, Decimal(1000 + i), organisation=f"i{i:04d}", valid=since, source="台账")
            for i in range(INSTITUTIONS)
            for fact in (FactName.AREA_M2, FactName.PEOPLE)
        ),
        meters=tuple(_meter(i, name("表", i)) for i in range(METERS)),
    )


def _meter(i: int, name: Text) -> Meter:
    of = i % INSTITUTIONS
    how = {"profile": PROFILE, "line": f"l{i % LINES:03d}", "unit": i // LINES + 1, "quantities": QUANTITIES}
    where: dict[str, Any] = {"place": f"p{of:04d}", "organisation": f"i{of:04d}", "item": "A1", **how}
    return Meter(f"m{i:05d}", name, Medium.ELECTRICITY, interval_s=900.0, **where)
