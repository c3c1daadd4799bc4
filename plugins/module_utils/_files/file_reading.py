# Copyright (c) 2026 hotbackup contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""An open file that is read in ranges, by one stream or by several: what copying and verifying share.

Private to this collection: not an interface for other collections.
"""

from __future__ import annotations

import contextlib
import dataclasses
import os
import stat
from collections.abc import Iterator
from dataclasses import dataclass

from ansible_collections.hotbackup.oracle.plugins.module_utils._backup.errors import (
    PreconditionError,
    VerificationError,
)
from ansible_collections.hotbackup.oracle.plugins.module_utils._files.block_fault import (
    BlockCounts,
    BlockFault,
)
from ansible_collections.hotbackup.oracle.plugins.module_utils._files.buffers import BufferRing, small_buffer
from ansible_collections.hotbackup.oracle.plugins.module_utils._files.byte_source import (
    ByteSource,
    PlainSource,
    Visit,
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
    parse_header,
)
from ansible_collections.hotbackup.oracle.plugins.module_utils._files.file_scan import (
    FAULTS_KEPT,
    FileScan,
    Patience,
)
from ansible_collections.hotbackup.oracle.plugins.module_utils._files.io_context import IoContext, ignore
from ansible_collections.hotbackup.oracle.plugins.module_utils._files.range_reading import RangeReading
from ansible_collections.hotbackup.oracle.plugins.module_utils._files.zstd_library import library_for_reading
from ansible_collections.hotbackup.oracle.plugins.module_utils._files.zstd_source import ZstdSource

# What a block of these says depends on nothing but the block; a log's depend on those before it.
_SPLITTABLE = (FileKind.DATAFILE, FileKind.TEMPFILE)
_LARGEST_BLOCK_BYTES = 32768


@dataclass(frozen=True)
class ScannedFile:
    """What a file, or a range of one, was found to be.

    ``faults`` holds the first hundred of ``counts.faults``, in the order of blocks.
    """

    digest: FileDigest
    counts: BlockCounts
    faults: tuple[BlockFault, ...]
    accelerator: str


class FileReading:
    """Reads one file; several threads may read different units of it at once.

    A unit is one chunk of the digest (64 MiB), or the whole of a file that must be read ``in_order``: because of
    what it is, how it is stored, or what it is read for. So digest and verdicts are the same for every number of
    streams. ``reread_attempts`` is how often a bad block is read again before it is taken for damaged.
    """

    def __init__(
        self,
        context: IoContext,
        path: str,
        expected: FileExpectations,
        reread_attempts: int = 0,
        in_order: bool = False,
    ) -> None:
        self._context = context
        self._files = context.files
        self._path = path
        self._expected = expected
        # A compressed file is a stored one, which nobody writes.
        self._patience = Patience(reread_attempts if expected.compressed is None else 0, context.pause)
        # Blocks 0 and 1.
        self._header_bytes = 2 * (expected.block_size or _LARGEST_BLOCK_BYTES)
        self._in_order = in_order or expected.kind not in _SPLITTABLE or expected.compressed is not None
        self._descriptor = -1
        self._source: ByteSource = PlainSource(context.files, -1)
        # What reads the header and the first unit: of a small file the page cache is looked at once.
        self._first_visit: Visit = self._source.visit(0)
        self._raw_header = b""
        self._header: FileHeader | None = None
        self._ranges: list[tuple[int, int]] = []
        self._scanned: list[ScannedFile | None] = []

    def open(self) -> None:
        """Raises OSError; PreconditionError for what is no regular file, or needs a library that is not there."""
        self._descriptor = self._files.open_source(self._path)
        if not stat.S_ISREG(self.status().st_mode):
            raise PreconditionError(f"Failed to read {self._path}: it is not a regular file.")
        # The kernel would read megabytes past the end of a range, and leave them in the page cache.
        self._files.stop_readahead(self._descriptor)
        self._source = stored = PlainSource(self._files, self._descriptor, self._path)
        form = self._expected.compressed
        if form is not None:
            library = library_for_reading(self._path)
            self._source = ZstdSource(stored, self._path, form, CHUNK_SIZE_BYTES, library)
        self._first_visit = self._source.visit(self._source.size_bytes())

    def close(self) -> None:
        """Raises OSError. What was found stays, buffers do not: a task may be kept until thousands are done."""
        self._raw_header = b""
        source, self._source = self._source, PlainSource(self._files, -1)
        self._first_visit = self._source.visit(0)
        if self._descriptor >= 0:
            descriptor, self._descriptor = self._descriptor, -1
            with contextlib.ExitStack() as closing:
                closing.callback(self._files.close, descriptor)
                closing.callback(source.close)

    @property
    def descriptor(self) -> int:
        return self._descriptor

    @property
    def chunk_size_bytes(self) -> int:
        """Size of the chunks of its digest, but for the last."""
        return CHUNK_SIZE_BYTES

    def status(self) -> os.stat_result:
        """Of the file as it is stored."""
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

    def size_bytes(self) -> int:
        """Size of the file itself at this moment."""
        return self._source.size_bytes()

    def is_sparse(self) -> bool:
        """Whether parts of it have no blocks on disk."""
        return self._source.is_sparse()

    def header(self) -> FileHeader:
        """The header as it is now; read again if the database was writing it at that moment.

        Raises VerificationError if it is not the expected file's.
        """
        header, problem = self._try_header()
        for _attempt in self._patience.attempts() if problem is not None else ():
            self._source.forget(0, self._header_bytes)
            header, problem = self._try_header()
            if problem is None:
                break
        if header is None:
            raise problem or ValueError("neither a header nor a problem")
        return header

    def _try_header(self) -> tuple[FileHeader | None, VerificationError | None]:
        length = min(self._header_bytes, self._source.size_bytes())
        # As any visit it leaves no page behind: what is read at the end is not what was left there at the beginning.
        data = small_buffer(length)
        raw = bytes(data[: self._first_visit.fill(data, 0)])
        if self._header is not None and raw == self._raw_header:
            return self._header, None
        try:
            header = parse_header(
                self._expected, self._path, lambda offset, length: raw[offset : offset + length]
            )
        except VerificationError as exc:
            return None, exc
        self._raw_header, self._header = raw, header
        return header, None

    def plan(self, size_bytes: int) -> int:
        """Prepare to read ``size_bytes`` of a file whose header was read; return the number of units.

        Raises VerificationError for a size that does not fit the header.
        """
        check_size(self._path, self._known_header(), size_bytes)
        step = size_bytes if self._in_order else CHUNK_SIZE_BYTES
        self._ranges = [(start, min(start + step, size_bytes)) for start in range(0, size_bytes, step)]
        self._scanned = [None] * len(self._ranges)
        return len(self._ranges)

    def range(self, unit: int) -> tuple[int, int]:
        """Where a unit begins and ends, in bytes."""
        return self._ranges[unit]

    def pieces(self, unit: int, ring: BufferRing) -> Iterator[tuple[int, memoryview]]:
        """Yield offset and bytes of a unit, checked and digested; see :meth:`FileScan.pieces`."""
        visit = self._first_visit if unit == 0 else self._source.visit(self._ranges[unit][1])
        return self._pieces(unit, ring, self._context, self._source, visit, self._patience)

    def is_sound_in_clone(self, unit: int, ring: BufferRing, descriptor: int) -> bool:
        """Read a unit of a clone of this file instead, which nobody writes; whether every block of it is sound."""
        quiet = dataclasses.replace(self._context, bad_blocks=ignore)
        clone = PlainSource(self._files, descriptor)
        visit = clone.visit(self._ranges[unit][1])
        for _offset, _piece in self._pieces(
            unit, ring, quiet, clone, visit, Patience(0, self._context.pause)
        ):
            continue
        return self.scanned(unit).counts.faults == 0

    def _pieces(
        self,
        unit: int,
        ring: BufferRing,
        context: IoContext,
        source: ByteSource,
        visit: Visit,
        patience: Patience,
    ) -> Iterator[tuple[int, memoryview]]:
        start, end = self._ranges[unit]
        checker = checker_for(self._known_header(), self._path, context.accelerator)
        digest = ChunkedDigest(CHUNK_SIZE_BYTES)
        reading = RangeReading(context, source, visit, self._path, start, end)
        scan = FileScan(context, reading, checker, patience)
        for offset, piece in scan.pieces(ring):
            digest.update(piece)
            yield offset, piece
            context.progress(len(piece))
        self._scanned[unit] = ScannedFile(
            digest.result(), checker.counts, tuple(scan.faults), checker.accelerator
        )

    def scanned(self, unit: int) -> ScannedFile:
        """What a unit was found to be. Raises ValueError unless it was read to its end."""
        found = self._scanned[unit]
        if found is None:
            raise ValueError("the unit was not read")
        return found

    def _known_header(self) -> FileHeader:
        if self._header is None:
            raise ValueError("the header was not read")
        return self._header

    @property
    def complete(self) -> bool:
        """Whether every unit has been read to its end."""
        return bool(self._scanned) and None not in self._scanned

    def result(self) -> ScannedFile:
        """The units put together. Raises ValueError unless the reading is complete."""
        parts = [self.scanned(unit) for unit in range(len(self._ranges))]
        if len(parts) == 1:
            return parts[0]
        chunks = tuple(chunk for part in parts for chunk in part.digest.chunk_digests)
        size_bytes = sum(part.digest.size_bytes for part in parts)
        counts = BlockCounts()
        for part in parts:
            counts.add(part.counts)
        return ScannedFile(
            FileDigest(size_bytes, digest_of_chunks(chunks), chunks, CHUNK_SIZE_BYTES),
            counts,
            tuple(fault for part in parts for fault in part.faults)[:FAULTS_KEPT],
            parts[0].accelerator,
        )
