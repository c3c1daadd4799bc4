# Copyright (c) 2026 hotbackup contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Streams: who works on what, one file by several of them, and writes around the page cache."""

from __future__ import annotations

import errno
import os
import threading
from collections.abc import Callable
from pathlib import Path

import pytest
from ansible_collections.hotbackup.oracle.plugins.module_utils._backup.errors import PreconditionError
from ansible_collections.hotbackup.oracle.plugins.module_utils._files import file_reading
from ansible_collections.hotbackup.oracle.plugins.module_utils._files.buffers import BufferRing
from ansible_collections.hotbackup.oracle.plugins.module_utils._files.copy_engine import (
    CopyRequest,
    CopyResult,
    CopyTask,
    copy_file,
    copy_many,
)
from ansible_collections.hotbackup.oracle.plugins.module_utils._files.digests import file_digest
from ansible_collections.hotbackup.oracle.plugins.module_utils._files.file_headers import FileKind
from ansible_collections.hotbackup.oracle.plugins.module_utils._files.file_layer import OsFileLayer
from ansible_collections.hotbackup.oracle.plugins.module_utils._files.io_context import IoContext
from ansible_collections.hotbackup.oracle.plugins.module_utils._files.streams import Streams, StreamSettings

from unit.files import oracle_file_writer as writer

SIZE = 8192
CHUNK = 16 * SIZE


class NamedTask:
    """A file task of ``units`` units that notes its steps and, in a unit, waits for ``gate``."""

    def __init__(
        self, name: str, units: int, notes: list[str], gate: Callable[[], None] | None = None
    ) -> None:
        self._name = name
        self._units = units
        self._notes = notes
        self._gate = gate

    def begin(self) -> int:
        self._notes.append(f"begin {self._name}")
        return self._units

    def do(self, unit: int, _ring: BufferRing) -> None:
        self._notes.append(f"{self._name}{unit}")
        if self._gate is not None:
            self._gate()

    def end(self) -> str:
        self._notes.append(f"end {self._name}")
        return self._name

    def abandon(self) -> None:
        self._notes.append(f"abandon {self._name}")


def test_one_stream_does_file_after_file() -> None:
    notes: list[str] = []
    with Streams(StreamSettings(1)) as streams:
        futures = [streams.submit(NamedTask(name, 2, notes)) for name in ("a", "b")]
        assert [future.result(30) for future in futures] == ["a", "b"]
    assert notes == ["begin a", "a0", "a1", "end a", "begin b", "b0", "b1", "end b"]


def test_idle_streams_help_with_the_only_file() -> None:
    together = threading.Barrier(3, timeout=30)
    with Streams(StreamSettings(3)) as streams:
        # Passes only if three units of the one file run at the same time.
        assert streams.submit(NamedTask("a", 3, [], lambda: together.wait() and None)).result(30) == "a"


def test_a_stream_is_hungry_only_when_nothing_is_left_to_take() -> None:
    gate, reached = threading.Event(), threading.Event()

    def wait() -> None:
        reached.set()
        gate.wait(30)

    with Streams(StreamSettings(2)) as streams:
        assert streams.hungry()
        future = streams.submit(NamedTask("a", 5, [], wait))
        assert reached.wait(30)
        assert not streams.hungry()
        gate.set()
        future.result(30)
        assert streams.hungry()


def test_a_failing_unit_abandons_its_file_alone() -> None:
    notes: list[str] = []

    def fail() -> None:
        raise OSError(errno.EIO, "bad disk")

    with Streams(StreamSettings(2)) as streams:
        bad = streams.submit(NamedTask("bad", 3, notes, fail))
        good = streams.submit(NamedTask("good", 3, notes))
        with pytest.raises(OSError, match="bad disk"):
            bad.result(30)
        assert good.result(30) == "good"
    assert "abandon bad" in notes
    assert "end bad" not in notes


def test_a_failing_end_abandons_the_file_too() -> None:
    class Unfinished(NamedTask):
        def end(self) -> str:
            raise OSError(errno.ENOSPC, "no room")

    notes: list[str] = []
    with Streams(StreamSettings(1)) as streams, pytest.raises(OSError, match="no room"):
        streams.submit(Unfinished("a", 1, notes)).result(30)
    assert notes[-1] == "abandon a"


@pytest.fixture
def large(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A datafile of several chunks; a chunk is small here."""
    monkeypatch.setattr(file_reading, "CHUNK_SIZE_BYTES", CHUNK)
    return writer.Datafile(number=7).fill(100).write(tmp_path / "large.dbf")


def request_for(source: Path, target: Path) -> CopyRequest:
    return CopyRequest(source=str(source), destination=str(target), kind=FileKind.DATAFILE, file_number=7)


@pytest.mark.parametrize("streams", [1, 2, 5])
def test_the_number_of_streams_does_not_change_copy_digest_or_counts(
    large: Path, tmp_path: Path, streams: int
) -> None:
    damaged = bytearray(large.read_bytes())
    for block in (5, 40, 90):
        damaged[block * SIZE + 300] ^= 1
    large.write_bytes(damaged)
    target = tmp_path / "copy.dbf"
    (result,) = copy_many(
        [request_for(large, target)], StreamSettings(streams), IoContext(pause=lambda _seconds: None)
    )
    assert target.read_bytes() == bytes(damaged)
    assert result.digest == file_digest(large, CHUNK).digest
    assert len(result.chunk_digests) == 7
    assert [fault.block for fault in result.faults] == [5, 40, 90]
    assert (result.fault_count, result.blocks_examined) == (3, 101)


def test_an_error_in_one_range_leaves_no_file(large: Path, tmp_path: Path) -> None:
    class BadPlace(OsFileLayer):
        def read_into(self, descriptor: int, buffer: memoryview, offset: int) -> int:
            if offset == 3 * CHUNK:
                raise OSError(errno.EIO, os.strerror(errno.EIO))
            return super().read_into(descriptor, buffer, offset)

    target = tmp_path / "copies" / "copy.dbf"
    target.parent.mkdir()
    with pytest.raises(Exception, match="EIO"):
        copy_many([request_for(large, target)], StreamSettings(3), IoContext(files=BadPlace()))
    assert list(target.parent.iterdir()) == []


class CountingLayer(OsFileLayer):
    """Knows how many bytes were written around the page cache, and refuses it from the ``refuse_at``-th time on."""

    def __init__(self, refuse_at: int | None = None) -> None:
        self.direct_bytes = 0
        self.cached_bytes = 0
        self._direct: int | None = None
        self._attempts = 0
        self._refuse_at = refuse_at

    def open_direct(self, path: str, descriptor: int) -> int | None:
        self._direct = super().open_direct(path, descriptor)
        return self._direct

    def write_at(self, descriptor: int, data: memoryview, offset: int) -> int:
        if descriptor != self._direct:
            self.cached_bytes += len(data)
            return super().write_at(descriptor, data, offset)
        self._attempts += 1
        if self._refuse_at is not None and self._attempts > self._refuse_at:
            raise OSError(errno.EINVAL, os.strerror(errno.EINVAL))
        self.direct_bytes += len(data)
        return super().write_at(descriptor, data, offset)


def copied(source: Path, target: Path, files: OsFileLayer) -> CopyResult:
    result = copy_file(request_for(source, target), IoContext(files=files))
    assert target.read_bytes() == source.read_bytes()
    return result


def test_copies_go_around_the_page_cache_where_the_file_system_can(large: Path, tmp_path: Path) -> None:
    files = CountingLayer()
    result = copied(large, tmp_path / "copy.dbf", files)
    if files.direct_bytes == 0:
        pytest.skip(f"the file system of {tmp_path} has no direct I/O")
    assert (files.direct_bytes, files.cached_bytes) == (result.size_bytes, 0)


def test_the_unaligned_end_of_a_file_goes_through_the_cache(tmp_path: Path) -> None:
    odd = writer.Datafile(block_size=2048, number=7).fill(9).write(tmp_path / "odd.dbf")
    assert odd.stat().st_size % 4096 == 2048
    files = CountingLayer()
    result = copied(odd, tmp_path / "copy.dbf", files)
    if files.direct_bytes:
        assert files.cached_bytes == 2048
    assert files.direct_bytes + files.cached_bytes == result.size_bytes


@pytest.mark.parametrize("refuse_at", [0, 2])
def test_a_file_system_that_refuses_direct_writes_is_written_through_the_cache(
    large: Path, tmp_path: Path, refuse_at: int
) -> None:
    files = CountingLayer(refuse_at)
    result = copied(large, tmp_path / "copy.dbf", files)
    assert files.direct_bytes + files.cached_bytes == result.size_bytes


def test_a_file_system_without_direct_io_is_served(large: Path, tmp_path: Path) -> None:
    class NoDirect(OsFileLayer):
        def open_direct(self, path: str, descriptor: int) -> int | None:
            return None

    copied(large, tmp_path / "copy.dbf", NoDirect())


def test_a_task_that_was_cancelled_before_it_began_opens_nothing(large: Path, tmp_path: Path) -> None:
    task = CopyTask(request_for(large, tmp_path / "copy.dbf"), IoContext(cancelled=lambda: True))
    with Streams(StreamSettings(1)) as streams, pytest.raises(Exception, match="stopped before it began"):
        streams.submit(task).result(30)
    assert [entry.name for entry in tmp_path.iterdir()] == ["large.dbf"]


def test_streams_that_cannot_all_be_started_are_an_error_and_none_is_left(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    start = threading.Thread.start

    def refuse_the_third(thread: threading.Thread) -> None:
        if thread.name == "stream-2":
            raise RuntimeError("can't start new thread")
        start(thread)

    monkeypatch.setattr(threading.Thread, "start", refuse_the_third)
    with pytest.raises(PreconditionError, match="Failed to start 4 streams: can't start new thread"):
        Streams(StreamSettings(4))
    assert not [thread for thread in threading.enumerate() if thread.name.startswith("stream")]
