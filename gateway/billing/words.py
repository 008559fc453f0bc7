"""Bills as the API tells and takes them. Money and quantities are decimals, as text."""

from __future__ import annotations

from datetime import date
from decimal import Decimal
from typing import Annotated

import msgspec

from energy.bills import BilledLine, SupplierBill
from gateway.api.words import Note, Said, TextWords, Who
from gateway.ledger.words import ShareWords
from gateway.records.entries import Added, Entry

AccountId = Annotated[str, msgspec.Meta(min_length=1, max_length=64)]
Lines = Annotated[list["BilledLineWords"], msgspec.Meta(max_length=200)]


class BilledLineWords(msgspec.Struct, forbid_unknown_fields=True):
    """A line that is printed on a bill."""

    name: Said
    amount: Decimal
    quantity: Decimal | None = None
    price: Decimal | None = None


class BillWords(msgspec.Struct, forbid_unknown_fields=True, rename={"from_": "from"}):
    """What a supplier charged an account for the days from `from` to `to`, which is not included."""

    account: AccountId
    from_: date
    to: date
    quantity: Decimal
    amount: Decimal
    number: Note = ""
    note: Note = ""
    lines: Lines = []

    @property
    def bill(self) -> SupplierBill:
        lines = tuple(BilledLine(x.name, x.amount, x.quantity, x.price) for x in self.lines)
        days = self.account, self.from_, self.to
        return SupplierBill(*days, self.quantity, self.amount, self.number, self.note, lines)

    @classmethod
    def of(cls, bill: SupplierBill) -> BillWords:
        lines = [BilledLineWords(x.name, x.amount, x.quantity, x.price) for x in bill.lines]
        days = bill.account, bill.start, bill.end
        return cls(*days, bill.quantity, bill.amount, bill.number, bill.note, lines)


class KeptBillWords(msgspec.Struct):
    """A bill as it is kept: by whom, why and when it was entered, and withdrawn if it was."""

    id: int
    bill: BillWords
    who: str
    why: str
    entered_at: int
    withdrawn_at: int | None
    withdrawn_by: str | None
    withdrawn_why: str | None

    @classmethod
    def of(cls, kept: Entry[SupplierBill]) -> KeptBillWords:
        said = kept.who, kept.why, kept.entered_at_ms, kept.withdrawn_at_ms, kept.withdrawn_by, kept.withdrawn_why
        return cls(kept.id, BillWords.of(kept.value), *said)


class MeteredWords(msgspec.Struct):
    """What the meters of the account say of the same days.

    `quantity` is null where nothing is known. `amount` is by `basis`: `tariff` for bills of whole months, `use` for
    the cost of each half hour; null where `lacking` says why.
    """

    meters: list[str]
    unit: str
    quantity: Decimal | None
    shares: ShareWords
    basis: str | None
    amount: Decimal | None
    missing: list[str]
    lacking: TextWords | None


class CauseWords(msgspec.Struct):
    """Why the amounts differ, in yuan; together the difference."""

    period: Decimal
    quantity: Decimal
    price: Decimal
    rounding: Decimal
    unexplained: Decimal


class DifferenceWords(msgspec.Struct):
    """Billed less metered; prices are the mean ones of a unit."""

    amount: Decimal
    quantity: Decimal
    quantity_percent: Decimal | None
    metered_price: Decimal | None
    billed_price: Decimal | None
    causes: CauseWords


class ReconciledWords(msgspec.Struct):
    """A bill beside what was metered, null where that was not asked for; `difference` where that has no amount."""

    bill: KeptBillWords
    metered: MeteredWords | None
    difference: DifferenceWords | None


class DaysWords(msgspec.Struct, rename={"from_": "from"}):
    """Days that no bill charges for, `to` not included."""

    from_: date
    to: date


class TotalWords(msgspec.Struct):
    """All these bills together; `differing` is the sum over the `compared` ones, by cause."""

    bills: int
    compared: int
    quantity: Decimal
    amount: Decimal
    differing: Decimal
    causes: CauseWords


class BillsQuery(msgspec.Struct, forbid_unknown_fields=True, rename={"from_": "from"}):
    """Of an account, each beside what was metered; without one, of all accounts, the newest, only as they are kept.

    `from` and `to` choose the bills that charge for a day between them.
    """

    account: str | None = None
    from_: date | None = None
    to: date | None = None
    withdrawn: bool = False
    limit: Annotated[int, msgspec.Meta(ge=1, le=10_000)] = 1000
    cursor: Annotated[str, msgspec.Meta(max_length=500)] | None = None


class BillsAnswer(msgspec.Struct):
    """Bills by account and days. Where one account was asked for: compared, and the days between without a bill.

    `next` leads to the bills before these; null where there are none.
    """

    bills: list[ReconciledWords]
    total: TotalWords | None
    unbilled: list[DaysWords]
    next: str | None


class NewBills(msgspec.Struct, forbid_unknown_fields=True):
    """Bills to keep, all of them or, where one is wrong, none. `again` takes those that were withdrawn once."""

    bills: Annotated[list[BillWords], msgspec.Meta(min_length=1, max_length=1000)]
    who: Who = ""
    why: Note = ""
    again: bool = False


class BillContradictionWords(msgspec.Struct):
    """A bill that was not added: the one that is kept charges for a day of it too. Withdraw that one first."""

    bill: BillWords
    kept: KeptBillWords


class AddedBillsAnswer(msgspec.Struct):
    """Ids of the new bills, and what became of the others."""

    added: list[int]
    known: int
    withdrawn: list[KeptBillWords]
    contradicting: list[BillContradictionWords]

    @classmethod
    def of(cls, added: Added[SupplierBill]) -> AddedBillsAnswer:
        others = [BillContradictionWords(BillWords.of(c.given), KeptBillWords.of(c.kept)) for c in added.contradicting]
        return cls(added.ids, added.known, [KeptBillWords.of(kept) for kept in added.withdrawn], others)


class BillWithdrawal(msgspec.Struct, forbid_unknown_fields=True):
    """Which bill holds no longer, and who says so why."""

    id: int
    why: Annotated[str, msgspec.Meta(min_length=1, max_length=2000)]
    who: Who = ""
