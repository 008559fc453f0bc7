"""What the audit log is told of backups and restores; after a restore it is looked through."""

from __future__ import annotations

import getpass
from pathlib import Path

import structlog

from adapters.copy_sqlite import revision_of
from energy.errors import EnergyError
from gateway.audit.chain import Action
from gateway.records.database import HEAD
from jieneng.backups.gathering import records_file
from jieneng.backups.manifest import Manifest
from jieneng.backups.postgresql import revision_there
from jieneng.records import kept_audit
from jieneng.settings import Settings

log = structlog.get_logger()


async def noted(settings: Settings) -> None:
    """Tell the log that a backup is taken, where no gateway was asked, which does so. Records of an older version are
    not touched: to write into them would be to migrate them."""
    file = records_file(settings)
    if file is None:
        revision = await revision_there(settings.records_address)
    else:
        revision = revision_of(file) if file.exists() else None
    if revision == HEAD:
        async with kept_audit(settings) as audit:
            try:
                await audit.must_have_its_key()
            except EnergyError as error:
                # What is left is saved all the same.
                log.warning("backup.unnoted", cause=str(error))
            else:
                await audit.record(Action.EXPORT, "backup", account=getpass.getuser())


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
