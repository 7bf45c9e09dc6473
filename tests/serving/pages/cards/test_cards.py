"""Cards: what stands on them for every kind of KPI, with and without a comparison."""

from zoneinfo import ZoneInfo

import pytest

from kpi_pipeline.model.dimensions import NOT_OF_COSTS
from serving.catalogue import Catalogue
from serving.pages.cards.cards import (
    Card,
    CardGroup,
    card_groups,
    comparison_text,
    definitions,
    lacking_costs,
    window_text,
)
from serving.pages.cards.values import CardContext
from serving.pages.formats import Formats
from serving.pages.published.figures import read_figures
from serving.pages.writing import Writer, writer_for


@pytest.fixture
def catalogue(catalogue_of) -> Catalogue:
    """One of a firm that has set its targets."""
    stored = catalogue_of()
    return Catalogue.model_validate({**stored, "kpis": [{**one, "is_set": True} for one in stored["kpis"]]})


@pytest.fixture
def writer(catalogue) -> Writer:
    return Writer("en", Formats("en", {"CLP": 0, "USD": 2}, ZoneInfo("UTC")), catalogue)


@pytest.fixture
def cards_of(catalogue, writer, data_of):
    """The cards of a page that has no leading figures, by their KPI, after a change of the payload."""

    def make(page_name: str, selection=None, currencies=("CLP",), **kpi_values) -> dict[str, Card]:
        named = next(one for one in catalogue.pages if one.name == page_name)
        page = named.model_copy(update={"leads": []})
        data = data_of(page.product, currencies=currencies)
        for name, changes in kpi_values.items():
            data["kpis"][name][0] |= changes
        context = CardContext(read_figures(data, page, catalogue), selection or {}, writer)
        (group,) = card_groups(page, context)
        assert group.heading == ""
        found = group.cards
        assert [card.name for card in found] == page.kpis
        return {card.name: card for card in found}

    return make


@pytest.fixture
def leading_of(catalogue, writer, data_of):
    """The leading cards of a page, after a change of the payload."""

    def make(page_name: str, currencies=("CLP",), **changes) -> dict[str, Card]:
        page = next(one for one in catalogue.pages if one.name == page_name)
        data = data_of(page.product, currencies=currencies) | changes
        leads, compact = card_groups(page, CardContext(read_figures(data, page, catalogue), {}, writer))
        assert leads.leads
        assert not compact.leads
        return {card.name: card for card in leads.cards}

    return make


def texts_of(card: Card) -> list[str]:
    return [plain(part.text) for part in card.parts]


def test_the_leading_figures_have_their_parts(leading_of) -> None:
    shown = leading_of("manager")
    assert list(shown) == ["receivable", "expected", "dso"]
    assert texts_of(shown["receivable"]) == [
        "Overdue: CLP 1,234 M (21 certificates)",
        "Overdue share: 34.6%",
    ]
    assert plain(shown["dso"].figures[0].target.text) == "Target 35 days: met"
    several = leading_of("manager", currencies=("CLP", "USD"))
    assert texts_of(several["receivable"])[0] == "Overdue: CLP 1,234 M · USD 12.3 M"


def test_what_is_expected_has_its_band_and_says_of_what_it_is(leading_of, data_of) -> None:
    shown = leading_of("manager")["expected"]
    assert (shown.label, plain(shown.figures[0].text)) == ("Expected in 30 days", "CLP 66.0 M")
    assert plain(shown.figures[0].secondary) == "Through Jul 28; 90% interval: 33.0 M to 99.0 M"
    assert texts_of(shown) == ["Only what is already issued", "Interval held 91.0% of the time"]
    several = leading_of("manager", currencies=("CLP", "USD"))["expected"]
    assert texts_of(several)[1:] == [f"{code}: Interval held 91.0% of the time" for code in ("CLP", "USD")]
    (line,) = data_of("dashboards")["expected"]
    unmeasured = leading_of("manager", expected=[{**line, "coverage_90": None}])["expected"]
    assert texts_of(unmeasured) == ["Only what is already issued"]
    nothing = leading_of("manager", expected=[])["expected"]
    assert (nothing.label, nothing.figures[0].secondary) == (
        "Expected in 30 days",
        "There is no forecast yet",
    )
    assert nothing.parts == ()


@pytest.mark.parametrize("count", range(2, 40))
def test_no_row_of_cards_has_a_single_one(count) -> None:
    across = CardGroup("", [Card("one", "One", "", [])] * count).across
    assert across <= 5
    assert count % across != 1


def test_a_target_that_is_not_set_has_no_card(catalogue_of, data_of) -> None:
    stored = catalogue_of()
    stored["kpis"] = [{**one, "is_set": one["name"] != "monthly_target"} for one in stored["kpis"]]
    known = Catalogue.model_validate(stored)
    page = next(one for one in known.pages if one.name == "cash_flow")
    context = CardContext(
        read_figures(data_of(page.product), page, known), {}, writer_for("en", known, "UTC")
    )
    names = {card.name for group in card_groups(page, context) for card in group.cards}
    assert "annual_target" in names
    assert "monthly_target" not in names
    (reference,) = (one for one in known.pages if one.name == known.reference)
    defined = {name for name, *_ in definitions(reference, writer_for("en", known, "UTC"))}
    assert "annual_target" in defined
    assert "monthly_target" not in defined


def test_one_page_explains_every_kpi(catalogue, writer) -> None:
    explained = {page.name: definitions(page, writer) for page in catalogue.pages}
    assert [name for name, found in explained.items() if found] == ["indicators"]
    by_name = {name: (label, meaning, target) for name, label, meaning, target in explained["indicators"]}
    assert set(by_name) == {kpi.name for kpi in catalogue.kpis}
    assert plain(by_name["dso"][2]) == "Target: 35 days."
    assert all(label and meaning for label, meaning, _ in by_name.values())


def plain(text: str) -> str:
    return text.replace("\xa0", " ")


def test_a_change_is_written_in_its_unit(cards_of) -> None:
    shown = cards_of(
        "manager",
        dso={"value": 34.5, "previous": 37.7, "change": -3.2, "change_share": -0.1, "trend": "improving"},
        approval_rate={"value": 0.934, "previous": 0.922, "change": 0.012, "change_share": 0.1},
        proposed={"change": -5, "change_share": -0.25},
        receivable={"change": 7_000_000, "change_share": None},
        overdue={"change": 0, "change_share": 0.0, "trend": "stable"},
        paid={"change": None, "change_share": None, "trend": None},
    )
    changes = {name: card.figures[0].change for name, card in shown.items()}
    assert (changes["dso"].way, plain(changes["dso"].text), changes["dso"].trend) == (
        "down",
        "3.2 days",
        "improving",
    )
    assert plain(changes["approval_rate"].text) == "1.2 points"
    assert (changes["proposed"].way, plain(changes["proposed"].text)) == ("down", "25.0%")
    assert plain(changes["receivable"].text) == "CLP 7.0 M"  # nothing before: no part of it
    assert (changes["overdue"].way, changes["overdue"].trend) == ("level", "stable")
    assert changes["paid"] is None


def test_a_change_that_is_rounded_to_nothing_has_no_direction(cards_of) -> None:
    shown = cards_of(
        "manager",
        dso={"value": 34.5, "previous": 34.54, "change": -0.04, "trend": "stable"},
        approval_rate={"value": 0.9344, "previous": 0.934, "change": 0.0004, "trend": "stable"},
        acceptance_days={"value": 9.06, "previous": 9.0, "change": 0.06, "trend": "stable"},
        proposed={"change": 30, "change_share": 0.0004},
    )
    ways = {name: shown[name].figures[0].change.way for name in ("dso", "approval_rate", "proposed")}
    assert ways == {"dso": "level", "approval_rate": "level", "proposed": "level"}
    assert shown["acceptance_days"].figures[0].change.way == "up"


@pytest.mark.parametrize(
    ("value", "previous", "shown", "before", "text"),
    [
        (0.9526, 0.9549, "95.3%", "95.5%", "0.2 points"),
        (0.95249, 0.95551, "95.2%", "95.6%", "0.4 points"),
        (0.0, 1.0, "0.0%", "100.0%", "100.0 points"),
        (0.9525, 0.9535, "95.2%", "95.4%", "0.2 points"),
    ],
)
def test_a_change_of_a_share_is_the_difference_of_the_shares_shown(
    cards_of, value, previous, shown, before, text
) -> None:
    moved = {"value": value, "previous": previous, "change": value - previous}
    figure = cards_of("manager", approval_rate=moved)["approval_rate"].figures[0]
    assert (figure.text, plain(figure.change.text)) == (shown, text)
    assert before in figure.change.values


@pytest.mark.parametrize(
    ("value", "previous", "shown", "before", "text"),
    [
        (34.26, 34.54, "34.3", "34.5", "0.2 days"),
        (34.249, 35.251, "34.2", "35.3", "1.1 days"),
        (30, 28, "30", "28", "2 days"),
        (1.04, 0.0, "1.0", "0.0", "1.0 days"),
    ],
)
def test_a_change_of_days_is_the_difference_of_the_days_shown(
    cards_of, value, previous, shown, before, text
) -> None:
    figure = cards_of("manager", dso={"value": value, "previous": previous, "change": value - previous})[
        "dso"
    ].figures[0]
    assert (figure.text, plain(figure.change.text)) == (shown, text)
    assert before in figure.change.values


def test_a_quotient_is_written_in_its_own_units(cards_of) -> None:
    flow, analytics = cards_of("cash_flow"), cards_of("analytics")
    secondary = {name: plain(card.figures[0].secondary) for name, card in (flow | analytics).items()}
    assert secondary["dso"] == "CLP 432 M ÷ CLP 4,562 M \N{MULTIPLICATION SIGN} 364 days"
    assert secondary["receivable_age"] == "CLP 432 M \N{MULTIPLICATION SIGN} days ÷ CLP 4,562 M"
    assert secondary["dso_count_back"] == "CLP 432 M in receivables"
    assert secondary["late_days"] == "432,000,000 days ÷ 4,562,000,000 certificates"
    assert secondary["average_certificate"] == "CLP 432 M ÷ 4,562,000,000 certificates"
    assert secondary["client_concentration"] == ""
    assert secondary["payment_days_median"] == ""


def test_nouns_agree_with_what_is_divided(cards_of) -> None:
    shown = cards_of("cash_flow", late_days={"numerator": 1, "denominator": 1})
    assert shown["late_days"].figures[0].secondary == "1 day ÷ 1 certificate"


def test_amounts_tell_the_sign_of_their_currency_apart(cards_of) -> None:
    shown = cards_of("manager", currencies=("CLP", "USD"))
    assert [one.symbol for one in shown["proposed"].figures] == ["CLP", "USD"]
    assert all(one.text.startswith(f"{one.symbol}\xa0") for one in shown["proposed"].figures)
    assert [one.symbol for one in shown["dso"].figures] == ["", ""]


def test_targets_are_met_from_the_good_side(cards_of) -> None:
    met = cards_of("cash_flow", dso={"value": 35.0}, monthly_target={"value": 1.25})
    missed = cards_of("cash_flow", dso={"value": 35.1}, monthly_target={"value": 0.99})
    assert plain(met["dso"].figures[0].target.text) == "Target 35 days: met"
    assert plain(missed["dso"].figures[0].target.text) == "Target 35 days: not met"
    assert met["monthly_target"].figures[0].target.is_met
    assert not missed["monthly_target"].figures[0].target.is_met
    assert met["paid"].figures[0].target is None


def test_no_value_says_why(cards_of) -> None:
    nothing = {"value": None, "change": None, "change_share": None, "trend": None, "spark": [None] * 12}
    free = cards_of("costs", costs=nothing)["costs"].figures[0]
    assert (free.text, free.secondary, free.spark) == ("\N{EM DASH}", "No data", None)
    for name in NOT_OF_COSTS:
        filtered = cards_of("costs", {name: ["x"]}, costs=nothing)["costs"].figures[0]
        assert filtered.secondary == "No costs under this filter"
    assert cards_of("costs", currencies=())["costs"].figures[0].secondary == "No data"


def test_amounts_of_one_currency_have_their_number_of_certificates(cards_of) -> None:
    assert cards_of("manager")["proposed"].figures[0].secondary == "21 certificates"
    assert cards_of("manager", certificates={"value": 1})["proposed"].figures[0].secondary == "1 certificate"
    several = cards_of("manager", currencies=("CLP", "USD"))
    assert [one.secondary for one in several["proposed"].figures] == ["", ""]
    # Money tells its currency itself; a number of days does not.
    assert [one.currency for one in several["proposed"].figures] == ["", ""]
    assert [one.currency for one in several["dso"].figures] == ["CLP", "USD"]


def test_many_cards_stand_under_the_headings_of_the_catalogue(catalogue, writer, data_of) -> None:
    page = next(one for one in catalogue.pages if one.product == "kpis")
    groups = card_groups(page, CardContext(read_figures(data_of("kpis"), page, catalogue), {}, writer))
    assert [group.heading for group in groups] == ["Amounts", "Times", "Quality and risk", "Costs and margin"]
    assert [card.name for group in groups for card in group.cards] == page.kpis


def test_a_page_that_shows_no_costs_lacks_none(catalogue, writer, data_of) -> None:
    figures = read_figures(data_of("dashboards"), catalogue.pages[0], catalogue)
    of_state, of_client = (
        CardContext(figures, selection, writer) for selection in ({"state": ["pagado"]}, {"client": ["x"]})
    )
    lacking = {page.name: lacking_costs(page, of_state) for page in catalogue.pages}
    assert {name for name, text in lacking.items() if text} == {"cash_flow", "costs", "indicators"}
    assert not any(lacking_costs(page, of_client) for page in catalogue.pages)


@pytest.mark.parametrize(
    ("head", "text"),
    [
        (
            {"comparison": {"day": "2024-06-30", "previous_day": "2023-06-30"}},
            "",
        ),
        (
            {"comparison": None, "cohort": {"certificates": 2000, "open": 1234}},
            "Billing months: their figures can still change; 1,234 certificates are open.",
        ),
        (
            {"comparison": None, "cohort": {"certificates": 2000, "open": 1}},
            "Billing months: their figures can still change; 1 certificate is open.",
        ),
        (
            {"comparison": None, "cohort": {"certificates": 2000, "open": 0}},
            "Billing months: all of their certificates are settled.",
        ),
        (
            {"comparison": None, "cohort": {"certificates": 0, "open": 0}},
            "Billing months: there are no certificates under this filter.",
        ),
        (
            {"comparison": None},
            "No changes to show: the data do not reach back to the day of comparison.",
        ),
    ],
)
def test_the_comparison_is_written_once(head, text, catalogue, writer, data_of) -> None:
    data = {**data_of("dashboards"), **head}
    page = catalogue.pages[0]
    assert comparison_text(page, read_figures(data, page, catalogue), writer) == text


def test_the_days_of_the_window_are_named_where_cards_sum_it(catalogue, writer, data_of) -> None:
    data, page = data_of("dashboards"), catalogue.pages[0]
    assert window_text(page, read_figures(data, page, catalogue), writer) == (
        "“12 months” runs from Jun 29, 2023 to Jun 28, 2024; charts sum calendar months."
    )
    of_months = {**data, "cohort": {"certificates": 2000, "open": 0}}
    assert window_text(page, read_figures(of_months, page, catalogue), writer) == ""


def test_a_day_that_the_data_do_not_reach_compares_nothing(catalogue, writer, data_of) -> None:
    data, page = data_of("dashboards"), catalogue.pages[0]
    for name in page.kpis:
        for one in data["kpis"][name]:
            one |= {"previous": None, "change": None, "change_share": None, "trend": None}
    text = comparison_text(page, read_figures(data, page, catalogue), writer)
    assert text == "No changes to show: the data do not reach back to the day of comparison."
    # One of a stock may still compare.
    data["kpis"]["receivable"][0]["previous"] = 7
    assert comparison_text(page, read_figures(data, page, catalogue), writer) == ""


def test_a_card_says_what_it_covers(cards_of) -> None:
    shown = cards_of("manager")
    assert shown["proposed"].period == "12 months"
    assert shown["receivable"].period == "as of Jun 28"
    assert shown["dso"].period == ""  # both, and more
    assert cards_of("costs")["costs_pending"].period == "as of Jun 28"
    assert cards_of("analytics")["growth_month"].period == ""  # its name says it


@pytest.mark.parametrize(("months", "text"), [(1, "1 month"), (6, "6 months")])
def test_a_window_is_as_long_as_it_was_set(months, text, catalogue_of, data_of) -> None:
    known = Catalogue.model_validate(catalogue_of(window_months=months))
    writer, page = writer_for("en", known, "UTC"), known.pages[0]
    *_, group = card_groups(page, CardContext(read_figures(data_of(page.product), page, known), {}, writer))
    assert {card.name: card.period for card in group.cards}["proposed"] == text


def test_cards_of_billing_months_cover_these_months(catalogue, writer, data_of) -> None:
    page = catalogue.pages[0]
    data = data_of(page.product) | {"comparison": None, "cohort": {"certificates": 2000, "open": 3}}
    context = CardContext(read_figures(data, page, catalogue), {"month": ["2024-03"]}, writer)
    periods = {card.name: card.period for group in card_groups(page, context) for card in group.cards}
    assert (periods["proposed"], periods["receivable"]) == ("of the chosen months", "")


def test_a_change_names_both_values_and_their_days(cards_of) -> None:
    shown = cards_of(
        "manager",
        dso={"previous": 1.0},
        proposed={"previous": 987_000_000},
        approval_rate={"previous": 0.5},
        overdue={"previous": None, "change": None, "change_share": None, "trend": None},
    )
    values = {name: plain(one.values) for name, card in shown.items() if (one := card.figures[0].change)}
    assert values["dso"] == "Jun 28: 34.6 ← 1.0, Jun 28, 2023"
    assert values["proposed"] == "Jun 28: 1,234 M ← 987 M, Jun 28, 2023"
    assert values["approval_rate"] == "Jun 28: 93.4% ← 50.0%, Jun 28, 2023"
    assert "overdue" not in values


@pytest.mark.parametrize("name", ["month", "state", "issued_age"])
def test_a_part_that_is_better_or_worse_by_nature_has_no_target(name, cards_of) -> None:
    assert cards_of("cash_flow")["dso"].figures[0].target is not None
    assert cards_of("cash_flow", {"client": ["x"]})["dso"].figures[0].target is not None
    assert cards_of("cash_flow", {name: ["x"]})["dso"].figures[0].target is None
