# Copyright (c) 2026 hotbackup contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The digest of a large file: SHA-256 of fixed chunks, and one SHA-256 over the chunks' digests.

Chunks let one damaged region be located, and let several workers read one file. Anybody can recompute the
digest of a stored file without this collection:

    import hashlib, sys
    whole = hashlib.sha256()
    with open(sys.argv[1], "rb") as stored:
        while True:
            chunk = stored.read(64 * 1024 * 1024)
            if not chunk:
                break
            whole.update(hashlib.sha256(chunk).digest())
    print(whole.hexdigest())

Private to this collection: not an interface for other collections.
"""

from __future__ import annotations

import hashlib
import os
from collections.abc import Iterable
from dataclasses import dataclass

from ansible_collections.hotbackup.oracle.plugins.module_utils._backup.errors import BackupError

CHUNK_SIZE_BYTES = 64 * 1024 * 1024
_READ_SIZE_BYTES = 4 * 1024 * 1024


@dataclass(frozen=True)
class FileDigest:
    """Digests are lower-case hexadecimal SHA-256; the last chunk may be shorter than ``chunk_size_bytes``."""

    size_bytes: int
    digest: str
    chunk_digests: tuple[str, ...]
    chunk_size_bytes: int


class ChunkedDigest:
    """Takes a file's bytes in order, in pieces of any size, and yields its :class:`FileDigest`."""

    def __init__(self, chunk_size_bytes: int = CHUNK_SIZE_BYTES) -> None:
        if chunk_size_bytes <= 0:
            raise ValueError("a chunk has at least one byte")
        self._chunk_size_bytes = chunk_size_bytes
        self._size_bytes = 0
        self._finished: list[str] = []
        self._current = hashlib.sha256()
        self._room = chunk_size_bytes

    def update(self, data: bytes | memoryview) -> None:
        rest = memoryview(data)
        while rest:
            piece = rest[: self._room]
            self._current.update(piece)
            self._room -= len(piece)
            self._size_bytes += len(piece)
            rest = rest[len(piece) :]
            if self._room == 0:
                self._finished.append(self._current.hexdigest())
                self._current = hashlib.sha256()
                self._room = self._chunk_size_bytes

    def result(self) -> FileDigest:
        """Return the digest of everything taken so far; more may be added afterwards."""
        chunks = list(self._finished)
        if self._room != self._chunk_size_bytes:
            chunks.append(self._current.hexdigest())
        return FileDigest(self._size_bytes, digest_of_chunks(chunks), tuple(chunks), self._chunk_size_bytes)


def digest_of_chunks(chunk_digests: Iterable[str]) -> str:
    """Return the file's digest: SHA-256 over the chunks' raw 32-byte digests, in file order."""
    whole = hashlib.sha256()
    for chunk in chunk_digests:
        whole.update(bytes.fromhex(chunk))
    return whole.hexdigest()


def file_digest(path: str | os.PathLike[str], chunk_size_bytes: int = CHUNK_SIZE_BYTES) -> FileDigest:
    """Read ``path`` once and return its digest, without looking at its blocks. Raises BackupError."""
    digest = ChunkedDigest(chunk_size_bytes)
    buffer = memoryview(bytearray(_READ_SIZE_BYTES))
    try:
        with open(path, "rb", buffering=0) as stored:
            count = stored.readinto(buffer)
            while count:
                digest.update(buffer[:count])
                count = stored.readinto(buffer)
    except OSError as exc:
        raise BackupError(f"Failed to read {path}: {exc.strerror}.") from exc
    return digest.result()
