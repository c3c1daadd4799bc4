# Copyright (c) 2026 hotbackup contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What is read of copies that are stored compressed, and that no damage of them goes unseen."""

from __future__ import annotations

import dataclasses
import mmap
import os
import random
import threading
from collections.abc import Callable
from pathlib import Path

import pytest
from ansible_collections.hotbackup.oracle.plugins.module_utils._backup.compression import CompressedForm
from ansible_collections.hotbackup.oracle.plugins.module_utils._backup.errors import VerificationError
from ansible_collections.hotbackup.oracle.plugins.module_utils._files import zstd_library
from ansible_collections.hotbackup.oracle.plugins.module_utils._files.byte_source import PlainSource
from ansible_collections.hotbackup.oracle.plugins.module_utils._files.copy_engine import (
    CopyRequest,
    CopyTask,
    copy_file,
)
from ansible_collections.hotbackup.oracle.plugins.module_utils._files.file_headers import (
    FileKind,
    read_datafile_header,
)
from ansible_collections.hotbackup.oracle.plugins.module_utils._files.file_identity import FileExpectations
from ansible_collections.hotbackup.oracle.plugins.module_utils._files.file_layer import OsFileLayer
from ansible_collections.hotbackup.oracle.plugins.module_utils._files.io_context import IoContext
from ansible_collections.hotbackup.oracle.plugins.module_utils._files.streams import StreamSettings, run_all
from ansible_collections.hotbackup.oracle.plugins.module_utils._files.verification import (
    VerifyTask,
    stored_datafile_header,
)
from ansible_collections.hotbackup.oracle.plugins.module_utils._files.zstd_library import FrameDecompressor
from ansible_collections.hotbackup.oracle.plugins.module_utils._files.zstd_source import (
    READ_BYTES,
    ZstdSource,
)
from hypothesis import given, settings
from hypothesis import strategies as st

from unit.files import oracle_file_writer as writer
from unit.files.compressed_copies import (
    CHUNK,
    SIZE,
    Sample,
    backup,
    form_of,
    frames_of,
    request_for,
    sample,
    small_chunks,
    source,
    verified,
)

__all__ = ["backup", "sample", "small_chunks", "source"]


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
    image.bodies += [image.data_block(n, body=random.Random(n).randbytes(8100)) for n in range(2, 800)]
    source = image.write(tmp_path / "users01.dbf")
    stored = copy_file(request_for(source, backup))
    assert stored.stored_size_bytes > 3 * READ_BYTES
    files = Counting()
    expected = FileExpectations(FileKind.DATAFILE, compressed=form_of(stored))
    header = stored_datafile_header(stored.destination, expected, IoContext(files=files))
    assert header == read_datafile_header(source)
    assert files.read_bytes <= READ_BYTES


@settings(max_examples=60, deadline=None)
@given(reads=st.lists(st.tuples(st.integers(0, 72 * SIZE + 10), st.integers(1, 3 * CHUNK)), max_size=8))
def test_reads_in_any_order_give_what_is_there(sample: Sample, reads: list[tuple[int, int]]) -> None:
    plain, _stored, result, _other = sample
    descriptor = os.open(result.destination, os.O_RDONLY)
    try:
        library = zstd_library.library_for_reading("it")
        opened = ZstdSource(PlainSource(OsFileLayer(), descriptor), "it", form_of(result), CHUNK, library)
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
        opened = ZstdSource(PlainSource(OsFileLayer(), descriptor), str(path), form, CHUNK, measuring)
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
        opened = ZstdSource(
            PlainSource(OsFileLayer(), descriptor), str(path), CompressedForm(CHUNK), CHUNK, library
        )
        with pytest.raises(VerificationError, match=reason):
            opened.fill(memoryview(bytearray(CHUNK)), 0)
    finally:
        os.close(descriptor)


def mapped_bytes() -> int:
    """The address space of this process, used or not."""
    return int(Path("/proc/self/statm").read_text(encoding="ascii").split()[0]) * mmap.PAGESIZE


def test_files_that_are_done_with_keep_no_buffers(source: Path, backup: Path) -> None:
    requests = [
        dataclasses.replace(request_for(source, backup), destination=str(backup / f"{number}.zst"))
        for number in range(100)
    ]
    copying = [CopyTask(request) for request in requests]
    # The first ones make what is kept for the next.
    run_all(copying[:10], StreamSettings(1), threading.Event())
    before = mapped_bytes()
    copies = run_all(copying[10:], StreamSettings(1), threading.Event())
    verifying = [
        VerifyTask(
            copy.destination, FileExpectations(FileKind.DATAFILE, compressed=form_of(copy)), copy.digest
        )
        for copy in copies
    ]
    assert all(found.intact for found in run_all(verifying, StreamSettings(1), threading.Event()))
    assert mapped_bytes() - before < 20 * READ_BYTES
