"""Why a step of the statistics is refused, in both languages."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import date

from analytics.reporting.checks import Fault
from analytics.reporting.filing_states import State, Step, possible
from analytics.reporting.forms import Cell
from gateway.api.problems import RequestError
from gateway.api.words import TextWords

STATES_ZH = {State.DRAFT: "未报", State.SUBMITTED: "已报", State.RETURNED: "退回", State.ACCEPTED: "审核通过"}
_STEPS_ZH = {Step.FILL: "填报", Step.SUBMIT: "上报", Step.RETURN: "退回", Step.ACCEPT: "审核通过"}


class MovedOn(RequestError):
    """Somebody else has changed the filing meanwhile."""

    def __init__(self, name: str, month: str, revision: int, seen: int) -> None:
        en = f"the filing of {name} for {month} was changed meanwhile (revision {revision}, you saw {seen}); "
        zh = f"{name} {month} 的填报已被他人修改（现为第 {revision} 版，您看到的是第 {seen} 版），请重新查看后再操作"
        super().__init__(en + "look at it again", 409, TextWords(zh, en + "look at it again"))


class Refused(RequestError):
    """A step that cannot be taken; `faults` say why, one by one."""

    def __init__(self, zh: str, en: str, status: int = 400, faults: Sequence[TextWords] = ()) -> None:
        super().__init__(en, status, TextWords(zh, en), faults=faults)


def not_possible(state: State, step: Step) -> Refused:
    """A step that does not lead on from where the filing stands."""
    steps = possible(state)
    zh = f"{STATES_ZH[state]}的填报不能{_STEPS_ZH[step]}；现在可以：{'、'.join(_STEPS_ZH[s] for s in steps)}"
    en = f"a filing that is {state} cannot be taken to {step}; it can: {', '.join(steps)}"
    return Refused(zh, en, 409)


def not_over(month: str, end: date) -> Refused:
    return Refused(
        f"{month} 尚未结束，{end} 起才能上报", f"{month} is not over; it can be submitted from {end} on", 409
    )


def not_explained(name: str, month: str, faults: Sequence[Fault]) -> Refused:
    """Errors, and warnings without a reason."""
    zh = f"{name} {month} 还不能上报：先改正错误，并为每个疑点填写理由"
    told = "; ".join(f"[{fault.key}] {fault.text.en}" for fault in faults)
    said = [TextWords.of(fault.text) for fault in faults]
    return Refused(zh, f"{name} cannot be submitted for {month} yet: {told}", 400, said)


def no_such_cells(cells: Iterable[Cell], known: Iterable[Cell]) -> Refused:
    names, there = ", ".join(map(str, cells)), ", ".join(map(str, known))
    return Refused(f"表中没有 {names}；有 {there}", f"the form has no cell {names}; it has {there}")


def no_why(cells: Sequence[Cell]) -> Refused:
    """Figures that were entered by hand without a word."""
    en = [f"{cell}: say why it is entered by hand, such as the number of a bill" for cell in cells]
    zh = [f"{cell}：请说明为何手工填写，例如账单号" for cell in cells]
    said = [TextWords(*one) for one in zip(zh, en, strict=True)]
    return Refused("；".join(zh), "; ".join(en), 400, said)


def no_reason() -> Refused:
    en = "say why it is returned: those who fill it in read just this"
    return Refused("请写明退回原因：填报人只看到这一句", en)


def same_eyes(who: str) -> Refused:
    """Who submitted does not accept."""
    en = f"{who} submitted it; somebody else must accept it"
    return Refused(f"此表由 {who} 上报，须由他人审核", en, 403)
