"""The files of Swagger UI and of the page around it, addressed by the hash of their content.

They are larger than all others together and few people want them: they are read when the first one does.
"""

from functools import cache
from importlib.resources import files
from pathlib import Path
from typing import Final

from serving.static_assets import StaticFile, file_digest

ASSETS_PATH: Final = "/static/swagger-ui"

_OWN: Final = Path(__file__).parents[2] / "static" / "swagger_ui"
_BUNDLED: Final = ("swagger-ui-bundle.js", "swagger-ui.css")
_AROUND: Final = ("start.js", "page.css")


@cache
def swagger_ui_files() -> dict[str, StaticFile]:
    """Every file by its address."""
    packaged = files("flask_swagger_ui") / "dist"
    contents = {
        **{name: (packaged / name).read_bytes() for name in _BUNDLED},
        **{name: (_OWN / name).read_bytes() for name in _AROUND},
    }
    digests = {name: file_digest(content) for name, content in contents.items()}
    return {
        f"{ASSETS_PATH}/{digests[name]}/{name}": StaticFile.of(name, content, digests[name])
        for name, content in contents.items()
    }


def swagger_ui_urls() -> dict[str, str]:
    """The address of every file by its name."""
    return {url.rpartition("/")[2]: url for url in swagger_ui_files()}
