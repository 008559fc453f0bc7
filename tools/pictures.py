"""Takes the pictures of the README: starts the demo, waits until a pipe has burst, looks at its pages in Chromium.

`make pictures`, or `python tools/pictures.py [NAME ...]`. What is taken stands in pictures.yaml; it needs Chromium.
"""

from __future__ import annotations

import base64
import json
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, Literal
from urllib.error import URLError
from urllib.request import urlopen

from playwright.sync_api import Browser, Page, sync_playwright

from adapters.scalars import Id
from energy.documents import Words, checked, open_document

ROOT = Path(__file__).parents[1]
IMAGES = ROOT / "docs" / "images"
LISTEN, BROKER_PORT = "127.0.0.1:8095", 18835
_QUALITY = 80
_WIDE, _PHONE = {"width": 1280, "height": 800}, {"width": 390, "height": 760}
_FLAGS = ["--no-sandbox", "--disable-gpu", "--no-first-run", "--disable-background-networking"]
_SETTLE_MS = 1500
# The first start makes two years; the leak rings some minutes after it.
_PATIENCE_S = 600.0


class PictureWords(Words):
    """A picture: which page, what must be there, and what is clicked before."""

    name: Id
    page: str = ""
    shows: str
    click: list[str] = []
    scroll: str = ""
    phone: bool = False
    languages: list[Literal["zh", "en"]] = ["zh", "en"]


class PicturesWords(Words):
    """The pictures."""

    pictures: list[PictureWords]


def main(names: list[str]) -> None:
    """Take the pictures of these names, or all."""
    wanted = checked(open_document(Path(__file__).with_name("pictures.yaml")), PicturesWords).pictures
    chosen = [picture for picture in wanted if not names or picture.name in names]
    with tempfile.TemporaryDirectory() as folder, demo(Path(folder)), sync_playwright() as playwright:
        link = _until(_link, "the message of the leak")
        chromium = shutil.which("chromium") or shutil.which("chromium-browser") or shutil.which("google-chrome")
        browser = playwright.chromium.launch(executable_path=chromium, args=_FLAGS)
        for picture in chosen:
            for language in picture.languages:
                target = IMAGES / f"{picture.name}-{language}.webp"
                target.write_bytes(_taken(browser, picture, language, link))
                sys.stdout.write(f"{target.relative_to(ROOT)}  {target.stat().st_size / 1024:.0f} kB\n")
        browser.close()


@contextmanager
def demo(folder: Path) -> Iterator[None]:
    """The demo on a folder of its own; where one listens already, that one."""
    if _asked("/health"):
        yield
        return
    log = folder / "demo.log"
    arguments = ["--data", str(folder / "var"), "--listen", LISTEN, "--broker-port", str(BROKER_PORT)]
    with log.open("wb") as said:
        command = [sys.executable, "-m", "jieneng", "demo", *arguments, "--leak-after", "0.2"]
        process = subprocess.Popen(command, cwd=ROOT, stdout=said, stderr=said)
    try:
        _until(lambda: process.poll() is not None or _asked("/health"), "the demo")
        if process.poll() is not None:
            raise SystemExit(log.read_text(encoding="utf-8"))
        yield
    finally:
        process.send_signal(signal.SIGINT)
        process.wait(30)


def _taken(browser: Browser, picture: PictureWords, language: str, link: str) -> bytes:
    locale = "zh-CN" if language == "zh" else "en-GB"
    context = browser.new_context(viewport=_PHONE if picture.phone else _WIDE, locale=locale)  # type: ignore[arg-type]
    try:
        page = context.new_page()
        said = f"{'&' if '?' in picture.page else '?'}lang={language}"
        page.goto(link if picture.phone else f"http://{LISTEN}/{picture.page}{said}")
        page.wait_for_selector(picture.shows)
        for selector in picture.click:
            page.locator(selector).first.click()
        if picture.scroll:
            page.locator(picture.scroll).evaluate("found => found.scrollIntoView()")
        page.wait_for_timeout(_SETTLE_MS)
        return _webp(page)
    finally:
        context.close()


def _webp(page: Page) -> bytes:
    """What is seen; playwright itself makes no WebP."""
    session = page.context.new_cdp_session(page)
    made: dict[str, str] = session.send("Page.captureScreenshot", {"format": "webp", "quality": _QUALITY})
    return base64.b64decode(made["data"])


def _link() -> str:
    """Of the newest urgent message; empty until there is one."""
    told = _asked("/api/v1/alarm-messages?limit=20") or {"messages": []}
    urgent = [m for m in told["messages"] if m["link"] and m["state"] == "sent" and "紧急" in m["title"]]
    return str(urgent[0]["link"]) if urgent else ""


def _asked(path: str) -> Any:
    try:
        with urlopen(f"http://{LISTEN}{path}", timeout=5) as answer:
            return json.loads(answer.read())
    except (URLError, OSError):
        return None


def _until(ready: Callable[[], Any], what: str) -> Any:
    deadline = time.monotonic() + _PATIENCE_S
    while time.monotonic() < deadline:
        if found := ready():
            return found
        time.sleep(0.5)
    raise SystemExit(f"{what} did not come within {_PATIENCE_S:g} s")


if __name__ == "__main__":
    main(sys.argv[1:])
