"""Specifications: made once, without data and without colours."""

import re

import orjson
import pytest

from kpi_pipeline.model.charts import CHARTS, specification, specification_digest

COLOUR = re.compile(r"#[0-9a-f]{3,8}\b|rgba?\(|steelblue|\"scheme\"", re.IGNORECASE)


@pytest.mark.parametrize("name", CHARTS)
def test_a_specification_names_its_data_and_uses_its_columns_only(name: str) -> None:
    spec = specification(name)
    assert spec["data"] == {"name": name}
    assert "datasets" not in spec
    fields = set(re.findall(r'"field":"(\w+)"', orjson.dumps(spec).decode()))
    assert fields
    assert fields <= set(CHARTS[name].columns)


@pytest.mark.parametrize("name", CHARTS)
def test_colours_belong_to_the_theme(name: str) -> None:
    assert not COLOUR.search(orjson.dumps(specification(name)["encoding"]).decode())


def test_each_chart_has_a_digest_of_its_own_that_stays() -> None:
    digests = {name: specification_digest(name) for name in CHARTS}
    assert len(set(digests.values())) == len(CHARTS)
    assert digests == {name: specification_digest(name) for name in CHARTS}
    assert all(re.fullmatch("[0-9a-f]{32}", digest) for digest in digests.values())


def test_an_unknown_chart_is_an_error() -> None:
    with pytest.raises(KeyError):
        specification("horoscope")
