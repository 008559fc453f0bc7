"""The audit log: what an append adds to a transaction, a sign-in as a whole, and looking through 100,000 rows."""

from __future__ import annotations

import asyncio
import tempfile
import time
from typing import Any

import numpy as np

from adapters.clocks import SystemClock
from gateway.audit.append import append
from gateway.audit.chain import Action, Deed
from gateway.audit.service import Audit
from gateway.records.database import open_records

_APPENDS, _ROWS = 500, 100_000
_DETAIL = {
    "who": "li",
    "why": "order 7",
    "site": "campus",
    "before": {"ct": 100, "note": "call 13812345678"},
    "after": {"ct": 200, "note": "call 13812345678"},
}


def run() -> dict[str, Any]:
    return asyncio.run(_run())


async def _run() -> dict[str, Any]:
    deed = Deed(0, Action.CHANGE, "meter/east-main", "li", "10.0.0.7", detail=_DETAIL)
    with tempfile.TemporaryDirectory() as folder:
        async with open_records(f"sqlite:{folder}/records.sqlite") as records:
            audit = Audit(records, SystemClock())
            within, whole = [], []
            for _ in range(_APPENDS):
                async with records.writing() as connection:
                    began = time.perf_counter()
                    await append(connection, [deed])
                    within.append(time.perf_counter() - began)
                began = time.perf_counter()
                await audit.record(Action.SIGN_IN, "account/li", account="li")
                whole.append(time.perf_counter() - began)
            began = time.perf_counter()
            async with records.writing() as connection:
                await append(connection, [deed] * _ROWS)
            bulk_s = time.perf_counter() - began
            began = time.perf_counter()
            finding = await audit.verify()
            verify_s = time.perf_counter() - began
            assert (finding.fault, finding.rows) == (None, _ROWS + 2 * _APPENDS)
    return {
        "append_ms": float(np.median(within)) * 1000,
        "append_ms_p99": float(np.percentile(within, 99)) * 1000,
        "record_and_commit_ms": float(np.median(whole)) * 1000,
        "appended_together_per_s": _ROWS / bulk_s,
        "verified_per_s": finding.rows / verify_s,
    }
