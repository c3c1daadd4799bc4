# Copyright (c) 2026 hotbackup contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Other processes at work in the same places, and clocks that jump: never a wrong "ok"."""

from __future__ import annotations

import ast
import itertools
import os
import shutil
import time
from collections.abc import Callable
from datetime import datetime, timedelta
from pathlib import Path

import pytest
from ansible_collections.hotbackup.oracle.plugins.module_utils._backup.errors import (
    BackupError,
    VerificationError,
)
from ansible_collections.hotbackup.oracle.plugins.module_utils._files import journal as journal_module
from ansible_collections.hotbackup.oracle.plugins.module_utils._files.atomic import write_atomically
from ansible_collections.hotbackup.oracle.plugins.module_utils._files.copy_engine import (
    CopyRequest,
    CopyResult,
    copy_file,
)
from ansible_collections.hotbackup.oracle.plugins.module_utils._files.file_headers import FileKind
from ansible_collections.hotbackup.oracle.plugins.module_utils._files.io_context import IoContext
from ansible_collections.hotbackup.oracle.plugins.module_utils._files.journal import Journal, read_journal

from unit.files import oracle_file_writer as writer
from unit.files.faulty_files import MeddledLayer, QuickLayer
from unit.files.small_backup import Entry, SmallBackup, no_pause, noon, write_sources

FOREIGN = b"another process's file"


@pytest.fixture
def source(tmp_path: Path) -> Path:
    (tmp_path / "oradata").mkdir()
    return writer.Datafile(block_size=2048).fill(6).write(tmp_path / "oradata" / "users01.dbf")


@pytest.fixture
def backup(tmp_path: Path) -> Path:
    (tmp_path / "backup").mkdir()
    return tmp_path / "backup"


def copy(source: Path, backup: Path, files: object, replace: bool = True) -> CopyResult:
    request = CopyRequest(
        source=str(source),
        destination=str(backup / "copy.dbf"),
        kind=FileKind.DATAFILE,
        replace=replace,
    )
    return copy_file(request, IoContext(files=files, pause=no_pause))  # type: ignore[arg-type] # a layer by its calls


# --- at the destination


def partial_removed(folder: Path) -> None:
    (folder / "copy.dbf.partial").unlink(missing_ok=True)


def partial_replaced(folder: Path) -> None:
    partial_removed(folder)
    (folder / "copy.dbf.partial").write_bytes(FOREIGN)


def partial_replaced_by_a_link(folder: Path) -> None:
    partial_removed(folder)
    (folder.parent / "foreign").write_bytes(FOREIGN)
    (folder / "copy.dbf.partial").symlink_to(folder.parent / "foreign")


def partial_cut(folder: Path) -> None:
    if (folder / "copy.dbf.partial").exists():
        os.truncate(folder / "copy.dbf.partial", 100)


def folder_removed(folder: Path) -> None:
    shutil.rmtree(folder)


def folder_moved_away(folder: Path) -> None:
    folder.rename(folder.parent / "moved")
    folder.mkdir()


def final_name_taken(folder: Path) -> None:
    (folder / "copy.dbf").unlink(missing_ok=True)
    (folder / "copy.dbf").write_bytes(FOREIGN)


def final_name_removed(folder: Path) -> None:
    (folder / "copy.dbf").unlink(missing_ok=True)


@pytest.mark.parametrize("earlier", [False, True], ids=["a new copy", "an older one is replaced"])
@pytest.mark.parametrize(
    "meddle",
    [
        partial_removed,
        partial_replaced,
        partial_replaced_by_a_link,
        partial_cut,
        folder_removed,
        folder_moved_away,
        final_name_taken,
        final_name_removed,
    ],
)
def test_whenever_the_destination_is_meddled_with_ok_means_the_copy_is_there(
    source: Path, backup: Path, meddle: Callable[[Path], None], earlier: bool
) -> None:
    told = 0
    for position in itertools.count():
        shutil.rmtree(backup.parent / "moved", ignore_errors=True)
        backup.mkdir(exist_ok=True)
        target = backup / "copy.dbf"
        target.unlink(missing_ok=True)
        if earlier:
            target.write_bytes(b"old")
        files = MeddledLayer(position, lambda: meddle(backup))
        where = f"before call {position}, {files.met}"
        try:
            copy(source, backup, files)
        except BackupError as exc:
            told += 1
            assert str(target) in str(exc), where
            # A foreign file that got there in the instant before the renaming is told and left alone.
            found = target.read_bytes() if target.exists() else None
            assert found in (None, b"old", FOREIGN, source.read_bytes()), where
        else:
            assert target.read_bytes() == source.read_bytes(), where
            assert not target.is_symlink(), where
        if (backup / "copy.dbf.partial").exists():
            assert (backup / "copy.dbf.partial").read_bytes() == FOREIGN, "only a foreign file may stay"
            (backup / "copy.dbf.partial").unlink()
        assert files.left_open == set()
        if files.met is None:
            break
    assert told > 0


def test_a_foreign_file_with_the_partial_name_is_neither_published_nor_removed(
    source: Path, backup: Path
) -> None:
    with pytest.raises(BackupError, match=r"copy\.dbf\.partial was removed or replaced"):
        copy(source, backup, MeddledLayer("set_mode", lambda: partial_replaced(backup)))
    assert {path.name: path.read_bytes() for path in backup.iterdir()} == {"copy.dbf.partial": FOREIGN}


def test_a_name_taken_by_others_is_kept_unless_replacing_it_was_asked_for(source: Path, backup: Path) -> None:
    for position in itertools.count():
        files = MeddledLayer(position, lambda: final_name_taken(backup))
        try:
            copy(source, backup, files, replace=False)
        except BackupError:
            assert (backup / "copy.dbf").read_bytes() == FOREIGN
        else:
            assert files.met is None
            assert (backup / "copy.dbf").read_bytes() == source.read_bytes()
        assert [path.name for path in backup.iterdir()] == ["copy.dbf"]
        (backup / "copy.dbf").unlink()
        if files.met is None:
            break


def test_the_result_names_the_file_that_was_written_and_not_one_that_took_its_place(
    source: Path, backup: Path
) -> None:
    result = copy(source, backup, QuickLayer())
    assert result.stored_inode == (backup / "copy.dbf").stat().st_ino
    with (backup / "copy.dbf").open("rb"):
        final_name_taken(backup)
        assert result.stored_inode != (backup / "copy.dbf").stat().st_ino


# --- at the source


def another_file(source: Path) -> None:
    other = writer.Datafile(block_size=2048).fill(6).write(source.with_name("other.dbf"))
    other.rename(source)


def another_file_by_a_link(source: Path) -> None:
    source.rename(source.with_name("moved.dbf"))
    writer.Datafile(block_size=2048).fill(6).write(source.with_name("other.dbf"))
    source.symlink_to(source.with_name("other.dbf"))


def truncated(source: Path) -> None:
    os.truncate(source, 4 * 2048)


def extended(source: Path) -> None:
    with source.open("ab") as file:
        file.write(writer.never_used_block(2048, 8))


@pytest.mark.parametrize(
    ("meddle", "sure"),
    [(another_file, True), (another_file_by_a_link, True), (truncated, True), (extended, False)],
)
def test_whenever_the_source_is_meddled_with_ok_means_a_whole_copy_of_what_was_opened(
    tmp_path: Path, backup: Path, meddle: Callable[[Path], None], sure: bool
) -> None:
    outcomes = set()
    for position in itertools.count():
        folder = tmp_path / str(position)
        folder.mkdir()
        source = writer.Datafile(block_size=2048).fill(6).write(folder / "users01.dbf")
        original = source.read_bytes()
        files = MeddledLayer(position, lambda path=source: meddle(path))
        try:
            copy(source, backup, files)
        except VerificationError as exc:
            assert str(source) in str(exc)
            assert list(backup.iterdir()) == []
            outcomes.add("refused")
        else:
            # Whole blocks up to some size that the source has had, from one file.
            stored = (backup / "copy.dbf").read_bytes()
            assert stored in (original, source.read_bytes())
            (backup / "copy.dbf").unlink()
        if files.met is None:
            break
    assert outcomes == ({"refused"} if sure else set())


def test_a_log_deleted_while_it_is_copied_is_kept_whole(source: Path, backup: Path) -> None:
    original = source.read_bytes()
    copy(source, backup, MeddledLayer("write_at", source.unlink))
    assert not source.exists()
    assert (backup / "copy.dbf").read_bytes() == original


# --- at the journal and small files


@pytest.mark.parametrize("replaced", [False, True], ids=["removed", "replaced"])
def test_a_line_for_a_journal_that_others_took_away_is_not_acknowledged(
    tmp_path: Path, replaced: bool
) -> None:
    path = tmp_path / "journal.jsonl"
    with Journal.open(path) as journal:
        journal.append("a")
        path.unlink()
        if replaced:
            path.write_bytes(b"")
        with pytest.raises(BackupError, match=r"journal\.jsonl: it was removed or replaced"):
            journal.append("b")


@pytest.mark.parametrize("meddle", [shutil.rmtree, folder_moved_away], ids=["removed", "moved away"])
def test_whenever_the_folder_of_a_small_file_goes_ok_means_it_is_there(
    backup: Path, meddle: Callable[[Path], None]
) -> None:
    for position in itertools.count():
        shutil.rmtree(backup.parent / "moved", ignore_errors=True)
        backup.mkdir(exist_ok=True)
        (backup / "manifest.json").unlink(missing_ok=True)
        files = MeddledLayer(position, lambda: meddle(backup))
        try:
            write_atomically(backup / "manifest.json", b"new", files=files)  # type: ignore[arg-type]
        except BackupError as exc:
            assert "manifest.json" in str(exc)
        else:
            assert (backup / "manifest.json").read_bytes() == b"new", f"before call {position}, {files.met}"
        if files.met is None:
            break


# --- clocks


def test_a_clock_that_jumps_shows_only_in_the_journals_times(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    sources = write_sources(tmp_path / "oradata")
    jumps = itertools.cycle([timedelta(days=400), timedelta(days=-4000), timedelta(hours=1)])

    def jumping() -> datetime:
        return noon() + next(jumps)

    def entries_of_a_run(name: str, clock: Callable[[], datetime]) -> list[Entry]:
        backup = SmallBackup(sources, tmp_path / name)
        backup.run(QuickLayer(), clock=clock)
        assert backup.shortcomings() == []
        return read_journal(backup.journal)

    steady = entries_of_a_run("steady", noon)
    with monkeypatch.context() as patch:
        system = itertools.cycle([0.0, 4e9, 1e9])
        patch.setattr(time, "time", lambda: next(system))
        patch.setattr(time, "time_ns", lambda: int(next(system)) * 10**9)
        jumped = entries_of_a_run("jumping", jumping)
    times = [entry["at"] for entry in jumped]
    assert times != sorted(times)
    assert [{**entry, "at": ""} for entry in jumped] == [{**entry, "at": ""} for entry in steady]


def test_nothing_but_the_journal_asks_for_the_time_of_day() -> None:
    asking = {"time.time", "time.time_ns", "time.localtime", "time.gmtime", "datetime.now", "datetime.utcnow"}
    sources = list(Path(journal_module.__file__).parent.glob("*.py"))
    found = [
        (source.name, ast.unparse(node.func))
        for source in sources
        for node in ast.walk(ast.parse(source.read_text(encoding="utf-8")))
        if isinstance(node, ast.Call) and ast.unparse(node.func) in asking
    ]
    assert found == [("journal.py", "datetime.now")]
