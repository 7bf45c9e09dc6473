"""Charts are drawn without a browser."""

from datetime import date

import pytest

from kpi_pipeline.compute.payloads import payloads
from kpi_pipeline.compute.pictures import render_png
from kpi_pipeline.model.charts import CHARTS


@pytest.mark.parametrize("name", CHARTS)
def test_a_picture_has_a_picture_s_size(cube_of, name: str) -> None:
    cube = cube_of([{"issued_on": date(2024, 1, 1)}, {"currency": "USD"}])
    _, said = next(iter(payloads("charts", cube, cube.slices())))
    picture = render_png(name, said["charts"][name]["columns"])
    assert picture.startswith(b"\x89PNG\r\n")
    width, height = (int.from_bytes(picture[at : at + 4], "big") for at in (16, 20))
    assert width > 300
    assert height > 300
