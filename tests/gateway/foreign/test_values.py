"""A value of theirs is rounded once, on its way to ours."""

from __future__ import annotations

from fractions import Fraction

from hypothesis import given
from hypothesis import strategies as st

from adapters.mapping_files import QuantityWords
from gateway.foreign.values import Entry

decimals = st.decimals(min_value=-1_000_000, max_value=1_000_000, places=4)


def entry(**given: object) -> Entry:
    return Entry(QuantityWords.model_validate({"is": "active_energy_import", **given}))


def test_watt_hours_in_tenths_become_kilowatt_hours_without_a_trace_of_the_way() -> None:
    # In floats, 5575112.3 * 0.1 * 0.001 is 557.5112300000001.
    assert entry(unit="Wh", factor=0.1).value(5575112.3, text=False) == (557.51123, None)


@given(decimals, st.sampled_from([1.0, 0.1, 0.001, 60.0, 1.25]), st.sampled_from([0.0, -273.15, 12.0]))
def test_a_decimal_comes_out_as_the_float_nearest_to_what_it_is(value: object, factor: float, offset: float) -> None:
    exact = Fraction(str(value)) * Fraction(str(factor)) + Fraction(str(offset))
    made = entry(unit="Wh", factor=factor, offset=offset)

    wanted = float(exact / 1000)
    assert made.value(float(str(value)), text=False)[0] == wanted
    assert made.value(str(value), text=True)[0] == wanted


@given(st.integers(min_value=-(10**400), max_value=10**400))
def test_an_integer_of_any_size_is_a_number_or_beyond_all_bounds(value: int) -> None:
    for made in (entry(), entry(unit="MWh")):
        found, flag = made.value(value, text=False)

        assert flag is None
        assert found is not None
