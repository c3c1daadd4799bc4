# Copyright (c) 2026 hotbackup contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The chunked digest equals the program its documentation gives."""

from __future__ import annotations

import hashlib
import subprocess
import sys
import textwrap
from pathlib import Path

import pytest
from ansible_collections.hotbackup.oracle.plugins.module_utils._backup.errors import BackupError
from ansible_collections.hotbackup.oracle.plugins.module_utils._files import digests
from ansible_collections.hotbackup.oracle.plugins.module_utils._files.digests import (
    CHUNK_SIZE_BYTES,
    ChunkedDigest,
    digest_of_chunks,
    file_digest,
)
from hypothesis import given
from hypothesis import strategies as st


def documented_program() -> str:
    """The indented lines of the module's description."""
    lines = (digests.__doc__ or "").splitlines()
    return textwrap.dedent("\n".join(line for line in lines if line.startswith("    ")))


@pytest.mark.parametrize("size", [0, 1, 10_000, CHUNK_SIZE_BYTES, CHUNK_SIZE_BYTES + 1])
def test_the_documented_program_prints_the_same_digest(tmp_path: Path, size: int) -> None:
    path = tmp_path / "f"
    path.write_bytes(b"q" * size)
    printed = subprocess.run(
        [sys.executable, "-c", documented_program(), str(path)], capture_output=True, text=True, check=True
    )
    found = file_digest(path)
    assert printed.stdout.strip() == found.digest
    assert (found.size_bytes, found.chunk_size_bytes) == (size, CHUNK_SIZE_BYTES)
    assert len(found.chunk_digests) == -(-size // CHUNK_SIZE_BYTES)


@given(st.lists(st.binary(max_size=40)), st.integers(1, 17))
def test_the_pieces_in_which_bytes_arrive_do_not_matter(pieces: list[bytes], chunk: int) -> None:
    digest = ChunkedDigest(chunk)
    for piece in pieces:
        digest.update(piece)
    whole = b"".join(pieces)
    expected = tuple(
        hashlib.sha256(whole[start : start + chunk]).hexdigest() for start in range(0, len(whole), chunk)
    )
    found = digest.result()
    assert found.chunk_digests == expected
    assert found.digest == digest_of_chunks(expected)
    assert found.size_bytes == len(whole)


def test_one_changed_byte_changes_one_chunk(tmp_path: Path) -> None:
    path = tmp_path / "f"
    path.write_bytes(bytes(100))
    before = file_digest(path, chunk_size_bytes=10)
    path.write_bytes(bytes(35) + b"x" + bytes(64))
    after = file_digest(path, chunk_size_bytes=10)
    differing = [
        index
        for index, (old, new) in enumerate(zip(before.chunk_digests, after.chunk_digests, strict=True))
        if old != new
    ]
    assert differing == [3]
    assert before.digest != after.digest


def test_a_chunk_of_no_bytes_is_a_programming_error() -> None:
    with pytest.raises(ValueError, match="at least one byte"):
        ChunkedDigest(0)


def test_a_missing_file_is_explained(tmp_path: Path) -> None:
    with pytest.raises(BackupError, match="No such file"):
        file_digest(tmp_path / "missing")
