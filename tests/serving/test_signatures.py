"""Signatures: right ones pass, and nothing else does."""

import hmac
from hashlib import sha256

import pytest
from hypothesis import given
from hypothesis import strategies as st

from serving.signatures import REPLAY_WINDOW_S, is_signed, sign

SECRET, NOW = "a secret of some length", 1_700_000_000.0


def test_it_is_what_the_advice_says() -> None:
    expected = hmac.new(SECRET.encode(), b'1700000000.{"rows":3}', sha256).hexdigest()
    assert sign(SECRET, "1700000000", b'{"rows":3}') == f"sha256={expected}"


@given(st.binary(max_size=200), st.integers(-REPLAY_WINDOW_S, REPLAY_WINDOW_S))
def test_what_is_signed_just_now_passes(body: bytes, apart: int) -> None:
    sent = str(int(NOW) + apart)
    assert is_signed(SECRET, sent, sign(SECRET, sent, body), body, NOW)


@pytest.mark.parametrize("apart", [-REPLAY_WINDOW_S - 1, REPLAY_WINDOW_S + 1])
def test_what_was_overheard_is_worthless_later(apart: int) -> None:
    sent = str(int(NOW) + apart)
    assert not is_signed(SECRET, sent, sign(SECRET, sent, b""), b"", NOW)


@pytest.mark.parametrize("sent", ["", "now", "1e9", "1700000000.5", "-1", "1" * 30, "\u0967"])
def test_a_time_that_is_none(sent: str) -> None:
    assert not is_signed(SECRET, sent, sign(SECRET, sent, b""), b"", NOW)


@pytest.mark.parametrize("signature", ["", "sha256=", "sha1=00", "ñ", "0" * 64])
def test_a_signature_that_is_none(signature: str) -> None:
    assert not is_signed(SECRET, "1700000000", signature, b"", NOW)


def test_another_secret_body_or_time() -> None:
    right = sign(SECRET, "1700000000", b"body")
    assert not is_signed("another secret", "1700000000", right, b"body", NOW)
    assert not is_signed(SECRET, "1700000000", right, b"bodY", NOW)
    assert not is_signed(SECRET, "1700000001", right, b"body", NOW)
