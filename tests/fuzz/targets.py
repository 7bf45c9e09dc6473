"""What is fuzzed: each border at which something comes from outside, given bytes that a fuzzer makes."""

import hashlib
import tempfile
from collections.abc import Callable, Sequence
from contextlib import suppress
from dataclasses import dataclass
from importlib.resources import files
from pathlib import Path
from typing import Any, Final
from urllib.parse import parse_qsl

from kpi_pipeline.access.policy_file import PolicyError, parse_policy
from kpi_pipeline.cache.codec import CorruptPayload, decode, encode_answer, pack, unpack
from kpi_pipeline.cache.filter_text import filter_from_text, filter_to_text
from kpi_pipeline.cache.manifest import CorruptManifest, ManifestEntry, version_of
from kpi_pipeline.compute.ingest.certificates import normalise
from kpi_pipeline.model.alerts.parsing import RulesError, parse_rules
from kpi_pipeline.model.filter_parameters import QueryError, parse_filter
from kpi_pipeline.model.filters import EVERYTHING
from kpi_pipeline.model.mapping import MappingError, SourceMapping
from kpi_pipeline.model.mapping.source_mapping import parse_mapping
from kpi_pipeline.sources.errors import SourceError
from kpi_pipeline.sources.extract import extract
from serving.listing.parameters import read_list_request
from serving.problems import Problem


@dataclass(frozen=True, slots=True)
class Target:
    """One border.

    Attributes:
        name: What comes in there, in words.
        take: Takes bytes; raises whatever is no refusal that the border declares.
        seeds: Examples, of which the fuzzer makes others.
        runs: How many inputs a sweep tries.
    """

    name: str
    take: Callable[[bytes], None]
    seeds: Sequence[bytes]
    runs: int


RULES: Final = files("kpi_pipeline.alerts") / "alerts.toml"
MAPPINGS: Final = files("kpi_pipeline.sources") / "mappings"
SHIPPED: Final = ("edp.toml", "ibm_receivables.toml")
CATALOGUE: Final[dict[str, Any]] = {
    "dimensions": [
        {"name": "client", "values": [{"value": "Constructora Ñuble"}, {"value": "ACME & Cía."}]},
        {"name": "state", "values": [{"value": "pagado"}, {"value": "aprobado_cliente"}]},
        {"name": "month", "values": [{"value": "2024-02"}, {"value": "2024-03"}]},
    ],
    "periods": [
        {"name": "3m", "spellings": ["3m", "quarter"], "dimension": "month", "values": ["2024-02", "2024-03"]}
    ],
    "groups": [{"name": "open", "spellings": ["open"], "dimension": "state", "values": ["aprobado_cliente"]}],
}
CSV_MAPPING: Final = """
name = "fuzzed"
[columns]
certificate_id = "n"
state = "state"
project = "project"
client = "client"
issued_on = "issued"
amount_proposed = "amount"
currency = "currency"
"""


def _text(data: bytes) -> str:
    return data.decode("utf-8", "replace")


def _payload(data: bytes) -> None:
    with suppress(CorruptPayload):
        payload = decode(data)
        payload.content()
    with suppress(CorruptPayload):
        unpack(data)
    assert unpack(pack(data)) == data


def _entry(data: bytes) -> None:
    signed = data + b',"digest":"%s"}' % hashlib.sha1(data).hexdigest().encode()
    for text in (data, signed):
        with suppress(CorruptManifest):
            ManifestEntry.from_json(text)
        version_of(text)


def _filter_text(data: bytes) -> None:
    with suppress(ValueError):
        found = filter_from_text(data)
        assert filter_from_text(filter_to_text(found)) == found


def _filter(data: bytes) -> None:
    with suppress(QueryError):
        parse_filter(parse_qsl(_text(data), keep_blank_values=True), CATALOGUE)


def _list(data: bytes) -> None:
    with suppress(Problem):
        read_list_request(parse_qsl(_text(data), keep_blank_values=True))


def _mapping(data: bytes) -> None:
    with suppress(MappingError):
        parse_mapping(_text(data), "mapping.toml")


def _rules(data: bytes) -> None:
    with suppress(RulesError):
        parse_rules(RULES.read_text(encoding="utf-8"), _text(data), "alerts.toml")


def _policy(data: bytes) -> None:
    with suppress(PolicyError):
        parse_policy(_text(data), "policy.toml")


def _csv(data: bytes) -> None:
    mapping: SourceMapping = parse_mapping(CSV_MAPPING, "mapping.toml")
    with tempfile.TemporaryDirectory() as folder, suppress(SourceError, MappingError):
        path = Path(folder) / "data.csv"
        path.write_bytes(data)
        normalise(extract(str(path), mapping).raw, mapping, None)


TARGETS: Final = {
    "payload": Target(
        "stored values of Redis",
        _payload,
        [encode_answer({"kpis": {"dso": 1.5}}, "kpis", EVERYTHING.as_dict(), ""), pack(b"{}")],
        250_000,
    ),
    "entry": Target("entries of the manifest", _entry, [b'{"product":"kpis","fence":1'], 250_000),
    "filter_text": Target("filters of requests in Redis", _filter_text, [b'{"client":["a"]}'], 250_000),
    "filter": Target(
        "filters of a query",
        _filter,
        [b"client=acme+%26+cia.&state=open", b"period=3m", b"from=2024-02&to=2024-03&estado=pagado"],
        200_000,
    ),
    "list": Target(
        "parameters of the list",
        _list,
        [b"sort=-amount&page=2&columns=client&search=a&currency=CLP", b"issued_from=2024-01-01"],
        50_000,
    ),
    "mapping": Target(
        "mappings", _mapping, [(MAPPINGS / name).read_bytes() for name in SHIPPED], 5_000
    ),
    "rules": Target("rules of alerts", _rules, [RULES.read_bytes()], 20_000),
    "policy": Target(
        "policies of scopes",
        _policy,
        [b'[scopes.ana]\nproject_manager = ["Ana"]\n[people]\n"ana" = "ana"\n[roles]\nviewer = "ana"\n'],
        20_000,
    ),
    "csv": Target(
        "CSV files",
        _csv,
        [b"n,state,project,client,issued,amount,currency\n1,paid,P-1,ACME,2024-02-29,1000,CLP\n"],
        10_000,
    ),
}  # fmt: skip
