"""Points by numbers."""

from hypothesis import given
from hypothesis import strategies as st

from energy.numbering import UNKNOWN, Numbering, OwnNumbers
from energy.readings import Point, ReadingColumns

A, B, C = (Point(meter, "active_power") for meter in "abc")


def _columns(points: object, index: list[int]) -> ReadingColumns:
    return ReadingColumns.of(points, index, [0] * len(index), [1.0] * len(index))  # type: ignore[arg-type]


class _Asked:
    """Own numbers by a table; what was looked up, in order."""

    def __init__(self, **numbers: int) -> None:
        self.numbers, self.asked = numbers, list[str]()
        self.own = OwnNumbers(self._look_up)

    def _look_up(self, points: list[Point]) -> list[int]:
        self.asked += [point.meter for point in points]
        return [self.numbers.get(point.meter, UNKNOWN) for point in points]


def test_a_point_keeps_its_number_whatever_becomes_known_after_it() -> None:
    points = Numbering([A])

    assert [points.number(p) for p in (B, A, C, B)] == [1, 0, 2, 1]
    assert list(points) == [A, B, C]
    assert (points[1], points.find(C), points.find(Point("d", "active_power"))) == (B, 2, UNKNOWN)
    assert A in points
    assert Point("d", "active_power") not in points


def test_meters_may_have_different_quantities() -> None:
    all_of_them = [Point(m, q) for m, q in (("a", "x"), ("b", "y"), ("a", "z"), ("c", "x"), ("b", "x"))]
    points = Numbering(all_of_them)

    assert [points.find(p) for p in all_of_them] == [0, 1, 2, 3, 4]
    assert points.find(Point("c", "y")) == UNKNOWN
    known, numbers = points.among([Point("b", "x"), Point("c", "z"), Point("a", "x")])
    assert (known, numbers.tolist()) == ([Point("b", "x"), Point("a", "x")], [4, 0])


@given(st.lists(st.builds(Point, st.sampled_from("abcde"), st.sampled_from("vwxyz"))))
def test_points_are_numbered_as_a_dictionary_would(told: list[Point]) -> None:
    points, numbers = Numbering(), dict[Point, int]()

    for point in told:
        assert points.number(point) == numbers.setdefault(point, len(numbers))

    assert list(points) == list(numbers)
    assert [points.find(point) for point in numbers] == list(numbers.values())


@given(*[st.lists(st.builds(Point, st.sampled_from("abcde"), st.sampled_from("vwxyz")))] * 2)
def test_many_points_are_found_and_numbered_as_one_by_one(known: list[Point], told: list[Point]) -> None:
    points, other = Numbering(known), Numbering(known)

    assert points.find_all(told).tolist() == [points.find(point) for point in told]
    assert points.numbers(told).tolist() == [other.number(point) for point in told]
    assert list(points) == list(other)


def test_a_point_of_a_numbering_is_looked_up_once() -> None:
    points, them = Numbering([A, B]), _Asked(a=7, b=5, c=9)

    assert them.own.rows(_columns(points, [1, 0, 1])).tolist() == [5, 7, 5]
    points.number(C)
    assert them.own.rows(_columns(points, [2, 1, 0])).tolist() == [9, 5, 7]
    assert sorted(them.asked) == ["a", "b", "c"]


def test_points_of_another_numbering_are_other_points() -> None:
    them = _Asked(a=7, b=5)

    assert them.own.rows(_columns(Numbering([A, B]), [0, 1])).tolist() == [7, 5]
    assert them.own.rows(_columns(Numbering([B, A]), [0, 1])).tolist() == [5, 7]
    assert them.own.rows(_columns([A, B], [0, 1])).tolist() == [7, 5]


def test_a_list_may_be_another_one_the_next_time() -> None:
    points, them = [A], _Asked(a=7, b=5)
    them.own.rows(_columns(points, [0]))
    points[0] = B

    assert them.own.rows(_columns(points, [0])).tolist() == [5]


def test_points_of_a_list_that_comes_again_are_looked_up_once() -> None:
    them = _Asked(a=7, b=5, c=9)

    assert them.own.rows(_columns([A, B, C], [2, 0])).tolist() == [9, 7]
    assert them.own.rows(_columns([A, B, C], [1, 0])).tolist() == [5, 7]
    assert them.asked == ["a", "c", "b"]


def test_a_few_points_of_many_are_found() -> None:
    them = _Asked(**{"0": 3, "900": 4, "999": 5})
    many = [Point(str(i), "active_power") for i in range(1000)]

    assert them.own.rows(_columns(many, [999, 0, 999])).tolist() == [5, 3, 5]
    assert them.asked == ["0", "999"]


def test_what_has_no_row_is_not_looked_up() -> None:
    them = _Asked(a=7, b=5)

    them.own.rows(_columns(Numbering([A, B]), [0]))

    assert them.asked == ["a"]


def test_what_is_unknown_is_looked_up_again() -> None:
    points, them = Numbering([A]), _Asked()

    assert them.own.rows(_columns(points, [0])).tolist() == [UNKNOWN]
    them.numbers["a"] = 3
    assert them.own.rows(_columns(points, [0])).tolist() == [3]


def test_more_points_than_were_reckoned_with_are_found() -> None:
    points = Numbering()
    own = OwnNumbers(lambda points: [int(point.meter) for point in points])
    for number in range(3000):
        points.number(Point(str(number), "active_power"))
        if number % 1000 == 999:
            rows = [0, number // 2, number]
            assert own.rows(_columns(points, rows)).tolist() == rows
