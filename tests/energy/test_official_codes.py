"""Official codes are refused where they cannot be right, and trees where they would count twice."""

from __future__ import annotations

from datetime import date

import pytest

from energy.belonging import all_below, lowers, uppers
from energy.names import Text
from energy.official_codes import (
    check_building,
    check_class,
    check_credit,
    check_digit,
    check_organisation_code,
    check_place_code,
    check_region,
)
from energy.organisations import Membership, Organisation
from energy.sites import Site
from energy.validity import Validity

NAME = Text("名", "name")
LATER = Validity(date(2026, 7, 1), None)
# The example in GB 32100-2015.
EXAMPLE = "91350100M000100Y43"


def test_the_example_of_the_standard_has_its_check_digit() -> None:
    check_credit(EXAMPLE)
    assert check_digit(EXAMPLE[:17]) == "3"


@pytest.mark.parametrize("at", range(17))
def test_any_single_wrong_sign_is_noticed(at: int) -> None:
    wrong = EXAMPLE[:at] + ("2" if EXAMPLE[at] != "2" else "7") + EXAMPLE[at + 1 :]
    with pytest.raises(ValueError, match="check digit should be"):
        check_credit(wrong)


@pytest.mark.parametrize(
    ("code", "said"),
    [("91350100M000100Y4", "17 characters"), ("91350100M000100YI3", "not 'I'"), ("91350100M000100Y44", "should be 3")],
)
def test_a_wrong_credit_code_is_told_what_is_wrong(code: str, said: str) -> None:
    with pytest.raises(ValueError, match=said):
        check_credit(code)


@pytest.mark.parametrize(
    ("kind", "code"), [("province", "330000"), ("city", "330300"), ("county", "330302"), ("county", "429004")]
)
def test_region_codes_of_each_level(kind: str, code: str) -> None:
    check_region(kind, code)


@pytest.mark.parametrize(
    ("kind", "code"),
    [("province", "330300"), ("city", "330000"), ("city", "330302"), ("county", "330300"), ("county", "33030"),
     ("country", "100000"), ("county", "03302二")],
)  # fmt: skip
def test_a_code_of_another_level_is_refused(kind: str, code: str) -> None:
    with pytest.raises(ValueError, match="code"):
        check_region(kind, code)


def test_a_building_code_is_region_class_and_number() -> None:
    check_building("320100A008")
    for wrong in ("320100a008", "320100A08", "320100A0081", "020100A008"):
        with pytest.raises(ValueError, match="building code"):
            check_building(wrong)
    with pytest.raises(ValueError, match="has no code"):
        check_place_code("floor", "320100A008")


def test_institutions_have_credit_codes_and_known_classes() -> None:
    check_organisation_code("institution", EXAMPLE)
    with pytest.raises(ValueError, match="统一社会信用代码"):
        check_organisation_code("institution", "330300")
    with pytest.raises(ValueError, match="027"):
        check_class("027")


# -- belonging --------------------------------------------------------------------------------------------------------


def organisation(name: str, kind: str, parent: str | None = None, code: str | None = None) -> Organisation:
    return Organisation(name, NAME, kind, parent, code=code)


CITY = (
    organisation("city", "city", None, "330300"),
    organisation("east", "county", "city", "330302"),
    organisation("west", "county", "city", "330304"),
    organisation("education", "department"),
    organisation("school", "institution", "east"),
)
IN_EDUCATION = Membership("school", "education", LATER)


def site(*organisations: Organisation, memberships: tuple[Membership, ...] = ()) -> Site:
    return Site("here", NAME, "Asia/Shanghai", organisations=organisations, memberships=memberships)


def test_a_school_belongs_to_its_region_and_from_a_day_on_to_its_department() -> None:
    it = site(*CITY, memberships=(IN_EDUCATION,))
    before, after = (lowers(uppers(it, day)) for day in (date(2026, 6, 30), date(2026, 7, 1)))

    assert it.faults() == []
    assert all_below(["education"], before) == {"education"}
    assert all_below(["education"], after) == {"education", "school"}
    assert all_below(["city"], after) == {"city", "east", "west", "school"}


def test_a_department_below_the_region_would_count_its_schools_twice_there() -> None:
    below = (*CITY[:3], organisation("education", "department", "city"), CITY[4])
    [(way, text)] = site(*below, memberships=(IN_EDUCATION,)).faults()

    assert way == ("memberships", 0, "within")
    assert "'school' would count twice in 'city', by 'east' and by 'education'" in text


def test_an_institution_that_moves_is_in_one_region_at_a_time() -> None:
    moving = (*CITY[:4], organisation("school", "institution"))
    first = Membership("school", "east", Validity(None, date(2026, 7, 1)))

    assert site(*moving, memberships=(first, Membership("school", "west", LATER))).faults() == []
    both = site(*moving, memberships=(first, Membership("school", "west"))).faults()
    assert ["would count twice" in text for _, text in both] == [True]


def test_memberships_lead_somewhere_and_not_in_a_circle() -> None:
    nowhere = site(*CITY, memberships=(Membership("school", "nobody"),)).faults()
    circle = site(*CITY, memberships=(Membership("city", "school"),)).faults()

    assert [way for way, _ in nowhere] == [("memberships", 0, "within")]
    assert any("would belong to itself" in text for _, text in circle)


def test_regions_nest_as_their_codes_do() -> None:
    strange = organisation("strange", "county", "city", "330402")
    upside = organisation("upside", "province", "east", "340000")
    [(first, nests), (second, level)] = site(*CITY, strange, upside).faults()

    assert (first, nests) == (("organisations", 5, "code"), "code 330402 must begin with 3303, as it lies in 330300")
    assert second == ("organisations", 6, "parent")
    assert "cannot lie in 'east'" in level
