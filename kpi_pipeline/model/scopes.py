"""Scopes: the parts of the firm's figures that some readers may see, and who may see which."""

import json
import re
import unicodedata
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from functools import cached_property
from hashlib import blake2b
from typing import Annotated, Any, Final, Self

from pydantic import BaseModel, ConfigDict, Field, StrictStr, model_validator

from kpi_pipeline.model.access import NEED_SCOPE, SEE_ALL, Role
from kpi_pipeline.model.dimensions import COST_COLUMN_DIMENSIONS, DIMENSIONS, PARAMETER_NAMES
from kpi_pipeline.model.filters import Filter, fold
from kpi_pipeline.model.labels import Text
from kpi_pipeline.model.toml.faults import Fault, as_toml, one_of, refuse

WHOLE_FIRM: Final = "all"
"""The scope of a reader who may see everything."""

MOST_SCOPES: Final = 50
"""How many scopes a policy may declare: every one has all of its figures computed beforehand."""

SCOPE_NAME: Final = re.compile(r"[a-z0-9][a-z0-9_-]{0,31}", re.ASCII)

_SHOWN_VALUES: Final = 3
_LABELS: Final = {dimension.name: dimension.label for dimension in DIMENSIONS}
_AND_MORE: Final = Text("y {} más", "and {} more")


@dataclass(frozen=True)
class Scope:
    """A forced filter.

    Attributes:
        name: As the policy has it.
        filter: All that is to be seen.
    """

    name: str
    filter: Filter

    @cached_property
    def id(self) -> str:
        """What it is named by in keys: another one for another filter, also under the same name."""
        identity = json.dumps(self.filter.identity).encode()
        return f"{self.name}-{blake2b(identity, digest_size=4).hexdigest()}"

    @cached_property
    def label(self) -> Text:
        """What somebody sees who is in it: `Project manager: Ana Soto`."""
        parts = [
            (_LABELS[name], ", ".join(values[:_SHOWN_VALUES]), len(values) - _SHOWN_VALUES)
            for name, values in self.filter.terms
        ]

        def written(label: str, values: str, more: int, and_more: str) -> str:
            return f"{label}: {values}" + (f" {and_more.format(more)}" if more > 0 else "")

        return Text(
            " · ".join(written(label.es, values, more, _AND_MORE.es) for label, values, more in parts),
            " · ".join(written(label.en, values, more, _AND_MORE.en) for label, values, more in parts),
        )


def person_key(name: str) -> str:
    """By what the name of a person is compared: case and the form of its accents do not count."""
    return unicodedata.normalize("NFC", name.strip().casefold())


class UnknownScope(LookupError):
    """Somebody is in a scope that the policy does not declare, or needs one and is in none."""


@dataclass(frozen=True)
class Policy:
    """Who sees which part of the firm.

    Attributes:
        scopes: By name.
        people: Scopes by `person_key` of the name with which somebody signs in, or that a proxy names.
        roles: Scopes of all of a role for whom nothing else says one.
        groups: Roles of who is in a group of the identity provider, by the provider's name of the group.
    """

    scopes: Mapping[str, Scope] = field(default_factory=dict)
    people: Mapping[str, str] = field(default_factory=dict)
    roles: Mapping[Role, str] = field(default_factory=dict)
    groups: Mapping[str, Role] = field(default_factory=dict)

    def role_in(self, groups: Iterable[str]) -> Role | None:
        """The role of who is in groups of the identity provider: the last, as `Role` has them, of several.

        Returns:
            None for who is in no group that has one.
        """
        held = {self.groups[group] for group in groups if group in self.groups}
        return next((role for role in reversed(Role) if role in held), None)

    def scope_of(self, name: str, role: Role, given: str | None) -> Scope | None:
        """The scope of somebody: what the policy says of them, else what they were given, else of their role.

        Args:
            name: Who it is; empty for a program, of which a policy says nothing.
            role: What they are.
            given: The name of the scope with which they were added; None for none.

        Returns:
            None for who may see everything.

        Raises:
            UnknownScope: If there is no such scope, or their role needs one.
        """
        chosen = self.people.get(person_key(name)) or given or self.roles.get(role)
        if chosen is None:
            if role in NEED_SCOPE:
                raise UnknownScope(f"the role {role} needs a scope")
            return None
        if chosen not in self.scopes:
            raise UnknownScope(f"there is no scope {chosen}")
        return self.scopes[chosen]

    @property
    def ids(self) -> frozenset[str]:
        """Of its scopes."""
        return frozenset(scope.id for scope in self.scopes.values())

    def to_json(self) -> bytes:
        """It as a JSON object, for `from_json`; equal policies give equal bytes."""
        held = {
            "scopes": {name: scope.filter.as_dict() for name, scope in self.scopes.items()},
            "people": dict(self.people),
            "roles": {role.value: name for role, name in self.roles.items()},
            "groups": {group: role.value for group, role in self.groups.items()},
        }
        return json.dumps(held, ensure_ascii=False, sort_keys=True).encode()

    @classmethod
    def from_json(cls, text: bytes) -> Self:
        """Read a policy.

        Raises:
            ValueError: If the text is none.
        """
        try:
            held = json.loads(text)
            scopes = {name: Scope(name, Filter.of(terms)) for name, terms in held["scopes"].items()}
            roles = {Role(role): name for role, name in held["roles"].items()}
            # What a version without groups has published says nothing of them.
            groups = {group: Role(role) for group, role in held.get("groups", {}).items()}
            return cls(scopes, dict(held["people"]), roles, groups)
        except (KeyError, TypeError, AttributeError) as error:
            raise ValueError(f"no policy: {error!r}") from error


NO_POLICY: Final = Policy()
"""Everybody may see everything."""

Values = Annotated[tuple[StrictStr, ...], Field(min_length=1)]


class PolicyFile(BaseModel):
    """The tables of a policy file."""

    model_config = ConfigDict(extra="forbid")

    scopes: dict[str, dict[str, Values]] = {}
    people: dict[str, StrictStr] = {}
    roles: dict[Role, StrictStr] = {}
    groups: dict[str, Role] = {}

    @model_validator(mode="after")
    def _check(self) -> Self:
        refuse(self._faults())
        return self

    def policy(self) -> Policy:
        """What the file says."""
        scopes = {
            name: Scope(name, Filter.of({PARAMETER_NAMES[fold(key)]: one for key, one in terms.items()}))
            for name, terms in self.scopes.items()
        }
        people = {person_key(name): scope for name, scope in self.people.items()}
        return Policy(scopes, people, dict(self.roles), dict(self.groups))

    def _faults(self) -> Iterator[Fault]:
        if len(self.scopes) > MOST_SCOPES:
            last = list(self.scopes)[MOST_SCOPES]
            yield Fault(
                ("scopes", last),
                f"found {len(self.scopes)} scopes; allowed: up to {MOST_SCOPES}",
                is_table=True,
            )
        for name, terms in self.scopes.items():
            yield from _scope_faults(name, terms)
        named: dict[str, str] = {}
        for name, scope in self.people.items():
            key = person_key(name)
            if not key:
                yield Fault(
                    ("people", name), "found an empty name; give the name with which somebody signs in"
                )
            elif key in named:
                yield Fault(("people", name), f"the same person as {as_toml(named[key])}: keep one")
            named.setdefault(key, name)
            yield from self._named(("people", name), scope)
        for role, scope in self.roles.items():
            if role in SEE_ALL:
                allowed = ", ".join(one for one in Role if one not in SEE_ALL)
                yield Fault(("roles", role.value), f"a role that operates the whole; allowed: {allowed}")
            yield from self._named(("roles", role.value), scope)
        if any(not group.strip() for group in self.groups):
            sentence = "found an empty name; give the group as the provider does"
            yield Fault(("groups",), sentence, is_table=True)

    def _named(self, path: tuple[str, ...], scope: str) -> Iterator[Fault]:
        if scope not in self.scopes:
            known = one_of(scope, self.scopes) if self.scopes else "declare it under [scopes]"
            yield Fault(path, f"found {as_toml(scope)}; {known}")


def _scope_faults(name: str, terms: Mapping[str, Any]) -> Iterator[Fault]:
    """What is wrong with one scope."""
    path = ("scopes", name)
    if not SCOPE_NAME.fullmatch(name) or name == WHOLE_FIRM:
        sentence = (
            f"a name has 1 to 32 of a-z, 0-9, - and _, begins with none of the signs, and is not {WHOLE_FIRM}"
        )
        yield Fault(path, sentence, is_table=True)
    if not terms:
        first = COST_COLUMN_DIMENSIONS[0]
        yield Fault(path, "the scope names no dimension", f'`{first} = ["…"]`', is_table=True)
    named: dict[str, str] = {}
    for key, values in terms.items():
        dimension = PARAMETER_NAMES.get(fold(key))
        if dimension not in COST_COLUMN_DIMENSIONS:
            yield Fault((*path, key), f"not allowed; {one_of(key, COST_COLUMN_DIMENSIONS)}")
        elif dimension in named:
            yield Fault((*path, key), f"the same dimension as {named[dimension]}: keep one")
        named.setdefault(dimension or key, key)
        if not all(map(fold, values)):
            yield Fault((*path, key), "found an empty value; name what certificates have")
