"""Which tests are run by one process, and in which order, where several processes run them (`pytest -n`)."""

from __future__ import annotations

from xdist.scheduler import LoadScopeScheduling
from xdist.workermanage import WorkerController

# These play the shipped campus, whose site file names the ports of its meters: one after the other.
_SHIPPED_CAMPUS = ("tests/journeys/test_demo.py", "tests/journeys/test_consumption_pages.py")
# Files are handed out by the number of their tests, the largest first. These take long by few: begun last, one of them
# would be waited for alone. Journeys wait most of the time, and the others have the cores meanwhile.
_LONG = (
    _SHIPPED_CAMPUS[0],
    "tests/gateway/access/test_matrix.py",
    "tests/journeys/test_mission.py",
    "tests/gateway/fuzzing/test_described.py",
    "tests/journeys/test_sign_in.py",
    "tests/deploy/test_stack.py",
    "tests/journeys/test_several.py",
    "tests/gateway/records/test_migrations.py",
    "tests/journeys/test_restore_drill.py",
    "tests/adapters/test_reading_stores.py",
    "tests/journeys/test_estate.py",
    "tests/gateway/ledger/test_build.py",
    "tests/journeys/test_identity.py",
    "tests/gateway/ledger/test_sums.py",
    "tests/journeys/test_mosquitto.py",
    "tests/journeys/test_statistics.py",
    "tests/journeys/test_own_make.py",
    "tests/jieneng/test_story.py",
    "tests/chaos/test_kills.py",
    "tests/gateway/test_sharing.py",
    "tests/jieneng/test_migrate.py",
)


class HandingOut(LoadScopeScheduling):  # type: ignore[misc]
    """By files, which start what their tests share; the long ones first."""

    def _split_scope(self, nodeid: str) -> str:
        file = nodeid.partition("::")[0]
        return _SHIPPED_CAMPUS[0] if file in _SHIPPED_CAMPUS else file

    def _assign_work_unit(self, node: WorkerController) -> None:
        for file in _LONG:
            if file in self.workqueue:
                self.workqueue.move_to_end(file, last=False)
                break
        super()._assign_work_unit(node)
