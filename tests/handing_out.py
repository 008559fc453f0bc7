"""Which tests are run by one process, and in which order, where several processes run them (`pytest -n`)."""

from __future__ import annotations

from xdist.scheduler import LoadScopeScheduling
from xdist.workermanage import WorkerController

# These play the shipped campus, whose site file names the ports of its meters: one after the other.
_SHIPPED_CAMPUS = ("tests/journeys/test_demo.py", "tests/journeys/test_consumption_pages.py")
# Files are handed out by the number of their tests, the largest first. These take long by few: begun last, one of them
# would be waited for alone.
_LONG = (
    _SHIPPED_CAMPUS[0],
    "tests/journeys/test_mission.py",
    "tests/journeys/test_restore_drill.py",
    "tests/gateway/access/test_matrix.py",
    "tests/gateway/records/test_migrations.py",
    "tests/gateway/ledger/test_build.py",
    "tests/gateway/ledger/test_sums.py",
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
