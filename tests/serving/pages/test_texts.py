"""Texts: each in both languages, with the same places to fill."""

import re
from string import Formatter

from serving.pages.texts import texts_in
from serving.problem_types import PROBLEM_TYPES


def places(text: str) -> set[str]:
    return {name for _, name, _, _ in Formatter().parse(text) if name}


def test_both_languages_have_every_text_with_the_same_places() -> None:
    spanish, english = texts_in("es"), texts_in("en")
    assert spanish.keys() == english.keys()
    for name in spanish:
        assert spanish[name].strip()
        assert english[name].strip()
        assert places(spanish[name]) == places(english[name]), name


def test_every_kind_of_problem_says_what_to_do_in_both_languages() -> None:
    for slug, kind in PROBLEM_TYPES.items():
        assert re.fullmatch(r"[a-z-]+", slug)
        assert all((kind.title.es, kind.title.en, kind.advice.es, kind.advice.en))
        assert kind.title.es != kind.title.en
