# Copyright (c) 2026 hotbackup contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The database's page cache is left as it was found: what is not in it is read around it, and ahead."""

from __future__ import annotations

import dataclasses
import errno
import itertools
import mmap
import os
import random
import shutil
import subprocess
import threading
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from ansible_collections.hotbackup.oracle.plugins.module_utils._backup.compression import (
    CompressedForm,
    Compression,
)
from ansible_collections.hotbackup.oracle.plugins.module_utils._backup.errors import BackupError, Cancelled
from ansible_collections.hotbackup.oracle.plugins.module_utils._files import file_reading, page_cache
from ansible_collections.hotbackup.oracle.plugins.module_utils._files.copy_engine import (
    CopyRequest,
    copy_file,
    copy_many,
)
from ansible_collections.hotbackup.oracle.plugins.module_utils._files.file_headers import FileKind
from ansible_collections.hotbackup.oracle.plugins.module_utils._files.file_identity import FileExpectations
from ansible_collections.hotbackup.oracle.plugins.module_utils._files.file_layer import OsFileLayer
from ansible_collections.hotbackup.oracle.plugins.module_utils._files.io_context import IoContext
from ansible_collections.hotbackup.oracle.plugins.module_utils._files.streams import StreamSettings, run_all
from ansible_collections.hotbackup.oracle.plugins.module_utils._files.verification import (
    VerifyTask,
    verify_file,
)

from unit.files import oracle_file_writer as writer
from unit.files.faulty_files import FailingLayer

KIBIBYTE, MEBIBYTE = 1 << 10, 1 << 20


def request_for(source: Path, target: Path) -> CopyRequest:
    return CopyRequest(source=str(source), destination=str(target), kind=FileKind.DATAFILE)


# --- what the system's cache holds


def resident_bytes(path: Path) -> int:
    shown = subprocess.run(
        ["fincore", "--bytes", "--noheadings", "--output", "RES", str(path)],
        capture_output=True,
        text=True,
        check=True,
    )
    return int(shown.stdout)


@pytest.fixture
def cached(tmp_path: Path) -> Path:
    """A datafile that is in the page cache, on a file system with one that can be told to forget."""
    if shutil.which("fincore") is None:
        pytest.skip("fincore, which tells what is in the page cache, is not installed")
    path = writer.Datafile().fill(1000).write(tmp_path / "users01.dbf")
    forget(path, 0, 0)
    if resident_bytes(path):
        pytest.skip(f"the file system of {tmp_path} keeps its files in memory")
    path.read_bytes()
    return path


def forget(path: Path, offset: int, length: int) -> None:
    with path.open("rb") as file:
        os.fsync(file.fileno())
        os.posix_fadvise(file.fileno(), offset, length, os.POSIX_FADV_DONTNEED)


def bring_in(path: Path, offset: int, length: int) -> None:
    """Have a range in the cache, and nothing that the kernel would read ahead."""
    with path.open("rb") as file:
        os.posix_fadvise(file.fileno(), 0, 0, os.POSIX_FADV_RANDOM)
        os.pread(file.fileno(), length, offset)


def copied(source: Path, target: Path) -> None:
    settings = StreamSettings(1, buffer_size_bytes=MEBIBYTE)
    copy_many([request_for(source, target)], settings)


def verified(source: Path, _target: Path) -> None:
    assert verify_file(str(source), FileExpectations(FileKind.DATAFILE)).intact


reading = pytest.mark.parametrize("read", [copied, verified], ids=["copy", "verification"])


@reading
def test_what_was_in_the_cache_stays_there(
    cached: Path, tmp_path: Path, read: Callable[[Path, Path], None]
) -> None:
    before = resident_bytes(cached)
    read(cached, tmp_path / "copy.dbf")
    assert resident_bytes(cached) == before >= cached.stat().st_size


@reading
def test_what_was_not_in_the_cache_is_not_there_afterwards(
    cached: Path, tmp_path: Path, read: Callable[[Path, Path], None]
) -> None:
    forget(cached, 0, 0)
    read(cached, tmp_path / "copy.dbf")
    assert resident_bytes(cached) == 0


def test_of_a_file_half_in_the_cache_that_half_stays(cached: Path, tmp_path: Path) -> None:
    half = 4 * MEBIBYTE
    forget(cached, half, 0)
    assert resident_bytes(cached) == half
    copied(cached, tmp_path / "copy.dbf")
    assert resident_bytes(cached) == half


def test_the_copy_does_not_enter_the_cache(cached: Path, tmp_path: Path) -> None:
    copy_file(request_for(cached, tmp_path / "copy.dbf"))
    assert resident_bytes(tmp_path / "copy.dbf") <= mmap.PAGESIZE


@reading
def test_nothing_past_the_end_of_a_range_enters_the_cache(
    cached: Path, tmp_path: Path, read: Callable[[Path, Path], None], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(file_reading, "CHUNK_SIZE_BYTES", MEBIBYTE)
    # This page has its buffer, the last of a range, read through the cache.
    forget(cached, 0, 0)
    bring_in(cached, 2 * MEBIBYTE - mmap.PAGESIZE, mmap.PAGESIZE)
    read(cached, tmp_path / "copy.dbf")
    assert resident_bytes(cached) == mmap.PAGESIZE


def test_what_the_database_brings_in_while_a_large_file_is_read_in_order_stays(
    cached: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(page_cache, "_STRETCH_BYTES", MEBIBYTE)

    class Busy(OsFileLayer):
        """Another process reads a part of the file that the copy has not come to."""

        done = False

        def read_into(self, descriptor: int, buffer: memoryview, offset: int) -> int:
            if offset >= 2 * MEBIBYTE and not self.done:
                self.done = True
                bring_in(cached, 5 * MEBIBYTE, MEBIBYTE)
            return super().read_into(descriptor, buffer, offset)

    forget(cached, 0, 0)
    compressed = dataclasses.replace(
        request_for(cached, tmp_path / "copy.dbf.zst"), compression=Compression("zstd")
    )
    settings = StreamSettings(1, buffer_size_bytes=64 * KIBIBYTE)
    copy_many([compressed], settings, IoContext(files=Busy()))
    assert resident_bytes(cached) == MEBIBYTE


def test_a_compressed_file_that_was_not_in_the_cache_is_not_there_afterwards(
    cached: Path, tmp_path: Path
) -> None:
    # Noise does not compress. The bad blocks that it makes do not stop a copy.
    with cached.open("r+b") as file:
        file.seek(2 * 8192)
        file.write(random.Random(1).randbytes(cached.stat().st_size - file.tell()))
    plain = dataclasses.replace(request_for(cached, tmp_path / "copy.dbf.zst"), reread_attempts=0)
    stored = copy_file(dataclasses.replace(plain, compression=Compression("zstd")))
    path = Path(stored.destination)
    forget(path, 0, 0)
    expected = FileExpectations(
        FileKind.DATAFILE, compressed=CompressedForm(stored.size_bytes, stored.stored_digest)
    )
    assert verify_file(str(path), expected, stored.digest).intact
    assert (path.stat().st_size > 7 * MEBIBYTE, resident_bytes(path)) == (True, 0)


# --- reading around it


class Cold(OsFileLayer):
    """Nothing is in the page cache. Notes what is read, where, and whether around the cache."""

    def __init__(self) -> None:
        self.reads: list[tuple[int, int, bool]] = []
        self._lock = threading.Lock()

    def resident_pages(self, _descriptor: int, _offset: int, length: int) -> bytes | None:
        return bytes(-(-length // mmap.PAGESIZE))

    def read_into(self, descriptor: int, buffer: memoryview, offset: int) -> int:
        count = super().read_into(descriptor, buffer, offset)
        with self._lock:
            self.reads.append((offset, count, is_direct(descriptor)))
        return count


def is_direct(descriptor: int) -> bool:
    for line in Path(f"/proc/self/fdinfo/{descriptor}").read_text(encoding="ascii").splitlines():
        if line.startswith("flags:"):
            return bool(int(line.split()[1], 8) & os.O_DIRECT)
    raise ValueError("the kernel tells no flags")


@pytest.fixture
def source(tmp_path: Path) -> Path:
    """A datafile of 16 whole buffers and one that no direct read can fill: it ends within a page."""
    return writer.Datafile(block_size=2048).fill(16 * 32 - 1).write(tmp_path / "users01.dbf")


SETTINGS = StreamSettings(1, buffer_size_bytes=64 * KIBIBYTE)


def copy_with(files: object, source: Path, target: Path, context: IoContext | None = None) -> None:
    given = context or IoContext()
    (result,) = copy_many(
        [request_for(source, target)],
        SETTINGS,
        IoContext(files=files, cancelled=given.cancelled),  # type: ignore[arg-type]  # it passes every call on
    )
    assert target.read_bytes() == source.read_bytes()
    assert (result.blocks_examined, result.fault_count) == (source.stat().st_size // 2048 - 1, 0)


def open_files() -> int:
    return sum(1 for _entry in Path("/proc/self/fd").iterdir())


@pytest.fixture(autouse=True)
def nothing_left_behind() -> Iterator[None]:
    """No thread and no open file survives."""
    before = open_files()
    yield
    assert not [
        thread for thread in threading.enumerate() if thread.name.startswith(("stream", "reader", "writer"))
    ]
    assert open_files() == before


@pytest.fixture
def direct_io(tmp_path: Path) -> None:
    try:
        os.close(os.open(tmp_path / "direct", os.O_RDONLY | os.O_CREAT | os.O_DIRECT))
    except OSError as exc:
        pytest.skip(f"the file system of {tmp_path} has no direct I/O: {exc}")


@pytest.mark.usefixtures("direct_io")
def test_what_is_not_in_the_cache_is_read_around_it_once_and_in_order(source: Path, tmp_path: Path) -> None:
    files = Cold()
    copy_with(files, source, tmp_path / "copy.dbf")
    around = [(offset, count) for offset, count, direct in files.reads if direct]
    # The header is read by itself, before and after.
    assert around == [(0, 65536), *((number * 65536, 65536) for number in range(16)), (0, 65536)]
    # The page that is not whole.
    assert [offset for offset, _count, direct in files.reads if not direct] == [16 * 65536]


@pytest.mark.usefixtures("direct_io")
def test_where_nobody_tells_what_is_in_the_cache_it_is_read_around(source: Path, tmp_path: Path) -> None:
    class Silent(Cold):
        def resident_pages(self, _descriptor: int, _offset: int, _length: int) -> bytes | None:
            return None

    files = Silent()
    copy_with(files, source, tmp_path / "copy.dbf")
    assert [offset for offset, _count, direct in files.reads if not direct] == [16 * 65536]


def test_what_is_in_the_cache_is_read_from_it(source: Path, tmp_path: Path) -> None:
    class Warm(Cold):
        def resident_pages(self, _descriptor: int, _offset: int, length: int) -> bytes | None:
            return b"\1" * -(-length // mmap.PAGESIZE)

    files = Warm()
    copy_with(files, source, tmp_path / "copy.dbf")
    assert not [offset for offset, _count, direct in files.reads if direct]


def test_a_buffer_that_is_partly_in_the_cache_is_read_from_it(source: Path, tmp_path: Path) -> None:
    class Lukewarm(Cold):
        def resident_pages(self, descriptor: int, offset: int, length: int) -> bytes | None:
            pages = bytearray(super().resident_pages(descriptor, offset, length) or b"")
            present = 3 * 16 + 5 - offset // mmap.PAGESIZE  # in the fourth buffer
            if present < len(pages):
                pages[present] = 1
            return bytes(pages)

    files = Lukewarm()
    copy_with(files, source, tmp_path / "copy.dbf")
    assert (3 * 65536, 65536, False) in files.reads


def test_a_file_system_that_wants_another_alignment_is_read_through_the_cache(
    source: Path, tmp_path: Path
) -> None:
    class Strict(Cold):
        def read_into(self, descriptor: int, buffer: memoryview, offset: int) -> int:
            if is_direct(descriptor):
                raise OSError(errno.EINVAL, os.strerror(errno.EINVAL))
            return super().read_into(descriptor, buffer, offset)

    copy_with(Strict(), source, tmp_path / "copy.dbf")


@pytest.mark.parametrize("part", [1, 5000, 65536 - 4096])
def test_a_direct_read_that_is_short_is_continued(source: Path, tmp_path: Path, part: int) -> None:
    class Short(Cold):
        def read_into(self, descriptor: int, buffer: memoryview, offset: int) -> int:
            count = super().read_into(descriptor, buffer, offset)
            if is_direct(descriptor) and count > part:
                buffer[part:] = bytes(len(buffer) - part)
                return part
            return count

    copy_with(Short(), source, tmp_path / "copy.dbf")


def test_a_source_that_loses_its_name_is_read_to_its_end(source: Path, tmp_path: Path) -> None:
    class Deleted(Cold):
        def stop_readahead(self, descriptor: int) -> None:
            super().stop_readahead(descriptor)
            source.rename(tmp_path / "gone.dbf")

    (result,) = copy_many([request_for(source, tmp_path / "copy.dbf")], SETTINGS, IoContext(files=Deleted()))
    assert result.fault_count == 0
    assert (tmp_path / "copy.dbf").read_bytes() == (tmp_path / "gone.dbf").read_bytes()


def test_another_file_that_took_the_name_is_not_read(source: Path, tmp_path: Path) -> None:
    files = OsFileLayer()
    descriptor = files.open_source(str(source))
    writer.Datafile(number=9).fill(4).write(tmp_path / "other.dbf").replace(source)
    assert files.open_source_direct(str(source), descriptor) is None
    files.close(descriptor)


@pytest.mark.parametrize("failure", [errno.EIO, errno.EINTR, KeyboardInterrupt], ids=str)
def test_whatever_read_or_open_fails_it_is_told_and_nothing_is_half_done(
    source: Path, tmp_path: Path, failure: int | type[BaseException]
) -> None:
    expected = BackupError if isinstance(failure, int) else failure
    for name in ("read_into", "open_source_direct"):
        for nth in itertools.count():
            files = FailingLayer(name, failure, nth=nth, inner=Cold())
            target = tmp_path / f"copy-{name}-{nth}.dbf"
            try:
                copy_with(files, source, target)
            except expected:
                assert not list(tmp_path.glob(f"copy-{name}-{nth}*"))
            else:
                assert files.failed is None
                break
        assert nth > 0
        assert files.left_open == set()


def test_a_read_ahead_that_fails_is_told_by_a_verification_too(source: Path) -> None:
    files = FailingLayer("read_into", errno.EIO, nth=7, inner=Cold())
    with pytest.raises(BackupError, match=r"users01.dbf.*EIO"):
        run_all(
            [
                VerifyTask(
                    str(source),
                    FileExpectations(FileKind.DATAFILE),
                    context=IoContext(files=files),  # type: ignore[arg-type]  # it passes every call on
                )
            ],
            SETTINGS,
            threading.Event(),
        )


@pytest.mark.parametrize("asked", range(1, 18, 3))
def test_a_copy_that_reads_ahead_is_cancelled_whenever_that_is_asked(
    source: Path, tmp_path: Path, asked: int
) -> None:
    count = itertools.count()
    with pytest.raises(Cancelled):
        copy_with(Cold(), source, tmp_path / "copy.dbf", IoContext(cancelled=lambda: next(count) >= asked))
    assert not list(tmp_path.glob("copy*"))
