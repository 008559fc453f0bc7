"""A campus of real processes for a journey: started, looked at over HTTP, stopped, and nothing left behind."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any
from urllib.error import URLError
from urllib.request import urlopen

import yaml

CONFIG = Path(__file__).parents[2] / "config"


@contextmanager
def command(*arguments: str, log: Path) -> Iterator[subprocess.Popen[bytes]]:
    """A command of ours as a process; killed if it does not end when it is told to."""
    with log.open("ab") as file:
        process = subprocess.Popen([sys.executable, "-m", "jieneng", *arguments], stdout=file, stderr=file)
    try:
        yield process
    finally:
        stop(process)


def stop(process: subprocess.Popen[bytes], number: signal.Signals = signal.SIGTERM) -> int:
    """End a process and wait for it; its exit code."""
    if process.poll() is None:
        process.send_signal(number)
    try:
        return process.wait(120)
    except subprocess.TimeoutExpired:
        process.kill()
        process.wait()
        raise


def get(port: int, path: str) -> Any:
    """What the gateway answers; None while it does not."""
    try:
        with urlopen(f"http://127.0.0.1:{port}{path}", timeout=60) as answer:
            return json.loads(answer.read())
    except (URLError, OSError):
        return None


def until(ready: Callable[[], Any], what: str, *, within_s: float = 240.0) -> Any:
    """Wait for something to be so; what it was. How long is an upper bound alone, for cores that are busy."""
    deadline = time.monotonic() + within_s
    while time.monotonic() < deadline:
        found = ready()
        if found:
            return found
        time.sleep(0.05)
    raise AssertionError(f"{what} did not come within {within_s:g} s")


def reporting(port: int) -> int:
    """How many meters report."""
    answer = get(port, "/api/v1/meters")
    return sum(m["state"] == "reporting" for m in answer["meters"]) if answer else 0


def children_of(pid: int) -> list[int]:
    """The processes below a process."""
    found = []
    for entry in Path("/proc").iterdir():
        if entry.name.isdigit():
            try:
                parent = int((entry / "stat").read_text().rsplit(")", 1)[1].split()[1])
            except (OSError, IndexError):
                continue
            if parent == pid:
                found += [int(entry.name), *children_of(int(entry.name))]
    return found


def alive(pid: int) -> bool:
    """Whether a process is there, and not only its remains."""
    try:
        return (Path("/proc") / str(pid) / "stat").read_text().rsplit(")", 1)[1].split()[0] != "Z"
    except OSError:
        return False


def named(pids: list[int], word: str) -> int:
    """The process whose command line holds the word."""
    for pid in pids:
        if word in (Path("/proc") / str(pid) / "cmdline").read_bytes().decode().split("\0"):
            return pid
    raise AssertionError(f"no process runs {word}")


def small_site(folder: Path, first_port: int, *, lines: tuple[str, ...] = ("office-a", "dormitory")) -> Path:
    """The demo site with some of its lines only, on other ports; its recipes stand beside it."""
    site = yaml.safe_load((CONFIG / "demo.yaml").read_text(encoding="utf-8"))
    site["lines"] = [line for line in site["lines"] if line["id"] in lines]
    for i, line in enumerate(site["lines"]):
        line["address"] = f"tcp://127.0.0.1:{first_port + i}"
    kept = [m for m in site["meters"] if m["line"] in lines]
    ids = {m["id"] for m in kept}
    for meter in kept:
        if meter.get("parent") not in ids:
            meter.pop("parent", None)
        meter["every"] = "1s"
    site["meters"] = kept
    file = folder / "site.yaml"
    file.write_text(yaml.safe_dump(site, allow_unicode=True), encoding="utf-8")
    recipes = yaml.safe_load((CONFIG / "demo-campus.yaml").read_text(encoding="utf-8"))
    recipes["loads"] = {name: load for name, load in recipes["loads"].items() if name in ids}
    recipes["faults"] = [fault for fault in recipes["faults"] if fault["meter"] in ids]
    (folder / "site-campus.yaml").write_text(yaml.safe_dump(recipes, allow_unicode=True), encoding="utf-8")
    return file


def kill(pid: int) -> None:
    """The hardest end."""
    os.kill(pid, signal.SIGKILL)
