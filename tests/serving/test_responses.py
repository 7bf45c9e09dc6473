"""The encoding, language and form of answers, as clients weigh them."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from kpi_pipeline.model.labels import LANGUAGES
from serving.responses import (
    ENCODINGS,
    UnknownLanguage,
    choose_encoding,
    choose_language,
    named_language,
    prefers_page,
)


@pytest.mark.parametrize(
    ("header", "encoding"),
    [
        ("", "identity"),
        ("gzip, deflate, br, zstd", "zstd"),
        ("gzip", "gzip"),
        ("GZIP;Q=0.5", "gzip"),
        ("zstd;q=0.5, gzip;q=0.8", "gzip"),
        ("zstd;q=0, gzip", "gzip"),
        ("*", "zstd"),
        ("*;q=0.1, zstd;q=0", "gzip"),
        ("*;q=0", "identity"),
        ("identity;q=1, gzip;q=0.5", "identity"),
        ("br", "identity"),
        ("gzip;q=2", "identity"),
        ("gzip;q=", "gzip"),  # a weight that is left out is 1
        (",,;,", "identity"),
    ],
)
def test_encodings(header, encoding) -> None:
    assert choose_encoding(header) == encoding


@pytest.mark.parametrize(
    ("header", "language"),
    [
        ("", "es"),
        ("en-US,en;q=0.9", "en"),
        ("es-CL,es;q=0.9,en;q=0.8", "es"),
        ("fr,de;q=0.9", "es"),
        ("en;q=0.5,es-CL;q=0.4", "en"),
        ("en,es", "es"),
    ],
)
def test_languages_of_browsers(header, language) -> None:
    assert choose_language(header) == language


@pytest.mark.parametrize(
    ("values", "language"),
    [([], None), ([""], None), (["en"], "en"), (["EN "], "en"), (["", "es"], "es"), (["es", "es"], "es")],
)
def test_languages_that_are_named(values, language) -> None:
    assert named_language(values) == language


@pytest.mark.parametrize("values", [["fr"], ["es-CL"], ["es", "en"], ["en", "fr"], ["e"]])
def test_languages_that_there_are_not(values) -> None:
    with pytest.raises(UnknownLanguage):
        named_language(values)


@pytest.mark.parametrize(
    ("header", "is_page"),
    [
        ("", False),
        ("*/*", False),
        ("text/html,application/xhtml+xml,application/xml;q=0.9,*/*;q=0.8", True),
        ("text/*", True),
        ("application/json", False),
        ("application/json, text/html;q=0.9", False),
        ("text/html;q=0", False),
    ],
)
def test_forms(header, is_page) -> None:
    assert prefers_page(header) is is_page


@given(st.text())
def test_any_header_has_an_answer(header: str) -> None:
    assert choose_encoding(header) in ENCODINGS
    assert choose_language(header) in LANGUAGES
    assert prefers_page(header) in (True, False)
