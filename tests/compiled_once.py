"""What every application compiles as it begins, templates and addresses, compiled once for all tests."""

from collections.abc import Callable
from typing import Any

import pytest
from flask import Flask
from jinja2 import BytecodeCache
from jinja2.bccache import Bucket
from werkzeug.routing import Rule


class CompiledTemplates(BytecodeCache):
    """The code of templates, by their names and texts."""

    def __init__(self) -> None:
        self._code: dict[str, bytes] = {}

    def load_bytecode(self, bucket: Bucket) -> None:
        if bucket.key in self._code:
            bucket.bytecode_from_string(self._code[bucket.key])

    def dump_bytecode(self, bucket: Bucket) -> None:
        self._code[bucket.key] = bucket.bytecode_to_string()


def compile_once(monkeypatch: pytest.MonkeyPatch) -> None:
    """Let all applications share what they compile."""
    monkeypatch.setattr(Flask, "jinja_options", {"bytecode_cache": CompiledTemplates()})
    compile_builder: Callable[[Rule, bool], Any] = Rule._compile_builder
    builders: dict[object, Any] = {}

    def once(rule: Rule, append_unknown: bool = True) -> Any:
        key = rule.rule, tuple((rule.defaults or {}).items()), append_unknown
        if key not in builders:
            builders[key] = compile_builder(rule, append_unknown)
        return builders[key]

    monkeypatch.setattr(Rule, "_compile_builder", once)
