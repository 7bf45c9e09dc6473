"""The values of a filter as HTML. A form has hundreds: here they take half of a template's time."""

from collections.abc import Mapping

from markupsafe import Markup

from serving.pages.filters.form import Choice, Option
from serving.pages.templates import written


def option_list(choice: Choice, texts: Mapping[str, str]) -> Markup:
    """The values of a choice, each with a box.

    Args:
        choice: The values.
        texts: Those of pages, by name.
    """
    name = written(choice.name)
    note = f' <span class="option-note">({written(texts["included"])})</span>'
    options = "".join(_option(option, name, note) for option in choice.options)
    # Every text in it is escaped.
    return Markup(  # noqa: S704
        f'<fieldset>\n  <legend class="unseen">{written(choice.label)}</legend>\n'
        f'  <ul class="option-list" id="options-{name}" data-scrolls>\n{options}  </ul>\n</fieldset>\n'
    )


def _option(option: Option, name: str, note: str) -> str:
    checked = " checked" if option.chosen or option.included else ""
    disabled = " disabled" if option.impossible or option.included else ""
    return (
        f'    <li><label class="option"><input type="checkbox" name="{name}" value="{written(option.value)}"'
        f'{checked}{disabled}><span class="option-label">{written(option.label)}'
        f"{note if option.included else ''}</span> "
        f'<span class="option-count">{written(option.count)}</span></label></li>\n'
    )
