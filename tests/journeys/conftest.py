"""How long journeys may take."""

from __future__ import annotations

from collections.abc import Sequence

import pytest

# Only an upper bound: cores that are busy with other journeys make one long, and not wrong.
_MAY_TAKE_S = 300


def pytest_collection_modifyitems(items: Sequence[pytest.Item]) -> None:
    for item in items:
        if item.path.parent.name == "journeys" and item.get_closest_marker("timeout") is None:
            item.add_marker(pytest.mark.timeout(_MAY_TAKE_S))
