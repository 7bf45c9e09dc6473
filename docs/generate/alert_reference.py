"""The reference of the rules of alerts, generated from their kinds and the shipped file."""

from docs.generate.markdown import generated_from, prose, table
from kpi_pipeline.alerts.rule_file import SHIPPED
from kpi_pipeline.model.alerts.parsing import parse_rules
from kpi_pipeline.model.alerts.rule_kind import Group
from kpi_pipeline.model.alerts.rules import Rule

_SECTIONS = {
    Group.OPERATIONAL: (
        "On the system",
        'For those who run it: sent to routes that name this group, `groups = ["operational"]`.',
    ),
    Group.BUSINESS: (
        "On the figures",
        'For readers: `groups = ["business"]`, which is also what a route gets that names no group.',
    ),
}


def page() -> str:
    """The page, in Markdown."""
    rules = parse_rules(SHIPPED.read_text(encoding="utf-8"), "", "shipped").rules
    sections = [
        f"# Rules of alerts\n\n{generated_from('kpi_pipeline/model/alerts/kinds.py')}\n\n"
        "The rules that hold unless your file says otherwise. [Alerts](../alerts.md) explains the file.\n"
    ]
    for group, (title, receivers) in _SECTIONS.items():
        rows = [
            (f"`{name}`", prose(rule.of.meaning.en), rule.severity.value, *_limits(rule), _conditions(rule))
            for name, rule in rules.items()
            if rule.of.group is group
        ]
        heads = (
            "Rule",
            "Fires on",
            "Severity",
            "Threshold",
            "Clear",
            "For",
            "Clear for",
            "Reminder",
            "Conditions",
        )
        sections.append(f"## {title}\n\n{receivers}\n\n{table(heads, rows)}")
    return "\n".join(sections)


def _limits(rule: Rule) -> tuple[str, str, str, str, str]:
    kind = rule.of
    threshold = clear = ""
    if kind.measure is not None:
        unit = rule.currency or kind.measure.value
        given = "the target" if rule.threshold is None else f"{rule.threshold:,g}"
        threshold = f"{'from' if kind.name == 'idle' else 'above'} {given} ({unit})"
        clear = "" if rule.clear is None else f"{rule.clear:g}"
    return threshold, clear, *map(_duration, (rule.hold_s, rule.clear_for_s, rule.remind_s))


def _duration(seconds: int) -> str:
    for unit, length in (("d", 86_400), ("h", 3600), ("m", 60)):
        if seconds and seconds % length == 0:
            return f"{seconds // length}{unit}"
    return f"{seconds}s" if seconds else ""


def _conditions(rule: Rule) -> str:
    return ", ".join(f"`{condition.name}`" for condition in rule.of.conditions)
