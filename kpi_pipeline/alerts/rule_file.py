"""The file of rules and the secrets that it names."""

import os
import stat
from collections.abc import Mapping
from dataclasses import dataclass
from importlib import resources
from pathlib import Path
from typing import Final

from kpi_pipeline.model.alerts.parsing import RulesError, parse_rules
from kpi_pipeline.model.alerts.rules import AlertRules
from kpi_pipeline.settings import Settings

RULES_FILE: Final = "alerts.toml"
"""File under KPI_HOME."""

SHIPPED: Final = resources.files("kpi_pipeline.alerts") / RULES_FILE


@dataclass(frozen=True, slots=True)
class RuleFile:
    """The rules, and where secrets are read.

    Attributes:
        rules: What the file says.
        origin: Its path; empty where the shipped rules hold as they are.
    """

    rules: AlertRules
    origin: str = ""

    def addresses(self, route: str, environment: Mapping[str, str] | None = None) -> list[str]:
        """The addresses of a route; never log or show them.

        Raises:
            RulesError: If they are not given, or others can read their file.
        """
        chosen = self.rules.routes[route]
        text = self._secret(f"routes.{route}.url", chosen.url_env, chosen.url_file, environment)
        return text.split()

    def summary_addresses(self, summary: str, environment: Mapping[str, str] | None = None) -> list[str]:
        """The addresses of a summary; never log or show them.

        Raises:
            RulesError: As `addresses`.
        """
        chosen = self.rules.summaries[summary]
        text = self._secret(f"summaries.{summary}.url", chosen.url_env, chosen.url_file, environment)
        return text.split()

    def webhook(self, name: str, environment: Mapping[str, str] | None = None) -> tuple[str, str]:
        """The address and the secret of a webhook; never log or show them.

        Raises:
            RulesError: If they are not given, others can read their file, or the secret can be guessed.
        """
        chosen = self.rules.webhooks[name]
        url = self._secret(f"webhooks.{name}.url", chosen.url_env, chosen.url_file, environment)
        secret = self._secret(f"webhooks.{name}.secret", chosen.secret_env, chosen.secret_file, environment)
        if not url.startswith(("http://", "https://")):
            raise RulesError(f"webhooks.{name}.url: not an address; allowed: http://... or https://...")
        if len(secret) < 16:
            raise RulesError(f"webhooks.{name}.secret: can be guessed; use at least 16 characters")
        return url, secret

    def problems(self) -> list[str]:
        """What is wrong with the secrets that the file names."""
        found = []
        for read, names in (
            (self.addresses, self.rules.routes),
            (self.webhook, self.rules.webhooks),
            (self.summary_addresses, self.rules.summaries),
        ):
            for name in names:
                try:
                    read(name)
                except RulesError as error:
                    found.append(str(error))
        return found

    def _secret(
        self, key: str, variable: str | None, file: str | None, environment: Mapping[str, str] | None
    ) -> str:
        given = os.environ if environment is None else environment
        if variable is not None:
            value, place = given.get(variable, ""), f"the environment variable {variable}"
        else:
            path = Path(self.origin).parent / Path(file or "").expanduser()
            value, place = _private_text(f"{key}_file", path), str(path)
        if not value.strip():
            raise RulesError(f"{key}: {place} is empty or not set")
        return value.strip()


def load_rules(settings: Settings) -> RuleFile:
    """Read the shipped rules and the file that the settings name.

    Raises:
        RulesError: If the file cannot be read or used; the message says where and what to do.
    """
    defaults = SHIPPED.read_text(encoding="utf-8")
    path = settings.alerts_file or settings.home / RULES_FILE
    try:
        text = path.read_text(encoding="utf-8")
    except FileNotFoundError as error:
        if settings.alerts_file is None:
            return RuleFile(parse_rules(defaults, "", RULES_FILE))
        raise RulesError(f"{path}: there is no such file; check KPI_ALERTS_FILE") from error
    except UnicodeDecodeError as error:
        raise RulesError(f"{path}: not UTF-8 text; save the file as UTF-8") from error
    except OSError as error:
        raise RulesError(f"{path}: cannot be read ({error.strerror}); check its permissions") from error
    return RuleFile(parse_rules(defaults, text, str(path)), str(path))


def _private_text(key: str, path: Path) -> str:
    try:
        if stat.S_IMODE(path.stat().st_mode) & 0o077:
            raise RulesError(f"{key}: others can read {path}: run `chmod 600 {path}`")
        return path.read_text(encoding="utf-8")
    except UnicodeDecodeError as error:
        raise RulesError(f"{key}: {path} is not UTF-8 text") from error
    except OSError as error:
        raise RulesError(f"{key}: {path} cannot be read ({error.strerror})") from error
