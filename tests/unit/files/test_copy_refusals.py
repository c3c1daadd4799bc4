# Copyright (c) 2026 hotbackup contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What is not copied, and what a copy that fails leaves."""

from __future__ import annotations

import contextlib
import fcntl
import itertools
import os
from pathlib import Path

import pytest
from ansible_collections.hotbackup.oracle.plugins.module_utils._backup.errors import (
    BackupError,
    Cancelled,
    PreconditionError,
    VerificationError,
)
from ansible_collections.hotbackup.oracle.plugins.module_utils._files.copy_engine import (
    CopyResult,
    copy_file,
)
from ansible_collections.hotbackup.oracle.plugins.module_utils._files.file_headers import FileKind
from ansible_collections.hotbackup.oracle.plugins.module_utils._files.file_layer import OsFileLayer
from ansible_collections.hotbackup.oracle.plugins.module_utils._files.io_context import IoContext

from unit.files import oracle_file_writer as writer
from unit.files.faulty_files import EndingLayer, FailingLayer
from unit.files.plain_copies import SIZE, backup, damage, no_pause, request_for, source

__all__ = ["backup", "source"]


# --- the caller's own look


@pytest.mark.parametrize("earlier", [None, b"earlier"])
def test_what_the_caller_does_not_accept_gets_no_name(
    source: Path, backup: Path, earlier: bytes | None
) -> None:
    target = backup / "copy.dbf"
    if earlier is not None:
        target.write_bytes(earlier)
    seen: list[bytes] = []

    def refuse(result: CopyResult) -> None:
        assert (result.blocks_examined, result.fault_count) == (21, 0)
        seen.extend(path.read_bytes() for path in backup.glob("*.partial"))
        raise VerificationError("not this one")

    with pytest.raises(VerificationError, match="not this one"):
        copy_file(request_for(source, backup, replace=True, accept=refuse))
    assert seen == [source.read_bytes()]
    assert {path.name: path.read_bytes() for path in backup.iterdir()} == (
        {} if earlier is None else {"copy.dbf": earlier}
    )


def test_what_the_caller_accepts_is_what_is_returned(source: Path, backup: Path) -> None:
    accepted: list[CopyResult] = []
    result = copy_file(request_for(source, backup, accept=accepted.append))
    assert accepted == [result]
    assert result.stored_inode == (backup / "copy.dbf").stat().st_ino


# --- refusals


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        ({"dbid": 1}, "dbid 1"),
        ({"file_number": 5}, "file_number 5, found 9"),
        ({"block_size": 4096}, "type 0x0b"),
        ({"kind": FileKind.CONTROL}, "type 0x15"),
        ({"kind": FileKind.REDO}, "type 0x01"),
        ({"expected_digest": "00" * 32}, "expected digest 0000"),
    ],
)
def test_another_file_than_the_expected_one_is_refused(
    source: Path, backup: Path, changes: dict[str, object], said: str
) -> None:
    with pytest.raises(VerificationError, match=said) as caught:
        copy_file(request_for(source, backup, **changes), IoContext(pause=no_pause))
    assert str(source) in str(caught.value)
    assert list(backup.iterdir()) == []


@pytest.mark.parametrize(("thread", "sequence"), [(2, 182), (1, 183)])
def test_another_log_than_the_expected_one_is_refused(
    tmp_path: Path, backup: Path, thread: int, sequence: int
) -> None:
    path = writer.RedoLog().write(tmp_path / "f")
    wanted = request_for(path, backup, kind=FileKind.REDO, thread=thread, sequence=sequence)
    with pytest.raises(VerificationError, match=r"expected (thread|sequence)"):
        copy_file(wanted, IoContext(pause=no_pause))


def test_a_half_archived_log_is_refused(tmp_path: Path, backup: Path) -> None:
    path = writer.RedoLog(blocks_written=68).write(tmp_path / "f")
    with path.open("r+b") as file:
        file.truncate(40 * 512)
    with pytest.raises(VerificationError, match=f"size of {68 * 512} bytes, found {40 * 512}"):
        copy_file(request_for(path, backup, kind=FileKind.REDO), IoContext(pause=no_pause))


def test_a_truncated_datafile_is_refused(source: Path, backup: Path) -> None:
    os.truncate(source, 15 * SIZE)
    with pytest.raises(VerificationError, match=f"at least {22 * SIZE} bytes, found {15 * SIZE}"):
        copy_file(request_for(source, backup))


def test_a_datafile_may_already_be_larger_than_its_header_says(source: Path, backup: Path) -> None:
    with source.open("ab") as file:
        file.write(writer.never_used_block(SIZE, 22))
    assert copy_file(request_for(source, backup)).size_bytes == 23 * SIZE


def test_a_datafile_that_grows_is_copied_up_to_its_size_at_the_start(source: Path, backup: Path) -> None:
    def grow(_count: int) -> None:
        with source.open("ab") as file:
            file.write(writer.never_used_block(SIZE, 22))

    assert copy_file(request_for(source, backup), IoContext(progress=grow)).size_bytes == 22 * SIZE
    assert (backup / "copy.dbf").stat().st_size == 22 * SIZE


def test_a_source_that_shrinks_is_refused(source: Path, backup: Path) -> None:
    with pytest.raises(VerificationError, match="shorter"):
        copy_file(
            request_for(source, backup), IoContext(progress=lambda _count: os.truncate(source, 5 * SIZE))
        )
    assert list(backup.iterdir()) == []


def test_a_source_that_ends_early_is_refused(source: Path, backup: Path) -> None:
    with pytest.raises(VerificationError, match=f"the file ends at {9 * SIZE}"):
        copy_file(request_for(source, backup), IoContext(files=EndingLayer(9 * SIZE)))
    assert list(backup.iterdir()) == []


def test_a_source_that_becomes_another_file_is_refused(source: Path, backup: Path) -> None:
    other = writer.Datafile(creation_scn=18_000).fill(20).header()
    with pytest.raises(
        VerificationError, match="creation_scn 17000 still at the end of the read, found 18000"
    ):
        copy_file(request_for(source, backup), IoContext(progress=lambda _count: damage(source, 1, other)))
    assert list(backup.iterdir()) == []


def test_an_existing_destination_is_kept_unless_replacing_is_asked_for(source: Path, backup: Path) -> None:
    (backup / "copy.dbf").write_bytes(b"precious")
    with pytest.raises(PreconditionError, match="exists"):
        copy_file(request_for(source, backup))
    assert (backup / "copy.dbf").read_bytes() == b"precious"
    copy_file(request_for(source, backup, replace=True))
    assert (backup / "copy.dbf").read_bytes() == source.read_bytes()


def test_a_destination_that_appears_meanwhile_is_kept(source: Path, backup: Path) -> None:
    def another_writer(_count: int) -> None:
        (backup / "copy.dbf").write_bytes(b"precious")

    with pytest.raises(PreconditionError, match="exists"):
        copy_file(request_for(source, backup), IoContext(progress=another_writer))
    assert (backup / "copy.dbf").read_bytes() == b"precious"
    assert len(list(backup.iterdir())) == 1


def test_a_failed_replacement_leaves_the_old_file(source: Path, backup: Path) -> None:
    (backup / "copy.dbf").write_bytes(b"precious")
    with pytest.raises(VerificationError):
        copy_file(request_for(source, backup, replace=True, expected_digest="00" * 32))
    assert (backup / "copy.dbf").read_bytes() == b"precious"


def test_a_dangling_link_is_a_taken_destination(source: Path, backup: Path, tmp_path: Path) -> None:
    (backup / "copy.dbf").symlink_to(tmp_path / "elsewhere")
    with pytest.raises(PreconditionError, match="exists"):
        copy_file(request_for(source, backup))


def test_a_link_in_place_of_the_partial_file_is_not_followed(
    source: Path, backup: Path, tmp_path: Path
) -> None:
    victim = tmp_path / "victim"
    victim.write_bytes(b"precious")
    (backup / "copy.dbf.partial").symlink_to(victim)
    with pytest.raises(BackupError):
        copy_file(request_for(source, backup))
    assert victim.read_bytes() == b"precious"
    victim.unlink()
    with pytest.raises(BackupError):
        copy_file(request_for(source, backup))
    assert not victim.exists()


def test_what_an_interrupted_copy_left_is_taken_over(source: Path, backup: Path) -> None:
    (backup / "copy.dbf.partial").write_bytes(b"x" * 1_000_000)
    copy_file(request_for(source, backup))
    assert (backup / "copy.dbf").read_bytes() == source.read_bytes()
    assert len(list(backup.iterdir())) == 1


def test_a_partial_file_with_a_living_writer_is_left_alone(source: Path, backup: Path) -> None:
    with (backup / "copy.dbf.partial").open("wb") as other:
        fcntl.flock(other, fcntl.LOCK_EX)
        other.write(b"half")
        other.flush()
        with pytest.raises(PreconditionError, match="another process is writing it"):
            copy_file(request_for(source, backup))
    assert (backup / "copy.dbf.partial").read_bytes() == b"half"


def test_missing_space_is_told_before_anything_is_copied(source: Path, backup: Path) -> None:
    class Full(OsFileLayer):
        def free_bytes(self, folder: str) -> int:
            return 22 * SIZE - 1

    progress: list[int] = []
    with pytest.raises(PreconditionError, match=f"{22 * SIZE} bytes needed, {22 * SIZE - 1} bytes free"):
        copy_file(request_for(source, backup), IoContext(files=Full(), progress=progress.append))
    assert (progress, list(backup.iterdir())) == ([], [])


def test_a_missing_source_and_a_missing_folder_are_explained(source: Path, backup: Path) -> None:
    with pytest.raises(BackupError, match=r"Failed to copy .*nowhere.*ENOENT"):
        copy_file(request_for(source.parent / "nowhere", backup))
    with pytest.raises(BackupError, match="ENOENT"):
        copy_file(request_for(source, backup / "missing"))


def test_a_pipe_is_no_source(tmp_path: Path, backup: Path) -> None:
    with pytest.raises(BackupError):
        copy_file(request_for(tmp_path, backup), IoContext(pause=no_pause))
    assert list(backup.iterdir()) == []


def test_a_cancelled_copy_leaves_nothing(source: Path, backup: Path) -> None:
    with pytest.raises(Cancelled, match="stopped"):
        copy_file(request_for(source, backup), IoContext(cancelled=lambda: True))
    assert list(backup.iterdir()) == []


# --- any single failing call: of a whole backup, see test_faults


def test_whatever_call_fails_nothing_has_the_final_name_and_a_rerun_succeeds(
    source: Path, backup: Path
) -> None:
    told = 0
    for position in itertools.count():
        files = FailingLayer(position, inner=OsFileLayer())
        try:
            copy_file(request_for(source, backup), IoContext(files=files, pause=no_pause))
        except BackupError as exc:
            told += 1
            assert "EIO" in str(exc)
            assert list(backup.iterdir()) == [], f"call {position}, {files.failed}"
            copy_file(request_for(source, backup), IoContext(pause=no_pause))
        assert (backup / "copy.dbf").read_bytes() == source.read_bytes()
        (backup / "copy.dbf").unlink()
        if files.failed is None:
            break
    assert told > 10


def test_no_failing_call_leaks_a_descriptor(source: Path, backup: Path) -> None:
    before = len(list(Path("/proc/self/fd").iterdir()))
    for position in itertools.count():
        files = FailingLayer(position)
        with contextlib.suppress(BackupError):
            copy_file(request_for(source, backup, replace=True), IoContext(files=files, pause=no_pause))
        if files.failed is None:
            break
    assert position > 10
    assert len(list(Path("/proc/self/fd").iterdir())) == before
