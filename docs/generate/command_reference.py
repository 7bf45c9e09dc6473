"""The reference of the `kpi` command, generated from its help."""

import inspect
from typing import Any

import typer

from docs.generate.markdown import generated_from, prose, table
from kpi_pipeline.cli.app import app


def page() -> str:
    """The page, in Markdown."""
    group: Any = typer.main.get_command(app)
    sections = [f"# Commands\n\n{generated_from('kpi_pipeline/cli')}\n\n{inspect.cleandoc(group.help)}\n"]
    for name, command in commands_of(group).items():
        sections.append(f"## `kpi {name}`\n\n{inspect.cleandoc(command.help)}\n")
        rows = [
            (" ".join(f"`{option}`" for option in _names(parameter)), prose(parameter.help or ""))
            for parameter in command.params
            if parameter.name != "help"
        ]
        if rows:
            sections.append(table(("Argument or option", "Meaning"), rows))
    return "\n".join(sections)


def commands_of(group: Any) -> dict[str, Any]:
    """Every command by its words after `kpi`, those of groups included."""
    named: dict[str, Any] = {}
    for name, command in group.commands.items():
        within = commands_of(command) if hasattr(command, "commands") else {}
        named.update({f"{name} {inner}": found for inner, found in within.items()} or {name: command})
    return named


def _names(parameter: Any) -> list[str]:
    return list(parameter.opts) if parameter.param_type_name == "option" else [parameter.name.upper()]
