"""The values of a filter as HTML: nothing in a text ends it, and boxes show what is chosen."""

import re

from serving.pages.filters.form import Choice, Option
from serving.pages.filters.html import option_list
from serving.pages.texts import texts_in

HOSTILE = "\"><script>alert(1)</script>&'"


def test_every_text_is_escaped() -> None:
    option = Option(HOSTILE, HOSTILE, HOSTILE, chosen=False)
    text = option_list(Choice(HOSTILE, HOSTILE, [option], "", None), {"included": HOSTILE})
    assert "<script>" not in text
    assert text.count("&lt;script&gt;") == 2 + 4


def test_boxes_are_checked_and_disabled() -> None:
    options = [
        Option("free", "Free", "5", chosen=False),
        Option("chosen", "Chosen", "5", chosen=True),
        Option("none", "None", "0", chosen=False, impossible=True),
        Option("grouped", "Grouped", "5", chosen=False, included=True),
    ]
    text = option_list(Choice("state", "State", options, "", None), texts_in("en"))
    assert dict(re.findall(r'value="(\w+)"([^>]*)>', text)) == {
        "free": "",
        "chosen": " checked",
        "none": " disabled",
        "grouped": " checked disabled",
    }
    assert text.count("option-note") == 1
