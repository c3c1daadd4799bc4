# Copyright (c) 2026 hotbackup contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Copies that are stored compressed: what lies on disk, and what cannot be asked for."""

from __future__ import annotations

import dataclasses
import hashlib
import itertools
import random
from pathlib import Path

import pytest
import zstandard
from ansible_collections.hotbackup.oracle.plugins.module_utils._backup.compression import Compression
from ansible_collections.hotbackup.oracle.plugins.module_utils._backup.errors import (
    BackupError,
    Cancelled,
    PreconditionError,
)
from ansible_collections.hotbackup.oracle.plugins.module_utils._files import file_reading
from ansible_collections.hotbackup.oracle.plugins.module_utils._files.copy_engine import (
    CopyRequest,
    CopyResult,
    copy_file,
    copy_many,
)
from ansible_collections.hotbackup.oracle.plugins.module_utils._files.file_headers import FileKind
from ansible_collections.hotbackup.oracle.plugins.module_utils._files.file_layer import OsFileLayer
from ansible_collections.hotbackup.oracle.plugins.module_utils._files.io_context import IoContext
from ansible_collections.hotbackup.oracle.plugins.module_utils._files.priority import Priority
from ansible_collections.hotbackup.oracle.plugins.module_utils._files.streams import StreamSettings
from hypothesis import given, settings
from hypothesis import strategies as st

from unit.files import oracle_file_writer as writer
from unit.files.compressed_copies import (
    CHUNK,
    SIZE,
    backup,
    datafile,
    form_of,
    frames_of,
    plain_of,
    request_for,
    small_chunks,
    source,
    verified,
)
from unit.files.faulty_files import FailingLayer, ShortLayer

__all__ = ["backup", "small_chunks", "source"]


# --- what is stored


def test_a_compressed_copy_is_ordinary_zstd_with_a_frame_for_each_chunk(source: Path, backup: Path) -> None:
    result = copy_file(request_for(source, backup))
    (path,) = backup.iterdir()
    stored, plain = path.read_bytes(), source.read_bytes()
    assert path.name == "7_users01.dbf.zst"
    assert plain_of(stored) == plain
    frames = [zstandard.get_frame_parameters(frame) for frame in frames_of(stored)]
    assert [frame.content_size for frame in frames] == [CHUNK] * 4 + [8 * SIZE]
    assert all(frame.has_checksum for frame in frames)
    assert (result.compression, result.stored_size_bytes) == ("zstd", len(stored))
    assert result.stored_digest == hashlib.sha256(stored).hexdigest()
    assert len(stored) < len(plain) / 2


def test_what_is_known_of_a_copy_does_not_depend_on_compression(source: Path, backup: Path) -> None:
    with source.open("r+b") as file:
        file.seek(9 * SIZE + 300)
        file.write(b"damage")
    context = IoContext(pause=lambda _seconds: None)
    compressed = copy_file(request_for(source, backup), context)
    plain = copy_file(request_for(source, backup, Compression(), destination=str(backup / "plain")), context)
    stored = (
        "compression",
        "destination",
        "seconds",
        "stored_digest",
        "stored_inode",
        "stored_size_bytes",
    )
    for field in dataclasses.fields(CopyResult):
        if field.name not in stored:
            assert getattr(compressed, field.name) == getattr(plain, field.name), field.name
    assert compressed.fault_count == 1
    assert plain_of((backup / "7_users01.dbf.zst").read_bytes()) == source.read_bytes()


@settings(max_examples=25, deadline=None)
@given(
    blocks=st.integers(1, 60),
    seed=st.integers(0, 5),
    buffer_units=st.integers(1, 5),
    streams=st.integers(1, 3),
    compression=st.builds(Compression, st.just("zstd"), st.integers(1, 19), st.integers(0, 2)),
)
def test_every_file_comes_back_byte_for_byte(
    tmp_path_factory: pytest.TempPathFactory,
    blocks: int,
    seed: int,
    buffer_units: int,
    streams: int,
    compression: Compression,
) -> None:
    folder = tmp_path_factory.mktemp("round")
    source = datafile(blocks, seed).write(folder / "source.dbf")
    tuning = StreamSettings(streams, buffer_units * 65536)
    (stored,) = copy_many([request_for(source, folder, compression)], tuning)
    back = CopyRequest(
        source=stored.destination,
        destination=str(folder / "restored.dbf"),
        kind=FileKind.DATAFILE,
        expected_digest=stored.digest,
        source_form=form_of(stored),
    )
    counts: list[int] = []
    (restored,) = copy_many([back], tuning, IoContext(progress=counts.append))
    assert (folder / "restored.dbf").read_bytes() == source.read_bytes()
    assert plain_of(Path(stored.destination).read_bytes()) == source.read_bytes()
    assert (sum(counts), restored.size_bytes) == (source.stat().st_size, source.stat().st_size)


def test_restored_files_have_all_their_blocks_on_disk(backup: Path, tmp_path: Path) -> None:
    image = writer.Datafile(number=7)
    image.bodies += [bytes(SIZE)] * 64
    stored = copy_file(request_for(image.write(tmp_path / "empty.dbf"), backup))
    target = tmp_path / "restored.dbf"
    copy_file(
        CopyRequest(
            stored.destination, str(target), FileKind.DATAFILE, source_form=form_of(stored), reflink=True
        )
    )
    assert target.read_bytes() == image.to_bytes()
    assert target.stat().st_blocks * 512 >= target.stat().st_size


class WritesLayer(OsFileLayer):
    """Notes where writes began and how long they were, by whether they went around the page cache."""

    def __init__(self) -> None:
        self.direct: list[tuple[int, int]] = []
        self.cached: list[tuple[int, int]] = []
        self._direct_descriptor: int | None = None

    def open_direct(self, path: str, descriptor: int) -> int | None:
        self._direct_descriptor = super().open_direct(path, descriptor)
        return self._direct_descriptor

    def write_at(self, descriptor: int, data: memoryview, offset: int) -> int:
        notes = self.direct if descriptor == self._direct_descriptor else self.cached
        notes.append((offset, len(data)))
        return super().write_at(descriptor, data, offset)


def test_what_is_compressed_is_gathered_and_written_around_the_page_cache(
    tmp_path: Path, backup: Path
) -> None:
    image = writer.Datafile(number=7)
    image.bodies += [image.data_block(n, body=random.Random(n).randbytes(8100)) for n in range(2, 300)]
    files = WritesLayer()
    result = copy_file(request_for(image.write(tmp_path / "users01.dbf"), backup), IoContext(files=files))
    if files.direct == []:
        pytest.skip("this file system has no direct writes")
    assert all(offset % 4096 == 0 and length % 4096 == 0 for offset, length in files.direct)
    assert [length for _offset, length in files.direct[:2]] == [1 << 20, 1 << 20]
    assert sum(length for _offset, length in files.cached) < 4096
    assert result.stored_size_bytes > 2 << 20


def test_short_reads_and_writes_are_continued(source: Path, backup: Path) -> None:
    stored = copy_file(request_for(source, backup), IoContext(files=ShortLayer()))
    assert plain_of(Path(stored.destination).read_bytes()) == source.read_bytes()
    again = verified(stored.destination, form_of(stored), stored.digest, IoContext(files=ShortLayer()))
    assert again.intact


def threads_with_nice(value: int) -> int:
    """Threads of this process with that nice value, as the kernel tells."""
    stats = [path.read_text() for path in Path("/proc/self/task").glob("*/stat")]
    return sum(int(text.rpartition(")")[2].split()[16]) == value for text in stats)


@pytest.mark.parametrize("threads", [0, 3])
def test_zstd_gets_the_threads_asked_for_at_the_priority_of_the_stream(
    source: Path, backup: Path, threads: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    # The library does not divide a frame of less than 512 KiB among threads.
    monkeypatch.setattr(file_reading, "CHUNK_SIZE_BYTES", 1 << 26)
    assert source.stat().st_size > 512 * 1024
    seen: list[int] = []
    copy_many(
        [request_for(source, backup, Compression("zstd", threads=threads))],
        StreamSettings(1, 65536, Priority(nice=7)),
        IoContext(progress=lambda _count: seen.append(threads_with_nice(7)), accelerator="none"),
    )
    # Buffers are handed out again only when what was in them is compressed: by now the threads exist.
    assert seen[-1] == 2 + threads


# --- what cannot be


def test_a_compressed_copy_shares_no_blocks(source: Path, backup: Path) -> None:
    with pytest.raises(ValueError, match="share blocks"):
        request_for(source, backup, reflink=True)


def test_a_cancelled_copy_leaves_nothing(source: Path, backup: Path) -> None:
    counts: list[int] = []
    context = IoContext(progress=counts.append, cancelled=lambda: bool(counts))
    with pytest.raises(Cancelled):
        copy_many([request_for(source, backup)], StreamSettings(1, 65536), context)
    assert counts != []
    assert list(backup.iterdir()) == []


def test_one_chunk_must_have_room(source: Path, backup: Path) -> None:
    class Nearly(OsFileLayer):
        free = CHUNK

        def free_bytes(self, folder: str) -> int:
            return self.free

    files = Nearly()
    copy_file(request_for(source, backup), IoContext(files=files))
    files.free -= 1
    with pytest.raises(PreconditionError, match=f"{CHUNK} bytes needed, {CHUNK - 1} bytes free"):
        copy_file(request_for(source, backup, replace=True), IoContext(files=files))


def test_whatever_call_fails_nothing_has_the_final_name_and_a_rerun_succeeds(
    source: Path, backup: Path
) -> None:
    counting = FailingLayer()
    copy_file(request_for(source, backup), IoContext(files=counting))
    stored = (backup / "7_users01.dbf.zst").read_bytes()
    for position, name in enumerate(counting.calls):
        (backup / "7_users01.dbf.zst").unlink()
        with pytest.raises(BackupError, match="EIO"):
            copy_file(request_for(source, backup), IoContext(files=FailingLayer(position)))
        assert list(backup.iterdir()) == [], f"call {position}, {name}"
        copy_file(request_for(source, backup))
        assert (backup / "7_users01.dbf.zst").read_bytes() == stored


def test_no_failing_call_is_taken_for_damage_of_the_stored_file(source: Path, backup: Path) -> None:
    stored = copy_file(request_for(source, backup))
    for position in itertools.count():
        files = FailingLayer(position)
        try:
            found = verified(stored.destination, form_of(stored), stored.digest, IoContext(files=files))
        except BackupError as exc:
            assert "EIO" in exc.message
        else:
            # How many calls there are depends on what is in the page cache.
            assert files.failed is None
            assert found.intact
            break
    assert position > 6
