# Copyright (c) 2026 hotbackup contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What a restore keeps of the files it replaces, and the control files it puts back."""

from __future__ import annotations

import dataclasses
import stat
from datetime import UTC, datetime
from pathlib import Path

import pytest
from ansible_collections.hotbackup.oracle.plugins.module_utils._backup.errors import PreconditionError
from ansible_collections.hotbackup.oracle.plugins.module_utils._backup.layout import DatabaseLayout
from ansible_collections.hotbackup.oracle.plugins.module_utils._backup.manifest import ManifestFile
from ansible_collections.hotbackup.oracle.plugins.module_utils._backup.tuning import CopyTuning
from ansible_collections.hotbackup.oracle.plugins.module_utils._run import file_restore
from ansible_collections.hotbackup.oracle.plugins.module_utils._run.file_restore import (
    plan_files,
    preserve,
    require_sound_copies,
    restore_control_files,
    restore_files,
)
from ansible_collections.hotbackup.oracle.plugins.module_utils._run.restore_progress import RestoreProgress
from ansible_collections.hotbackup.oracle.plugins.module_utils._run.sealing import prove

from unit.run.fake_database import DBID
from unit.run.host import Host
from unit.run.small_set import add_control, add_redo, make_copied_set, seen_of

NOON = datetime(2026, 3, 1, 12, tzinfo=UTC)


def mode_of(path: Path) -> int:
    return stat.S_IMODE(path.stat().st_mode)


def test_files_of_one_name_and_damaged_ones_are_all_kept_private_and_byte_for_byte(tmp_path: Path) -> None:
    contents = {"u01/control.ctl": b"\0damaged", "u02/control.ctl": b"x" * 3_000_000, "u01/redo01.log": b""}
    for name, content in contents.items():
        (tmp_path / name).parent.mkdir(exist_ok=True)
        (tmp_path / name).write_bytes(content)
    layout = DatabaseLayout(str(tmp_path / "backup"), "ORA1", 77)
    kept = preserve([str(tmp_path / name) for name in (*contents, "u03/missing.ctl")], layout, NOON)
    folder = layout.database_folder / "preserved" / "20260301T120000.000000Z"
    assert kept == [str(folder / name) for name in ("1_control.ctl", "2_control.ctl", "3_redo01.log")]
    assert sorted(str(path) for path in folder.iterdir()) == kept
    assert [Path(path).read_bytes() for path in kept] == list(contents.values())
    assert {mode_of(Path(path)) for path in kept} == {0o600}
    assert mode_of(folder) == 0o700


def test_nothing_to_keep_makes_no_folder(tmp_path: Path) -> None:
    layout = DatabaseLayout(str(tmp_path / "backup"), "ORA1", 77)
    assert preserve([str(tmp_path / "missing")], layout, NOON) == []
    assert not layout.database_folder.exists()


def test_control_files_are_put_back_whole_into_folders_that_may_be_gone(tmp_path: Path) -> None:
    stored, there, gone = tmp_path / "control.ctl", tmp_path / "u01" / "c1.ctl", tmp_path / "u02" / "c2.ctl"
    stored.write_bytes(b"stored" * 100_000)
    there.parent.mkdir()
    there.write_bytes(b"older and longer" * 100_000)
    with there.open("rb") as opened:
        restore_control_files({str(there): str(stored), str(gone): str(stored)})
        assert opened.read() == b"older and longer" * 100_000, "replaced, not written over"
    for target in (there, gone):
        assert target.read_bytes() == stored.read_bytes()
        assert mode_of(target) == 0o600
        assert list(target.parent.iterdir()) == [target]


@pytest.fixture
def host(make_host, tmp_path: Path) -> Host:  # type: ignore[no-untyped-def]
    host: Host = make_host({"A": 6})
    make_copied_set(host)
    add_redo(host, tmp_path / "archive")
    add_control(host)
    return host


@pytest.fixture
def places(host: Host, tmp_path: Path) -> list[ManifestFile]:
    """The set's files, each with a place of its own that holds it."""
    folder = tmp_path / "oradata"
    folder.mkdir()
    manifest = prove(host.layout, host.state, seen_of(host), "headers", CopyTuning(), NOON)
    placed = [
        dataclasses.replace(item, source=str(folder / f"{item.file_number}.dbf")) for item in manifest.files
    ]
    for item in placed:
        Path(item.source).write_bytes(host.layout.absolute(item.path).read_bytes())
    return placed


@pytest.mark.parametrize("streams", [1, 2, 5])
def test_only_places_that_hold_exactly_their_file_are_equal(
    host: Host, places: list[ManifestFile], streams: int
) -> None:
    Path(places[1].source).unlink()
    for item, offset in ((places[2], 0), (places[4], -1)):
        content = bytearray(Path(item.source).read_bytes())
        content[offset] ^= 1
        Path(item.source).write_bytes(content)
    with Path(places[3].source).open("ab") as longer:
        longer.write(bytes(8192))
    planned = plan_files(host.layout, places, CopyTuning(streams=streams))
    assert [item.equal for item in planned] == [True, False, False, False, False, True]
    assert [(item.file, item.target) for item in planned] == [(item, item.source) for item in places]


def test_the_digest_decides_where_the_chunks_of_a_manifest_are_not_known(
    host: Host, places: list[ManifestFile]
) -> None:
    unknown = [dataclasses.replace(item, chunk_digests=()) for item in places]
    assert all(item.equal for item in plan_files(host.layout, unknown, CopyTuning()))


def test_comparing_heeds_the_limit(
    host: Host, places: list[ManifestFile], monkeypatch: pytest.MonkeyPatch
) -> None:
    taken: list[int] = []

    class Limit:
        def take(self, count: int, _meanwhile: object) -> None:
            taken.append(count)

    monkeypatch.setattr(file_restore, "bandwidth", lambda _tuning: Limit())
    plan_files(host.layout, places, CopyTuning())
    assert sum(taken) == sum(item.size_bytes for item in places)


def test_what_is_compared_verified_and_written_is_told(host: Host, places: list[ManifestFile]) -> None:
    told: list[tuple[str, int, int]] = []
    counted: list[int] = []

    class Listener(RestoreProgress):
        def begin(self, phase: str, message: str, files_total: int, bytes_total: int) -> None:
            assert message
            told.append((phase, files_total, bytes_total))
            counted.append(0)

        def add_bytes(self, count: int) -> None:
            counted[-1] += count

        def file_done(self) -> None:
            told.append(("done", 1, 0))

    size = places[0].size_bytes
    Path(places[0].source).unlink()
    Path(places[1].source).write_bytes(bytes(size))
    tuning, progress = CopyTuning(streams=1), Listener()
    planned = plan_files(host.layout, places, tuning, progress)
    require_sound_copies(planned, tuning, progress)
    restore_files(planned, DBID, tuning, progress=progress)
    assert told == [
        ("compare", 5, 5 * size),
        ("verify", 1, size),
        ("copy", 2, 2 * size),
        ("done", 1, 0),
        ("done", 1, 0),
    ]
    assert counted[1:] == [size, 2 * size]


def test_nothing_is_read_when_a_copy_of_the_set_is_gone(
    host: Host, places: list[ManifestFile], monkeypatch: pytest.MonkeyPatch
) -> None:
    host.layout.absolute(places[-1].path).unlink()
    monkeypatch.setattr(file_restore, "DigestTask", None)
    with pytest.raises(PreconditionError, match="copy of file 6 is gone"):
        plan_files(host.layout, places, CopyTuning())
