"""Files as answers."""

from __future__ import annotations

from urllib.parse import quote

import msgspec


class FileAnswer(msgspec.Struct):
    """A file to keep: its name, what it is, and its bytes as they are."""

    name: str
    content_type: str
    content: bytes

    @property
    def disposition(self) -> str:
        """The header that names the file, in any script (RFC 6266)."""
        return f"attachment; filename*=UTF-8''{quote(self.name, safe='')}"
