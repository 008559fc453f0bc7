"""What can be wrong with what we were given; every message says what, where and what would be right."""


class EnergyError(Exception):
    """The base of all errors that Jieneng raises on purpose."""


class UnitError(EnergyError):
    """Two units that do not measure the same thing, or a unit that nobody knows."""


class KindError(EnergyError):
    """A gauge was differenced or a counter averaged."""


class UnknownName(EnergyError):
    """A quantity, meter, profile or point that is not known under this name."""


class ConfigurationError(EnergyError):
    """A file of the operator is wrong; `faults` holds one sentence per fault, all of them at once."""

    def __init__(self, faults: list[str]) -> None:
        super().__init__("\n".join(faults))
        self.faults = faults


class LineError(EnergyError):
    """A request on a line got no answer, or one that cannot be trusted."""


class StoreError(EnergyError):
    """The store could not do what was asked; nothing was half done."""


class NotHeld(StoreError):
    """What was to be revised is another process's by now; nothing was changed."""


class BusError(EnergyError):
    """The broker could not be reached or refused what was asked."""
