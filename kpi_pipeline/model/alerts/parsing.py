"""Reading the file of rules: the user's over the defaults, each fault with its place."""

import re
import tomllib
from collections.abc import Mapping
from typing import Any, Final

from pydantic import ValidationError

from kpi_pipeline.model.alerts.rules import AlertRules, QuietHours, Route, Rule, Summary, Webhook
from kpi_pipeline.model.toml.faults import Origin, faults_of
from kpi_pipeline.model.toml.places import places_of
from kpi_pipeline.model.toml.syntax import syntax_fault

_SECRETS: Final = frozenset({"url", "url_env", "url_file", "secret", "secret_env", "secret_file"})
"""Keys whose values are never shown: somebody may have written the secret itself there."""

_SHOWN: Final = {
    field_info.alias or name
    for table in (Rule, Route, Webhook, Summary, QuietHours)
    for name, field_info in table.model_fields.items()
} - _SECRETS
"""Keys whose values may be shown."""


class RulesError(ValueError):
    """A file of rules that cannot be used; the message says where and what to do."""


def parse_rules(defaults: str, text: str, origin: str) -> AlertRules:
    """Read a file of rules. Each key of it replaces that of the defaults.

    Args:
        defaults: The file shipped with the package, as TOML.
        text: The user's file, as TOML; empty for none.
        origin: Its name, for messages.

    Raises:
        RulesError: If the text is no TOML or a value is not allowed; names each place, what was found there
            and what is allowed. What may be a secret is never shown.
    """
    try:
        given = tomllib.loads(text)
    except tomllib.TOMLDecodeError as error:
        line, sentence = syntax_fault(text, error, _may_show)
        raise RulesError(f"{origin} line {line}: {sentence}") from None
    merged = _merged(tomllib.loads(defaults), given)
    rules = merged.get("rules")
    if isinstance(rules, dict):
        named = {
            name: {"kind": name, **rule} if isinstance(rule, dict) else rule for name, rule in rules.items()
        }
        merged = {**merged, "rules": named}
    try:
        return AlertRules.model_validate(merged)
    except ValidationError as error:
        written = Origin(origin, places_of(text))
        faults = faults_of(error.errors(), merged, AlertRules, _SECRETS)
        in_order = sorted(faults, key=lambda fault: written.places.line_of(fault.path) or 0)
        raise RulesError("\n".join(dict.fromkeys(map(written.as_text, in_order)))) from None


def _merged(defaults: Mapping[str, Any], given: Mapping[str, Any]) -> dict[str, Any]:
    merged = dict(defaults)
    for key, value in given.items():
        before = merged.get(key)
        both = isinstance(before, dict) and isinstance(value, dict)
        merged[key] = _merged(before, value) if both else value  # type: ignore[arg-type]
    return merged


def _may_show(line: str) -> bool:
    """Whether a line of the file holds no secret: a heading, or a key whose value is none."""
    if line.startswith("["):
        return True
    key = re.match(r"\"?([A-Za-z_]+)\"?\s*[=:]", line)
    return key is not None and key[1] in _SHOWN
