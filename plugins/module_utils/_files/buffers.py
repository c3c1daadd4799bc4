# Copyright (c) 2026 hotbackup contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The buffers of one stream, and the writing that goes on while the stream reads.

Reading from the page cache, checking and digesting cost processor time; writing costs waiting. A stream that
did one after the other would leave the disk idle for most of the time. So it has a few buffers, and a second
thread that writes one while the next is being filled.

Private to this collection: not an interface for other collections.
"""

from __future__ import annotations

import contextlib
import ctypes
import mmap
from collections.abc import Callable
from concurrent.futures import Future, ThreadPoolExecutor, wait
from types import TracebackType

BUFFER_SIZE_BYTES = 2 * 1024 * 1024
BUFFERS_PER_STREAM = 3
BUFFER_ALIGNMENT = 64 * 1024
"""A buffer holds whole blocks of every size, and is as long as direct I/O demands."""
_HUGE_PAGE_BYTES = 2 * 1024 * 1024


class BufferRing:
    """``next`` hands out buffers in turn; what was put off with ``later`` is done before its buffer comes again.

    A ``with`` block holds the work on one file: leaving it waits for what was put off, and raises its first
    failure unless the block has failed already. Put-off actions are done one at a time, in order. Not for use
    by several threads. Raises ValueError for a size that is no positive multiple of 64 KiB.
    """

    def __init__(
        self,
        buffer_size_bytes: int = BUFFER_SIZE_BYTES,
        count: int = BUFFERS_PER_STREAM,
        prepare: Callable[[], None] | None = None,
    ) -> None:
        if buffer_size_bytes <= 0 or buffer_size_bytes % BUFFER_ALIGNMENT:
            raise ValueError(f"a buffer of {buffer_size_bytes} bytes is no positive multiple of 64 KiB")
        self.buffer_size_bytes = buffer_size_bytes
        whole = _memory(buffer_size_bytes * count)
        self._buffers = [
            whole[start : start + buffer_size_bytes] for start in range(0, len(whole), buffer_size_bytes)
        ]
        self._busy: list[Future[None] | None] = [None] * count
        self._current = 0
        self._put_off: Callable[[], None] | None = None
        # It makes its thread when it is first needed: a file of one buffer never does.
        self._writer = ThreadPoolExecutor(1, "writer", initializer=prepare)

    def next(self) -> memoryview:
        """The buffer that was used longest ago; it holds nothing of worth. Raises what was put off for it raised."""
        self._hand_over()
        self._current = (self._current + 1) % len(self._buffers)
        busy, self._busy[self._current] = self._busy[self._current], None
        if busy is not None:
            busy.result()
        return self._buffers[self._current]

    def later(self, action: Callable[[], None]) -> None:
        """Have ``action``, which uses the buffer handed out last, done while others are being filled."""
        # Handed over when the next buffer is asked for; if none is, there is nothing to do meanwhile.
        self._put_off = action

    def __enter__(self) -> BufferRing:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, value: BaseException | None, trace: TracebackType | None
    ) -> None:
        alone = all(busy is None for busy in self._busy)
        if kind is None and alone and self._put_off is not None:
            last, self._put_off = self._put_off, None
            last()
            return
        if kind is None:
            self._hand_over()
        self._put_off = None
        under_way = [busy for busy in self._busy if busy is not None]
        self._busy = [None] * len(self._buffers)
        wait(under_way)
        if kind is None:
            for done in under_way:
                done.result()

    def close(self) -> None:
        """End the writing thread."""
        self._writer.shutdown(wait=True)

    def _hand_over(self) -> None:
        if self._put_off is not None:
            action, self._put_off = self._put_off, None
            self._busy[self._current] = self._writer.submit(action)


def _memory(length: int) -> memoryview:
    """Anonymous memory, aligned for direct I/O, and in huge pages where the system has them: with small ones the
    kernel spends a third more time on every read and write.
    """
    mapped = mmap.mmap(-1, length + _HUGE_PAGE_BYTES, flags=mmap.MAP_PRIVATE | mmap.MAP_ANONYMOUS)
    if hasattr(mmap, "MADV_HUGEPAGE"):
        # A kernel without huge pages refuses.
        with contextlib.suppress(OSError):
            mapped.madvise(mmap.MADV_HUGEPAGE)
    start = -ctypes.addressof(ctypes.c_char.from_buffer(mapped)) % _HUGE_PAGE_BYTES
    return memoryview(mapped)[start : start + length]
