# Copyright (c) 2026 hotbackup contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""One pass over an open file: read, check every block, read torn blocks again.

Private to this collection: not an interface for other collections.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator

from ansible_collections.hotbackup.oracle.plugins.module_utils._files.block_checker import BlockChecker
from ansible_collections.hotbackup.oracle.plugins.module_utils._files.block_fault import (
    SOFT_CORRUPT,
    BlockFault,
)
from ansible_collections.hotbackup.oracle.plugins.module_utils._files.buffers import BufferRing
from ansible_collections.hotbackup.oracle.plugins.module_utils._files.io_context import IoContext
from ansible_collections.hotbackup.oracle.plugins.module_utils._files.range_reading import RangeReading

FAULTS_KEPT = 100
_FIRST_PAUSE_SECONDS = 0.01
# Less than the second in which a copy ends when it is cancelled.
_LONGEST_PAUSE_SECONDS = 0.64
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

    The range begins with a block. After :meth:`pieces` is exhausted, ``faults`` holds the first hundred lasting
    faults of the range and the checker's counts are final; all of them were told to the context as they were found.
    """

    def __init__(
        self, context: IoContext, reading: RangeReading, checker: BlockChecker, patience: Patience
    ) -> None:
        self.faults: list[BlockFault] = []
        self._context = context
        self._reading = reading
        self._checker = checker
        self._patience = patience

    def pieces(self, ring: BufferRing) -> Iterator[tuple[int, memoryview]]:
        """Yield offset and bytes of the range, checked; see :meth:`RangeReading.pieces`, also for what it raises."""
        for offset, piece in self._reading.pieces(ring):
            faults = self._checker.check(offset // self._checker.block_size, piece)
            if faults:
                faults = self._read_again(piece, offset, faults)
            self._tell(faults)
            yield offset, piece
        self._tell(self._checker.finish())

    def _tell(self, faults: list[BlockFault]) -> None:
        if faults:
            self._context.bad_blocks(faults)
            self.faults.extend(faults[: FAULTS_KEPT - len(self.faults)])

    def _read_again(self, piece: memoryview, offset: int, faults: list[BlockFault]) -> list[BlockFault]:
        """Read bad blocks again until they are sound or attempts end; ``piece`` keeps the last image."""
        lasting = [fault for fault in faults if fault.kind == SOFT_CORRUPT]
        suspects = [fault for fault in faults if fault.kind != SOFT_CORRUPT]
        for _attempt in self._patience.attempts():
            still_bad = []
            for fault in suspects:
                start = fault.offset - offset
                block = piece[start : start + self._checker.block_size]
                self._reading.read_again(block, fault.offset)
                verdict = self._checker.recheck(fault, block)
                if verdict is not None:
                    still_bad.append(verdict)
            suspects = still_bad
            if not suspects:
                break
        return sorted(lasting + suspects, key=lambda fault: fault.block)
