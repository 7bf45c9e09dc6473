"""Compression and language as clients weigh them."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from serving.negotiation import ENCODINGS, LANGUAGES, choose_encoding, choose_language


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
        ("gzip;q=", "identity"),
        (",,;,", "identity"),
    ],
)
def test_encodings(header, encoding) -> None:
    assert choose_encoding(header) == encoding


@pytest.mark.parametrize(
    ("requested", "header", "language"),
    [
        ("", "", "es"),
        ("en", "es", "en"),
        ("EN", "", "en"),
        ("fr", "en", "en"),
        ("", "en-US,en;q=0.9", "en"),
        ("", "es-CL,es;q=0.9,en;q=0.8", "es"),
        ("", "fr,de;q=0.9", "es"),
        ("", "en;q=0.5,es-CL;q=0.4", "en"),
        ("", "en,es", "es"),
    ],
)
def test_languages(requested, header, language) -> None:
    assert choose_language(requested, header) == language


@given(st.text(), st.text())
def test_any_header_has_an_answer(requested: str, header: str) -> None:
    assert choose_encoding(header) in ENCODINGS
    assert choose_language(requested, header) in LANGUAGES
