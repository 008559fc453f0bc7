"""The sheets of a site as a workbook, and their columns: the same keys as in site files, with their Chinese names."""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum
from typing import Any

from pydantic import BaseModel

from adapters import site_words as words
from adapters.scalars import Bounds, Id, QuantityName
from energy.documents import NameWords, Words


class Cell(Enum):
    """What stands in the cells of a column."""

    TEXT = "text"
    NUMBER = "number"
    DAY = "day"
    FLAG = "flag"
    LIST = "list"
    # Yes, no, or from a day to a day: 2026-01-01/.. (ISO 8601-2).
    SPAN = "span"


@dataclass(frozen=True, slots=True)
class Column:
    """A column; `way` leads to its key within a record, such as ("name", "zh")."""

    key: str
    zh: str
    cell: Cell = Cell.TEXT

    @property
    def way(self) -> tuple[str, ...]:
        first, _, last = self.key.partition("_")
        return ("name", last) if first == "name" else (self.key,)


@dataclass(frozen=True, slots=True)
class Sheet:
    """A sheet; of the records of `list` it holds those of these kinds, all others where `kinds` is None."""

    title: str
    zh: str
    list: str
    words: type[BaseModel]
    columns: tuple[Column, ...]
    kinds: tuple[str, ...] | None = None

    @property
    def kind(self) -> str | None:
        """The kind of all that stands there, where it has no column of its own."""
        return self.kinds[0] if self.kinds is not None and len(self.kinds) == 1 else None


class RegisterRow(Words):
    """The register of a counter, in a row of its own."""

    meter: Id
    quantity: QuantityName
    limit_per_h: float | None = None
    modulus: float | None = None
    resolution: float | None = None


class PlausibleRow(Words):
    """What a meter could report, in a row of its own."""

    meter: Id
    quantity: QuantityName
    bounds: Bounds


class SiteRow(Words):
    """The site itself."""

    site: Id
    name: NameWords
    zone: str = "Asia/Shanghai"


_NAMED = (Column("id", "编号"), Column("name_zh", "中文名称"), Column("name_en", "英文名称"))
_HIDDEN = Column("hidden", "隐藏", Cell.SPAN)
_DATED = (Column("from", "生效日期", Cell.DAY), Column("to", "截止日期(不含)", Cell.DAY))
_KIND, _PARENT = Column("kind", "类型"), Column("parent", "上级")
_CREDIT = Column("code", "统一社会信用代码")
_CLASS = Column("class", "单位性质")
_OF = (Column("place", "位置"), Column("organisation", "机构"))
_REGIONS = ("country", "province", "city", "county")
_ORGANISATION = (*_NAMED, _PARENT, _CREDIT, _CLASS, *_DATED, _HIDDEN)
_PLACE = (*_NAMED, _PARENT)


def _organisations(title: str, zh: str, columns: tuple[Column, ...], kinds: tuple[str, ...] | None) -> Sheet:
    return Sheet(title, zh, "organisations", words.OrganisationWords, columns, kinds)


def _places(title: str, zh: str, columns: tuple[Column, ...], kinds: tuple[str, ...] | None) -> Sheet:
    return Sheet(title, zh, "places", words.PlaceWords, columns, kinds)


_METER = (
    *_NAMED, Column("medium", "介质"), Column("place", "位置"), Column("parent", "上级表计"),
    Column("profile", "表型"), Column("line", "线路"), Column("unit", "地址", Cell.NUMBER),
    Column("address", "表号"), Column("every", "采集周期"),
    Column("ct", "电流变比", Cell.NUMBER), Column("pt", "电压变比", Cell.NUMBER), Column("reversed", "反接", Cell.FLAG),
    Column("read", "采集量", Cell.LIST), Column("organisation", "机构"), Column("item", "分项编码"),
    Column("account", "电户号"), Column("removed_on", "拆除日期", Cell.DAY), _HIDDEN,
    Column("sender", "报送方"),
)  # fmt: skip

# In this order: what others name stands before them.
SHEETS = (
    Sheet("site", "站点", "site", SiteRow, (Column("site", "编号"), *_NAMED[1:], Column("zone", "时区"))),
    _organisations(
        "regions", "行政区划", (*_NAMED, _KIND, _PARENT, Column("code", "区划代码"), _CLASS, *_DATED, _HIDDEN), _REGIONS
    ),
    _organisations("departments", "部门", _ORGANISATION, ("department",)),
    _organisations("institutions", "机构", _ORGANISATION, ("institution",)),
    _organisations("organisations", "其他组织", (*_NAMED, _KIND, *_ORGANISATION[3:]), None),
    Sheet(
        "memberships", "隶属关系", "memberships", words.MembershipWords,
        (Column("organisation", "机构"), Column("within", "隶属于"), *_DATED),
    ),
    _places("campuses", "院区", (*_PLACE, *_DATED, _HIDDEN), ("campus",)),
    _places("buildings", "建筑", (*_PLACE, Column("code", "建筑编码"), *_DATED, _HIDDEN), ("building",)),
    _places("zones", "区域", (*_PLACE, *_DATED, _HIDDEN), ("zone",)),
    _places("places", "其他位置", (*_NAMED, _KIND, _PARENT, *_DATED, _HIDDEN), None),
    Sheet(
        "facts", "基本信息", "facts", words.FactWords,
        (*_OF, Column("fact", "指标"), Column("value", "数值", Cell.NUMBER), *_DATED, Column("source", "依据")),
    ),
    Sheet(
        "lines", "线路", "lines", words.LineWords,
        (Column("id", "编号"), Column("address", "地址"), Column("timeout", "超时"), Column("edge", "采集端")),
    ),
    Sheet(
        "accounts", "供应户号", "accounts", words.AccountWords,
        (Column("id", "户号"), Column("medium", "介质"), Column("supplier", "供应单位"), Column("organisation", "机构"),
         Column("tariff", "价格"), Column("capacity_kva", "变压器容量", Cell.NUMBER)),
    ),
    Sheet(
        "registers", "计数器", "registers", RegisterRow,
        (Column("meter", "表计"), Column("quantity", "量"), Column("limit_per_h", "每小时上限", Cell.NUMBER),
         Column("modulus", "归零值", Cell.NUMBER), Column("resolution", "最小步长", Cell.NUMBER)),
    ),
    Sheet(
        "plausible", "合理范围", "plausible", PlausibleRow,
        (Column("meter", "表计"), Column("quantity", "量"), Column("low", "下限", Cell.NUMBER),
         Column("high", "上限", Cell.NUMBER)),
    ),
    Sheet("meters", "表计", "meters", words.MeterWords, _METER),
    Sheet(
        "virtual_points", "虚拟点", "virtual_points", words.VirtualPointWords,
        (*_NAMED, Column("medium", "介质"), Column("quantity", "量"), Column("formula", "公式"), *_OF,
         Column("item", "分项编码"), *_DATED),
    ),
    Sheet(
        "shares", "分摊", "shares", words.ShareWords,
        (Column("meter", "表计"), Column("place", "位置"), Column("basis", "方式"), Column("document", "依据"), *_DATED,
         Column("organisation", "机构"), Column("weight", "权重", Cell.NUMBER)),
    ),
)  # fmt: skip


def sheet_of(listed: str, record: dict[str, Any]) -> Sheet:
    """The sheet on which a record of a list stands."""
    own = [sheet for sheet in SHEETS if sheet.list == listed]
    return next((s for s in own if s.kinds is not None and record.get("kind") in s.kinds), own[-1])
