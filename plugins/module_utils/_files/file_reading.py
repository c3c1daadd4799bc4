# Copyright (c) 2026 hotbackup contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""An open file that is read in ranges, by one stream or by several: what copying and verifying share.

Private to this collection: not an interface for other collections.
"""

from __future__ import annotations

import os
import stat
from collections.abc import Callable, Iterator
from dataclasses import dataclass

from ansible_collections.hotbackup.oracle.plugins.module_utils._backup.errors import (
    PreconditionError,
    VerificationError,
)
from ansible_collections.hotbackup.oracle.plugins.module_utils._files.block_fault import (
    BlockCounts,
    BlockFault,
)
from ansible_collections.hotbackup.oracle.plugins.module_utils._files.digests import (
    CHUNK_SIZE_BYTES,
    ChunkedDigest,
    FileDigest,
    digest_of_chunks,
)
from ansible_collections.hotbackup.oracle.plugins.module_utils._files.file_headers import FileHeader, FileKind
from ansible_collections.hotbackup.oracle.plugins.module_utils._files.file_identity import (
    FileExpectations,
    check_size,
    checker_for,
)
from ansible_collections.hotbackup.oracle.plugins.module_utils._files.file_layer import FileLayer
from ansible_collections.hotbackup.oracle.plugins.module_utils._files.file_scan import (
    FAULTS_KEPT,
    FileScan,
    Patience,
    read_header,
)

# What a block of these says depends on nothing but the block; a log's depend on those before it.
_SPLITTABLE = (FileKind.DATAFILE, FileKind.TEMPFILE)


@dataclass(frozen=True)
class ScannedRange:
    """One range's part of :class:`ScannedFile`."""

    digest: FileDigest
    counts: BlockCounts
    faults: tuple[BlockFault, ...]
    accelerator: str


@dataclass(frozen=True)
class ScannedFile:
    """What a whole file was found to be. ``faults`` holds the first hundred of ``counts.faults``."""

    digest: FileDigest
    counts: BlockCounts
    faults: tuple[BlockFault, ...]
    accelerator: str


class FileReading:
    """Reads one file; several threads may read different units of it at once.

    A unit is one chunk of the digest (64 MiB), or the whole of a file that must be read in order. So digest
    and verdicts are the same for every number of streams.
    """

    def __init__(
        self,
        files: FileLayer,
        path: str,
        expected: FileExpectations,
        patience: Patience,
        accelerator: str,
        progress: Callable[[int], None],
        cancelled: Callable[[], bool],
    ) -> None:
        self._files = files
        self._path = path
        self._expected = expected
        self._patience = patience
        self._accelerator = accelerator
        self._progress = progress
        self._cancelled = cancelled
        self._descriptor = -1
        self._header: FileHeader | None = None
        self._ranges: list[tuple[int, int]] = []
        self._scanned: list[ScannedRange | None] = []

    def open(self) -> None:
        """Raises OSError, and PreconditionError for what is no regular file."""
        self._descriptor = self._files.open_source(self._path)
        if not stat.S_ISREG(self.status().st_mode):
            raise PreconditionError(f"Failed to read {self._path}: it is not a regular file.")

    def close(self) -> None:
        """Raises OSError."""
        if self._descriptor >= 0:
            descriptor, self._descriptor = self._descriptor, -1
            self._files.close(descriptor)

    def status(self) -> os.stat_result:
        return self._files.status(self._descriptor)

    def require_same_file(self) -> None:
        """Raise VerificationError if the name leads to another file now than when it was opened; also OSError.

        A name that is gone leads to none: what is open can still be read whole (a log may be deleted while it
        is copied).
        """
        try:
            descriptor = self._files.open_source(self._path)
        except FileNotFoundError:
            return
        try:
            same = os.path.samestat(self._files.status(descriptor), self.status())
        finally:
            self._files.close(descriptor)
        if not same:
            raise VerificationError(f"Failed to read {self._path}: another file took its name meanwhile.")

    def header(self) -> FileHeader:
        """The header as it is now. Raises VerificationError if it is not the expected file's."""
        return read_header(self._files, self._descriptor, self._path, self._expected, self._patience)

    def plan(self, header: FileHeader, size_bytes: int) -> int:
        """Prepare to read ``size_bytes``; return the number of units. Raises VerificationError for a wrong size."""
        check_size(self._path, header, size_bytes)
        self._header = header
        step = CHUNK_SIZE_BYTES if self._expected.kind in _SPLITTABLE else size_bytes
        self._ranges = [(start, min(start + step, size_bytes)) for start in range(0, size_bytes, step)]
        self._scanned = [None] * len(self._ranges)
        return len(self._ranges)

    def pieces(self, unit: int, buffer: memoryview) -> Iterator[tuple[int, memoryview]]:
        """Yield offset and bytes of a unit, checked and digested; see :meth:`FileScan.pieces`."""
        if self._header is None:
            raise ValueError("the reading was not planned")
        start, end = self._ranges[unit]
        checker = checker_for(self._header, self._path, self._accelerator)
        digest = ChunkedDigest(CHUNK_SIZE_BYTES)
        scan = FileScan(
            self._files, self._descriptor, self._path, start, end, checker, self._patience, self._cancelled
        )
        for offset, piece in scan.pieces(buffer):
            digest.update(piece)
            yield offset, piece
            self._progress(len(piece))
        self._scanned[unit] = ScannedRange(
            digest.result(), checker.counts, tuple(scan.faults), checker.accelerator
        )

    @property
    def complete(self) -> bool:
        """Whether every unit has been read to its end."""
        return bool(self._scanned) and None not in self._scanned

    def result(self) -> ScannedFile:
        """The units put together. Raises ValueError unless the reading is complete."""
        if not self.complete:
            raise ValueError("not all units were read")
        parts = [part for part in self._scanned if part is not None]
        chunks = tuple(chunk for part in parts for chunk in part.digest.chunk_digests)
        size_bytes = sum(part.digest.size_bytes for part in parts)
        counts = BlockCounts()
        for part in parts:
            counts.add(part.counts)
        faults = [fault for part in parts for fault in part.faults]
        return ScannedFile(
            FileDigest(size_bytes, digest_of_chunks(chunks), chunks, CHUNK_SIZE_BYTES),
            counts,
            tuple(faults[:FAULTS_KEPT]),
            parts[0].accelerator,
        )


def never() -> bool:
    """Cancelled by nobody."""
    return False


def ignore(_value: object) -> None:
    """Progress that nobody wants to know."""
