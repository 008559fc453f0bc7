"""Contracts as far as they are seen: those alone of which every counter is."""

from __future__ import annotations

from gateway.access.sight import Sight
from gateway.contracts.registry import KeptContract
from gateway.contracts.service import Contracts


class SeenContracts(Contracts):
    """All else is asked of a contract that was found among these."""

    def __init__(self, contracts: Contracts, sight: Sight) -> None:
        # Whoever sees all counters of a contract may know what they measured.
        self.__dict__.update(contracts.__dict__)
        self._sight = sight

    async def kept(self) -> list[KeptContract]:
        return [k for k in await super().kept() if all(self._sight.sees(b.point.meter) for b in k.contract.boundary)]
