"""Generations on disk are whole, or known not to be."""

import os
import time
from dataclasses import replace
from datetime import UTC, date, datetime
from pathlib import Path
from random import Random

import pytest
import redis
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from kpi_pipeline.cache.keys import members_key, new_generation
from kpi_pipeline.cache.manifest import ManifestEntry
from kpi_pipeline.cache.publishing.archive import Archive, MonthEndArchive
from kpi_pipeline.cache.publishing.archived_frames import CorruptArchive
from kpi_pipeline.cache.publishing.integrity import IncompleteGeneration
from kpi_pipeline.cache.publishing.publisher import Flip
from kpi_pipeline.model.filters import EVERYTHING, Filter

MANY = tuple(Filter.of({"client": f"client {number}"}) for number in range(600))


@pytest.fixture
def archive(client: redis.Redis, tmp_path: Path) -> Archive:
    return Archive(client, tmp_path / "archive")


def frames_file(folder: Path, generation: str) -> Path:
    return folder / "archive" / "kpis" / f"{generation}.frames"


def test_what_is_read_back_is_what_redis_holds(newsroom, client, archive: Archive) -> None:
    entry = newsroom.publish(*MANY)
    held = {key.decode(): client.get(key) for key in client.smembers(members_key(entry.generation))}
    written = archive.store(entry)
    assert written > entry.bytes
    (found,), problems = archive.entries("kpis")
    assert (found.entry, problems) == (entry, [])
    assert found.expires_at == client.expiretime(members_key(entry.generation))
    assert dict(pair for batch in archive.frames(entry) for pair in batch) == held
    assert len(held) == 601


def test_the_newest_two_are_kept_and_nothing_else(newsroom, archive: Archive, tmp_path: Path) -> None:
    entries = [newsroom.publish(EVERYTHING, mark=number) for number in range(3)]
    for entry in entries:
        archive.store(entry)
    kept = [archived.entry.generation for archived in archive.entries("kpis")[0]]
    assert kept == [entries[2].generation, entries[1].generation]
    files = {path.name for path in (tmp_path / "archive" / "kpis").iterdir()}
    assert files == {f"{name}.{kind}" for name in kept for kind in ("frames", "entry")}


def test_a_verified_generation_gets_a_new_entry_and_its_payloads_stay(
    newsroom, archive: Archive, tmp_path: Path
) -> None:
    entry = newsroom.publish(*MANY)
    archive.store(entry)
    inode = frames_file(tmp_path, entry.generation).stat().st_ino
    later = replace(entry, verified_at=entry.verified_at + 1, fence=entry.fence + 1)
    assert archive.store(later) < 2000
    assert [archived.entry for archived in archive.entries("kpis")[0]] == [later]
    assert frames_file(tmp_path, entry.generation).stat().st_ino == inode


def test_a_generation_that_redis_does_not_hold_whole_is_not_archived(
    newsroom, client, archive: Archive, tmp_path: Path
) -> None:
    entry = newsroom.publish(*MANY)
    client.unlink(*list(client.smembers(members_key(entry.generation)))[:5])
    with pytest.raises(IncompleteGeneration, match="596 of its 601 keys"):
        archive.store(entry)
    assert list((tmp_path / "archive" / "kpis").iterdir()) == []


def test_a_damaged_answer_is_not_archived(newsroom, client, archive: Archive, tmp_path: Path) -> None:
    entry = newsroom.publish(*MANY)
    key = next(iter(client.smembers(members_key(entry.generation))))
    client.set(key, client.get(key)[:-1] + b"?", keepttl=True)
    with pytest.raises(IncompleteGeneration, match="not what was written"):
        archive.store(entry)
    assert list((tmp_path / "archive" / "kpis").iterdir()) == []


def test_without_an_archive_there_is_nothing_to_read(archive: Archive) -> None:
    assert archive.entries("kpis") == ([], [])


def test_files_are_their_owners_alone(newsroom, archive: Archive, tmp_path: Path) -> None:
    archive.store(newsroom.publish(EVERYTHING))
    modes = {path.stat().st_mode & 0o777 for path in (tmp_path / "archive" / "kpis").iterdir()}
    assert modes == {0o600}


@pytest.fixture
def archived(newsroom, archive: Archive) -> ManifestEntry:
    entry = newsroom.publish(EVERYTHING)
    archive.store(entry)
    return entry


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(kind=st.sampled_from([".frames", ".entry"]), at=st.floats(0, 1, exclude_max=True), cut=st.booleans())
def test_any_cut_or_changed_byte_is_noticed(
    archived: ManifestEntry, archive: Archive, tmp_path: Path, kind: str, at: float, cut: bool
) -> None:
    path = frames_file(tmp_path, archived.generation).with_suffix(kind)
    whole = path.read_bytes()
    place = int(at * len(whole))
    changed = bytes([whole[place] ^ 0x10])
    path.write_bytes(whole[:place] if cut else whole[:place] + changed + whole[place + 1 :])
    try:
        if kind == ".entry":
            found, (problem,) = archive.entries("kpis")
            assert (found, archived.generation in problem) == ([], True)
        else:
            with pytest.raises(CorruptArchive, match="cut or changed"):
                list(archive.frames(archived))
    finally:
        path.write_bytes(whole)


def test_a_missing_file_is_reported(newsroom, archive: Archive, tmp_path: Path) -> None:
    entry = newsroom.publish(EVERYTHING)
    archive.store(entry)
    frames_file(tmp_path, entry.generation).unlink()
    with pytest.raises(CorruptArchive, match="is gone"):
        list(archive.frames(entry))


def test_payloads_without_the_entry_that_is_written_last_are_not_archived(
    newsroom, client, tmp_path: Path
) -> None:
    archive, entry = MonthEndArchive(client, tmp_path), newsroom.publish(EVERYTHING)
    archive.store(entry)
    (path,) = tmp_path.rglob("*.entry")
    path.unlink()
    assert not archive.holds(entry)
    archive.store(entry)
    assert archive.holds(entry)


def test_what_a_crash_left_half_written_is_swept(newsroom, archive: Archive, tmp_path: Path) -> None:
    archive.store(newsroom.publish(EVERYTHING))
    part = tmp_path / "archive" / "kpis" / "kpis-x.frames.abc.part"
    part.write_bytes(b"half")
    archive.store(newsroom.publish(EVERYTHING))
    assert part.exists()
    two_hours_ago = time.time() - 7200
    os.utime(part, (two_hours_ago, two_hours_ago))
    archive.store(newsroom.publish(EVERYTHING))
    assert not part.exists()


def publish(newsroom, *marks: int) -> ManifestEntry:
    """Publish a generation of one answer for each mark, as large as answers are."""
    staged = newsroom.publisher.stage(
        "kpis",
        new_generation("kpis", datetime.now(UTC)),
        [(one, {"text": Random(mark).randbytes(1000).hex()}) for one, mark in zip(MANY, marks, strict=False)],
        {"dimensions": []},
        expires_at=time.time() + 600,
    )
    entry = newsroom.entry(staged, fence=newsroom.publisher.next_fence(), reading=staged.generation)
    assert newsroom.publisher.flip(entry) is Flip.LIVE
    return entry


def publish_archived(newsroom, archive: Archive, *marks: int) -> ManifestEntry:
    entry = publish(newsroom, *marks)
    archive.store(entry)
    return entry


def held_by(client: redis.Redis, entry: ManifestEntry) -> dict[str, bytes | None]:
    return {key.decode(): client.get(key) for key in client.smembers(members_key(entry.generation))}


def archived_of(archive: Archive, entry: ManifestEntry) -> dict[str, bytes]:
    return dict(pair for batch in archive.frames(entry) for pair in batch)


def test_only_what_differs_from_the_one_before_the_last_is_written(
    newsroom, client, archive: Archive, tmp_path: Path
) -> None:
    entries, written = [], []
    for changed in range(8):
        entries.append(publish(newsroom, *[changed] * 3, *[0] * 97))
        written.append(archive.store(entries[-1]))
        assert archived_of(archive, entries[-1]) == held_by(client, entries[-1])
    whole, later = written[:2], written[2:]
    assert max(later) < min(whole) / 2
    kept = [archived.entry.generation for archived in archive.entries("kpis")[0]]
    assert kept == [entries[7].generation, entries[6].generation]
    files = {path.stem for path in (tmp_path / "archive" / "kpis").glob("*.frames")}
    # The first ones have what has never changed; what only those between had is gone.
    assert files == {entries[place].generation for place in (0, 1, 6, 7)}


def test_the_newest_two_share_no_file(newsroom, client, archive: Archive, tmp_path: Path) -> None:
    entries = [publish_archived(newsroom, archive, number, 0, 0) for number in range(5)]
    frames_file(tmp_path, entries[0].generation).write_bytes(b"damaged")
    with pytest.raises(CorruptArchive, match="cut or changed"):
        archived_of(archive, entries[4])
    assert archived_of(archive, entries[3]) == held_by(client, entries[3])


def test_nothing_rests_on_files_that_are_damaged(newsroom, client, archive: Archive, tmp_path: Path) -> None:
    entries = [publish_archived(newsroom, archive, number, 0, 0) for number in range(4)]
    path = frames_file(tmp_path, entries[0].generation)
    path.write_bytes(path.read_bytes()[:-1])
    entry = publish_archived(newsroom, archive, 4, 0, 0)
    assert archived_of(archive, entry) == held_by(client, entry)
    assert not path.exists()


def test_what_changes_unnoticed_is_left_behind(newsroom, client, archive: Archive, tmp_path: Path) -> None:
    for number in range(4):
        first = publish_archived(newsroom, archive, number, 0, 0)
        if number == 0:
            path = frames_file(tmp_path, first.generation)
    content = bytearray(path.read_bytes())
    content[len(content) // 2] ^= 1
    path.write_bytes(content)
    # Each publication looks at one of the files on which it rests.
    entries = [publish_archived(newsroom, archive, number, 0, 0) for number in range(4, 14)]
    for entry in entries[-2:]:
        assert archived_of(archive, entry) == held_by(client, entry)


def test_a_generation_that_is_live_again_is_archived_again(
    newsroom, client, archive: Archive, tmp_path: Path
) -> None:
    # The third has a part that is in the fifth too, and one of the first, which the fifth has not.
    marks = [(0, 1, 2), (9, 9, 9), (0, 5, 2), (8, 8, 8), (7, 5, 7)]
    entries = [publish_archived(newsroom, archive, *one) for one in marks]
    back = replace(entries[2], fence=newsroom.publisher.next_fence())
    assert not archive.holds(back)
    archive.store(back)
    assert archive.holds(back)
    for entry in (back, entries[4]):
        assert archived_of(archive, entry) == held_by(client, entry)
    # And again: nothing is written but its entry.
    assert archive.store(replace(back, fence=newsroom.publisher.next_fence())) < 2_000
    frames_file(tmp_path, f"{back.generation}~1").write_bytes(b"damaged")
    assert archived_of(archive, entries[4]) == held_by(client, entries[4])


def test_a_file_of_another_layout_is_not_read(newsroom, archive: Archive, tmp_path: Path) -> None:
    entries = [publish_archived(newsroom, archive, number, 0, 0) for number in range(3)]
    other = publish_archived(newsroom, archive, 5)
    path = frames_file(tmp_path, entries[0].generation)
    path.write_bytes(frames_file(tmp_path, other.generation).read_bytes())
    with pytest.raises(CorruptArchive, match="another file"):
        archived_of(archive, entries[2])


def test_files_take_bounded_room(newsroom, archive: Archive, tmp_path: Path) -> None:
    most = 0
    for number in range(12):
        entry = publish(newsroom, *[number] * 30, *[0] * 70)
        archive.store(entry)
        most = max(most, sum(path.stat().st_size for path in tmp_path.rglob("*.frames")))
    assert most < 2 * 3.5 * entry.bytes


def test_what_is_archived_by_another_version_is_archived_again(
    newsroom, client, archive: Archive, tmp_path: Path
) -> None:
    entry = publish(newsroom, 0, 1)
    archive.store(entry)
    path = frames_file(tmp_path, entry.generation)
    path.write_bytes(b"KPIA\x01" + path.read_bytes()[5:])
    archive.store(entry)
    assert archived_of(archive, entry) == held_by(client, entry)


def test_a_lost_key_is_noticed_whose_answer_is_archived(newsroom, client, archive: Archive) -> None:
    entries = [publish(newsroom, 0, 0, 0) for _ in range(3)]
    for entry in entries[:2]:
        archive.store(entry)
    client.unlink(*list(client.smembers(members_key(entries[2].generation)))[:2])
    with pytest.raises(IncompleteGeneration, match="2 of its 4 keys"):
        archive.store(entries[2])


JANUARY, FEBRUARY = date(2026, 1, 31), date(2026, 2, 28)


def test_of_each_month_end_the_latest_reading_is_kept(newsroom, client, tmp_path: Path) -> None:
    archive = MonthEndArchive(client, tmp_path / "archive")
    entries = [
        newsroom.entry(newsroom.stage(mark=number), fence=number, as_of=as_of)
        for number, as_of in enumerate((JANUARY, FEBRUARY, JANUARY))
    ]
    for entry in entries:
        archive.store(entry)
    assert [archived.entry for archived in archive.entries("kpis")[0]] == [entries[2], entries[1]]
    assert [archive.holds(entry) for entry in entries] == [False, True, True]
    assert not frames_file(tmp_path, entries[2].generation).exists()  # apart from what is live


@pytest.mark.parametrize(("first", "generations"), [(FEBRUARY, 9), (date(2020, 1, 31), 1)])
def test_archived_month_ends_have_bounds(
    newsroom, client, tmp_path: Path, first: date, generations: int
) -> None:
    archive = MonthEndArchive(client, tmp_path / "archive")
    for number, as_of in enumerate((JANUARY, FEBRUARY)):
        entry = newsroom.entry(newsroom.stage(), fence=number, as_of=as_of)
        archive.store(entry)
    assert archive.bound(["kpis"], first, entry.bytes * generations) == 1
    assert [archived.entry for archived in archive.entries("kpis")[0]] == [entry]
    assert archive.bound(["kpis"], first, entry.bytes * generations) == 0


def test_archived_month_ends_of_another_source_are_removed(newsroom, client, tmp_path: Path) -> None:
    archive = MonthEndArchive(client, tmp_path / "archive")
    earlier, now = (
        newsroom.entry(newsroom.stage(), fence=number, as_of=as_of, source=source)
        for number, (as_of, source) in enumerate(((JANUARY, "earlier"), (FEBRUARY, "now")))
    )
    archive.store(earlier)
    archive.store(now)
    archive.remove_others("kpis", "now")
    assert [archived.entry for archived in archive.entries("kpis")[0]] == [now]
    assert not archive.holds(earlier)
