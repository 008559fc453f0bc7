"""A statement as a paper (结算单): every field that it has, for PDF and Excel."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from datetime import date, datetime, timedelta
from decimal import Decimal
from typing import Any
from zoneinfo import ZoneInfo

from analytics.contracts.contract_file import contract_of
from analytics.contracts.inputs import MeterDays
from analytics.contracts.lines import Line
from analytics.contracts.standing import Party
from analytics.contracts.words import ContractWords, PartyWords
from energy.papers import Cell, Pairs, Paper, Seals, Table
from energy.readings import from_ms
from gateway.contracts.statements import KeptStatement

_KINDS = {
    "saving": "节能效益",
    "carried": "上期结转",
    "floored": "负节能量不计",
    "forwarded": "结转下期",
    "fee": "托管费",
    "adjustment": "调整",
}
_REGISTERS = {
    "start": "起码",
    "end": "止码",
    "final": "旧表止码",
    "initial": "新表起码",
    "before": "期界前读数",
    "after": "期界后读数",
}
_PARTIES = {Party.CLIENT: "甲方（用能单位）", Party.ESCO: "乙方（节能服务公司）"}
_SIGN = ("经办", "审核", "盖章", "日期")


def paper_of(kept: KeptStatement) -> Paper:
    """The statement as it was frozen, with what parties said of it since."""
    bundle = kept.bundle
    inner = bundle["original"] if bundle["kind"] == "reversing" else bundle
    contract = contract_of(inner["contract"]["document"])
    zone = ZoneInfo(bundle["period"]["zone"])
    shared = any(c.kind == "shared_savings" for c in contract.clauses)
    title = "节能效益分享结算单" if shared else "能源费用托管结算单"
    reversing = bundle["kind"] == "reversing"
    parts = [
        _head(kept, bundle, contract),
        *(_baselines(inner) if not reversing else ()),
        *(_metering(inner, zone) if not reversing else ()),
        _lines(bundle),
        _totals(bundle, contract),
        _standing(kept, zone),
        Seals([(_PARTIES[Party.CLIENT], _SIGN), (_PARTIES[Party.ESCO], _SIGN), ("第三方机构（如有）", _SIGN)]),
    ]
    foot = f"SHA-256 {kept.sha256}  核验：jieneng settle verify"
    return Paper(title + ("（红冲）" if reversing else ""), f"{contract.name.zh}　{kept.number}", parts, foot)


def _last(end: date | str) -> date:
    return (date.fromisoformat(end) if isinstance(end, str) else end) - timedelta(days=1)


def _head(kept: KeptStatement, bundle: Mapping[str, Any], contract: ContractWords) -> Pairs:
    rows: list[tuple[str, Cell]] = [
        ("结算单号", kept.number),
        ("合同编号", contract.number),
        ("合同名称", contract.name.zh),
        ("合同版本", str(bundle["contract"]["version"])),
        ("项目", contract.project or contract.name.zh),
        ("结算期", f"{kept.first} 至 {_last(kept.end)}（第{kept.sequence}期）"),
        ("合同期", f"{contract.from_} 至 {contract.to}"),
        ("签订日期", str(contract.signed_on)),
    ]
    if bundle["kind"] == "reversing":
        rows += [("冲销结算单", bundle["original"]["number"]), ("冲销原因", bundle["why"])]
    return Pairs("一、合同", [*rows, *_party("甲方", contract.client), *_party("乙方", contract.esco)])


def _party(name: str, party: PartyWords) -> Iterator[tuple[str, Cell]]:
    yield name, party.name
    yield f"{name}统一社会信用代码", party.tax_id
    if party.bank or party.account:
        yield f"{name}开户行及账号", f"{party.bank} {party.account}"


def _baselines(bundle: Mapping[str, Any]) -> Iterator[Pairs | Table]:
    for name, b in bundle["baselines"].items():
        figures = b["figures"] or {}
        told = bundle["told"].get("uncertainty", {}).get(name, {})
        half = told.get("guideline_14")
        yield Pairs(
            f"二、能耗基准（{name}）",
            [
                ("基准版本", f"第{b['version']}版"),
                ("基期", f"{b['from']} 至 {_last(b['to'])}"),
                ("方法", {"daily": "日变点回归", "monthly": "月度日回归", "agreed": "约定值"}[b["method"]]),
                ("气象站", b["station"] or "—"),
                ("R2", figures.get("r2") or "—"),
                ("CV(RMSE)", figures.get("cv_rmse") or "—"),
                ("NMBE", figures.get("nmbe") or "—"),
                ("样本数 n / 参数 p", f"{figures.get('n', '—')} / {figures.get('p', '—')}"),
                ("数据散列", b["data"]),
                (
                    "安慰期区间（单月，90%）",
                    "—" if b["placebo"] is None else f"±{Decimal(b['placebo']):.1%}（相对校准能耗）",
                ),
                ("节能量不确定度", "—" if half is None else f"±{Decimal(half):.1%}（90%，ASHRAE G14，相对节能量）"),
            ],
        )
        yield Table(
            f"基准系数（{b['unit']}/日；℃）",
            ("日类型", "基础", "采暖斜率", "采暖变点", "制冷斜率", "制冷变点"),
            [
                (name, *(b["segments"][kind][n] for n in _COEFFICIENTS))
                for kind, name in _DAYS.items()
                if kind in b["segments"]
            ],
        )
    if bundle["adjustments"]:
        yield Table(
            "非常规调整量",
            ("编号", "起", "止", "每日", "公式", "依据", "原因"),
            [
                (str(a["id"]), a["from"], a["to"], Decimal(a["per_day"]), a["formula"], a["evidence"], a["why"])
                for a in bundle["adjustments"]
            ],
        )


_COEFFICIENTS = ("base", "heating", "heating_below", "cooling", "cooling_above")
_DAYS = {"workday": "工作日", "saturday": "周六", "sunday": "周日", "holiday": "节假日"}


def _metering(bundle: Mapping[str, Any], zone: ZoneInfo) -> Iterator[Table]:
    meters = [MeterDays.of_plain(m) for m in bundle["meters"]]
    yield Table(
        "三、计量",
        ("计量点", "名称", "符号", "CT×PT", "本期用量", "按读数", "单位", "实测率", "估算量", "缺失天数"),
        [_metered(m) for m in meters],
        (3, 2, 0.8, 1, 1.8, 1.8, 0.9, 1.2, 1.4, 1.2),
    )
    rows = [
        (m.point, _REGISTERS.get(r.what, r.what), _local(r.at_ms, zone), r.register, r.ratio, r.event)
        for m in meters
        for r in m.registers
    ]
    yield Table(
        "起止码与换表", ("计量点", "", "时间", "表码（一次侧）", "倍率", "事件号"), rows, (3, 1.5, 2.2, 2, 0.8, 0.8)
    )
    gaps = [
        (m.point, _local(e.from_ms, zone), _local(e.to_ms, zone), _units(e.amount)) for m in meters for e in m.estimated
    ]
    if gaps:
        yield Table("估算时段（总量由前后读数得出，分布为估算）", ("计量点", "起", "止", "估算量"), gaps)


def _metered(meter: MeterDays) -> tuple[Cell, ...]:
    whole = sum(meter.shares.values())
    measured = f"{meter.shares.get('measured_ms', 0) / whole:.1%}" if whole else "—"
    known = sum(a for a in meter.amount if a is not None)
    estimated = sum(e.amount for e in meter.estimated)
    missing = sum(a is None for a in meter.amount)
    by_registers = meter.by_registers
    sign = "+" if meter.sign > 0 else "-"
    amounts: tuple[Cell, Cell] = _units(known), by_registers if by_registers is not None else "—"
    return meter.point, meter.name, sign, meter.ratio, *amounts, meter.unit, measured, _units(estimated), missing


def _lines(bundle: Mapping[str, Any]) -> Table:
    lines = [Line.of_plain(line) for line in bundle["lines"]]
    return Table(
        "四、结算明细（元，不另计税）",
        ("行", "内容", "起止", "基准", "调整", "实际", "节能量", "单价", "效益", "分享%", "金额"),
        [
            (
                line.id,
                _KINDS[line.kind] + (f"（{line.detail['why']}）" if "why" in line.detail else ""),
                f"{line.first} 至 {_last(line.end)}" + (f"，扣除{len(line.left_out)}天" if line.left_out else ""),
                line.baseline,
                line.adjustment,
                line.actual,
                line.saving,
                line.price,
                line.benefit,
                line.share_percent,
                line.amount,
            )
            for line in lines
        ],
        (2, 2, 2.4, 1.6, 1.3, 1.6, 1.5, 1.1, 1.6, 1, 1.6),
    )


def _totals(bundle: Mapping[str, Any], contract: ContractWords) -> Pairs:
    rows: list[tuple[str, Cell]] = []
    for c in bundle["clauses"]:
        clause = contract.clause(c["clause"])
        name = clause.name.zh if clause is not None else c["clause"]
        rate = "" if clause is None else f"（税率 {clause.tax.rate_percent}%）"
        rows += [(f"{name} 不含税", Decimal(c["net"])), (f"税额{rate}", Decimal(c["tax"]))]
        if Decimal(c["carried_out"]):
            rows.append(("结转下期", Decimal(c["carried_out"])))
        if c["metered_cost"] is not None:
            rows.append(("计量能源费用（参考）", Decimal(c["metered_cost"])))
        if c["kgce"] is not None:
            rows.append(("节约标准煤 kgce", Decimal(c["kgce"])))
        if c["kgco2"] is not None:
            rows.append(("减排二氧化碳 kgCO2", Decimal(c["kgco2"])))
    for name, f in bundle.get("factors", {}).items():
        rows.append((f"折算因子（{name}）", f"{f['set']}，{f['year']}年：{', '.join(f['used'])}"))
    total: list[tuple[str, Cell]] = [
        ("本期应付（含税）", Decimal(bundle["due"])),
        ("大写", bundle["capitals"]),
        ("付款期限", f"确认后 {contract.payment_days} 日内"),
    ]
    return Pairs("五、金额（元）", [*rows, *total])


def _standing(kept: KeptStatement, zone: ZoneInfo) -> Table:
    """What was said of it until the paper was made."""
    standing = kept.standing
    rows: list[tuple[Cell, ...]] = [
        (_local(s.at_ms, zone), _PARTIES[s.step.party], _STEPS[s.step.kind.value], s.step.line, s.who, s.why)
        for s in kept.steps
    ]
    heading = f"六、确认与争议（无争议 {standing.undisputed_amount} 元，争议 {standing.disputed_amount} 元）"
    return Table(heading, ("时间", "方", "事项", "行", "经办", "说明"), rows, (1.6, 2, 1.2, 1.2, 1.2, 3))


_STEPS = {
    "confirmed": "确认",
    "disputed": "提出争议",
    "agreed": "撤回争议",
    "referred": "提交第三方",
    "payment_requested": "请求付款",
    "paid": "已付款",
    "invoiced": "已开票",
    "closed": "结清",
    "reversed": "红冲",
}


def _units(micro: int) -> Decimal:
    return Decimal(micro).scaleb(-6)


def _local(ms: int, zone: ZoneInfo) -> str:
    instant: datetime = from_ms(ms)
    return f"{instant.astimezone(zone):%Y-%m-%d %H:%M}"
