"""Values in templates: what markupsafe makes of them, whatever they are."""

import jinja2
import pytest
from hypothesis import given
from hypothesis import strategies as st
from jinja2 import UndefinedError
from markupsafe import Markup, escape

from serving.pages.templates import PageTemplate, written


@given(
    st.one_of(st.text(), st.text("&<>\"'a", max_size=9), st.integers(), st.floats(), st.booleans(), st.none())
)
def test_a_value_is_written_as_markupsafe_escapes_it(value) -> None:
    assert written(value) == str(escape(value))
    assert written(Markup(value)) == str(escape(Markup(value)))


def test_templates_of_this_version_of_jinja_write_by_it() -> None:
    """Compiled templates take their `escape` from their own module: another version may do otherwise."""
    assert jinja2.__version__.startswith("3.1.")
    environment = jinja2.Environment(autoescape=True, undefined=jinja2.StrictUndefined)
    environment.template_class = PageTemplate
    source = (
        "{% macro bold(text) %}<b>{{ text }}</b>{% endmacro %}"
        "{{ bold(name) }}{{ bold(name) | trim }}{% set both = name ~ '<' %}{{ both }}{{ 1.5 }}"
    )
    expected = jinja2.Environment(autoescape=True).from_string(source).render(name="<i>&")
    template = environment.from_string(source)
    assert template.root_render_func.__globals__["escape"] is written
    assert template.render(name="<i>&") == expected
    with pytest.raises(UndefinedError):
        template.render()
