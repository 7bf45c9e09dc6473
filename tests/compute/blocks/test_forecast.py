"""The forecast of a variant: months, amounts that add up, bands, and what widens them."""

from datetime import date, timedelta

from kpi_pipeline.compute.blocks.forecast import forecast

NAMES = ("expected", "low_50", "high_50", "low_90", "high_90")


def history(clients: int = 1):
    """Clients that paid after 20 to 99 days, and who owe now."""
    start = date(2023, 6, 1)
    paid = [
        {
            "client": f"C{number % clients}",
            "state": "pagado",
            "issued_on": start + timedelta(number),
            "paid_on": start + timedelta(number + 20 + number * 7 % 80),
            "amount_proposed": 10**6,
            "amount_approved": 10**6,
        }
        for number in range(120)
    ]
    open_now = [
        {"client": f"C{number % clients}", "issued_on": date(2024, 2, 1 + number), "amount_proposed": 10**6}
        for number in range(20)
    ]
    return paid + open_now


def test_what_is_expected_later_or_unknown_adds_up_to_the_receivable(slice_of) -> None:
    everything, one = forecast(slice_of({}, {"client": "C1"}, certificates=history(3), costs=()))
    assert (everything["months"][0], everything["months"][-1]) == ("2024-03", "2025-02")
    for found in (everything, one):
        (line,) = found["lines"]
        assert sum(line["expected"]) + line["later"] + line["unknown"] == line["receivable"] > 0
        assert sum(line["expected"]) > 0
    assert everything["lines"][0]["receivable"] == 20 * 10**6


def test_bands_hold_what_is_expected_and_the_wider_holds_the_narrower(slice_of) -> None:
    ((found),) = forecast(slice_of(certificates=history(), costs=()))
    (line,) = found["lines"]
    for expected, low_50, high_50, low_90, high_90 in zip(*(line[name] for name in NAMES), strict=True):
        assert 0 <= low_90 <= low_50 <= expected <= high_50 <= high_90 <= line["receivable"]
    assert line["low_90"][0] < line["low_50"][0] < line["high_50"][0] < line["high_90"][0]


def test_dispersion_widens_the_bands_of_its_currency(slice_of) -> None:
    given = {"certificates": history(), "costs": ()}
    (plain,) = forecast(slice_of(**given, dispersion={}))
    (wide,) = forecast(slice_of(**given, dispersion={"CLP": [4.0] * 12, "USD": [9.0] * 12}))
    assert plain["dispersion"] == {"CLP": [1.0] * 12}
    assert wide["dispersion"] == {"CLP": [4.0] * 12}
    assert wide["lines"][0]["expected"] == plain["lines"][0]["expected"]
    assert wide["lines"][0]["high_50"][0] > plain["lines"][0]["high_50"][0]


def test_without_payments_everything_is_unknown(slice_of) -> None:
    row = {"issued_on": date(2024, 1, 1), "amount_proposed": 70}
    (found,) = forecast(slice_of({"client": "x"}, certificates=[row], costs=()))
    (line,) = found["lines"]
    assert sum(line["expected"]) + line["later"] + line["unknown"] == line["receivable"] == 70
