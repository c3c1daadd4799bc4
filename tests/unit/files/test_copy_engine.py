# Copyright (c) 2026 hotbackup contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Good copies, and copies of bad blocks."""

from __future__ import annotations

import hashlib
import os
import stat
from pathlib import Path

import pytest
from ansible_collections.hotbackup.oracle.plugins.module_utils._backup.errors import VerificationError
from ansible_collections.hotbackup.oracle.plugins.module_utils._files.copy_engine import copy_file
from ansible_collections.hotbackup.oracle.plugins.module_utils._files.digests import file_digest
from ansible_collections.hotbackup.oracle.plugins.module_utils._files.file_headers import (
    DatafileHeader,
    FileKind,
    read_datafile_header,
)
from ansible_collections.hotbackup.oracle.plugins.module_utils._files.file_scan import Patience
from ansible_collections.hotbackup.oracle.plugins.module_utils._files.io_context import IoContext

from unit.files import oracle_file_writer as writer
from unit.files.faulty_files import ShortLayer, TearingLayer
from unit.files.plain_copies import (
    SIZE,
    accelerated,
    backup,
    damage,
    no_pause,
    request_for,
    source,
    torn_block,
)

__all__ = ["backup", "source"]


# --- a good copy


@accelerated
def test_a_copy_is_byte_for_byte_the_source_and_private(source: Path, backup: Path, accelerator: str) -> None:
    result = copy_file(request_for(source, backup), IoContext(accelerator=accelerator))
    copy = backup / "copy.dbf"
    assert copy.read_bytes() == source.read_bytes()
    assert stat.S_IMODE(copy.stat().st_mode) == 0o600
    assert [entry.name for entry in backup.iterdir()] == ["copy.dbf"]
    assert result.size_bytes == 22 * SIZE
    assert (result.blocks_examined, result.blocks_empty, result.blocks_without_checksum) == (21, 7, 0)
    assert (result.fault_count, result.faults) == (0, ())
    assert result.accelerator == accelerator
    status = source.stat()
    assert (result.source_inode, result.source_mtime_ns) == (status.st_ino, status.st_mtime_ns)


def test_the_digest_is_that_of_the_documented_program(source: Path, backup: Path) -> None:
    result = copy_file(request_for(source, backup))
    chunk = hashlib.sha256(source.read_bytes())
    assert result.chunk_digests == (chunk.hexdigest(),)
    assert result.digest == hashlib.sha256(chunk.digest()).hexdigest()
    assert result.digest == file_digest(backup / "copy.dbf").digest


def test_the_headers_before_and_after_are_returned(source: Path, backup: Path) -> None:
    result = copy_file(request_for(source, backup))
    assert result.header_before == result.header_after == read_datafile_header(source)


def test_a_header_that_moves_during_the_copy_shows_in_the_result(source: Path, backup: Path) -> None:
    moved = writer.Datafile(checkpoint_scn=5_000_000_999).fill(20).header()
    result = copy_file(
        request_for(source, backup), IoContext(progress=lambda _count: damage(source, 1, moved))
    )
    assert isinstance(result.header_before, DatafileHeader)
    assert isinstance(result.header_after, DatafileHeader)
    assert result.header_before.checkpoint_scn == 5_000_000_123
    assert result.header_after.checkpoint_scn == 5_000_000_999


def test_the_mode_is_the_requested_one_whatever_the_umask(source: Path, backup: Path) -> None:
    old = os.umask(0o077)
    try:
        copy_file(request_for(source, backup, mode=0o640))
    finally:
        os.umask(old)
    assert stat.S_IMODE((backup / "copy.dbf").stat().st_mode) == 0o640


def test_files_larger_than_the_buffer_are_copied_whole(tmp_path: Path, backup: Path) -> None:
    large = writer.Datafile(block_size=32768).fill(300).write(tmp_path / "large.dbf")
    counts: list[int] = []
    result = copy_file(request_for(large, backup), IoContext(progress=counts.append))
    assert (backup / "copy.dbf").read_bytes() == large.read_bytes()
    assert sum(counts) == result.size_bytes == 302 * 32768
    assert len(counts) == 5


def test_short_reads_and_writes_are_continued(source: Path, backup: Path) -> None:
    copy_file(request_for(source, backup), IoContext(files=ShortLayer()))
    assert (backup / "copy.dbf").read_bytes() == source.read_bytes()


@pytest.mark.parametrize(
    "log", [writer.RedoLog(blocks_written=68), writer.RedoLog(blocks_written=10, blocks_allocated=40)]
)
def test_archived_and_online_logs_are_copied(tmp_path: Path, backup: Path, log: writer.RedoLog) -> None:
    path = log.write(tmp_path / "182.arc")
    result = copy_file(request_for(path, backup, kind=FileKind.REDO, thread=1, sequence=182, dbid=log.dbid))
    assert result.fault_count == 0
    assert (backup / "copy.dbf").read_bytes() == path.read_bytes()


def test_control_files_are_copied(tmp_path: Path, backup: Path) -> None:
    path = writer.ControlFile().write(tmp_path / "control.ctl")
    result = copy_file(request_for(path, backup, kind=FileKind.CONTROL))
    assert (result.fault_count, result.blocks_empty) == (0, 3)


def test_a_tempfile_is_copied_only_as_one(tmp_path: Path, backup: Path) -> None:
    path = writer.Datafile(file_type=6).write(tmp_path / "temp01.dbf")
    with pytest.raises(VerificationError, match="file type 3"):
        copy_file(request_for(path, backup), IoContext(pause=no_pause))
    copy_file(request_for(path, backup, kind=FileKind.TEMPFILE))


# --- bad blocks


def test_a_block_torn_for_a_moment_is_read_again_from_storage(source: Path, backup: Path) -> None:
    files = TearingLayer(8 * SIZE, torn_block(), reads=3)
    pauses: list[float] = []
    result = copy_file(request_for(source, backup), IoContext(files=files, pause=pauses.append))
    assert result.fault_count == 0
    assert (backup / "copy.dbf").read_bytes() == source.read_bytes()
    assert result.digest == file_digest(source).digest
    assert files.forgotten == [(8 * SIZE, SIZE)] * 3
    assert pauses == sorted(pauses)
    assert pauses[0] < pauses[-1]


def test_a_block_that_stays_torn_is_recorded_and_copied_as_it_is(source: Path, backup: Path) -> None:
    damage(source, 8, torn_block())
    pauses: list[float] = []
    result = copy_file(request_for(source, backup, reread_attempts=3), IoContext(pause=pauses.append))
    assert [(fault.kind, fault.block, fault.offset) for fault in result.faults] == [
        ("fractured", 8, 8 * SIZE)
    ]
    assert result.faults[0].file == str(source)
    assert len(pauses) == 3
    assert (backup / "copy.dbf").read_bytes() == source.read_bytes()


def test_no_attempts_means_no_pause(source: Path, backup: Path) -> None:
    damage(source, 8, torn_block())
    pauses: list[float] = []
    assert (
        copy_file(request_for(source, backup, reread_attempts=0), IoContext(pause=pauses.append)).fault_count
        == 1
    )
    assert pauses == []


def test_a_header_torn_for_a_moment_is_read_again(source: Path, backup: Path) -> None:
    image = writer.Datafile().fill(20)
    torn = bytearray(image.header())
    torn[SIZE - 4] = 0x77
    result = copy_file(
        request_for(source, backup), IoContext(files=TearingLayer(SIZE, bytes(torn), reads=2), pause=no_pause)
    )
    assert result.fault_count == 0


def test_many_bad_blocks_are_counted_but_only_a_hundred_told(tmp_path: Path, backup: Path) -> None:
    image = writer.Datafile(block_size=2048).fill(300)
    image.bodies[:250] = [bytes(2048)] * 250
    result = copy_file(request_for(image.write(tmp_path / "f"), backup), IoContext(pause=no_pause))
    assert (result.fault_count, len(result.faults)) == (250, 100)


def test_patience_with_a_damaged_file_ends() -> None:
    pauses: list[float] = []
    patience = Patience(5, pauses.append)
    attempts = [len(list(patience.attempts())) for _place in range(1000)]
    assert attempts[0] == 5
    assert set(attempts[100:]) == {1}, "a last look without waiting"
    assert sum(pauses) <= 30


def test_a_damaged_block_zero_is_a_fault_if_the_block_size_is_known(source: Path, backup: Path) -> None:
    damage(source, 0, b"\x01", offset=200)
    with pytest.raises(VerificationError, match="block 0"):
        copy_file(request_for(source, backup), IoContext(pause=no_pause))
    result = copy_file(request_for(source, backup, block_size=SIZE), IoContext(pause=no_pause))
    assert [(fault.kind, fault.block) for fault in result.faults] == [("bad_checksum", 0)]
