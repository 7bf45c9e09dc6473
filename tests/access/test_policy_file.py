"""The policy file: what it says, and where it is wrong."""

from pathlib import Path

import pytest

from kpi_pipeline.access.policy_file import PolicyError, load_policy, parse_policy
from kpi_pipeline.model.access import Role
from kpi_pipeline.model.filters import Filter
from kpi_pipeline.model.scopes import MOST_SCOPES, Policy, Scope, UnknownScope

TEXT = """
[scopes.ana]
jefe_proyecto = ["Ana Pérez"]

[scopes.north]
client = ["Andina", "Boreal", "Cóndor", "Delta"]
project_type = ["Obra"]

[people]
"ANA.Pérez" = "ana"

[roles]
viewer = "north"

[groups]
"Control de gestión" = "controller"
"7f3c" = "viewer"
it = "engineer"
"""


def test_a_file_says_which_scopes_there_are_and_who_is_in_which() -> None:
    policy = parse_policy(TEXT, "policy.toml")
    assert policy == Policy.from_json(policy.to_json())
    assert policy.scopes["ana"] == Scope("ana", Filter.of({"project_manager": "Ana Pérez"}))
    who = [
        ("ana.pe\u0301rez", Role.CONTROLLER, "north", "ana"),
        ("eva", Role.VIEWER, "ana", "ana"),
        ("eva", Role.VIEWER, None, "north"),
        ("", Role.VIEWER, None, "north"),
    ]
    for name, role, given, scope in who:
        assert policy.scope_of(name, role, given) == policy.scopes[scope]
    assert policy.scope_of("eva", Role.CONTROLLER, None) is None
    for role, given in ((Role.PROJECT_MANAGER, None), (Role.CONTROLLER, "gone")):
        with pytest.raises(UnknownScope):
            policy.scope_of("eva", role, given)
    for groups, role in (
        ((), None),
        (("IT", "nobody"), None),
        (("7f3c",), Role.VIEWER),
        (("7f3c", "it", "Control de gestión"), Role.ENGINEER),
    ):
        assert policy.role_in(groups) is role
    assert policy.scopes["ana"].label.es == "Jefe de proyecto: Ana Pérez"
    assert policy.scopes["north"].label.en.startswith(
        "Client: Andina, Boreal, Cóndor and 1 more · Project type"
    )


def test_what_a_version_without_groups_has_published_can_be_read() -> None:
    published = b'{"scopes": {"a": {"client": ["x"]}}, "people": {"ana": "a"}, "roles": {"viewer": "a"}}'
    assert Policy.from_json(published).groups == {}


def test_another_filter_is_another_scope_and_another_spelling_is_not() -> None:
    def id_of(*clients: str) -> str:
        return Scope("north", Filter.of({"client": clients})).id

    assert id_of("Andina", "Boreal") == id_of("BOREAL ", "andina")
    assert len({id_of("Andina"), id_of("Boreal"), id_of("Andina", "Boreal")}) == 3


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ('[scopes.a]\nclient = "X"', 'line 2, [scopes.a] client: found "X"; give a list of texts'),
        ("[scopes.a]\nclient = []", "line 2, [scopes.a] client: found []; the list is empty"),
        ('[scopes.a]\nclient = [" "]', "line 2, [scopes.a] client: found an empty value"),
        ('[scopes.a]\nstate = ["paid"]', "line 2, [scopes.a] state: not allowed; allowed: client, project,"),
        (
            '[scopes.a]\nclient = ["x"]\ncliente = ["y"]',
            "line 3, [scopes.a] cliente: the same dimension as client",
        ),
        ("[scopes.a]", "line 1, [scopes.a]: the scope names no dimension"),
        ('[scopes.All]\nclient = ["x"]', "line 1, [scopes.All]: a name has 1 to 32 of a-z"),
        ('[scopes.all]\nclient = ["x"]', "line 1, [scopes.all]: a name has 1 to 32 of a-z"),
        ('[people]\nana = "north"', 'line 2, [people] ana: found "north"; declare it under [scopes]'),
        (
            '[scopes.north]\nclient = ["x"]\n[people]\nana = "nort"',
            'line 4, [people] ana: found "nort"; did you mean north?',
        ),
        (
            '[scopes.a]\nclient = ["x"]\n[people]\nana = "a"\nAna = "a"',
            'line 5, [people] Ana: the same person as "ana"',
        ),
        ('[roles]\nking = "a"', "line 2, [roles] king: not allowed"),
        ('[scopes.a]\nclient = ["x"]\n[roles]\nadmin = "a"', "line 4, [roles] admin: a role that operates"),
        ('[groups]\nit = "king"', 'line 2, [groups] it: found "king"'),
        ('[groups]\n" " = "viewer"', "line 1, [groups]: found an empty name"),
        ("[scope.a]", "line 1, [scope]: no such section at the top of the file; did you mean scopes?"),
        ("[scopes.a", "line 1: `[scopes.a` is not valid TOML"),
    ],
)
def test_each_fault_is_named_with_its_line_and_what_is_allowed(text: str, message: str) -> None:
    with pytest.raises(PolicyError) as refused:
        parse_policy(text, "policy.toml")
    assert str(refused.value).startswith(f"policy.toml {message}")


def test_there_is_a_most_of_scopes_and_a_file_must_be_there(tmp_path: Path) -> None:
    text = "".join(f'[scopes.s{number}]\nclient = ["{number}"]\n' for number in range(MOST_SCOPES + 1))
    with pytest.raises(PolicyError, match=f"found {MOST_SCOPES + 1} scopes; allowed: up to {MOST_SCOPES}"):
        parse_policy(text, "policy.toml")
    with pytest.raises(PolicyError, match="check KPI_POLICY"):
        load_policy(tmp_path / "none.toml")
