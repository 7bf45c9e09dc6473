"""Which Host headers are answered."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from serving.hosts import LOOPBACK_NAMES, answered_names, is_answered

NAMES = answered_names(["Cobros.Example"])


@pytest.mark.parametrize(
    "header",
    [
        "localhost",
        "LocalHost:80",
        "127.0.0.1:65535",
        "[::1]",
        "[::1]:5000",
        "COBROS.example",
        "cobros.example:1",
    ],
)
def test_own_names_with_any_port(header) -> None:
    assert is_answered(header, NAMES)


@pytest.mark.parametrize(
    "header",
    [
        "",
        "evil.example",
        "localhost.evil.example",
        "localhost:80:80",
        "localhost:",
        "localhost:x",
        "localhost:\N{ARABIC-INDIC DIGIT ONE}",
        "localhost/",
        "user@localhost",
        " localhost",
        "localhost\n",
        "[::1",
        "::1",
        "127.0.0.2",
    ],
)
def test_everything_else_is_refused(header) -> None:
    assert not is_answered(header, NAMES)


@given(st.text())
def test_only_known_names_are_ever_answered(header: str) -> None:
    if is_answered(header, NAMES):
        assert header.casefold().rpartition(":")[0] in NAMES or header.casefold() in NAMES
    assert NAMES >= LOOPBACK_NAMES
