# Copyright (c) 2026 hotbackup contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Reads stored files back: header, size, digest, and every block.

Private to this collection: not an interface for other collections.
"""

from __future__ import annotations

import contextlib
import threading
import time
from collections.abc import Sequence
from concurrent.futures import Future
from dataclasses import dataclass
from typing import Protocol

from ansible_collections.hotbackup.oracle.plugins.module_utils._backup.errors import (
    BackupError,
    VerificationError,
)
from ansible_collections.hotbackup.oracle.plugins.module_utils._files.block_fault import (
    BlockCounts,
    BlockFault,
)
from ansible_collections.hotbackup.oracle.plugins.module_utils._files.buffers import BufferRing
from ansible_collections.hotbackup.oracle.plugins.module_utils._files.file_headers import (
    DatafileHeader,
    FileHeader,
)
from ansible_collections.hotbackup.oracle.plugins.module_utils._files.file_identity import FileExpectations
from ansible_collections.hotbackup.oracle.plugins.module_utils._files.file_reading import (
    FileReading,
)
from ansible_collections.hotbackup.oracle.plugins.module_utils._files.io_context import IoContext
from ansible_collections.hotbackup.oracle.plugins.module_utils._files.os_errors import explained
from ansible_collections.hotbackup.oracle.plugins.module_utils._files.streams import (
    FileTask,
    StreamSettings,
    run_alone,
    run_each,
)


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


class VerifyTask:
    """The verification of one stored file, to be run by streams or alone; see :func:`verify_file`."""

    def __init__(
        self,
        path: str,
        expected: FileExpectations,
        expected_digest: str | None = None,
        context: IoContext | None = None,
    ) -> None:
        self._path = path
        self._expected = expected
        self._expected_digest = expected_digest
        self._what = f"Failed to verify {path}"
        # Nobody writes a stored file: what is bad at first sight is bad, and never read again.
        self._stored = FileReading(context or IoContext(), path, expected)
        self._header: FileHeader | None = None
        self._problems: list[str] = []

    def begin(self) -> int:
        """Open the file and compare its header; a file that is another one has no units."""
        self._started = time.monotonic()
        with explained(self._what):
            self._stored.open()
            self._size_bytes = self._stored.size_bytes()
            wanted = self._expected.size_bytes
            if wanted is not None and wanted != self._size_bytes:
                self._problems.append(f"{self._what}: expected {wanted} bytes, found {self._size_bytes}.")
            try:
                self._header = self._stored.header()
                return self._stored.plan(self._size_bytes)
            except VerificationError as exc:
                self._problems.append(exc.message)
                return 0

    def do(self, unit: int, ring: BufferRing) -> None:
        """Read one range."""
        with explained(self._what):
            try:
                with ring:
                    for _offset, _piece in self._stored.pieces(unit, ring):
                        continue
            except VerificationError as exc:
                self._problems.append(exc.message)

    def end(self) -> VerifyResult:
        """Compare the digest."""
        with explained(self._what):
            self._stored.close()
        scanned = self._stored.result() if self._stored.complete else None
        digest = None if scanned is None else scanned.digest
        if digest is not None and self._expected_digest not in (None, digest.digest):
            self._problems.append(
                f"{self._what}: expected digest {self._expected_digest}, found {digest.digest}."
            )
        counts = BlockCounts() if scanned is None else scanned.counts
        return VerifyResult(
            path=self._path,
            size_bytes=self._size_bytes,
            digest=None if digest is None else digest.digest,
            chunk_digests=() if digest is None else digest.chunk_digests,
            blocks_examined=counts.examined,
            blocks_empty=counts.empty,
            blocks_without_checksum=counts.without_checksum,
            faults=() if scanned is None else scanned.faults,
            fault_count=counts.faults,
            header=self._header,
            problems=tuple(self._problems),
            seconds=time.monotonic() - self._started,
            accelerator="none" if scanned is None else scanned.accelerator,
        )

    def abandon(self) -> None:
        """Close the file."""
        with contextlib.suppress(OSError):
            self._stored.close()


def stored_datafile_header(
    path: str, expected: FileExpectations, context: IoContext | None = None
) -> DatafileHeader:
    """Read the header of a stored datafile; of a compressed one, decompress no more than that takes.

    Raises VerificationError if it is not the expected file's, PreconditionError for a library that is missing,
    BackupError if it cannot be read.
    """
    stored = FileReading(context or IoContext(), path, expected)
    with explained(f"Failed to read {path}"):
        try:
            stored.open()
            header = stored.header()
        finally:
            stored.close()
    if not isinstance(header, DatafileHeader):
        raise ValueError("only datafiles have a datafile's header")
    return header


def verify_file(
    path: str,
    expected: FileExpectations,
    expected_digest: str | None = None,
    context: IoContext | None = None,
) -> VerifyResult:
    """Read a stored file back and compare header, size and digest, checking every block on the way.

    What is wrong with the content is returned; BackupError is raised only if the file cannot be read at all,
    and Cancelled on request.
    """
    return run_alone(VerifyTask(path, expected, expected_digest, context))


class Checked(Protocol):
    """What reading a file gave: of a :class:`VerifyTask` or a digest's task."""

    @property
    def problems(self) -> tuple[str, ...]:
        """Reasons why it is not the file that was stored."""


def find_problems(
    tasks: Sequence[FileTask[Checked]], settings: StreamSettings, stop: threading.Event
) -> list[tuple[str, ...]]:
    """What is wrong with each file, in the order of the tasks, for any number of streams.

    A file that cannot be read has that for its problem; the others are read all the same. The tasks heed
    ``stop``, which is set when the waiting is interrupted.
    """
    return [_problems(future) for future in run_each(tasks, settings, stop)]


def _problems(future: Future[Checked]) -> tuple[str, ...]:
    try:
        return future.result().problems
    except BackupError as exc:
        return (exc.message,)
