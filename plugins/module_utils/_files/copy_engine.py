# Copyright (c) 2026 hotbackup contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Copies database files in one pass: read, check every block, digest, write, flush, name.

Used in both directions: from a live database into a set, and from a set back into place, where the digest of
the stored file is demanded. Bad blocks that stay bad when read again do not stop a copy: they are recorded,
and the copy holds what was read, for a human to decide. Anything else that is wrong raises, and nothing has
the final name.

Private to this collection: not an interface for other collections.
"""

from __future__ import annotations

import contextlib
import dataclasses
import threading
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path

from ansible_collections.hotbackup.oracle.plugins.module_utils._backup.compression import (
    NONE,
    CompressedForm,
    Compression,
)
from ansible_collections.hotbackup.oracle.plugins.module_utils._backup.errors import (
    Cancelled,
    VerificationError,
)
from ansible_collections.hotbackup.oracle.plugins.module_utils._files.block_fault import BlockFault
from ansible_collections.hotbackup.oracle.plugins.module_utils._files.buffers import BufferRing
from ansible_collections.hotbackup.oracle.plugins.module_utils._files.file_headers import FileHeader, FileKind
from ansible_collections.hotbackup.oracle.plugins.module_utils._files.file_identity import (
    FileExpectations,
    check_unchanged,
)
from ansible_collections.hotbackup.oracle.plugins.module_utils._files.file_reading import (
    FileReading,
    ScannedFile,
)
from ansible_collections.hotbackup.oracle.plugins.module_utils._files.io_context import IoContext, ignore
from ansible_collections.hotbackup.oracle.plugins.module_utils._files.os_errors import explained
from ansible_collections.hotbackup.oracle.plugins.module_utils._files.staging import StagedFile
from ansible_collections.hotbackup.oracle.plugins.module_utils._files.streams import (
    StreamSettings,
    one_at_a_time,
    run_all,
    run_alone,
)
from ansible_collections.hotbackup.oracle.plugins.module_utils._files.zstd_library import find_library
from ansible_collections.hotbackup.oracle.plugins.module_utils._files.zstd_writer import ZstdWriter

REREAD_ATTEMPTS = 5


@dataclass(frozen=True)
class CopyRequest:
    """One file to copy. None means "not known, do not compare".

    ``destination`` is the final path; its folder exists. ``mode`` is what the copy gets. ``expected_digest``
    is the digest (see the digests module) the copy must have to get its final name. ``replace`` allows an
    existing destination to be replaced; it is kept whole until the copy is. ``reflink`` asks that the copy
    share the source's blocks where the file system can do that; it is checked and digested all the same.

    ``source_form`` is how a stored source is compressed, None if it is not. ``compression`` is what to do with the
    copy; it cannot be combined with ``reflink``. Digests, sizes and blocks are those of the plain bytes.

    ``accept`` is told of the whole copy right before it gets its final name, by the thread that gives it; what it
    raises refuses the copy.
    """

    source: str
    destination: str
    kind: FileKind
    block_size: int | None = None
    dbid: int | None = None
    file_number: int | None = None
    reread_attempts: int = REREAD_ATTEMPTS
    thread: int | None = None
    sequence: int | None = None
    expected_digest: str | None = None
    replace: bool = False
    reflink: bool = False
    mode: int = 0o600
    source_form: CompressedForm | None = None
    compression: Compression = field(default_factory=Compression)
    accept: Callable[[CopyResult], None] = ignore

    def __post_init__(self) -> None:
        if self.reflink and self.compression.name != NONE:
            raise ValueError("a compressed copy cannot share blocks with its source")

    @property
    def expectations(self) -> FileExpectations:
        return FileExpectations(
            kind=self.kind,
            block_size=self.block_size,
            dbid=self.dbid,
            file_number=self.file_number,
            thread=self.thread,
            sequence=self.sequence,
            compressed=self.source_form,
        )


@dataclass(frozen=True)
class CopyResult:
    """What was copied. ``faults`` holds the first hundred of ``fault_count``, soft-corrupt ones included.

    ``header_before`` and ``header_after`` are the source's, read before and after its blocks.
    ``source_mtime_ns`` is from before the copy, so a later change of the source shows. ``stored_inode`` is that
    of the file that was written, so one that takes its place shows. ``seconds`` are those until all was flushed.
    ``accelerator`` is ``numpy`` or ``none``. ``reflinked``: it was made by sharing blocks. ``stored_size_bytes``
    is the size of the copy on disk, ``stored_digest`` the SHA-256 of what lies there if it is compressed.
    """

    source: str
    destination: str
    size_bytes: int
    digest: str
    chunk_digests: tuple[str, ...]
    chunk_size_bytes: int
    compression: str
    stored_size_bytes: int
    stored_digest: str | None
    blocks_examined: int
    blocks_empty: int
    blocks_without_checksum: int
    faults: tuple[BlockFault, ...]
    fault_count: int
    header_before: FileHeader
    header_after: FileHeader
    seconds: float
    accelerator: str
    reflinked: bool
    source_inode: int
    source_mtime_ns: int
    stored_inode: int


class CopyTask:
    """The copy of one file, to be run by streams or alone; see :func:`copy_file` for what it does and raises.

    ``finished`` is given the result once the file is safely stored, by whatever thread is at it:
    :func:`copy_many` lets one in at a time.
    """

    def __init__(
        self,
        request: CopyRequest,
        context: IoContext | None = None,
        finished: Callable[[CopyResult], None] = ignore,
    ) -> None:
        self._request = request
        self._context = context or IoContext()
        self._finished = finished
        self._what = f"Failed to copy {request.source} to {request.destination}"
        self._staged = StagedFile(self._context.files, request.destination, request.mode, request.replace)
        self._source = FileReading(
            self._context,
            request.source,
            request.expectations,
            request.reread_attempts,
            in_order=request.compression.name != NONE,
        )
        self._compressed: ZstdWriter | None = None
        self._reflinked = False

    def begin(self) -> int:
        """Open both files, compare the source's header, look for room."""
        if self._context.cancelled():
            raise Cancelled(f"{self._what}: stopped before it began.")
        self._started = time.monotonic()
        with explained(self._what):
            self._staged.open()
            self._source.open()
            self._before = self._source.header()
            # After the header: a file that is being extended is then at least as large as the header says.
            self._status = self._source.status()
            self._size_bytes = self._source.size_bytes()
            units = self._source.plan(self._size_bytes)
            if self._request.compression.name != NONE:
                self._write = self._prepare_compressed()
            else:
                self._write = self._prepare_plain()
            return units

    def _prepare_plain(self) -> Callable[[memoryview, int], None]:
        """Make room for the copy; return what writes into it."""
        sparse = self._source.is_sparse()
        if self._request.reflink and self._request.source_form is None:
            self._reflinked = self._staged.clone(self._source.descriptor, self._size_bytes)
        if not self._reflinked:
            self._staged.reserve(self._size_bytes)
            if sparse:
                self._staged.leave_holes(self._size_bytes)
        self._allocates = not sparse
        # A clone is not empty where it is written again: zeros must be written, too.
        holes = sparse and not self._reflinked
        return self._staged.write_data_at if holes else self._staged.write_at

    def _prepare_compressed(self) -> Callable[[memoryview, int], None]:
        """The same for a compressed copy. How small it will be nobody knows, so only one chunk's room is asked for."""
        chunk = self._source.chunk_size_bytes
        self._staged.reserve(min(self._size_bytes, chunk))
        library = find_library("Compression", "set compression to none")
        self._compressed = ZstdWriter(
            self._staged, self._size_bytes, chunk, self._request.compression, library
        )
        self._allocates = False
        return self._compressed.write_at

    def do(self, unit: int, ring: BufferRing) -> None:
        """Copy one range."""
        with explained(self._what), ring:
            # A block that was torn when the clone was made is torn in it for ever: the source is read then.
            if self._reflinked and self._source.is_sound_in_clone(unit, ring, self._staged.descriptor):
                return
            start, end = self._source.range(unit)
            if self._allocates and end - start > ring.buffer_size_bytes:
                self._staged.allocate(start, end)
            for offset, piece in self._source.pieces(unit, ring):
                ring.later(partial(self._write, piece, offset))

    def end(self) -> CopyResult:
        """Compare header and digest, flush, give the final name."""
        with explained(self._what):
            after = self._source.header()
            check_unchanged(self._request.source, self._before, after)
            self._source.require_same_file()
            if self._source.size_bytes() < self._size_bytes:
                raise VerificationError(f"{self._what}: the source became shorter meanwhile.")
            self._source.close()
            scanned = self._source.result()
            self._require_digest(scanned.digest.digest)
            stored_size_bytes, stored_digest = scanned.digest.size_bytes, None
            if self._compressed is not None:
                stored_size_bytes, stored_digest = self._compressed.finish()
            self._staged.complete(stored_size_bytes)
            result = self._result(scanned, after, stored_size_bytes, stored_digest)
            self._request.accept(result)
            self._staged.publish()
        self._finished(result)
        return result

    def _result(
        self, scanned: ScannedFile, after: FileHeader, stored_size_bytes: int, stored_digest: str | None
    ) -> CopyResult:
        return CopyResult(
            source=self._request.source,
            destination=self._request.destination,
            size_bytes=scanned.digest.size_bytes,
            digest=scanned.digest.digest,
            chunk_digests=scanned.digest.chunk_digests,
            chunk_size_bytes=scanned.digest.chunk_size_bytes,
            compression=self._request.compression.name,
            stored_size_bytes=stored_size_bytes,
            stored_digest=stored_digest,
            blocks_examined=scanned.counts.examined,
            blocks_empty=scanned.counts.empty,
            blocks_without_checksum=scanned.counts.without_checksum,
            faults=scanned.faults,
            fault_count=scanned.counts.faults,
            header_before=self._before,
            header_after=after,
            seconds=time.monotonic() - self._started,
            accelerator=scanned.accelerator,
            reflinked=self._reflinked,
            source_inode=self._status.st_ino,
            source_mtime_ns=self._status.st_mtime_ns,
            stored_inode=self._staged.inode,
        )

    def abandon(self) -> None:
        """Close both files; nothing new has the final name."""
        self._staged.discard()
        # The first error is the one to tell.
        with contextlib.suppress(OSError):
            self._source.close()

    def _require_digest(self, found: str) -> None:
        expected = self._request.expected_digest
        if expected is not None and found != expected:
            raise VerificationError(
                f"{self._what}: expected digest {expected}, found {found}.",
                hint="The source is not the file that was stored. Restore from another set.",
            )


def copy_file(request: CopyRequest, context: IoContext | None = None) -> CopyResult:
    """Copy one file as it is at this moment and return what was copied.

    A source that grows meanwhile is copied up to its size at the start.

    Raises VerificationError if the source is not the expected file, ends early, is replaced meanwhile or yields
    another digest; PreconditionError if the destination exists, is being written or has no room; Cancelled;
    BackupError for errors of the operating system, and for a copy that another process removed, replaced or
    cut meanwhile. After any of them nothing new has the final name and the same call can be made again.
    """
    return run_alone(CopyTask(request, context))


def copy_many(
    requests: Sequence[CopyRequest],
    settings: StreamSettings | None = None,
    context: IoContext | None = None,
    finished: Callable[[CopyResult], None] = ignore,
) -> list[CopyResult]:
    """Copy files, largest first; return the results in the order of the requests.

    The context's ``progress`` and ``finished`` (called as each file is safely stored) are never called by two
    threads at once. The first failure stops the other streams and is raised; files that were finished stay.
    """
    stop = threading.Event()
    callbacks = threading.Lock()
    given = context or IoContext()
    shared = dataclasses.replace(
        given,
        progress=one_at_a_time(callbacks, given.progress),
        cancelled=lambda: stop.is_set() or given.cancelled(),
    )
    told = one_at_a_time(callbacks, finished)
    # Largest first: a large file begun last would keep some streams busy while the others idle.
    order = sorted(
        range(len(requests)), key=lambda index: _size_for_order(requests[index].source), reverse=True
    )
    results = run_all(
        [CopyTask(requests[index], shared, told) for index in order], settings or StreamSettings(), stop
    )
    return [result for _index, result in sorted(zip(order, results), key=lambda pair: pair[0])]


def _size_for_order(path: str) -> int:
    # A missing file gets its proper error when it is copied.
    with contextlib.suppress(OSError):
        return Path(path).stat().st_size
    return 0
