# Copyright (c) 2026 hotbackup contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Copies and verifies database files in one pass: read, check every block, digest, write, flush, name.

Used in both directions: from a live database into a set, and from a set back into place, where the digest of
the stored file is demanded. Bad blocks that stay bad when read again do not stop a copy: they are recorded,
and the copy holds what was read, for a human to decide. Anything else that is wrong raises, and nothing has
the final name.

Private to this collection: not an interface for other collections.
"""

from __future__ import annotations

import contextlib
import errno
import os
import stat
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

from ansible_collections.hotbackup.oracle.plugins.module_utils._backup.errors import (
    BackupError,
    PreconditionError,
    VerificationError,
)
from ansible_collections.hotbackup.oracle.plugins.module_utils._files.block_fault import (
    BlockCounts,
    BlockFault,
)
from ansible_collections.hotbackup.oracle.plugins.module_utils._files.copy_streams import copy_in_streams
from ansible_collections.hotbackup.oracle.plugins.module_utils._files.digests import (
    ChunkedDigest,
    FileDigest,
)
from ansible_collections.hotbackup.oracle.plugins.module_utils._files.file_headers import FileHeader, FileKind
from ansible_collections.hotbackup.oracle.plugins.module_utils._files.file_identity import (
    FileExpectations,
    check_size,
    check_unchanged,
    checker_for,
)
from ansible_collections.hotbackup.oracle.plugins.module_utils._files.file_layer import FileLayer, OsFileLayer
from ansible_collections.hotbackup.oracle.plugins.module_utils._files.file_scan import (
    FileScan,
    Patience,
    read_header,
)
from ansible_collections.hotbackup.oracle.plugins.module_utils._files.staging import StagedFile

REREAD_ATTEMPTS = 5
_OS = OsFileLayer()


@dataclass(frozen=True)
class CopyRequest:
    """One file to copy. None means "not known, do not compare".

    ``destination`` is the final path; its folder exists. ``mode`` is what the copy gets. ``expected_digest``
    is the digest (see the digests module) the copy must have to get its final name. ``replace`` allows an
    existing destination to be replaced; it is kept whole until the copy is.
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
    mode: int = 0o600

    @property
    def expectations(self) -> FileExpectations:
        return FileExpectations(
            kind=self.kind,
            block_size=self.block_size,
            dbid=self.dbid,
            file_number=self.file_number,
            thread=self.thread,
            sequence=self.sequence,
        )


@dataclass(frozen=True)
class CopyResult:
    """What was copied. ``faults`` holds the first hundred of ``fault_count``, soft-corrupt ones included.

    ``header_before`` and ``header_after`` are the source's, read before and after its blocks.
    ``source_mtime_ns`` is from before the copy, so a later change of the source shows. ``accelerator`` is
    ``numpy`` or ``none``.
    """

    source: str
    destination: str
    size_bytes: int
    digest: str
    chunk_digests: tuple[str, ...]
    chunk_size_bytes: int
    blocks_examined: int
    blocks_empty: int
    blocks_without_checksum: int
    faults: tuple[BlockFault, ...]
    fault_count: int
    header_before: FileHeader
    header_after: FileHeader
    seconds: float
    accelerator: str
    source_inode: int
    source_mtime_ns: int


@dataclass(frozen=True)
class VerifyResult:
    """What a stored file was found to be.

    ``problems`` are reasons why it is not the file that was stored. Faulty blocks are not among them: a copy
    with the right digest has exactly the faults its source had. ``header`` is None if it could not be read.
    """

    path: str
    size_bytes: int
    digest: str | None
    chunk_digests: tuple[str, ...]
    blocks_examined: int
    blocks_empty: int
    blocks_without_checksum: int
    faults: tuple[BlockFault, ...]
    fault_count: int
    header: FileHeader | None
    problems: tuple[str, ...]
    seconds: float
    accelerator: str

    @property
    def intact(self) -> bool:
        return not self.problems


def copy_file(
    request: CopyRequest,
    *,
    progress: Callable[[int], None] | None = None,
    cancelled: Callable[[], bool] | None = None,
    files: FileLayer = _OS,
    accelerator: str = "auto",
    pause: Callable[[float], None] = time.sleep,
) -> CopyResult:
    """Copy one file as it is at this moment and return what was copied.

    ``progress`` gets the bytes copied since its last call. ``cancelled`` is asked before every buffer of 4
    MiB. A source that grows meanwhile is copied up to its size at the start.

    Raises VerificationError if the source is not the expected file, ends early or yields another digest;
    PreconditionError if the destination exists, is being written or has no room; Cancelled; BackupError for
    errors of the operating system. After any of them nothing new has the final name and the same call can be
    made again.
    """
    started = time.monotonic()
    patience = Patience(request.reread_attempts, pause)
    digest = ChunkedDigest()
    what = f"Failed to copy {request.source} to {request.destination}"
    with _explained(what), StagedFile(files, request.destination, request.mode, request.replace) as staged:
        with _opened(files, request.source) as descriptor:
            before = read_header(files, descriptor, request.source, request.expectations, patience)
            # After the header: a file that is being extended is then at least as large as the header says.
            status = _regular_file_status(files, descriptor, request.source)
            check_size(request.source, before, status.st_size)
            staged.reserve(status.st_size)
            checker = checker_for(before, request.source, accelerator)
            scan = FileScan(
                files, descriptor, request.source, status.st_size, checker, patience, cancelled or _never
            )
            for piece in scan.pieces():
                digest.update(piece)
                staged.write(piece)
                if progress is not None:
                    progress(len(piece))
            after = read_header(files, descriptor, request.source, request.expectations, patience)
            check_unchanged(request.source, before, after)
            if files.status(descriptor).st_size < status.st_size:
                raise VerificationError(f"{what}: the source became shorter meanwhile.")
        found = digest.result()
        if request.expected_digest is not None and found.digest != request.expected_digest:
            raise VerificationError(
                f"{what}: expected digest {request.expected_digest}, found {found.digest}.",
                hint="The source is not the file that was stored. Restore from another set.",
            )
        staged.publish()
    counts = checker.counts
    return CopyResult(
        source=request.source,
        destination=request.destination,
        size_bytes=found.size_bytes,
        digest=found.digest,
        chunk_digests=found.chunk_digests,
        chunk_size_bytes=found.chunk_size_bytes,
        blocks_examined=counts.examined,
        blocks_empty=counts.empty,
        blocks_without_checksum=counts.without_checksum,
        faults=tuple(scan.faults),
        fault_count=counts.faults,
        header_before=before,
        header_after=after,
        seconds=time.monotonic() - started,
        accelerator=checker.accelerator,
        source_inode=status.st_ino,
        source_mtime_ns=status.st_mtime_ns,
    )


def copy_many(
    requests: list[CopyRequest],
    streams: int = 1,
    *,
    progress: Callable[[int], None] | None = None,
    cancelled: Callable[[], bool] | None = None,
    finished: Callable[[CopyResult], None] | None = None,
    files: FileLayer = _OS,
    accelerator: str = "auto",
    pause: Callable[[float], None] = time.sleep,
) -> list[CopyResult]:
    """Copy files over ``streams`` threads, largest first; return the results in the order of the requests.

    ``progress`` and ``finished`` (called as each file is safely stored) are never called by two threads at
    once. The first failure stops the other streams and is raised; files that were finished stay.
    """

    def copy_one(
        request: CopyRequest, add_progress: Callable[[int], None], stop: Callable[[], bool]
    ) -> CopyResult:
        return copy_file(
            request,
            progress=add_progress,
            cancelled=stop,
            files=files,
            accelerator=accelerator,
            pause=pause,
        )

    return copy_in_streams(
        requests,
        streams,
        copy_one,
        size_of=lambda request: _size_for_order(request.source),
        progress=progress or _ignore,
        finished=finished or _ignore,
        cancelled=cancelled or _never,
    )


def verify_file(
    path: str,
    expectations: FileExpectations | CopyRequest,
    expected_digest: str | None = None,
    *,
    progress: Callable[[int], None] | None = None,
    cancelled: Callable[[], bool] | None = None,
    files: FileLayer = _OS,
    accelerator: str = "auto",
) -> VerifyResult:
    """Read a stored file back and compare header, size and digest, checking every block on the way.

    What is wrong with the content is returned; BackupError is raised only if the file cannot be read at all,
    and Cancelled on request.
    """
    started = time.monotonic()
    wanted = expectations.expectations if isinstance(expectations, CopyRequest) else expectations
    # Nobody writes a stored file: what is bad at first sight is bad.
    patience = Patience(0, time.sleep)
    digest = ChunkedDigest()
    found: FileDigest | None = None
    header: FileHeader | None = None
    counts = BlockCounts()
    faults: list[BlockFault] = []
    used_accelerator = "none"
    problems: list[str] = []
    with _explained(f"Failed to verify {path}"), _opened(files, path) as descriptor:
        size_bytes = _regular_file_status(files, descriptor, path).st_size
        if wanted.size_bytes is not None and wanted.size_bytes != size_bytes:
            problems.append(
                f"Failed to verify {path}: expected {wanted.size_bytes} bytes, found {size_bytes}."
            )
        try:
            header = read_header(files, descriptor, path, wanted, patience)
            check_size(path, header, size_bytes)
            checker = checker_for(header, path, accelerator)
            counts, used_accelerator = checker.counts, checker.accelerator
            scan = FileScan(files, descriptor, path, size_bytes, checker, patience, cancelled or _never)
            faults = scan.faults
            for piece in scan.pieces():
                digest.update(piece)
                if progress is not None:
                    progress(len(piece))
            found = digest.result()
        except VerificationError as exc:
            problems.append(str(exc))
    if expected_digest is not None and found is not None and found.digest != expected_digest:
        problems.append(f"Failed to verify {path}: expected digest {expected_digest}, found {found.digest}.")
    return VerifyResult(
        path=path,
        size_bytes=size_bytes,
        digest=None if found is None else found.digest,
        chunk_digests=() if found is None else found.chunk_digests,
        blocks_examined=counts.examined,
        blocks_empty=counts.empty,
        blocks_without_checksum=counts.without_checksum,
        faults=tuple(faults),
        fault_count=counts.faults,
        header=header,
        problems=tuple(problems),
        seconds=time.monotonic() - started,
        accelerator=used_accelerator,
    )


@contextlib.contextmanager
def _explained(what: str) -> Iterator[None]:
    """Turn the operating system's errors into ours."""
    try:
        yield
    except OSError as exc:
        code = errno.errorcode.get(exc.errno or 0, "unknown error")
        raise BackupError(f"{what}: {exc.strerror or exc} ({code}).", details={"errno": exc.errno}) from exc


@contextlib.contextmanager
def _opened(files: FileLayer, path: str) -> Iterator[int]:
    descriptor = files.open_source(path)
    try:
        yield descriptor
    except BaseException:
        # The first error is the one to tell.
        with contextlib.suppress(OSError):
            files.close(descriptor)
        raise
    files.close(descriptor)


def _regular_file_status(files: FileLayer, descriptor: int, path: str) -> os.stat_result:
    status = files.status(descriptor)
    if not stat.S_ISREG(status.st_mode):
        raise PreconditionError(f"Failed to read {path}: it is not a regular file.")
    return status


def _size_for_order(path: str) -> int:
    # A missing file gets its proper error when it is copied.
    with contextlib.suppress(OSError):
        return Path(path).stat().st_size
    return 0


def _never() -> bool:
    return False


def _ignore(_value: object) -> None:
    return None
