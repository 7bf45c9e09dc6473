"""The policy file: which scopes there are, and who is in which."""

import tomllib
from pathlib import Path

from pydantic import ValidationError

from kpi_pipeline.model.scopes import Policy, PolicyFile
from kpi_pipeline.model.toml.faults import Origin, faults_of
from kpi_pipeline.model.toml.places import places_of
from kpi_pipeline.model.toml.syntax import syntax_fault


class PolicyError(ValueError):
    """A policy file that cannot be used; the message says where and what to do."""


def load_policy(path: Path) -> Policy:
    """Read a policy file.

    Raises:
        PolicyError: If the file cannot be read or used; names each place, what was found there and what is
            allowed.
    """
    try:
        text = path.read_text(encoding="utf-8")
    except FileNotFoundError as error:
        raise PolicyError(f"{path}: there is no such file; check KPI_POLICY") from error
    except UnicodeDecodeError as error:
        raise PolicyError(f"{path}: not UTF-8 text; save the file as UTF-8") from error
    except OSError as error:
        raise PolicyError(f"{path}: cannot be read ({error.strerror}); check its permissions") from error
    return parse_policy(text, str(path))


def parse_policy(text: str, origin: str) -> Policy:
    """Read a policy of its text; raises as `load_policy` does.

    Args:
        text: The file's, as TOML.
        origin: Its name, for messages.
    """
    try:
        given = tomllib.loads(text)
    except tomllib.TOMLDecodeError as error:
        line, sentence = syntax_fault(text, error, lambda _: True)
        raise PolicyError(f"{origin} line {line}: {sentence}") from None
    try:
        return PolicyFile.model_validate(given).policy()
    except ValidationError as error:
        written = Origin(origin, places_of(text))
        faults = faults_of(error.errors(), given, PolicyFile)
        in_order = sorted(faults, key=lambda fault: written.places.line_of(fault.path) or 0)
        raise PolicyError("\n".join(dict.fromkeys(map(written.as_text, in_order)))) from None
