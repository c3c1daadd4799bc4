# Copyright (c) 2026 hotbackup contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The copy engine: what a copy is, what it refuses, and what it leaves when anything fails."""

from __future__ import annotations

import contextlib
import dataclasses
import fcntl
import hashlib
import itertools
import os
import stat
import threading
from pathlib import Path

import pytest
from ansible_collections.hotbackup.oracle.plugins.module_utils._backup.errors import (
    BackupError,
    Cancelled,
    PreconditionError,
    VerificationError,
)
from ansible_collections.hotbackup.oracle.plugins.module_utils._files.copy_engine import (
    CopyRequest,
    CopyResult,
    copy_file,
    copy_many,
)
from ansible_collections.hotbackup.oracle.plugins.module_utils._files.digests import file_digest
from ansible_collections.hotbackup.oracle.plugins.module_utils._files.file_headers import (
    DatafileHeader,
    FileKind,
    read_datafile_header,
)
from ansible_collections.hotbackup.oracle.plugins.module_utils._files.file_identity import FileExpectations
from ansible_collections.hotbackup.oracle.plugins.module_utils._files.file_layer import OsFileLayer
from ansible_collections.hotbackup.oracle.plugins.module_utils._files.file_scan import Patience
from ansible_collections.hotbackup.oracle.plugins.module_utils._files.io_context import IoContext
from ansible_collections.hotbackup.oracle.plugins.module_utils._files.streams import StreamSettings, run_all
from ansible_collections.hotbackup.oracle.plugins.module_utils._files.verification import verify_file

from unit.files import oracle_file_writer as writer
from unit.files.faulty_files import EndingLayer, FailingLayer, ShortLayer, TearingLayer

SIZE = 8192
accelerated = pytest.mark.parametrize("accelerator", ["none", "numpy"])


@pytest.fixture
def source(tmp_path: Path) -> Path:
    folder = tmp_path / "oradata"
    folder.mkdir()
    return writer.Datafile().fill(20).write(folder / "users01.dbf")


@pytest.fixture
def backup(tmp_path: Path) -> Path:
    folder = tmp_path / "backup"
    folder.mkdir()
    return folder


def request_for(source: Path, backup: Path, **changes: object) -> CopyRequest:
    plain = CopyRequest(source=str(source), destination=str(backup / "copy.dbf"), kind=FileKind.DATAFILE)
    return dataclasses.replace(plain, **changes)  # type: ignore[arg-type] # each test names its own fields


def no_pause(_seconds: float) -> None:
    pass


def damage(path: Path, block: int, data: bytes, offset: int = 0, size: int = SIZE) -> None:
    with path.open("r+b") as file:
        file.seek(block * size + offset)
        file.write(data)


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


def torn_block(number: int = 8) -> bytes:
    image = writer.Datafile()
    new = image.data_block(number, scn=9_000_000_777, seq=3, body=b"newer")
    return new[:4096] + image.data_block(number)[4096:]


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


# --- restoring and verifying


def test_a_restore_demands_the_digest_of_the_stored_file(source: Path, backup: Path, tmp_path: Path) -> None:
    stored = copy_file(request_for(source, backup))
    target = tmp_path / "restored.dbf"
    back = CopyRequest(
        source=stored.destination,
        destination=str(target),
        kind=FileKind.DATAFILE,
        expected_digest=stored.digest,
    )
    assert copy_file(back).digest == stored.digest
    assert target.read_bytes() == source.read_bytes()
    target.unlink()
    damage(Path(stored.destination), 9, b"x", offset=500)
    with pytest.raises(VerificationError, match="digest"):
        copy_file(back, IoContext(pause=no_pause))
    assert not target.exists()


@accelerated
def test_a_stored_file_verifies(source: Path, backup: Path, accelerator: str) -> None:
    request = request_for(source, backup, dbid=writer.Datafile().dbid, file_number=9)
    stored = copy_file(request)
    counts: list[int] = []
    verified = verify_file(
        stored.destination,
        request.expectations,
        stored.digest,
        IoContext(progress=counts.append, accelerator=accelerator),
    )
    assert verified.intact
    assert (verified.digest, verified.chunk_digests) == (stored.digest, stored.chunk_digests)
    assert (verified.blocks_examined, verified.blocks_empty, verified.fault_count) == (21, 7, 0)
    assert verified.header == stored.header_before
    assert (sum(counts), verified.accelerator) == (stored.size_bytes, accelerator)


def test_a_stored_file_with_a_known_bad_block_is_intact(source: Path, backup: Path) -> None:
    damage(source, 8, torn_block())
    stored = copy_file(request_for(source, backup), IoContext(pause=no_pause))
    verified = verify_file(stored.destination, request_for(source, backup).expectations, stored.digest)
    assert verified.intact
    assert [fault.block for fault in verified.faults] == [8]


def test_a_change_of_a_stored_file_that_checksums_cannot_see_is_found(source: Path, backup: Path) -> None:
    stored = copy_file(request_for(source, backup))
    other = writer.Datafile().data_block(8, body=b"quite another row")
    damage(Path(stored.destination), 8, other)
    verified = verify_file(stored.destination, request_for(source, backup).expectations, stored.digest)
    assert verified.fault_count == 0
    assert not verified.intact
    assert "digest" in verified.problems[0]


def test_a_truncated_stored_file_is_found(source: Path, backup: Path) -> None:
    stored = copy_file(request_for(source, backup))
    os.truncate(stored.destination, 10 * SIZE)
    expected = FileExpectations(kind=FileKind.DATAFILE, size_bytes=stored.size_bytes)
    verified = verify_file(stored.destination, expected, stored.digest)
    assert not verified.intact
    assert f"expected {22 * SIZE} bytes, found {10 * SIZE}" in verified.problems[0]


def test_an_unreadable_header_of_a_stored_file_is_a_problem_not_an_exception(
    source: Path, backup: Path
) -> None:
    stored = copy_file(request_for(source, backup))
    damage(Path(stored.destination), 1, b"\0" * 100)
    verified = verify_file(stored.destination, request_for(source, backup).expectations, stored.digest)
    assert not verified.intact
    assert (verified.header, verified.digest) == (None, None)


def test_a_missing_stored_file_raises(source: Path, backup: Path) -> None:
    with pytest.raises(BackupError, match="ENOENT"):
        verify_file(str(backup / "missing"), request_for(source, backup).expectations)


# --- several at once


def requests_for(tmp_path: Path, backup: Path, sizes: list[int]) -> list[CopyRequest]:
    return [
        CopyRequest(
            source=str(writer.Datafile(number=number).fill(size).write(tmp_path / f"{number}.dbf")),
            destination=str(backup / f"{number}.dbf"),
            kind=FileKind.DATAFILE,
            file_number=number,
        )
        for number, size in enumerate(sizes, start=1)
    ]


@pytest.mark.parametrize("streams", [1, 3, 8])
def test_results_come_in_the_order_of_the_requests(tmp_path: Path, backup: Path, streams: int) -> None:
    requests = requests_for(tmp_path, backup, [4, 30, 2, 11])
    counts: list[int] = []
    finished: list[CopyResult] = []
    results = copy_many(
        requests, StreamSettings(streams), IoContext(progress=counts.append), finished=finished.append
    )
    assert [result.source for result in results] == [request.source for request in requests]
    assert sum(counts) == sum(result.size_bytes for result in results)
    assert sorted(result.source for result in finished) == [request.source for request in requests]
    for result in results:
        assert verify_file(result.destination, FileExpectations(FileKind.DATAFILE), result.digest).intact


def test_the_largest_file_is_begun_first(tmp_path: Path, backup: Path) -> None:
    finished: list[str] = []
    copy_many(
        requests_for(tmp_path, backup, [4, 30, 2, 11]),
        finished=lambda result: finished.append(Path(result.source).name),
    )
    assert finished == ["2.dbf", "4.dbf", "1.dbf", "3.dbf"]


class SlowTask:
    """A file task of one unit that fails at once (``size`` 1), or works until it is asked to stop."""

    def __init__(self, size: int, stop: threading.Event) -> None:
        self._size = size
        self._stop = stop
        self.abandoned = False

    def begin(self) -> int:
        return 1

    def do(self, _unit: int, _buffer: memoryview) -> None:
        if self._size == 1:
            raise VerificationError("the small one is bad")
        assert self._stop.wait(30)
        raise Cancelled(f"stopped at size {self._size}")

    def end(self) -> int:
        return self._size

    def abandon(self) -> None:
        self.abandoned = True


def test_the_first_failure_stops_the_others_and_is_the_one_told() -> None:
    stop = threading.Event()
    tasks = [SlowTask(size, stop) for size in (30, 2, 1)]
    with pytest.raises(VerificationError, match="the small one is bad"):
        run_all(tasks, StreamSettings(3), stop)
    assert all(task.abandoned for task in tasks)


def test_files_not_yet_begun_stay_so_after_a_failure(tmp_path: Path, backup: Path) -> None:
    requests = requests_for(tmp_path, backup, [4, 30, 2])
    requests[1] = dataclasses.replace(requests[1], file_number=77)
    with pytest.raises(VerificationError, match="file_number 77"):
        copy_many(requests, StreamSettings(1), IoContext(pause=no_pause))
    assert list(backup.iterdir()) == []


def test_nothing_is_begun_after_cancellation(tmp_path: Path, backup: Path) -> None:
    with pytest.raises(Cancelled):
        copy_many(
            requests_for(tmp_path, backup, [4, 2]), StreamSettings(2), IoContext(cancelled=lambda: True)
        )
    assert list(backup.iterdir()) == []


def test_no_request_is_no_work() -> None:
    assert copy_many([], StreamSettings(3)) == []


def test_no_stream_is_a_programming_error(tmp_path: Path, backup: Path) -> None:
    with pytest.raises(ValueError, match="stream"):
        copy_many(requests_for(tmp_path, backup, [2]), StreamSettings(0))
