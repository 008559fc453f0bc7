"""After a restore: the records are brought to this version, the audit log is looked through, and is told of it."""

from __future__ import annotations

import getpass
from pathlib import Path

from gateway.audit.chain import Action
from jieneng.backups.manifest import Manifest
from jieneng.records import kept_audit
from jieneng.settings import Settings


async def proved(file: Path, settings: Settings, manifest: Manifest) -> list[str]:
    """What is not as it should be, in sentences."""
    if manifest.records is None:
        return []
    left_out = [name.removeprefix("data/") for name in manifest.left_out]
    keyless = [f"keys were left out of the backup; put them back before the gateway is started: {', '.join(left_out)}"]
    async with kept_audit(settings) as audit:
        if "audit.key" in left_out:
            # Without its key the log would be signed by another one from here on.
            return keyless
        await audit.must_have_its_key()
        finding = await audit.verify()
        detail = {"restored": file.name, "begun_at": manifest.begun_at}
        await audit.record(Action.CHANGE, "backup", account=getpass.getuser(), detail=detail)
    wrong = [] if finding.fault is None else [f"row {finding.seq} of the audit log {finding.fault}"]
    return [*wrong, *(keyless if left_out else [])]
