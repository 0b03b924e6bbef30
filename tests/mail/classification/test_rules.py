"""The table is true to itself: every line has a source and an example, and none is in vain."""

import pytest

from app.mail.classification.bounce_class import Class
from app.mail.classification.classify import classify_by_rule
from app.mail.classification.normalise import GAP, Words
from app.mail.classification.rules import Rule, rules

CODES = "550"


def name_of(rule: Rule) -> str:
    return f"{rules().index(rule)}-{rule.class_}-{rule.reason}"


@pytest.mark.parametrize("rule", rules(), ids=name_of)
def test_a_rule_has_a_source_and_an_example_that_ends_at_it(rule: Rule) -> None:
    assert rule.source
    assert rule.examples
    for example in rule.examples:
        _, decided = classify_by_rule(example)
        assert decided is rule, example


@pytest.mark.parametrize("rule", rules(), ids=name_of)
def test_no_phrase_is_shadowed_by_another_meaning(rule: Rule) -> None:
    for pieces in rule.says:
        said = " x y ".join(pieces)
        _, decided = classify_by_rule(f"{CODES} {said}")
        assert decided is not None, said
        assert (decided.class_, decided.reason) == (rule.class_, rule.reason), said


def test_every_phrase_stands_once() -> None:
    phrases = [pieces for rule in rules() for pieces in rule.says]
    assert sorted(set(phrases)) == sorted(phrases)


def test_phrases_are_long_enough_to_mean_something() -> None:
    pieces = {piece for rule in rules() for phrase in rule.says for piece in phrase}
    assert {piece for piece in pieces if len(piece) < 3 and piece.isascii()} <= {"ip"}
    assert all(len(piece) <= GAP for piece in pieces)


def test_only_the_dead_are_sure_and_no_guess_is() -> None:
    for rule in rules():
        assert not (rule.sure and (rule.guess or rule.class_ is not Class.HARD))


def test_a_rule_asks_for_something() -> None:
    for rule in rules():
        assert rule.says or rule.code or rule.status


def test_no_phrase_says_what_a_shorter_one_says() -> None:
    for rule in rules():
        for pieces in rule.says:
            forms = [Words(" ".join(pieces)), Words(" x y ".join(pieces))]
            others = [each for each in rule.says if each != pieces]
            assert not any(all(form.say(other) for form in forms) for other in others), pieces


def test_the_table_can_be_read_in_ten_minutes() -> None:
    assert len(rules()) <= 70
