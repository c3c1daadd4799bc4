# Copyright (c) 2026 hotbackup contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""One pass over a range of a file: within the limits, and ahead where that takes waiting.

Private to this collection: not an interface for other collections.
"""

from __future__ import annotations

from collections.abc import Iterator
from functools import partial

from ansible_collections.hotbackup.oracle.plugins.module_utils._backup.errors import (
    Cancelled,
    VerificationError,
)
from ansible_collections.hotbackup.oracle.plugins.module_utils._files.buffers import BufferRing
from ansible_collections.hotbackup.oracle.plugins.module_utils._files.byte_source import (
    ByteSource,
    Fill,
    Visit,
)
from ansible_collections.hotbackup.oracle.plugins.module_utils._files.io_context import IoContext


class RangeReading:
    """Reads bytes ``start`` to ``end`` of the file called ``name`` on a ``visit`` of its source that nobody else uses
    meanwhile; ``start`` is the beginning of a page.

    Everything raises OSError, Cancelled, and VerificationError if the file ends early.
    """

    def __init__(
        self, context: IoContext, source: ByteSource, visit: Visit, name: str, start: int, end: int
    ) -> None:
        self._context = context
        self._source = source
        self._visit = visit
        self._name = name
        self._start = start
        self._end = end

    def pieces(self, ring: BufferRing) -> Iterator[tuple[int, memoryview]]:
        """Yield offset and bytes of the range in order, a buffer at a time; valid until the ring comes round again.

        Whoever stops in between has the ring wait for what is being read ahead.
        """
        step = ring.buffer_size_bytes
        filled = False
        for offset in range(self._start, self._end, step):
            buffer = ring.next()
            if not filled:
                self._read(offset, buffer)
            following = offset + step
            filled = following < self._end and self._visit.waits(following, min(step, self._end - following))
            if filled:
                ring.ahead(partial(self._read, following))
            yield offset, buffer[: self._end - offset]

    def read_again(self, target: memoryview, offset: int) -> None:
        """Fill ``target`` with what storage has there by now."""
        self._stop_if_cancelled()
        # The same page of the cache would only repeat what was seen.
        self._source.forget(offset, len(target))
        self._fill(self._source.visit(offset + len(target)).fill, target, offset)

    def _read(self, offset: int, buffer: memoryview) -> None:
        piece = buffer[: self._end - offset]
        self._stop_if_cancelled()
        self._context.spend(len(piece), self._stop_if_cancelled)
        self._fill(self._visit.fill, piece, offset)

    def _fill(self, fill: Fill, target: memoryview, offset: int) -> None:
        count = fill(target, offset)
        if count < len(target):
            raise VerificationError(
                f"Failed to read {self._name}: expected at least {self._end} bytes, "
                f"the file ends at {offset + count}."
            )

    def _stop_if_cancelled(self) -> None:
        if self._context.cancelled():
            raise Cancelled(f"Reading {self._name} was stopped on request.")
