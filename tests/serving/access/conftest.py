"""Applications that control access, and people who sign in to them."""

import re
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

import pytest
from flask import Flask
from flask.testing import FlaskClient
from werkzeug.test import TestResponse

from kpi_pipeline.access.audit import AuditLog
from kpi_pipeline.access.database import AccessDatabase, access_database
from kpi_pipeline.access.tokens import Tokens
from kpi_pipeline.access.users import Users
from kpi_pipeline.model.access import Role
from kpi_pipeline.settings import Settings
from serving.access import identification
from serving.app import create_app

PASSWORD = "correct horse battery"
CSRF = re.compile(rb'name="csrf" value="([0-9a-f]{32})"')


@dataclass
class Controlled:
    """An application that asks people who they are."""

    app: Flask
    database: AccessDatabase
    users: Users = field(init=False)
    tokens: Tokens = field(init=False)
    audit: AuditLog = field(init=False)

    def __post_init__(self) -> None:
        self.users, self.tokens = Users(self.database), Tokens(self.database)
        self.audit = AuditLog(self.database)

    def somebody(self, role: Role, name: str = "") -> FlaskClient:
        """A browser in which somebody of a role has signed in."""
        name = name or role.value
        self.users.add(name, role, PASSWORD)
        self.users.choose_password(name, PASSWORD)
        browser = self.app.test_client()
        assert sign_in(browser, name).status_code == 303
        return browser

    def token(self, role: Role) -> dict[str, str]:
        """Headers of a program of a role."""
        return {"Authorization": f"Bearer {self.tokens.create('test', role, 60)[1]}"}


def sign_in(browser: FlaskClient, name: str, password: str = PASSWORD, **fields: str) -> TestResponse:
    """Send the form to sign in."""
    return browser.post("/sign-in", data={"name": name, "password": password, **fields})


def csrf_of(response: TestResponse) -> str:
    """What a form of a page sends back."""
    found = CSRF.search(response.data)
    assert found is not None
    return found[1].decode()


@pytest.fixture
def controlled_by(
    cache_url: str, settings_of: Callable[..., Settings], monkeypatch: pytest.MonkeyPatch
) -> Callable[..., Controlled]:
    """An application with settings; what the database says counts at once."""
    monkeypatch.setattr(identification, "KNOWN_S", 0.0)

    def make(**given: Any) -> Controlled:
        settings = settings_of(**{"REDIS_URL": cache_url, "KPI_ACCESS": "accounts", **given})
        return Controlled(create_app(settings), access_database(settings))

    return make


@pytest.fixture
def controlled(controlled_by: Callable[..., Controlled]) -> Controlled:
    return controlled_by()
