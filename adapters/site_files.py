"""Site files: what is measured where, as an operator writes it in YAML (see docs/site-file.md)."""

from __future__ import annotations

from pathlib import Path

from adapters.site_words import SiteWords
from energy.documents import Document, checked, open_document
from energy.errors import ConfigurationError
from energy.sites import Site


def read_site(path: Path) -> tuple[Site, Document]:
    """The site of a file, and the document to tell further faults by line.

    ConfigurationError lists all that is wrong: first what single words say, then what does not fit together.
    """
    document = open_document(path)
    site = checked(document, SiteWords).made
    faults = [document.fault(way, text) for way, text in site.faults()]
    if faults:
        raise ConfigurationError(faults)
    return site, document
