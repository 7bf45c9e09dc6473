"""A written amount is read as what was written or refused, never as another amount."""

from collections.abc import Callable
from decimal import Decimal

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from kpi_pipeline.compute.ingest.amounts import amount_text, amount_word
from kpi_pipeline.compute.ingest.cells import Cell
from kpi_pipeline.model.mapping import Amounts
from tests.examples import examples

from .reading import read

CHILE = Amounts(decimal=",", thousands=".")
ENGLISH = Amounts(decimal=".", thousands=",")
SPACED = Amounts(decimal=",", thousands=" ")
SWISS = Amounts(decimal=".", thousands="'")
UNDECLARED = Amounts()


def by(amounts: Amounts) -> Callable[[Cell], str]:
    return lambda cell: amount_text(cell, amounts)


@pytest.mark.parametrize(
    ("written", "plain", "word"),
    [
        ("$ 1.234.567", "1234567", "$"),
        ("$1.234.567", "1234567", "$"),
        ("1.234.567 CLP", "1234567", "CLP"),
        ("US$ 1.234,5", "1234.5", "US$"),
        ("12,5 UF", "12.5", "UF"),
        ("12,5 U.F.", "12.5", "U.F."),
        ("5 pesos chilenos", "5", "pesos chilenos"),
        ("$\xa01.234", "1234", "$"),
        ("€\u202f1.234", "1234", "€"),
        ("(1.234.567)", "-1234567", None),
        ("($ 1.234)", "-1234", "$"),
        ("$ (1.234)", "-1234", "$"),
        ("1.234-", "-1234", None),
        ("1.234 -", "-1234", None),
        ("- 1.234", "-1234", None),
        ("\u22121.234", "-1234", None),
        ("\u20131.234", "-1234", None),
        ("-$ 1.234", "-1234", "$"),
        ("$ -1.234", "-1234", "$"),
        ("$ 1.234.-", "1234", "$"),
        ("1.234,-", "1234", None),
        ("$ 1.234.- ", "1234", "$"),
    ],
)
def test_signs_words_and_spaces_around_an_amount(written: str, plain: str, word: str | None) -> None:
    assert read([written], by(CHILE), amount_word) == [(plain, word)]


@pytest.mark.parametrize(
    "written",
    [
        "(-5)", "--5", "-5-", "(5", "5)", "()", "$", "5 $ 5", "$ 5 CLP", "5 5", "1 234", "$ 1.23", "5%",
        "1/2", "5e", "$ 1e5", "½", "٣", "5 - 3", "1.234-5", "5..-", "M2 5", "#5", "5*",
    ],
)  # fmt: skip
def test_what_is_more_than_an_amount_is_refused(written: str) -> None:
    assert read([written], by(CHILE)) == [None]


@pytest.mark.parametrize(
    ("written", "word"), [("5 e", "e"), ("M$ 5", "M$"), ("USD$5", "USD$"), ("U.F.,5", "U.F.")]
)
def test_a_word_is_handed_on_to_be_compared_with_the_currency(written: str, word: str) -> None:
    assert read([written], amount_word) == [word]


@pytest.mark.parametrize("written", ["850.000", "45.500", "999.999", "-1.234", "$ 850.000", "(850.000)"])
def test_an_amount_of_two_readings_needs_declared_marks(written: str) -> None:
    digits = "".join(char for char in written if char.isdigit() or char == ".")
    minus = "-" if written[0] in "-(" else ""
    undeclared, chile, english = (
        read([written], by(amounts))[0] for amounts in (UNDECLARED, CHILE, Amounts(decimal="."))
    )
    assert undeclared is None
    assert chile == minus + digits.replace(".", "")
    assert english == minus + digits


@pytest.mark.parametrize("written", ["1234.567", "0.500", "850.00", "850.0000", "1.5", "1234567"])
def test_an_amount_of_one_reading_needs_none(written: str) -> None:
    assert read([written], by(UNDECLARED)) == [written]


def grouped(digits: str, mark: str) -> str:
    groups = []
    while digits:
        digits, group = digits[:-3], digits[-3:]
        groups.insert(0, group)
    return mark.join(groups)


STYLES = {
    "plain": ("", "."), "Chile": (".", ","), "English": (",", "."), "spaced": ("\u202f", ","),
    "Swiss": ("\u2019", "."), "plain with comma": ("", ","),
}  # fmt: skip
READERS = [CHILE, ENGLISH, SPACED, SWISS, UNDECLARED, Amounts(decimal="."), Amounts(decimal=",")]
OWN = {
    "plain": Amounts(decimal="."), "Chile": CHILE, "English": ENGLISH, "spaced": SPACED, "Swiss": SWISS,
    "plain with comma": Amounts(decimal=","),
}  # fmt: skip
NEGATIVES = ["-{}", "({})", "{}-", "\u2212{}", "- {}", "-$ {}", "$ ({})", "$ -{}"]
POSITIVES = ["{}", "$ {}", "{} CLP", "$\xa0{}", "{}.-"]
amounts_written = st.tuples(
    st.integers(0, 10**12),
    st.text("0123456789", max_size=4),
    st.booleans(),
    st.integers(0, 7),
    st.sampled_from([*STYLES]),
)


@pytest.mark.slow
@given(st.lists(amounts_written, min_size=1, max_size=50))
@settings(max_examples=examples(20), deadline=None)
def test_each_style_reads_back_in_its_own_marks(cases: list[tuple[int, str, bool, int, str]]) -> None:
    for style, amounts in OWN.items():
        of_style = [case for case in cases if case[-1] == style]
        values = [value_of(*case) for case in of_style]
        texts = [written_as(*case) for case in of_style]
        results = read(texts, by(amounts))
        assert [None if text is None else Decimal(text) for text in results] == values, texts


@given(st.lists(amounts_written, min_size=1, max_size=50))
@settings(max_examples=examples(20), deadline=None)
def test_undeclared_marks_never_read_another_value(cases: list[tuple[int, str, bool, int, str]]) -> None:
    texts = [written_as(*case) for case in cases]
    for case, text, result in zip(cases, texts, read(texts, by(UNDECLARED)), strict=True):
        assert result is None or Decimal(result) == value_of(*case), text


def value_of(whole: int, fraction: str, negative: bool, _form: int, _style: str) -> Decimal:
    value = Decimal(f"{whole}.{fraction}" if fraction else whole)
    return -value if negative else value


def written_as(whole: int, fraction: str, negative: bool, form: int, style: str) -> str:
    thousands, decimal = STYLES[style]
    digits = grouped(str(whole), thousands) + (decimal + fraction if fraction else "")
    forms = NEGATIVES if negative else POSITIVES
    return forms[form % len(forms)].format(digits)
