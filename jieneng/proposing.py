"""A site file as it follows from what was found on a line; whoever is on site goes through its comments."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Sequence
from pathlib import Path

from collectors.commissioning.finding import Finding
from collectors.commissioning.fingerprint import Fit
from collectors.makes import Make
from collectors.meter_profile import Profile
from energy.quantities import Medium, Transformed, main_counter, quantity
from jieneng.probing import Probed

_HEAD = """\
# What `jieneng probe` found on {line}, {when} UTC. {complete}
# Go through it with the meters before you: a fingerprint is likely, not certain.
# 逐表核对：指纹识别只是“很可能”，请对照表计显示屏。
# - names and ids: an id stands in topics and in the store; choose it once (编号一经使用不要更改)
# - ct, pt: ratios of the transformers, unless the meter has been told them itself (互感器变比)
# - parent: which meter measures all of this one too (上级表)"""
_MEDIA = {
    Medium.ELECTRICITY: ("电表", "Electricity meter"),
    Medium.WATER: ("水表", "Water meter"),
    Medium.GAS: ("燃气表", "Gas meter"),
    Medium.HEAT: ("热量表", "Heat meter"),
    Medium.ENVIRONMENT: ("环境传感器", "Sensor"),
}


def site_proposal(probed: Probed) -> str:
    """YAML that `load_installed` takes: meters that were identified, all others as comments with what is known."""
    meters = probed.found.meters
    line, elsewhere = _main_line(meters, str(probed.address))
    complete = "Everything was asked." if probed.complete else "It was stopped before everything was asked."
    when = f"{probed.recorded_at:%Y-%m-%d %H:%M}"
    rows = [
        _HEAD.format(line=line, when=when, complete=complete),
        "site: new-site",
        "name: {zh: 新站点, en: New site}",
        "zone: Asia/Shanghai",
        "",
        "lines:",
        f"  - {{id: line-1, address: {json.dumps(line)}}}",
        "",
    ]
    identified = [m for m in meters if m.verdict == "identified" and m.line == line]
    rows.append("meters:" if identified else "meters: []")
    for finding in meters:
        rows.append("")
        if finding.line != line:
            rows += [f"  # {finding.line}, {finding.station}: answers at another speed than the line above;"]
            rows += ["  # one line has one speed: set the meter to it, and probe again."]
        elif finding.verdict == "identified":
            rows += _meter(finding, finding.likely[0])
        else:
            rows += _doubtful(finding)
    for note in (*elsewhere, *probed.found.notes):
        rows += ["", f"# {note}"]
    return "\n".join(rows) + "\n"


def _main_line(meters: Sequence[Finding], asked: str) -> tuple[str, list[str]]:
    """The speed at which most meters answer, and a word on the others."""
    counts = Counter(m.line for m in meters)
    if not counts:
        return asked, ["Nobody answered: the line above is as it was asked for."]
    line = max(counts, key=lambda one: counts[one])
    return line, [f"{n} meters answer at {one}" for one, n in counts.items() if one != line]


def _meter(finding: Finding, fit: Fit) -> list[str]:
    make = fit.make
    zh, en = _MEDIA[make.medium]
    number = str(finding.unit) if finding.address is None else finding.address
    where = f"unit: {finding.unit}" if finding.address is None else f'address: "{finding.address}"'
    rows = [f"  # {finding.station}: {_one_line(fit.sentence)}"]
    rows += [f"  # it says of itself: {_said(finding)}"] if finding.identification else []
    rows += [f"  # check: {_one_line(text)}" for text in _checks(make, fit)]
    return [
        *rows,
        f"  - id: meter-{number}",
        f"    name: {{zh: {zh}{number}, en: {en} {number}}}",
        f"    medium: {make.medium}",
        "    line: line-1",
        f"    {where}",
        f"    profile: {_named(make)}",
        "    every: 60s",
        *(["    ct: 1"] if _is_transformed(make) else []),
    ]


def _checks(make: Make, fit: Fit) -> list[str]:
    """What only somebody on site can see."""
    found: list[str] = []
    counter = main_counter(make.medium, list(fit.values))
    if counter is not None:
        found.append(f"the display must show {fit.values[counter]:.10g} {quantity(counter).unit} ({counter}), or more")
    if _is_transformed(make):
        found.append("ct is 1 until somebody has read the ratio off the transformers")
    if isinstance(make, Profile) and make.uncertain:
        found.append(make.uncertain)
    return [*found, *make.traps]


def _named(make: Make) -> str:
    """A shipped profile by its id, one of one's own by where it is, wherever the site file goes."""
    own = make.id.endswith((".yaml", ".yml"))
    return json.dumps(str(Path(make.id).resolve()), ensure_ascii=False) if own else make.id


def _is_transformed(make: Make) -> bool:
    return any(quantity(name).transformed is not Transformed.NONE for name in make.quantities)


def _doubtful(finding: Finding) -> list[str]:
    rows = [f"  # {finding.station}: {explained(finding)}"]
    if finding.identification:
        rows.append(f"  # it says of itself: {_said(finding)}")
    where = f"unit: {finding.unit}" if finding.address is None else f'address: "{finding.address}"'
    for fit in finding.likely:
        rows.append(f"  # {fit.make.id}: {_one_line(fit.sentence)}")
    for fit in finding.likely:
        number = finding.unit if finding.address is None else finding.address
        zh, en = _MEDIA[fit.make.medium]
        rows.append(
            f"  # - {{id: meter-{number}, name: {{zh: {zh}{number}, en: {en} {number}}}, medium: {fit.make.medium}, "
            f"line: line-1, {where}, profile: {_named(fit.make)}}}"
        )
    return rows


def explained(finding: Finding) -> str:
    """What is known of a meter, in one sentence."""
    match finding.verdict:
        case "identified":
            return finding.likely[0].sentence
        case "several":
            return f"{len(finding.likely)} makes fit what it shows; compare with its plate and display"
        case "unknown":
            near = next((f for f in finding.fits if f.score >= 1.5 and not f.against), None)
            closest = f"; nearest is {near.make.id}, {near.score:g} of 4: {near.sentence}" if near else ""
            return f"answers ({finding.proof}), and no known make fits{closest}"
    return f"answers ({finding.proof}); the search was stopped before it was looked at"


def _said(finding: Finding) -> str:
    return _one_line(", ".join(f"{name} {text}" for name, text in finding.identification.items()))


def _one_line(text: str) -> str:
    return " ".join(text.split())
