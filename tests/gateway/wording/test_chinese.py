"""Whatever the page can be told of what is wrong has Chinese words."""

from __future__ import annotations

import re
from string import Formatter

import pytest

from gateway.wording import libraries, lines
from gateway.wording.chinese import SENTENCES, in_chinese, said
from tests.gateway.wording.sentences import literals, spoken


def test_every_sentence_of_a_refusal_has_its_chinese() -> None:
    lacking = [f"{place}: {text}" for text, place in spoken().items() if text not in SENTENCES]

    assert not lacking, "give them their Chinese in gateway/wording:\n" + "\n".join(lacking)


def test_no_chinese_is_kept_of_a_sentence_that_nobody_says_any_more() -> None:
    texts = literals()
    ours = SENTENCES.keys() - libraries.SENTENCES.keys() - lines.SYSTEM.keys()

    assert not [one for one in ours if one not in texts and not any(text.endswith(one) for text in texts)]


def test_the_chinese_puts_in_what_the_english_has() -> None:
    for english, chinese in SENTENCES.items():
        places = {int(name) for _, name, _, _ in Formatter().parse(chinese) if name is not None}

        assert places <= set(range(english.count("{}"))), english
        assert re.search("[\u4e00-\u9fff]", chinese), english


def test_every_sentence_is_found_again_with_its_values_put_in() -> None:
    for english in spoken():
        given = english.replace("{}", "x-1")

        assert in_chinese(given) is not None, english


@pytest.mark.parametrize(
    ("english", "chinese"),
    [
        ("organisation 'east' is not in the site", "站点中没有机构“east”"),
        ("tcp://192.0.2.7:502 unit 3: no answer within 1 s", "tcp://192.0.2.7:502 unit 3：1 秒内没有应答"),
        ("exception 2: illegal data address", "异常码 2：地址不存在"),
        ("place 'hall' is not in the site", "站点中没有位置“hall”"),
        ("account x is not known", "账户 x 不存在"),
        (
            "rules are those of the whole installation; a role for all of it is needed",
            "告警规则属于整个系统，需要全系统的角色",
        ),
        (
            "rules.yaml:3: rules[0].id = 'a': is used twice; give each rule its own id",
            "rules.yaml:3：rules[0].id = “a”：编号重复，请给每条规则各自的编号",
        ),
        ("meters!B4: is missing and must be given", "meters!B4：缺失，必须填写"),
        ("the body: Expected `int`, got `str` - at `$.year`", "请求内容：应为 int，实为 str（位于 $.year）"),
        ("must be above 0\nmust be a number", "应大于 0\n应为数字"),
        (
            "meter 'a-b': profile sdm has no register power; it has active_power",
            "表计“a-b”：表型 sdm 没有寄存器 power，只有 active_power",
        ),
    ],
)
def test_a_sentence_is_told_in_chinese_with_its_place_and_values(english: str, chinese: str) -> None:
    assert in_chinese(english) == chinese


def test_a_sentence_that_is_not_known_stays_in_english_behind_what_kind_it_is() -> None:
    told = said("nobody ever said this", "请求有误：")

    assert (told.zh, told.en) == ("请求有误：nobody ever said this", "nobody ever said this")
