# Copyright (c) 2026 hotbackup contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A datafile stored compressed, in small chunks, and what any zstd makes of it."""

from __future__ import annotations

import dataclasses
import io
import random
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import zstandard
from ansible_collections.hotbackup.oracle.plugins.module_utils._backup.compression import (
    CompressedForm,
    Compression,
)
from ansible_collections.hotbackup.oracle.plugins.module_utils._files import file_reading
from ansible_collections.hotbackup.oracle.plugins.module_utils._files.copy_engine import (
    CopyRequest,
    CopyResult,
    copy_file,
)
from ansible_collections.hotbackup.oracle.plugins.module_utils._files.file_headers import FileKind
from ansible_collections.hotbackup.oracle.plugins.module_utils._files.file_identity import FileExpectations
from ansible_collections.hotbackup.oracle.plugins.module_utils._files.io_context import IoContext
from ansible_collections.hotbackup.oracle.plugins.module_utils._files.verification import (
    VerifyResult,
    verify_file,
)

from unit.files import oracle_file_writer as writer

SIZE = 8192
CHUNK = 16 * SIZE
BLOCK_COUNT = 70
ZSTD = Compression("zstd")


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
