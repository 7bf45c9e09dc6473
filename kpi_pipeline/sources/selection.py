"""The chosen source: how it is stored, and how its address is displayed."""

import json
import os
import re
import tempfile
from datetime import date
from pathlib import Path
from typing import TYPE_CHECKING

from kpi_pipeline.settings import SOURCE_FILE, Settings
from kpi_pipeline.sources.mapping_files import shipped

if TYPE_CHECKING:
    from sqlalchemy.engine import URL

_SECRET_PARAMETER = re.compile(r"pass|pwd|secret|token|key|odbc_connect", re.IGNORECASE)


def choose_source(settings: Settings, url: str | None, mapping: str | None, as_of: date | None) -> Path:
    """Store a source as the chosen one in `source.toml` under KPI_HOME, replacing the earlier one.

    The file is replaced atomically, and only its owner may read it: an address may contain a password.
    Paths become absolute, because other processes have other working directories.

    Args:
        settings: Gives KPI_HOME.
        url: Path of a CSV file, pattern of such or SQLAlchemy URL; None for none.
        mapping: Shipped name or path of a mapping file; None for the default.
        as_of: Business date; None for today.

    Returns:
        The file written.
    """
    lines = []
    if url is not None:
        lines.append(f"KPI_SOURCE_URL = {_toml_text(_absolute_address(url))}")
    if mapping is not None:
        stored = mapping if mapping in shipped() else str(Path(mapping).expanduser().resolve())
        lines.append(f"KPI_SOURCE_MAPPING = {_toml_text(stored)}")
    if as_of is not None:
        lines.append(f"KPI_AS_OF = {as_of.isoformat()}")
    settings.home.mkdir(parents=True, exist_ok=True)
    target = settings.home / SOURCE_FILE
    # mkstemp makes the file readable by its owner only.
    handle, name = tempfile.mkstemp(prefix=f".{SOURCE_FILE}.", dir=settings.home)
    try:
        with os.fdopen(handle, "w", encoding="utf-8") as file:
            file.writelines(f"{line}\n" for line in ("# Written by `kpi load`.", *lines))
            file.flush()
            os.fsync(file.fileno())
        Path(name).replace(target)
    except BaseException:
        Path(name).unlink(missing_ok=True)
        raise
    return target


def holds_secret(url: str) -> bool:
    """Whether an address contains a password; of a malformed one it is not known, and False."""
    address = _of_database(url)
    return address is not None and (
        bool(address.password) or any(map(_SECRET_PARAMETER.search, address.query))
    )


def user_of(url: str) -> str:
    """The user whom a well-formed address names, at a server; empty where it names none."""
    address = _of_database(url)
    return f"{address.username}@{address.host}" if address and address.username and address.host else ""


def with_password(url: str, password: str) -> str:
    """A well-formed address with a password."""
    return _parsed(url).set(password=password).render_as_string(hide_password=False)


def masked_url(url: str) -> str:
    """An address without its password, even where it is malformed."""
    if "://" not in url:
        return url
    try:
        address = _parsed(url)
    except ValueError:
        return f"{url.partition('://')[0]}://***"
    # An unencoded "@" or "/" in a password moves part of it into host or database.
    if address.host and any("@" in part for part in (address.host, address.database) if part):
        address = address.set(password="***", host="***", database="")  # noqa: S106 - a mask
    query = {
        name: "hidden" if _SECRET_PARAMETER.search(name) else value for name, value in address.query.items()
    }
    return address.set(query=query).render_as_string(hide_password=True)


def _absolute_address(url: str) -> str:
    if "://" not in url:
        return str(Path(url).expanduser().resolve())
    try:
        address = _parsed(url)
    except ValueError:
        return url  # Reading it reports what is wrong.
    if not _is_sqlite_file(address):
        return url
    path = Path(str(address.database)).expanduser().resolve()
    return address.set(database=str(path)).render_as_string(hide_password=False)


def _of_database(url: str) -> "URL | None":
    """The parts of a database's address; None of a malformed one, and of a path."""
    try:
        return _parsed(url) if "://" in url else None
    except ValueError:
        return None


def _parsed(url: str) -> "URL":
    """The parts of an address.

    Raises:
        ValueError: If it is malformed.
    """
    # Imported only when needed: SQLAlchemy takes time to load, and many commands name no source.
    from sqlalchemy.engine import make_url  # noqa: PLC0415
    from sqlalchemy.exc import ArgumentError  # noqa: PLC0415

    try:
        return make_url(url)
    except ArgumentError as error:
        raise ValueError(str(error)) from error


def _is_sqlite_file(address: "URL") -> bool:
    return address.get_backend_name() == "sqlite" and address.database not in {None, "", ":memory:"}


def _toml_text(text: str) -> str:
    # A JSON string is a TOML one but for DEL, which TOML wants escaped.
    return json.dumps(text, ensure_ascii=False).replace("\x7f", "\\u007f")
