"""The pictures of the documentation: data flow, states of an answer, import layers and assets."""

import tomllib
from collections import defaultdict
from collections.abc import Mapping
from pathlib import Path
from typing import Any, Final

from dagster import AssetKey

from docs.generate.picture import Picture
from kpi_pipeline.definitions import defs

_PYPROJECT: Final = Path(__file__).parents[2] / "pyproject.toml"
_ROW, _GAP = 36, 16
_ASSET_GROUPS: Final = {"sources": "blue", "rollup": "green", "products": "amber", "publication": "rose"}


def data_flow() -> str:
    """From the source to the reader, and the way back of a request."""
    picture = Picture(
        "Data flow: source, certificates and costs, roll-up, products, Redis, Flask, reader; requests return "
        "through a Redis stream to the dispatcher, which starts Dagster runs",
        760,
        452,
    )
    steps = [
        (["Source", "any SQLAlchemy URL, or CSV, read by a mapping file"], "grey"),
        (["Certificates and costs", "validated; refused rows go to a quarantine"], "blue"),
        (["Roll-up", "one pass: additive components on all dimensions, as of a date"], "green"),
        (["Products", "kpis, dashboards, charts, financials: every variant at once"], "amber"),
        (["Redis", "an immutable generation, verified, then one atomic manifest flip"], "rose"),
        (["Flask", "manifest, stored bytes, client; never computes a figure"], "grey"),
    ]
    left, width, height, gap = 20, 460, 50, 22
    for at, (lines, tint) in enumerate(steps):
        top = 20 + at * (height + gap)
        picture.box(left, top, width, height, lines, tint)
        if at:
            picture.arrow(left + width / 2, top - gap, left + width / 2, top - 2)
    picture.text(left + width / 2 + 12, 20 + 4 * (height + gap) - 7, "blocking asset checks", anchor="start")
    x = 560
    picture.box(x, 20 + 5 * 72, 180, height, ["Request", "refresh, warm, clear"], "grey")
    picture.box(x, 20 + 4 * 72, 180, height, ["Redis stream", "at least once"], "rose")
    picture.box(x, 20 + 3 * 72, 180, height, ["Dispatcher", "starts runs"], "grey")
    picture.box(x, 20 + 1 * 72, 180, height, ["Dagster run", "in a warm Celery worker"], "blue")
    picture.arrow(left + width, 405, x - 2, 405, dashed=True)
    for top in (5 * 72, 4 * 72):
        picture.arrow(x + 90, 20 + top, x + 90, 20 + top - 20, dashed=True)
    picture.arrow(x + 90, 236, x + 90, 144, dashed=True)
    picture.arrow(x, 117, left + width + 2, 117, dashed=True)
    return picture.svg()


def states() -> str:
    """The states of an answer over the age of its generation."""
    picture = Picture(
        "States of an answer: fresh, stale and expired by age; missing and historic apart", 760, 210
    )
    spans = [
        ("fresh", "served", "green"),
        ("stale", "served; a refresh is requested", "amber"),
        ("expired", "503: not served", "rose"),
    ]
    for at, (state, meaning, tint) in enumerate(spans):
        picture.box(20 + at * 240, 40, 240, 50, [state, meaning], tint)
    for x, label, anchor in (
        (20, "data read", "start"),
        (260, "time to live", "middle"),
        (500, "+ stale grace", "middle"),
    ):
        picture.text(x, 28, label, anchor=anchor)
    picture.box(
        20, 130, 360, 60, ["missing", "202: the nearest wider variant, marked; a task is running"], "blue"
    )
    picture.box(400, 130, 340, 60, ["historic", "a month end, by ?as_of=; does not age"], "grey")
    return picture.svg()


def layers() -> str:
    """The layers of `pyproject.toml`: each may import those below it."""
    (declared,) = (contract for contract in _layer_contracts() if "kpi_pipeline.model" in contract["layers"])
    rows = [[name.removeprefix("kpi_pipeline.") for name in row] for row in _rows(declared)]
    picture = Picture(
        "Import layers, from the top: " + "; ".join(", ".join(row) for row in rows),
        760,
        40 + len(rows) * (_ROW + _GAP) - _GAP,
    )
    _stack(picture, 20, 20, 560, rows)
    cache = next(at for at, row in enumerate(rows) if "cache" in row)
    top = 20 + (cache - 1) * (_ROW + _GAP)
    picture.box(620, top, 120, _ROW, ["serving"], "green")
    picture.arrow(680, top + _ROW, 680, top + _ROW + _GAP + 18)
    picture.text(680, top + _ROW + _GAP + 36, "alerts, cache,")
    picture.text(680, top + _ROW + _GAP + 53, "model, settings")
    return picture.svg()


def wings() -> str:
    """The layers inside the folders for which `pyproject.toml` declares them."""
    inside = {
        contract["containers"][0]: _rows(contract)
        for contract in _layer_contracts()
        if "containers" in contract
    }
    heights = [58 + len(rows) * (_ROW + _GAP) for rows in inside.values()]
    picture = Picture(
        "Import layers inside "
        + "; ".join(
            f"{name}: {', '.join(part for row in rows for part in row)}" for name, rows in inside.items()
        ),
        960,
        sum(heights) + 4,
    )
    top = 20.0
    for (name, rows), height in zip(inside.items(), heights, strict=True):
        picture.text(20, top + 12, name, bold=True, anchor="start")
        _stack(picture, 20, top + 26, 920, rows)
        top += height
    return picture.svg()


def _layer_contracts() -> list[dict[str, Any]]:
    contracts = tomllib.loads(_PYPROJECT.read_text(encoding="utf-8"))["tool"]["importlinter"]["contracts"]
    return [contract for contract in contracts if contract["type"] == "layers"]


def _rows(contract: Mapping[str, Any]) -> list[list[str]]:
    return [[name.strip() for name in layer.split("|")] for layer in contract["layers"]]


def _stack(picture: Picture, left: float, top: float, width: float, rows: list[list[str]]) -> None:
    """Rows of boxes, each above those that it may import."""
    for at, row in enumerate(rows):
        y = top + at * (_ROW + _GAP)
        share = (width - 12 * (len(row) - 1)) / len(row)
        for place, name in enumerate(row):
            x = left + place * (share + 12)
            picture.box(x, y, share, _ROW, [name], "blue" if name == "model" else "grey")
        if at:
            picture.arrow(left + width / 2, y - _GAP + 1, left + width / 2, y - 2)


def assets() -> str:
    """Dagster's assets from source to publication, column by column."""
    graph = defs.resolve_asset_graph()
    nodes = {key: graph.get(key) for key in graph.get_all_asset_keys()}
    shown = {key: node for key, node in nodes.items() if node.group_name in _ASSET_GROUPS}
    depth: dict[AssetKey, int] = {}

    def depth_of(key: AssetKey) -> int:
        if key not in depth:
            depth[key] = max(
                (depth_of(parent) + 1 for parent in shown[key].parent_keys if parent in shown), default=0
            )
        return depth[key]

    columns: dict[int, list[AssetKey]] = defaultdict(list)
    for key in sorted(shown, key=lambda key: key.to_user_string()):
        columns[depth_of(key)].append(key)
    width, height, across, down = 168, 36, 212, 54
    tallest = max(len(column) for column in columns.values())
    picture = Picture(
        "Assets from source to publication: " + ", ".join(sorted(key.to_user_string() for key in shown)),
        20 + across * len(columns) - (across - width) + 20,
        20 + down * tallest,
    )
    place = {
        key: (20 + across * at, 20 + down * ((tallest - len(column)) / 2 + row))
        for at, column in columns.items()
        for row, key in enumerate(column)
    }
    for key in sorted(place, key=lambda key: key.to_user_string()):
        node = shown[key]
        x, y = place[key]
        picture.box(x, y, width, height, [key.to_user_string()], _ASSET_GROUPS[str(node.group_name)])
        for parent in sorted(node.parent_keys & set(shown), key=lambda parent: parent.to_user_string()):
            from_x, from_y = place[parent]
            picture.arrow(from_x + width, from_y + height / 2, x - 2, y + height / 2)
    return picture.svg()
