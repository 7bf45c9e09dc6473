"""The local store gives what it holds whole; one that is damaged or of other settings holds nothing."""

from datetime import date
from pathlib import Path

import pytest

from kpi_pipeline.resources.local_store import LocalStore, StoredSource
from kpi_pipeline.resources.month_parts import months_of, store_parts
from kpi_pipeline.resources.snapshots import asset_folder
from kpi_pipeline.sources.mapping_files import load_mapping
from tests.resources.known import assert_same, read_all


@pytest.fixture
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("KPI_HOME", str(tmp_path))
    return tmp_path


@pytest.fixture(scope="module")
def known(small_demo: Path):
    return read_all(f"sqlite:///{small_demo}", load_mapping("edp"))


def save(store: LocalStore, known, before: StoredSource | None = None) -> None:
    parts = store_parts(known.certificates, asset_folder("certificates"))
    store.save(known, "token", parts, before, 7.5)


def test_what_is_known_is_read_back(home, known) -> None:
    store = LocalStore.of("settings")
    assert store.load() is None
    save(store, known)
    stored = store.load()
    assert stored is not None
    assert stored.token == "token"
    assert stored.unseen_since == store.unseen_since() == 7.5
    assert_same(stored.known, known)
    assert LocalStore.of("other settings").load() is None
    LocalStore.drop()
    assert store.load() is None
    assert store.unseen_since() is None


@pytest.mark.parametrize("text", ["", "{}", "null", '{"settings": "settings", "parts": {"x": 1}}'])
def test_a_damaged_store_holds_nothing(text, home, known) -> None:
    store = LocalStore.of("settings")
    save(store, known)
    (store.folder / "state.json").write_text(text)
    assert store.load() is None


def test_a_store_without_one_of_its_files_holds_nothing(home, known) -> None:
    store = LocalStore.of("settings")
    files = [
        *(path.name for path in asset_folder("certificates").glob("*")),
        *(path.name for path in store.folder.glob("*") if path.name != "state.json"),
    ]
    for name in files:
        save(store, known)
        for path in home.rglob(name):
            path.unlink()
        assert store.load() is None


def test_a_save_that_is_cut_short_leaves_what_was_held(home, known, monkeypatch) -> None:
    store = LocalStore.of("settings")
    save(store, known)
    replaced = Path.replace

    def cut(self: Path, target: Path) -> Path:
        if target.name == "state.json":
            raise OSError("no space left on device")
        return replaced(self, target)

    monkeypatch.setattr(Path, "replace", cut)
    with pytest.raises(OSError, match="no space"):
        store.save(known, "later", {}, None, None)
    stored = store.load()
    assert stored is not None
    assert stored.token == "token"
    assert_same(stored.known, known)


def test_costs_that_stay_are_not_written_again(home, known) -> None:
    store = LocalStore.of("settings")
    save(store, known)
    before = store.load()
    assert before is not None
    save(store, before.known, before)
    after = store.load()
    assert after is not None
    assert after.files["costs"] == before.files["costs"]
    assert after.files["rows"] != before.files["rows"]
    assert_same(after.known, known)


def test_only_parts_that_changed_are_written(home, known) -> None:
    folder = asset_folder("certificates")
    parts = store_parts(known.certificates, folder)
    assert set(parts) == months_of(known.certificates)
    month = next(iter(parts))
    certificates = known.certificates.slice(1)
    changed = months_of(known.certificates.slice(0, 1))
    later = store_parts(certificates, folder, parts, changed)
    assert {of for of in parts if later.get(of) != parts[of]} == set(changed)
    assert later == store_parts(certificates, folder)
    assert store_parts(known.certificates.slice(0, 0), folder).keys() == {0}
    assert month in parts


def test_the_months_of_certificates_are_those_of_their_issue(known) -> None:
    first = known.certificates.slice(0, 1)
    issued: date = first["issued_on"][0].as_py()
    assert months_of(first) == {issued.year * 12 + issued.month - 1}
