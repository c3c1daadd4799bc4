# Copyright (c) 2026 hotbackup contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Copies that are stored compressed: what lies on disk, what is read back, and that no damage goes unseen."""

from __future__ import annotations

import dataclasses
import hashlib
import importlib
import io
import os
import platform
import random
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest
import zstandard
from ansible_collections.hotbackup.oracle.plugins.module_utils._backup.compression import (
    CompressedForm,
    Compression,
)
from ansible_collections.hotbackup.oracle.plugins.module_utils._backup.errors import (
    BackupError,
    Cancelled,
    PreconditionError,
    VerificationError,
)
from ansible_collections.hotbackup.oracle.plugins.module_utils._files import file_reading, zstd_library
from ansible_collections.hotbackup.oracle.plugins.module_utils._files.copy_engine import (
    CopyRequest,
    CopyResult,
    copy_file,
    copy_many,
)
from ansible_collections.hotbackup.oracle.plugins.module_utils._files.file_headers import (
    FileKind,
    read_datafile_header,
)
from ansible_collections.hotbackup.oracle.plugins.module_utils._files.file_identity import FileExpectations
from ansible_collections.hotbackup.oracle.plugins.module_utils._files.file_layer import OsFileLayer
from ansible_collections.hotbackup.oracle.plugins.module_utils._files.io_context import IoContext
from ansible_collections.hotbackup.oracle.plugins.module_utils._files.priority import Priority
from ansible_collections.hotbackup.oracle.plugins.module_utils._files.streams import StreamSettings
from ansible_collections.hotbackup.oracle.plugins.module_utils._files.verification import (
    VerifyResult,
    stored_datafile_header,
    verify_file,
)
from ansible_collections.hotbackup.oracle.plugins.module_utils._files.zstd_library import (
    FrameDecompressor,
    ZstdLibrary,
    find_library,
    require_compressor,
)
from ansible_collections.hotbackup.oracle.plugins.module_utils._files.zstd_source import (
    READ_BYTES,
    ZstdSource,
)
from hypothesis import given, settings
from hypothesis import strategies as st

from unit.files import oracle_file_writer as writer
from unit.files.faulty_files import FailingLayer, ShortLayer
from unit.files.python_zstd import as_module

SIZE = 8192
CHUNK = 16 * SIZE
BLOCK_COUNT = 70
ZSTD = Compression("zstd")
LIBRARIES = ("compression.zstd", "backports.zstd", "zstandard")


@pytest.fixture(autouse=True, scope="module")
def small_chunks() -> Iterator[None]:
    """A file of several chunks need not be large."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(file_reading, "CHUNK_SIZE_BYTES", CHUNK)
        yield


def datafile(count: int = BLOCK_COUNT, seed: int = 1) -> writer.Datafile:
    """Blocks that compress, blocks that do not, and empty ones."""
    random_bytes = random.Random(seed).randbytes
    image = writer.Datafile(number=7)
    for number in range(2, count + 2):
        body = random_bytes(8000) if number % 4 == 0 else b"row %d" % number * 50
        block = (
            writer.never_used_block(SIZE, number) if number % 5 == 0 else image.data_block(number, body=body)
        )
        image.bodies.append(block)
    return image


@pytest.fixture
def source(tmp_path: Path) -> Path:
    folder = tmp_path / "oradata"
    folder.mkdir()
    return datafile().write(folder / "users01.dbf")


@pytest.fixture
def backup(tmp_path: Path) -> Path:
    folder = tmp_path / "backup"
    folder.mkdir()
    return folder


def request_for(source: Path, backup: Path, compression: Compression = ZSTD, **changes: Any) -> CopyRequest:
    request = CopyRequest(
        source=str(source),
        destination=str(backup / "7_users01.dbf.zst"),
        kind=FileKind.DATAFILE,
        file_number=7,
        compression=compression,
    )
    return dataclasses.replace(request, **changes)


def form_of(result: CopyResult) -> CompressedForm:
    return CompressedForm(result.size_bytes, result.stored_digest)


def verified(
    path: str, form: CompressedForm, digest: str | None, context: IoContext | None = None
) -> VerifyResult:
    return verify_file(path, FileExpectations(FileKind.DATAFILE, compressed=form), digest, context)


def frames_of(stored: bytes) -> list[bytes]:
    """The frames of a stored file, found by nothing but the library."""
    frames = []
    while stored:
        decompressor = zstandard.ZstdDecompressor().decompressobj()
        decompressor.decompress(stored)
        frames.append(stored[: len(stored) - len(decompressor.unused_data)])
        stored = decompressor.unused_data
    return frames


def plain_of(stored: bytes) -> bytes:
    """What any zstd makes of a stored file."""
    return zstandard.ZstdDecompressor().stream_reader(io.BytesIO(stored), read_across_frames=True).read()


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
    stored = ("compression", "destination", "seconds", "stored_digest", "stored_inode", "stored_size_bytes")
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
    counting = FailingLayer()
    assert verified(stored.destination, form_of(stored), stored.digest, IoContext(files=counting)).intact
    for position in range(len(counting.calls)):
        with pytest.raises(BackupError, match="EIO"):
            verified(
                stored.destination, form_of(stored), stored.digest, IoContext(files=FailingLayer(position))
            )


# --- reading back


def test_a_stored_file_verifies(source: Path, backup: Path) -> None:
    stored = copy_file(request_for(source, backup))
    counts: list[int] = []
    found = verified(stored.destination, form_of(stored), stored.digest, IoContext(progress=counts.append))
    assert found.intact
    assert (found.digest, found.chunk_digests) == (stored.digest, stored.chunk_digests)
    assert (found.size_bytes, sum(counts)) == (source.stat().st_size, source.stat().st_size)
    assert (found.blocks_examined, found.header) == (stored.blocks_examined, stored.header_before)


def test_a_header_costs_only_the_beginning(tmp_path: Path, backup: Path) -> None:
    class Counting(OsFileLayer):
        def __init__(self) -> None:
            self.read_bytes = 0

        def read_into(self, descriptor: int, buffer: memoryview, offset: int) -> int:
            count = super().read_into(descriptor, buffer, offset)
            self.read_bytes += count
            return count

    image = writer.Datafile(number=7)
    image.bodies += [image.data_block(n, body=random.Random(n).randbytes(8100)) for n in range(2, 600)]
    source = image.write(tmp_path / "users01.dbf")
    stored = copy_file(request_for(source, backup))
    assert stored.stored_size_bytes > 3 * READ_BYTES
    files = Counting()
    expected = FileExpectations(FileKind.DATAFILE, compressed=form_of(stored))
    header = stored_datafile_header(stored.destination, expected, IoContext(files=files))
    assert header == read_datafile_header(source)
    assert files.read_bytes <= READ_BYTES


@pytest.fixture(scope="module")
def sample(
    small_chunks: None, tmp_path_factory: pytest.TempPathFactory
) -> tuple[bytes, bytes, CopyResult, Path]:
    """The plain bytes of a file, the stored ones, what is known of it, and where another file may be written."""
    folder = tmp_path_factory.mktemp("sample")
    source = datafile().write(folder / "users01.dbf")
    result = copy_file(request_for(source, folder))
    return source.read_bytes(), Path(result.destination).read_bytes(), result, folder / "7_damaged.dbf.zst"


Sample = tuple[bytes, bytes, CopyResult, Path]


@settings(max_examples=60, deadline=None)
@given(reads=st.lists(st.tuples(st.integers(0, 72 * SIZE + 10), st.integers(1, 3 * CHUNK)), max_size=8))
def test_reads_in_any_order_give_what_is_there(sample: Sample, reads: list[tuple[int, int]]) -> None:
    plain, _stored, result, _other = sample
    descriptor = os.open(result.destination, os.O_RDONLY)
    try:
        library = zstd_library.library_for_reading("it")
        opened = ZstdSource(OsFileLayer(), descriptor, "it", form_of(result), CHUNK, library)
        for offset, length in reads:
            target = memoryview(bytearray(length))
            count = opened.fill(target, offset)
            assert bytes(target[:count]) == plain[offset : offset + length]
    finally:
        os.close(descriptor)


# --- damage


def swapped(stored: bytes, first: int, second: int) -> bytes:
    frames = frames_of(stored)
    frames[first], frames[second] = frames[second], frames[first]
    return b"".join(frames)


damages = st.one_of(
    st.builds(
        lambda position, bit: (
            lambda stored: (
                stored[: position % len(stored)]
                + bytes([stored[position % len(stored)] ^ 1 << bit])
                + stored[position % len(stored) + 1 :]
            )
        ),
        st.integers(0, 2**40),
        st.integers(0, 7),
    ),
    st.builds(lambda length: lambda stored: stored[: length % len(stored)], st.integers(0, 2**40)),
    st.builds(lambda more: lambda stored: stored + more, st.binary(min_size=1, max_size=40)),
    st.builds(lambda more: lambda stored: stored + frames_of(stored)[more], st.integers(0, 4)),
    st.builds(
        lambda first, step: lambda stored: swapped(stored, first, (first + step) % 4),
        st.integers(0, 3),
        st.integers(1, 3),
    ),
)


@settings(max_examples=250, deadline=None)
@given(damage=damages)
def test_no_damage_of_a_stored_file_goes_unseen(sample: Sample, damage: Callable[[bytes], bytes]) -> None:
    _plain, stored, result, path = sample
    path.write_bytes(damage(stored))
    found = verified(str(path), form_of(result), result.digest)
    assert not found.intact
    assert str(path) in found.problems[0]


@settings(max_examples=150, deadline=None)
@given(damage=damages)
def test_without_the_digest_of_what_is_stored_the_plain_bytes_are_still_certain(
    sample: Sample, damage: Callable[[bytes], bytes]
) -> None:
    plain, stored, result, path = sample
    path.write_bytes(damage(stored))
    target = path.with_name("restored.dbf")
    request = CopyRequest(
        str(path),
        str(target),
        FileKind.DATAFILE,
        replace=True,
        expected_digest=result.digest,
        source_form=CompressedForm(result.size_bytes),
    )
    target.unlink(missing_ok=True)
    try:
        copy_file(request)
    except VerificationError as exc:
        assert str(path) in exc.message
        assert not target.exists()
    else:
        assert target.read_bytes() == plain


def frame(blocks: bytes, size: int = CHUNK, descriptor: int = 0xE0, window: bytes = b"") -> bytes:
    """A frame with a content size of 8 bytes, of one segment unless told otherwise, without a checksum."""
    return b"\x28\xb5\x2f\xfd" + bytes([descriptor]) + window + size.to_bytes(8, "little") + blocks


def run_of(length: int, last: bool) -> bytes:
    """A block of ``length`` zeros in four bytes."""
    return (length << 3 | 1 << 1 | last).to_bytes(3, "little") + b"\0"


ZEROS = run_of(CHUNK, True)
BOMB = run_of(CHUNK, False) * 1000 + ZEROS
CRAFTED = {
    "a bomb within a frame": (frame(BOMB), "chunk 1 of 2"),
    "a bomb that says so": (frame(BOMB, 1001 * CHUNK), f"holds {1001 * CHUNK} bytes, not {CHUNK}"),
    "too short a frame": (frame(run_of(SIZE, True)), "chunk 1 of 2"),
    "no content size": (
        b"\x28\xb5\x2f\xfd\x00\x38" + ZEROS,
        f"holds an unknown number of bytes, not {CHUNK}",
    ),
    "a window of a terabyte": (frame(ZEROS, descriptor=0xC0, window=b"\xf0"), "chunk 1 of 2"),
    "a block larger than can be": (frame(run_of(CHUNK + 8, True), CHUNK), "a block that cannot be"),
    "a reserved kind of block": (
        frame((SIZE << 3 | 3 << 1 | 1).to_bytes(3, "little")),
        "a block that cannot be",
    ),
    "a dictionary": (frame(ZEROS, descriptor=0xE1, window=b"\x07"), "chunk 1 of 2"),
    "a skippable frame": (b"\x50\x2a\x4d\x18\x04\0\0\0abcd" + frame(ZEROS), "no zstd frame begins"),
    "the end of the file in a frame": (frame(ZEROS)[:-1], "ends in the middle of its frame"),
    "nothing": (b"", "ends in the middle of its frame"),
    "one frame of two": (frame(ZEROS), "chunk 2 of 2: the stored file ends"),
    "another frame": (frame(ZEROS) * 3, "follow its frame, the last one"),
    "a letter": (frame(ZEROS) * 2 + b"x", "1 bytes follow its frame, the last one"),
}


class Measured:
    """A decompressor that remembers the most it ever gave at once."""

    most = 0

    def __init__(self, inner: FrameDecompressor) -> None:
        self._inner = inner

    def decompress(self, data: bytes) -> bytes:
        piece = self._inner.decompress(data)
        Measured.most = max(Measured.most, len(piece))
        return piece


@pytest.mark.parametrize("crafted", list(CRAFTED))
def test_a_file_made_to_harm_is_refused_and_takes_no_memory(tmp_path: Path, crafted: str) -> None:
    content, reason = CRAFTED[crafted]
    path = tmp_path / "7_users01.dbf.zst"
    path.write_bytes(content)
    library = zstd_library.library_for_reading(str(path))
    measuring = dataclasses.replace(library, decompressor=lambda: Measured(library.decompressor()))
    Measured.most = 0
    descriptor = os.open(path, os.O_RDONLY)
    try:
        form = CompressedForm(2 * CHUNK)
        opened = ZstdSource(OsFileLayer(), descriptor, str(path), form, CHUNK, measuring)
        target = memoryview(bytearray(2 * CHUNK))
        # A second attempt meets the same.
        for _attempt in range(2):
            with pytest.raises(VerificationError, match=reason) as caught:
                opened.fill(target, 0)
            assert caught.value.message.startswith(f"Failed to decompress {path}: chunk ")
            assert caught.value.hint == "The stored file is damaged: restore from another set."
    finally:
        os.close(descriptor)
    assert Measured.most <= 128 * 1024


@pytest.mark.parametrize(("surplus", "reason"), [(b"x", "yields more than"), (b"", "yields 0 bytes, not")])
def test_the_library_is_not_believed_either(tmp_path: Path, surplus: bytes, reason: str) -> None:
    class Generous:
        def decompress(self, data: bytes) -> bytes:
            return bytes(CHUNK) + surplus if surplus and len(data) == 4 else b""

    path = tmp_path / "7_users01.dbf.zst"
    path.write_bytes(frame(ZEROS))
    library = dataclasses.replace(zstd_library.library_for_reading(str(path)), decompressor=Generous)
    descriptor = os.open(path, os.O_RDONLY)
    try:
        opened = ZstdSource(OsFileLayer(), descriptor, str(path), CompressedForm(CHUNK), CHUNK, library)
        with pytest.raises(VerificationError, match=reason):
            opened.fill(memoryview(bytearray(CHUNK)), 0)
    finally:
        os.close(descriptor)


# --- libraries


@pytest.fixture
def installed(monkeypatch: pytest.MonkeyPatch) -> Callable[..., None]:
    """``installed(name=module)``: of the zstd libraries, exactly those can be imported."""
    real = importlib.import_module

    def install(**modules: ModuleType) -> None:
        known = {name.replace("_", "."): module for name, module in modules.items()}

        def import_module(name: str, package: str | None = None) -> ModuleType:
            if name in LIBRARIES:
                if name not in known:
                    raise ImportError(f"No module named {name!r}")
                return known[name]
            return real(name, package)

        monkeypatch.setattr(importlib, "import_module", import_module)

    return install


@pytest.mark.parametrize("name", LIBRARIES)
@pytest.mark.parametrize("threads", [0, 2])
def test_all_libraries_write_and_read_the_same(
    installed: Callable[..., None], source: Path, backup: Path, name: str, threads: int
) -> None:
    with_zstandard = copy_file(request_for(source, backup, destination=str(backup / "other.zst")))
    installed(**{name.replace(".", "_"): zstandard if name == "zstandard" else as_module(name)})
    assert find_library("This", "do nothing").name == name
    require_compressor(Compression("zstd", 19, threads))
    stored = copy_file(request_for(source, backup, Compression("zstd", 5, threads)))
    content = Path(stored.destination).read_bytes()
    assert plain_of(content) == source.read_bytes()
    assert all(zstandard.get_frame_parameters(part).has_checksum for part in frames_of(content))
    for one in (stored, with_zstandard):
        assert verified(one.destination, form_of(one), stored.digest).intact
    damaged = bytearray(content)
    damaged[-20] ^= 1
    Path(stored.destination).write_bytes(damaged)
    problem = verified(stored.destination, CompressedForm(stored.size_bytes), stored.digest).problems[0]
    assert stored.destination in problem


def test_the_library_that_comes_with_python_is_preferred(installed: Callable[..., None]) -> None:
    own, backport = as_module("compression.zstd"), as_module("backports.zstd")
    installed(compression_zstd=own, backports_zstd=backport, zstandard=zstandard)
    assert find_library("This", "do nothing").name == "compression.zstd"
    installed(backports_zstd=backport, zstandard=zstandard)
    assert find_library("This", "do nothing").name == "backports.zstd"


def test_a_missing_library_is_told_with_interpreter_host_and_remedy(
    installed: Callable[..., None], source: Path, backup: Path
) -> None:
    stored = copy_file(request_for(source, backup))
    installed()
    with pytest.raises(PreconditionError) as writing:
        require_compressor(ZSTD)
    with pytest.raises(PreconditionError) as copying:
        copy_file(request_for(source, backup, destination=str(backup / "other.zst")))
    with pytest.raises(PreconditionError) as reading:
        verified(stored.destination, form_of(stored), stored.digest)
    for caught in (writing, copying, reading):
        for word in (sys.executable, platform.node(), "zstandard", "backports.zstd", "compression.zstd"):
            assert word in str(caught.value)
    assert "compression to none" in writing.value.hint
    assert f"zstd -d {stored.destination}" in reading.value.hint
    assert [path.name for path in backup.iterdir()] == ["7_users01.dbf.zst"]


def test_a_library_that_cannot_use_threads_is_told_beforehand(installed: Callable[..., None]) -> None:
    module: Any = as_module("compression.zstd")

    class SingleThreaded(module.ZstdCompressor):
        def __init__(self, *, options: Any) -> None:
            if options[module.CompressionParameter.nb_workers]:
                raise ValueError("nb_workers is out of bounds: 0 to 0")
            super().__init__(options=options)

    module.ZstdCompressor = SingleThreaded
    installed(compression_zstd=module)
    require_compressor(ZSTD)
    with pytest.raises(PreconditionError, match="level 3 and 2 threads: nb_workers") as caught:
        require_compressor(Compression("zstd", threads=2))
    assert "compression_threads to 0" in caught.value.hint


def test_a_library_that_fails_is_told(source: Path, backup: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    class Exhausted:
        def begin(self, size_bytes: int) -> None:
            raise zstandard.ZstdError("Allocation error : not enough memory")

    library = ZstdLibrary(
        "zstandard", zstandard.ZstdError, lambda _wanted: Exhausted(), zstandard.ZstdDecompressor
    )  # type: ignore[arg-type,return-value]
    monkeypatch.setattr(zstd_library, "_CANDIDATES", ((lambda: zstandard, lambda _module: library),))
    with pytest.raises(BackupError, match="not enough memory"):
        copy_file(request_for(source, backup))
    assert list(backup.iterdir()) == []
