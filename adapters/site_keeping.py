"""The site file of an edge on its disk: the last good one as it was signed, and what was handed over, laid out to be
read."""

from __future__ import annotations

import re
from contextlib import suppress
from pathlib import Path

from adapters.secret_files import write_secret
from adapters.site_versions import SiteVersion
from energy.errors import EnergyError

_GOOD = "good.json"
_PROFILE = re.compile(r"profiles/[\w.@+-]+\.yaml")


class SiteKeeping:
    """A folder of one edge. What is there is replaced as a whole: whoever dies in between leaves the one before."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder

    def good(self) -> bytes | None:
        """The last good one, as it came; None where there was none, EnergyError where it cannot be read."""
        try:
            return (self._folder / _GOOD).read_bytes()
        except FileNotFoundError:
            return None
        except OSError as error:
            raise EnergyError(f"{self._folder / _GOOD}: cannot be read: {error.strerror}") from error

    def keep(self, payload: bytes, version: SiteVersion) -> None:
        """This is the good one from now on; what earlier ones have left is taken away."""
        write_secret(self._folder / _GOOD, payload)
        wanted = {self._file(version), *(self._folder / name for name in version.profiles)}
        for file in [*self._folder.glob("*.yaml"), *self._folder.glob("profiles/*.yaml")]:
            if file not in wanted:
                with suppress(OSError):
                    file.unlink()

    def laid_out(self, version: SiteVersion) -> Path:
        """The site file as a file, its own profiles beside it; EnergyError where the disk does not take them."""
        for name, text in version.profiles.items():
            if not _PROFILE.fullmatch(name):
                raise EnergyError(f"names a profile {name!r}, which is no file beside it")
            write_secret(self._folder / name, text.encode())
        write_secret(self._file(version), version.site.encode())
        return self._file(version)

    def _file(self, version: SiteVersion) -> Path:
        return self._folder / f"site-{version.name}.yaml"
