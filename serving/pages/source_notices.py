"""What readers should know of the source: what was not read of it, and a reading that is held."""

from kpi_pipeline.model.labels import Counted
from kpi_pipeline.model.readings import Fall, RowReport, SourceReadings
from serving.pages.writing import Writer


def failing_notice(readings: SourceReadings, checked_at: float, writer: Writer) -> str:
    """That the source cannot be read, and of when the figures of a page are; empty where it can.

    Args:
        readings: Of the source.
        checked_at: When the source last gave the figures, in seconds since the epoch.
        writer: Of the page.
    """
    if readings.failing_since is None:
        return ""
    moment = writer.formats.moment
    return writer.texts["source_failing"].format(
        since=moment(readings.failing_since), checked=moment(checked_at)
    )


def held_notice(readings: SourceReadings, writer: Writer) -> str:
    """Why the latest reading of the source is not what a page shows; empty where it is."""
    if readings.held is None:
        return ""
    if not readings.held.falls:
        return writer.texts["source_held_refused"]
    falls = "; ".join(_fall(fall, writer) for fall in readings.held.falls)
    return writer.texts["source_held"].format(falls=falls)


def refused_notices(readings: SourceReadings, writer: Writer) -> list[str]:
    """What of the source is not in the figures, in rows and in money; a sentence for each kind of rows."""
    accepted = readings.accepted
    if accepted is None:
        return []
    kinds = (("certificates", accepted.certificates), ("costs", accepted.costs))
    return [_refused(kind, report, writer) for kind, report in kinds if report.refused_text()]


def _refused(kind: str, report: RowReport, writer: Writer) -> str:
    texts, formats = writer.texts, writer.formats
    money = "".join(
        texts["source_refused_amount"].format(share=formats.share(share), currency=currency)
        for currency, share in report.refused_amount_shares.items()
    )
    sentence = texts[f"source_refused_{kind}"].format(
        count=Counted(formats.count(report.refused)), share=formats.share(report.refused_share), money=money
    )
    if report.unreadable:
        unknown = texts["source_refused_unknown"].format(count=Counted(formats.count(report.unreadable)))
        return f"{sentence} {unknown}"
    return sentence


def _fall(fall: Fall, writer: Writer) -> str:
    name = f"source_fall_{fall.what}{'_amount' if fall.currency else ''}"
    return writer.texts[name].format(share=writer.formats.share(fall.share), currency=fall.currency)
