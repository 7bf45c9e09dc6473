"""Shipped mappings load; a missing or broken file is told with its path and what to do."""

import subprocess
import sys
import zipfile
from pathlib import Path

import pytest

from kpi_pipeline.model.mapping import MappingError
from kpi_pipeline.model.states import State
from kpi_pipeline.sources.mapping_files import load_mapping, shipped

OWN = """
name = "own"
columns = { certificate_id = "id", client = "customer", issued_on = "issued", amount_proposed = "amount" }
defaults = { state = "enviado", currency = "USD" }
"""


def test_shipped_names_load_and_carry_their_name() -> None:
    assert shipped() == ["edp", "ibm_receivables"]
    for name in shipped():
        mapping = load_mapping(name)
        assert mapping.name == name
        assert mapping.description


@pytest.mark.parametrize(
    ("word", "state"),
    [
        ("revision", State.REVISION),
        ("enviado", State.SENT),
        ("pendiente", State.PENDING),
        ("validado", State.VALIDATED),
        ("aprobado", State.VALIDATED),
        ("facturado", State.VALIDATED),
        ("pagado", State.PAID),
        ("cobrado", State.PAID),
        ("facturado y cobrado", State.PAID),
        ("cerrado", State.PAID),
        ("finalizado", State.PAID),
        ("completado", State.PAID),
        ("rechazado", State.REJECTED),
        ("devuelto", State.REJECTED),
    ],
)
def test_edp_knows_every_word_of_the_domain(word: str, state: State) -> None:
    assert load_mapping("edp").state_spellings[word] is state


def test_a_path_is_a_mapping_too(tmp_path: Path) -> None:
    path = tmp_path / "own.toml"
    path.write_text(OWN, encoding="utf-8")
    assert load_mapping(str(path)).name == "own"


def test_a_changed_file_is_read_again(tmp_path: Path) -> None:
    path = tmp_path / "own.toml"
    path.write_text(OWN, encoding="utf-8")
    before = load_mapping(str(path))
    assert load_mapping(str(path)) is before
    path.write_text(OWN.replace('"USD"', '"CLP"'), encoding="utf-8")
    assert load_mapping(str(path)).defaults == {**before.defaults, "currency": "CLP"}


def test_a_missing_file_names_the_path_and_what_is_shipped(tmp_path: Path) -> None:
    with pytest.raises(MappingError) as caught:
        load_mapping(str(tmp_path / "nowhere.toml"))
    message = str(caught.value)
    assert str(tmp_path / "nowhere.toml") in message
    assert "edp, ibm_receivables" in message


def test_a_broken_file_names_the_path_and_the_place(tmp_path: Path) -> None:
    path = tmp_path / "broken.toml"
    path.write_text(OWN + '\ncolors = "red"\n', encoding="utf-8")
    with pytest.raises(MappingError, match=r"broken\.toml line 6, colors"):
        load_mapping(str(path))
    path.write_text("name = ", encoding="utf-8")
    with pytest.raises(MappingError, match=r"broken\.toml line 1: .* is not valid TOML"):
        load_mapping(str(path))
    path.write_bytes(b"name = '\xff'")
    with pytest.raises(MappingError, match="save the mapping file as UTF-8"):
        load_mapping(str(path))
    with pytest.raises(MappingError, match="cannot be read"):
        load_mapping(str(tmp_path))


def test_a_byte_order_mark_is_no_part_of_the_text(tmp_path: Path) -> None:
    path = tmp_path / "own.toml"
    path.write_text(OWN, encoding="utf-8-sig")
    assert load_mapping(str(path)).name == "own"


def test_the_wheel_brings_the_mappings(tmp_path: Path) -> None:
    root = Path(__file__).parents[2]
    build = f"from hatchling.build import build_wheel; print(build_wheel({str(tmp_path)!r}))"
    subprocess.run([sys.executable, "-c", build], cwd=root, check=True, capture_output=True, timeout=120)
    (wheel,) = tmp_path.glob("*.whl")
    names = zipfile.ZipFile(wheel).namelist()
    assert {f"kpi_pipeline/sources/mappings/{name}.toml" for name in shipped()} <= set(names)
