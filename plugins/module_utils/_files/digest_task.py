# Copyright (c) 2026 hotbackup contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Compares a file with a digest, byte for byte: nothing is asked of its blocks.

Private to this collection: not an interface for other collections.
"""

from __future__ import annotations

import contextlib
import stat
from collections.abc import Sequence
from dataclasses import dataclass

from ansible_collections.hotbackup.oracle.plugins.module_utils._backup.errors import PreconditionError
from ansible_collections.hotbackup.oracle.plugins.module_utils._files.buffers import BufferRing
from ansible_collections.hotbackup.oracle.plugins.module_utils._files.byte_source import PlainSource
from ansible_collections.hotbackup.oracle.plugins.module_utils._files.digests import (
    CHUNK_SIZE_BYTES,
    ChunkedDigest,
    digest_of_chunks,
)
from ansible_collections.hotbackup.oracle.plugins.module_utils._files.io_context import IoContext
from ansible_collections.hotbackup.oracle.plugins.module_utils._files.os_errors import explained
from ansible_collections.hotbackup.oracle.plugins.module_utils._files.range_reading import RangeReading


@dataclass(frozen=True)
class DigestResult:
    """Whether a file holds the bytes with the digest; ``problems`` say why not."""

    path: str
    problems: tuple[str, ...]

    @property
    def intact(self) -> bool:
        return not self.problems


class DigestTask:
    """The comparison of one file with a digest (see the digests module), to be run by streams or alone.

    ``chunk_digests`` are those of its chunks, as far as they are known: once one of them differs, what is left
    of the file is not read. Only the whole digest makes a file equal.

    Raises BackupError for a file that cannot be read, PreconditionError for what is no regular file,
    VerificationError for one that becomes shorter meanwhile, Cancelled on request.
    """

    def __init__(
        self,
        path: str,
        digest: str,
        chunk_size_bytes: int = CHUNK_SIZE_BYTES,
        chunk_digests: Sequence[str] = (),
        context: IoContext | None = None,
    ) -> None:
        self._path = path
        self._expected = digest
        self._chunk_size_bytes = chunk_size_bytes
        self._expected_chunks = chunk_digests
        self._context = context or IoContext()
        self._what = f"Failed to read {path}"
        self._descriptor = -1
        self._source = PlainSource(self._context.files, -1)
        self._ranges: list[tuple[int, int]] = []
        self._found: list[tuple[str, ...]] = []
        self._differs = False

    def begin(self) -> int:
        """Open the file."""
        files = self._context.files
        with explained(self._what):
            self._descriptor = files.open_source(self._path)
            files.stop_readahead(self._descriptor)
            self._source = PlainSource(files, self._descriptor, self._path)
            status = files.status(self._descriptor)
        if not stat.S_ISREG(status.st_mode):
            raise PreconditionError(f"{self._what}: it is not a regular file.")
        size = status.st_size
        # Chunks of another size than ours may end anywhere: such a file is read in order, by one stream.
        step = CHUNK_SIZE_BYTES if CHUNK_SIZE_BYTES % self._chunk_size_bytes == 0 else max(size, 1)
        self._ranges = [(start, min(start + step, size)) for start in range(0, size, step)]
        self._found = [()] * len(self._ranges)
        return len(self._ranges)

    def do(self, unit: int, ring: BufferRing) -> None:
        """Read one range, until any has shown a difference."""
        if self._differs:
            return
        start, end = self._ranges[unit]
        digest = ChunkedDigest(self._chunk_size_bytes)
        reading = RangeReading(self._context, self._source, self._source.visit(end), self._path, start, end)
        with explained(self._what), ring:
            for _offset, piece in reading.pieces(ring):
                if self._differs:
                    return
                digest.update(piece)
                self._context.progress(len(piece))
        self._found[unit] = digest.result().chunk_digests
        known = self._expected_chunks[start // self._chunk_size_bytes :]
        if any(found != expected for found, expected in zip(self._found[unit], known)):
            self._differs = True

    def end(self) -> DigestResult:
        """Compare the whole."""
        with explained(self._what):
            self._close()
        if self._differs:
            return DigestResult(self._path, (f"{self._path} has other bytes than its digest says.",))
        found = digest_of_chunks(chunk for chunks in self._found for chunk in chunks)
        if found == self._expected:
            return DigestResult(self._path, ())
        return DigestResult(self._path, (f"{self._path} has digest {found}, not {self._expected}.",))

    def abandon(self) -> None:
        """Close the file."""
        with contextlib.suppress(OSError):
            self._close()

    def _close(self) -> None:
        if self._descriptor >= 0:
            descriptor, self._descriptor = self._descriptor, -1
            with contextlib.ExitStack() as closing:
                closing.callback(self._context.files.close, descriptor)
                closing.callback(self._source.close)
