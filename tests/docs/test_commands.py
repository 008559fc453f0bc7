"""Every command that the documentation shows is one that the program knows."""

from __future__ import annotations

import re
import shlex
from collections.abc import Iterator
from pathlib import Path

import click
import pytest
from click.testing import CliRunner

from jieneng.__main__ import jieneng
from tests.docs.pages import PAGES, ROOT, blocks, inline_code, named

_SHELLS = ("sh", "bash", "console", "ini systemd")
_COMMAND = re.compile(r"(?:^\s*|[=/])jieneng(?P<rest>(?: +(?!&|>|\||#)\S+)*)(?= *(?:$|[&>|#]))")


def shown(page: Path) -> Iterator[str]:
    """What is shown behind the word `jieneng` in blocks and sentences of a page."""
    texts = [b.text.replace("\\\n", " ") for b in blocks(page) if b.info in _SHELLS]
    texts += [code for code in inline_code(page) if re.match(r"(\S*/)?jieneng ", code)]
    for text in texts:
        for line in text.splitlines():
            # A line of output is no command, even where it begins with our name.
            for found in () if line.startswith(("jieneng: ", "#")) else _COMMAND.finditer(line):
                yield found["rest"].strip()


EXAMPLES = sorted({(named(page), rest) for page in PAGES for rest in shown(page)})


@pytest.mark.parametrize(("page", "rest"), EXAMPLES)
def test_a_command_that_is_shown_is_understood(page: str, rest: str) -> None:
    name, *arguments = shlex.split(rest) or ["--help"]
    if name.startswith("-"):
        assert CliRunner().invoke(jieneng, [name]).exit_code == 0
        return
    context = click.Context(jieneng)
    command = jieneng.get_command(context, name)

    assert command is not None, f"{page}: jieneng {rest}: there is no such command"
    assert CliRunner().invoke(jieneng, [name, "--help"]).exit_code == 0
    if isinstance(command, click.Group) and arguments and not _stands_alone(command, arguments):
        name = arguments.pop(0)
        command = command.get_command(context, name)
        assert command is not None, f"{page}: jieneng {rest}: there is no {name}"
    # Refuses unknown options; what the arguments must be is not looked at, since files of examples are not here.
    command.make_parser(click.Context(command, info_name=name)).parse_args(list(arguments))


def _stands_alone(command: click.Group, arguments: list[str]) -> bool:
    """Whether a command that has commands below it is meant itself."""
    return command.invoke_without_command and arguments[0].startswith("-")


def test_examples_are_found_and_every_command_is_shown() -> None:
    names = {shlex.split(rest)[0] for _, rest in EXAMPLES if rest}

    assert set(jieneng.list_commands(click.Context(jieneng))) <= names


def test_every_target_of_make_that_is_shown_exists() -> None:
    targets = set(re.findall(r"^([a-z-]+):", (ROOT / "Makefile").read_text(), re.MULTILINE))
    for page in PAGES:
        texts = [b.text for b in blocks(page) if b.info in _SHELLS] + list(inline_code(page))
        wanted = {t for text in texts for t in re.findall(r"(?:^|\s)make ([a-z-]+)", text)}
        assert wanted <= targets, named(page)
