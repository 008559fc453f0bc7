"""The sentences that the sources say of what is wrong, as templates: `{}` stands where a value is put in."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from functools import cache
from pathlib import Path

ROOT = Path(__file__).parents[3]
# What is said at the start of a process, by the command line or to a log alone is told to operators, in English.
NOT_SHOWN = (
    "gateway/accounts/id_tokens.py",
    "gateway/accounts/provider.py",
    "gateway/accounts/provider_web.py",
    "gateway/accounts/secrecy.py",
    "gateway/audit/seal.py",
    "gateway/audit/service.py",
    "gateway/dashboards/",
    "gateway/foreign/",
    "gateway/ingest/",
    "gateway/process/",
    "gateway/records/database.py",
    "gateway/records/migrate.py",
    "gateway/records/moving.py",
    "gateway/records/on_",
    "gateway/api/route.py:ValueError",
    "analytics/carbon/factor_file.py",
    "analytics/quotas/miss_file.py",
    "analytics/quotas/standard_file.py",
    "analytics/reporting/check_file.py",
    "analytics/reporting/form_file.py",
)
# Where a ValueError becomes the fault of what somebody entered. Elsewhere in these packages it is a mistake of ours.
ENTERED = (
    "energy/bills.py",
    "energy/duty.py",
    "energy/life.py",
    "energy/names.py",
    "energy/official_codes.py",
    "energy/organisations.py",
    "energy/periods.py",
    "energy/quotas.py",
    "energy/readings.py",
    "energy/sites.py",
    "energy/stock.py",
    "energy/validity.py",
    "analytics/alarms/escalation.py",
    "analytics/alarms/rule_words.py",
    "analytics/alarms/rules.py",
    "analytics/contracts/baseline.py",
    "analytics/contracts/words.py",
    "analytics/reporting/filings.py",
    "analytics/tariffs/spelling.py",
)
# Files that are sent to the gateway: what they are refused for is gathered, not raised.
FILES = (
    "adapters/duty_files.py",
    "adapters/site_book_files.py",
    "adapters/site_files.py",
    "adapters/workbooks.py",
    "analytics/alarms/rule_file.py",
    "analytics/contracts/contract_file.py",
    "analytics/contracts/settlement.py",
    "collectors/lines/address.py",
    "collectors/makes.py",
    "energy/coherence.py",
    "energy/documents.py",
    "energy/organisations.py",
    "gateway/sites/files.py",
)
# What an edge says of a meter that does not answer.
LINES = (
    "collectors/cjt188/questions.py",
    "collectors/dlt645/clock.py",
    "collectors/dlt645/plan.py",
    "collectors/dlt645/questions.py",
    "collectors/framing.py",
    "collectors/lines/byte_line.py",
    "collectors/lines/modbus_mbap.py",
    "collectors/lines/modbus_pdu.py",
    "collectors/lines/modbus_rtu.py",
    "collectors/lines/tcp_line.py",
    "collectors/lines/wires.py",
)
_ANSWERS = {"NoAnswer", "Untrusted", "Unreachable", "NotTheAnswer", "Declined"}
# What is raised with words of its own, or is none of ours.
_SAID_OTHERWISE = {"RuntimeError", "TypeError", "LookupError", "AttributeError", "AssertionError", "OverflowError"}
_PACKAGES = ("gateway", "analytics", "energy", "adapters", "collectors")
_GATHERS = {"append", "extend", "fault", "_fault", "Fault"}
_NAMES = {"text", "hint", "other"}


def template(node: ast.AST) -> str | None:
    """A text of the source with `{}` for what is put in; None where it is no text."""
    match node:
        case ast.Constant(value=str(text)):
            return text
        case ast.JoinedStr(values=values):
            return "".join(str(v.value) if isinstance(v, ast.Constant) else "{}" for v in values)
        case ast.BinOp(left=left, op=ast.Add(), right=right):
            one, other = template(left), template(right)
            return None if one is None and other is None else (one or "{}") + (other or "{}")
    return None


@cache
def literals() -> set[str]:
    """Every text of the sources, for what is put together of several."""
    return {text for module in _modules().values() for node in ast.walk(module) if (text := template(node))}


@cache
def spoken() -> dict[str, str]:
    """Every sentence that the page may be told without words of its own, and where it stands."""
    found: dict[str, str] = {}
    for name, module in _modules().items():
        for text, line in _of_module(name, module):
            found.setdefault(text, f"{name}:{line}")
    return found


def _of_module(name: str, module: ast.Module) -> Iterator[tuple[str, int]]:
    raises = name.startswith(("gateway/", "analytics/", "energy/")) and not name.startswith(NOT_SHOWN)
    for node in ast.walk(module):
        if isinstance(node, ast.Call) and _is_error(node) and (raises or name in FILES):
            kind = _called(node)
            entered = name in ENTERED or name in FILES or name.startswith("gateway/")
            has_words = kind == "RequestError" and (len(node.args) > 2 or any(k.arg == "text" for k in node.keywords))
            if not has_words and (kind != "ValueError" or entered) and f"{name}:{kind}" not in NOT_SHOWN:
                yield from _texts(node.args[:1], node.lineno)
        elif isinstance(node, ast.Call) and name in LINES and _called(node) in _ANSWERS:
            yield from _texts(node.args, node.lineno)
        elif name in FILES:
            yield from _gathered(node)


@cache
def _modules() -> dict[str, ast.Module]:
    paths = (path for package in _PACKAGES for path in sorted((ROOT / package).rglob("*.py")))
    read = {path.relative_to(ROOT).as_posix(): path.read_text(encoding="utf-8") for path in paths}
    return {name: ast.parse(text) for name, text in read.items() if not name.startswith("gateway/wording/")}


def _is_error(node: ast.Call) -> bool:
    kind = _called(node)
    return (kind.endswith("Error") and kind not in _SAID_OTHERWISE) or kind in ("UnknownName", "NotKnown", "MovedOn")


def _called(node: ast.Call) -> str:
    """The last name of what is called."""
    return node.func.attr if isinstance(node.func, ast.Attribute) else getattr(node.func, "id", "")


def _gathered(node: ast.AST) -> Iterator[tuple[str, int]]:
    if isinstance(node, ast.Yield) and node.value is not None:
        yield from _texts([node.value], node.lineno)
    elif isinstance(node, ast.Return) and isinstance(node.value, ast.List):
        yield from _texts(node.value.elts, node.lineno)
    elif isinstance(node, ast.Assign) and isinstance(node.targets[0], ast.Name) and node.targets[0].id in _NAMES:
        yield from _texts([node.value], node.lineno)
    elif isinstance(node, ast.Call) and _called(node) in _GATHERS:
        yield from _texts(node.args, node.lineno)


def _texts(nodes: list[ast.expr], line: int) -> Iterator[tuple[str, int]]:
    for node in nodes:
        if isinstance(node, ast.Tuple | ast.List):
            yield from _texts(node.elts, line)
        elif isinstance(node, ast.IfExp):
            yield from _texts([node.body, node.orelse], line)
        elif (text := template(node)) is not None and " " in text.strip("{}: "):
            yield text, line
