# Copyright (c) 2026 hotbackup contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""One pass over an open file: read, check every block, read torn blocks again.

Private to this collection: not an interface for other collections.
"""

from __future__ import annotations

import mmap
from collections.abc import Callable, Iterator

from ansible_collections.hotbackup.oracle.plugins.module_utils._backup.errors import (
    Cancelled,
    VerificationError,
)
from ansible_collections.hotbackup.oracle.plugins.module_utils._files.block_checker import BlockChecker
from ansible_collections.hotbackup.oracle.plugins.module_utils._files.block_fault import (
    SOFT_CORRUPT,
    BlockFault,
)
from ansible_collections.hotbackup.oracle.plugins.module_utils._files.file_headers import FileHeader
from ansible_collections.hotbackup.oracle.plugins.module_utils._files.file_identity import (
    FileExpectations,
    parse_header,
)
from ansible_collections.hotbackup.oracle.plugins.module_utils._files.file_layer import FileLayer, read_fully

FAULTS_KEPT = 100
# Blocks 0 and 1 of the largest block size.
_HEADER_BYTES = 2 * 32768
_FIRST_PAUSE_SECONDS = 0.01
_LONGEST_PAUSE_SECONDS = 1.0
# A file that keeps us waiting longer than this is damaged, not being written.
_PATIENCE_SECONDS = 30.0


class Patience:
    """Growing pauses between re-reads of one place, and a limit on all the pauses of one file.

    Streams that read the same file share it; should two of them count at the same moment, one pause goes
    uncounted, which harms nobody.
    """

    def __init__(self, attempts: int, pause: Callable[[float], None]) -> None:
        self._attempts = attempts
        self._pause = pause
        self._left_seconds = _PATIENCE_SECONDS

    def attempts(self) -> Iterator[int]:
        """Yield once per attempt, after its pause; only once, at once, when patience is spent."""
        seconds = _FIRST_PAUSE_SECONDS
        for attempt in range(self._attempts):
            if self._left_seconds < seconds:
                if attempt == 0:
                    yield attempt
                return
            self._left_seconds -= seconds
            self._pause(seconds)
            yield attempt
            seconds = min(seconds * 4, _LONGEST_PAUSE_SECONDS)


class FileScan:
    """Reads a range of a file, a buffer at a time, and checks each block once.

    ``start`` is the beginning of a block. After :meth:`pieces` is exhausted, ``faults`` holds the first
    hundred lasting faults of the range and the checker's counts are final.
    """

    def __init__(
        self,
        files: FileLayer,
        descriptor: int,
        name: str,
        start: int,
        end: int,
        checker: BlockChecker,
        patience: Patience,
        cancelled: Callable[[], bool],
    ) -> None:
        self.faults: list[BlockFault] = []
        self._files = files
        self._descriptor = descriptor
        self._name = name
        self._start = start
        self._end = end
        self._checker = checker
        self._patience = patience
        self._cancelled = cancelled

    def pieces(self, buffer: memoryview) -> Iterator[tuple[int, memoryview]]:
        """Yield offset and bytes of the range in order, checked; valid until the next piece is asked for.

        Raises OSError, Cancelled, and VerificationError if the file ends early.
        """
        for offset in range(self._start, self._end, len(buffer)):
            self._stop_if_cancelled()
            piece = buffer[: self._end - offset]
            self._fill(piece, offset)
            faults = self._checker.check(offset // self._checker.block_size, piece)
            if faults:
                faults = self._read_again(piece, offset, faults)
            self._keep(faults)
            yield offset, piece
        self._keep(self._checker.finish())

    def _keep(self, faults: list[BlockFault]) -> None:
        self.faults.extend(faults[: FAULTS_KEPT - len(self.faults)])

    def _read_again(self, piece: memoryview, offset: int, faults: list[BlockFault]) -> list[BlockFault]:
        """Read bad blocks again until they are sound or attempts end; ``piece`` keeps the last image."""
        lasting = [fault for fault in faults if fault.kind == SOFT_CORRUPT]
        suspects = [fault for fault in faults if fault.kind != SOFT_CORRUPT]
        for _attempt in self._patience.attempts():
            self._stop_if_cancelled()
            still_bad = []
            for fault in suspects:
                start = fault.offset - offset
                block = piece[start : start + self._checker.block_size]
                # The same page of the cache would only repeat what was seen; only whole pages are dropped.
                page = fault.offset - fault.offset % mmap.PAGESIZE
                end = fault.offset + max(len(block), mmap.PAGESIZE)
                self._files.forget(self._descriptor, page, end - page)
                self._fill(block, fault.offset)
                verdict = self._checker.recheck(fault, block)
                if verdict is not None:
                    still_bad.append(verdict)
            suspects = still_bad
            if not suspects:
                break
        return sorted(lasting + suspects, key=lambda fault: fault.block)

    def _fill(self, target: memoryview, offset: int) -> None:
        count = read_fully(self._files, self._descriptor, target, offset)
        if count < len(target):
            raise VerificationError(
                f"Failed to read {self._name}: expected at least {self._end} bytes, "
                f"the file ends at {offset + count}."
            )

    def _stop_if_cancelled(self) -> None:
        if self._cancelled():
            raise Cancelled(f"Reading {self._name} was stopped on request.")


def read_header(
    files: FileLayer, descriptor: int, name: str, expected: FileExpectations, patience: Patience
) -> FileHeader:
    """Read and compare the header of an open file, again if the database was writing it at that moment."""

    def read(offset: int, length: int) -> bytes:
        data = bytearray(length)
        return bytes(data[: read_fully(files, descriptor, memoryview(data), offset)])

    try:
        return parse_header(expected, name, read)
    except VerificationError as exc:
        problem = exc
    for _attempt in patience.attempts():
        files.forget(descriptor, 0, _HEADER_BYTES)
        try:
            return parse_header(expected, name, read)
        except VerificationError as exc:
            problem = exc
    raise problem
