"""Style sheets, scripts and pictures of the pages, addressed by the hash of their content."""

from dataclasses import dataclass
from functools import cache
from hashlib import blake2b
from mimetypes import guess_type
from pathlib import Path
from typing import Final

from flask import Blueprint, Response, abort

from kpi_pipeline.model.palette import custom_properties
from serving.responses import ENCODINGS, Encoding, compressed, immutable_response

_FOLDER: Final = Path(__file__).with_name("static")

_SHEETS: Final = (
    "base",
    "head",
    "filters",
    "live",
    "cards",
    "charts",
    "tables",
    "listing",
    "profile",
    "bridge",
    "compare",
    "system",
    "problems",
    "account",
    "small",
    "print",
)
"""The parts of the one style sheet, in their order: later parts override earlier ones."""

routes: Final = Blueprint("assets", __name__)


@dataclass(frozen=True, slots=True)
class StaticFile:
    """A file in every encoding."""

    mimetype: str
    digest: str
    bodies: dict[Encoding, bytes]

    @classmethod
    def of(cls, name: str, content: bytes, digest: str) -> "StaticFile":
        """A file by its name, which says what it is, its content and its digest."""
        mimetype = guess_type(name)[0] or "application/octet-stream"
        return cls(mimetype, digest, {encoding: compressed(content, encoding) for encoding in ENCODINGS})


class Assets:
    """The files, read once: a changed file is a new address after a restart."""

    def __init__(self) -> None:
        parts = ((_FOLDER / "css" / f"{name}.css").read_bytes() for name in _SHEETS)
        sheet = b"\n".join((_palette_sheet().encode(), *parts))
        scripts = {f"js/{path.name}": path.read_bytes() for path in sorted((_FOLDER / "js").glob("*.js"))}
        # Scripts name each other without a hash: one hash of all stands in the address of each.
        of_scripts = file_digest(b"".join(scripts.values()))
        icon = (_FOLDER / "icon.svg").read_bytes()
        files = {"pages.css": (sheet, file_digest(sheet)), "icon.svg": (icon, file_digest(icon))}
        files |= {name: (content, of_scripts) for name, content in scripts.items()}
        self.scripts = [f"/static/{of_scripts}/{name}" for name in scripts]
        self._urls = {name: f"/static/{digest}/{name}" for name, (_, digest) in files.items()}
        self._files = {self._urls[name]: StaticFile.of(name, *file) for name, file in files.items()}

    def url(self, name: str) -> str:
        """The address of a file; KeyError if there is none of this name."""
        return self._urls[name]

    def file(self, url: str) -> StaticFile | None:
        """The file at an address; None when there is none."""
        return self._files.get(url)


@cache
def assets() -> Assets:
    """The files of this process."""
    return Assets()


@routes.get("/static/<digest>/<path:name>")
def asset(digest: str, name: str) -> Response:
    """One file, in the encoding that the client accepts."""
    file = assets().file(f"/static/{digest}/{name}")
    if file is None:
        abort(404)
    return immutable_response(file.digest, file.mimetype, file.bodies.__getitem__)


def _palette_sheet() -> str:
    """The colours of figures as custom properties, and the class of each series, age and degree of heat."""
    properties = custom_properties()
    light, dark = (
        "".join(f"--{name}: {colour[at]}; " for name, colour in properties.items()) for at in (0, 1)
    )
    series = (
        f".{_class_of(name)} {{ --own: var(--{name}); }}"
        for name in properties
        if name.startswith(("series-", "age-"))
    )
    heat = (f".{name} {{ background: var(--{name}); }}" for name in properties if name.startswith("heat-"))
    scheme = f"@media screen and (prefers-color-scheme: dark) {{ :root {{ {dark}}} }}"
    return "\n".join((f":root {{ {light}}}", scheme, *series, *heat))


def _class_of(name: str) -> str:
    return name if name.startswith("series-") else f"series-{name}"


def file_digest(content: bytes) -> str:
    """The hash by which a file is addressed."""
    return blake2b(content, digest_size=8).hexdigest()
