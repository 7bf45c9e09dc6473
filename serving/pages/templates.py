"""The templates of pages: compiled ahead, and written out without an object for each value.

Jinja makes an object of every value that it writes, only to join them: a page writes five thousand. Here a
value becomes the same text without that. What a template writes is otherwise that of Jinja.
"""

import re
from collections.abc import Callable, MutableMapping
from types import CodeType
from typing import Any, Final

from flask import Flask
from jinja2 import Environment, StrictUndefined, Template
from markupsafe import escape

_SPECIAL: Final = re.compile("[&<>'\"]").search
_ESCAPE: Final = "escape"
"""What compiled templates call it."""


class PageTemplate(Template):
    """A template that writes values by `written`."""

    @classmethod
    def from_code(
        cls,
        environment: Environment,
        code: CodeType,
        globals: MutableMapping[str, Any],  # noqa: A002 - the name is Jinja's
        uptodate: Callable[[], bool] | None = None,
    ) -> Template:
        """A template of its compiled code."""
        template = super().from_code(environment, code, globals, uptodate)
        template.root_render_func.__globals__[_ESCAPE] = written
        return template


def written(value: Any) -> str:
    """A value as a page has it: what `markupsafe.escape` makes of it, as plain text."""
    if type(value) is str:
        return value if _SPECIAL(value) is None else escape(value)
    if type(value) is float or type(value) is int:
        return str(value)
    return escape(value)


def register_templates(app: Flask, **names: Any) -> None:
    """Let an application write pages.

    Args:
        app: The application.
        names: What every template may use.
    """
    environment = app.jinja_env
    environment.template_class = PageTemplate
    environment.undefined = StrictUndefined
    environment.trim_blocks = environment.lstrip_blocks = True
    environment.globals.update(names)


def compile_templates(app: Flask) -> None:
    """Compile every template now: the first reader of a page need not wait for that."""
    for name in app.jinja_env.list_templates():
        app.jinja_env.get_template(name)
