"""`kpi user`, `kpi token` and `kpi audit`: who may read, and what they did."""

import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime
from typing import Annotated, Final
from zoneinfo import ZoneInfo

import typer

from kpi_pipeline.access.audit import AuditLog
from kpi_pipeline.access.database import AccessDatabase, access_database
from kpi_pipeline.access.passwords import new_password
from kpi_pipeline.access.policy_file import load_policy
from kpi_pipeline.access.sessions import SessionLimits, Sessions
from kpi_pipeline.access.tokens import NoSuchToken, Tokens
from kpi_pipeline.access.users import InvalidName, NoSuchUser, User, UserExists, Users, folded_name
from kpi_pipeline.cli.audited import console_user
from kpi_pipeline.cli.console import print_json, print_line, print_table
from kpi_pipeline.cli.options import Json
from kpi_pipeline.cli.problems import Problem, load_settings, reported_errors
from kpi_pipeline.model.access import SEE_ALL, AuditAction, Role
from kpi_pipeline.model.moments import as_iso
from kpi_pipeline.model.scopes import NO_POLICY, UnknownScope
from kpi_pipeline.settings import AccessMode, Settings

DAY_S: Final = 86_400
_SECONDS: Final = "%Y-%m-%d %H:%M:%S"

user: Final = typer.Typer(
    help="""The people who may read the dashboard, and their roles.

    They count where KPI_ACCESS is `accounts` or `proxy`. They are kept in the database KPI_ACCESS_URL, by
    default in `access.db` in KPI_HOME.""",
    no_args_is_help=True,
)
token: Final = typer.Typer(
    help="Tokens by which programs may read the API; only a hash of each is kept.", no_args_is_help=True
)

Name = Annotated[str, typer.Argument(help="Name of the person; case does not matter.")]
RoleOption = Annotated[Role, typer.Option("--role", help="What they may see and do.")]
ScopeOption = Annotated[
    str | None,
    typer.Option("--scope", help="The scope of KPI_POLICY that they see; without one, the whole firm."),
]


@dataclass(frozen=True, slots=True)
class _Access:
    settings: Settings
    database: AccessDatabase
    users: Users
    tokens: Tokens
    sessions: Sessions
    audit: AuditLog

    def write(self, action: AuditAction, detail: str) -> None:
        self.audit.write(console_user(), action, detail)


@contextmanager
def _access(as_json: bool = False) -> Iterator[_Access]:
    """The database of access; expected errors are printed.

    Raises:
        Exit: If one occurs.
    """
    with reported_errors(as_json):
        settings = load_settings()
        database = access_database(settings)
        try:
            yield _Access(
                settings,
                database,
                Users(database),
                Tokens(database),
                Sessions(database, SessionLimits.of_settings(settings)),
                AuditLog(database),
            )
        except NoSuchUser as error:
            raise Problem(f"there is no user {error}: `kpi user list` shows all") from error
        except UserExists as error:
            raise Problem(f"there is a user {error} already: `kpi user list` shows all") from error
        except NoSuchToken as error:
            raise Problem(f"there is no token {error}: `kpi token list` shows all") from error
        except InvalidName as error:
            raise Problem(str(error)) from error
        finally:
            database.close()


@user.command("add")
def add_user(
    name: Name,
    role: RoleOption = Role.VIEWER,
    scope: ScopeOption = None,
    no_password: Annotated[
        bool, typer.Option("--no-password", help="A proxy or an identity provider signs them in.")
    ] = False,
) -> None:
    """Add a person. Their first password is shown once; they change it when they sign in.

    Exit codes: 0 added, 1 there is such a user, there is no such scope, the role needs one or can have none,
    or the database cannot be used.

    Example: `kpi user add ana --role controller`
    """
    with _access() as access:
        said = _said_by_policy(access.settings, folded_name(name), role, scope)
        password = None if no_password else new_password()
        with access.database.begin():
            added = access.users.add(name, role, password, scope)
            access.write(AuditAction.USER_ADDED, f"{added.name} {role}{_of(scope)}")
        print_line(f"{added.name}: {role}{_of(said)}")
        if password is not None:
            print_line(f"password for the first sign-in: {password}")
        if access.settings.access is AccessMode.OPEN:
            print_line("KPI_ACCESS is open: nobody is asked for a name yet")


@user.command("list")
def list_users(as_json: Json = False) -> None:
    """Show everybody with their role.

    Exit codes: 0 shown, 1 the database cannot be used.

    Example: `kpi user list`
    """
    with _access(as_json) as access:
        everybody = access.users.all()
        if as_json:
            listed = [
                {
                    "name": one.name,
                    "role": one.role,
                    "scope": one.scope,
                    "password": _password_state(one),
                    "created_at": as_iso(one.created_at),
                }
                for one in everybody
            ]
            print_json({"ok": True, "users": listed})
            return
        rows = [(one.name, one.role.value, _password_state(one), one.scope or "") for one in everybody]
        print_table(("user", "role", "password", "scope"), rows)


@user.command("role")
def set_role(name: Name, role: Annotated[Role, typer.Argument(help="Their new role.")]) -> None:
    """Give somebody another role. It holds within seconds, also for who has signed in.

    Exit codes: 0 given, 1 there is no such user, the role needs a scope or can have none, or the database
    cannot be used.

    Example: `kpi user role ana engineer`
    """
    with _access() as access:
        known = access.users.named(name)
        _said_by_policy(access.settings, known.name, role, known.scope)
        with access.database.begin():
            access.users.set_role(known.name, role)
            access.write(AuditAction.USER_CHANGED, f"{known.name} {role}")
        print_line(f"{known.name}: {role}")


@user.command("scope")
def set_scope(
    name: Name,
    scope: Annotated[str | None, typer.Argument(help="Their new scope; without one, the whole firm.")] = None,
) -> None:
    """Give somebody another scope, or none. It holds within seconds, also for who has signed in.

    Exit codes: 0 given, 1 there is no such user or scope, their role needs one or can have none, or the
    database cannot be used.

    Example: `kpi user scope ana north`
    """
    with _access() as access:
        known = access.users.named(name)
        said = _said_by_policy(access.settings, known.name, known.role, scope)
        with access.database.begin():
            access.users.set_scope(known.name, scope)
            access.write(AuditAction.USER_CHANGED, f"{known.name}{_of(scope) or ' whole firm'}")
        print_line(f"{known.name}: {known.role}{_of(said)}")


@user.command("password")
def give_password(name: Name) -> None:
    """Give somebody a new password to be changed, and end their sessions.

    Exit codes: 0 given, 1 there is no such user, or the database cannot be used.

    Example: `kpi user password ana`
    """
    with _access() as access:
        known, password = access.users.named(name), new_password()
        with access.database.begin():
            access.users.give_password(known.name, password)
            access.write(AuditAction.USER_CHANGED, f"{known.name} password")
        print_line(f"password for the next sign-in: {password}")


@user.command("sign-out")
def sign_out(name: Name) -> None:
    """End all sessions of somebody.

    Exit codes: 0 ended, 1 there is no such user, or the database cannot be used.

    Example: `kpi user sign-out ana`
    """
    with _access() as access:
        known = access.users.named(name)
        with access.database.begin():
            ended = access.sessions.end_all(known.name)
            access.write(AuditAction.SIGN_OUT, f"{known.name} everywhere")
        print_line(f"{ended} sessions ended")


@user.command("remove")
def remove_user(name: Name) -> None:
    """Remove somebody, and end their sessions. What they did stays in the audit log.

    Exit codes: 0 removed, 1 there is no such user, or the database cannot be used.

    Example: `kpi user remove ana`
    """
    with _access() as access:
        known = access.users.named(name)
        with access.database.begin():
            access.users.remove(known.name)
            access.write(AuditAction.USER_REMOVED, known.name)
        print_line(f"{known.name} is removed")


@token.command("create")
def create_token(
    name: Annotated[str, typer.Argument(help="What it is for.")],
    role: RoleOption = Role.VIEWER,
    scope: ScopeOption = None,
    expires: Annotated[
        int, typer.Option(metavar="DAYS", min=1, max=3650, help="Days until it is refused.")
    ] = 90,
) -> None:
    """Create a token. It is shown once: send it as `Authorization: Bearer TOKEN`.

    Exit codes: 0 created, 1 there is no such scope, the role needs one or can have none, or the database
    cannot be used.

    Example: `kpi token create reporting --role analyst --expires 365`
    """
    with _access() as access:
        said = _said_by_policy(access.settings, "", role, scope)
        with access.database.begin():
            created, text = access.tokens.create(name, role, expires * DAY_S, scope)
            access.write(AuditAction.TOKEN_CREATED, f"{created.id} {created.name} {role}{_of(scope)}")
        until = _day(access, created.expires_at)
        print_line(f"token {created.id} of {created.name} ({role}{_of(said)}), until {until}:")
        print_line(text)


@token.command("list")
def list_tokens(as_json: Json = False) -> None:
    """Show every token, without its text.

    Exit codes: 0 shown, 1 the database cannot be used.

    Example: `kpi token list`
    """
    with _access(as_json) as access:
        now, tokens = time.time(), access.tokens.all()
        states = {
            one.id: "revoked" if one.revoked_at is not None else "valid" if one.is_valid(now) else "expired"
            for one in tokens
        }
        if as_json:
            listed = [
                {
                    "id": one.id,
                    "name": one.name,
                    "role": one.role,
                    "scope": one.scope,
                    "state": states[one.id],
                    "expires_at": as_iso(one.expires_at),
                }
                for one in tokens
            ]
            print_json({"ok": True, "tokens": listed})
            return
        rows = [
            (
                one.id,
                one.name,
                one.role.value,
                states[one.id],
                _day(access, one.expires_at),
                one.scope or "",
            )
            for one in tokens
        ]
        print_table(("id", "for", "role", "state", "expires", "scope"), rows)


@token.command("revoke")
def revoke_token(
    token_id: Annotated[str, typer.Argument(metavar="ID", help="As `kpi token list` shows it.")],
) -> None:
    """Refuse a token from now on.

    Exit codes: 0 revoked, 1 there is no such token, or the database cannot be used.

    Example: `kpi token revoke 0123456789ab`
    """
    with _access() as access:
        known = access.tokens.named(token_id)
        with access.database.begin():
            if access.tokens.revoke(token_id):
                access.write(AuditAction.TOKEN_REVOKED, f"{known.id} {known.name}")
        print_line(f"token {known.id} of {known.name} is revoked")


def audit(
    who: Annotated[str | None, typer.Option(help="Only what this name did.")] = None,
    action: Annotated[AuditAction | None, typer.Option(help="Only this kind.")] = None,
    since: Annotated[
        datetime | None, typer.Option(formats=["%Y-%m-%d"], help="Only from this day on.")
    ] = None,
    most: Annotated[int, typer.Option("--last", min=1, max=100_000, help="How many at most.")] = 100,
    as_json: Json = False,
) -> None:
    """Show who did what, the newest first: sign-ins, downloads, changes of people, commands of the pipeline.

    Exit codes: 0 shown, 1 the database cannot be used.

    Example: `kpi audit --who ana --since 2026-11-01`
    """
    with _access(as_json) as access:
        zone = ZoneInfo(access.settings.timezone)
        from_day = None if since is None else since.replace(tzinfo=zone).timestamp()
        entries = access.audit.read(who=who, action=action, since=from_day, most=most)
        if as_json:
            listed = [
                {
                    "at": as_iso(one.at),
                    "who": one.who,
                    "action": one.action,
                    "detail": one.detail,
                    "address": one.address,
                }
                for one in entries
            ]
            print_json({"ok": True, "entries": listed})
            return
        rows = [
            (
                datetime.fromtimestamp(one.at, zone).strftime(_SECONDS),
                one.who,
                one.action.value,
                one.address,
                one.detail,
            )
            for one in entries
        ]
        print_table(("when", "who", "action", "from", "of what"), rows)


def _said_by_policy(settings: Settings, name: str, role: Role, scope: str | None) -> str | None:
    """The scope that somebody will have: the policy's word goes before what they are given.

    Raises:
        Problem: If there is none where one is needed, or one where none can be.
    """
    if role in SEE_ALL and scope is not None:
        raise Problem(f"{role} operates the whole and can have no scope: choose another role, or no --scope")
    policy = NO_POLICY if settings.policy is None else load_policy(settings.policy)
    try:
        chosen = policy.scope_of(name, role, scope)
    except UnknownScope as error:
        if settings.policy is None:
            raise Problem(f"{error}: set KPI_POLICY to a file that declares scopes") from error
        known = ", ".join(policy.scopes) or "none"
        raise Problem(f"{error}; declared in {settings.policy}: {known}") from error
    return None if chosen is None else chosen.name


def _of(scope: str | None) -> str:
    return "" if scope is None else f" of {scope}"


def _password_state(one: User) -> str:
    if not one.has_password:
        return "none, by group" if one.by_group else "none"
    return "to be changed" if one.must_change else "own"


def _day(access: _Access, moment: float) -> str:
    at = datetime.fromtimestamp(moment, ZoneInfo(access.settings.timezone))
    return at.date().isoformat()
