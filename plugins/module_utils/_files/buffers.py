# Copyright (c) 2026 hotbackup contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The buffers of one stream, and the reading and writing that go on while the stream checks and digests.

Checking and digesting cost processor time; writing, and reading what is in no cache, cost waiting. A stream that
did one after the other would leave the disk idle for most of the time. So it has a few buffers, a second thread
that writes one while the next is in use, and a third that fills one ahead where that takes waiting.

Private to this collection: not an interface for other collections.
"""

from __future__ import annotations

import contextlib
import ctypes
import mmap
from collections.abc import Callable
from concurrent.futures import Future, ThreadPoolExecutor, wait
from types import TracebackType

from ansible_collections.hotbackup.oracle.plugins.module_utils._files.file_layer import DIRECT_ALIGNMENT

BUFFER_SIZE_BYTES = 2 * 1024 * 1024
BUFFERS_PER_STREAM = 3
BUFFER_ALIGNMENT = 64 * 1024
"""A buffer holds whole blocks of every size, and is as long as direct I/O demands."""
_HUGE_PAGE_BYTES = 2 * 1024 * 1024


class BufferRing:
    """``next`` hands out buffers in turn; what was put off with ``later`` is done before its buffer comes again.

    A ``with`` block holds the work on one file: leaving it waits for what is under way in the buffers, and raises
    its first failure unless the block has failed already. Put-off actions are done one at a time, in order. Not
    for use by several threads. Raises ValueError for a size that is no positive multiple of 64 KiB.
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
        self._filling: Future[None] | None = None
        # They make their threads when they are first needed: a file of one buffer never does.
        self._reader = ThreadPoolExecutor(1, "reader", initializer=prepare)
        self._writer = ThreadPoolExecutor(1, "writer", initializer=prepare)

    def next(self) -> memoryview:
        """The buffer that was used longest ago: with what it was filled with ahead, else with nothing of worth.

        Raises what was put off for it raised, or what filled it.
        """
        self._hand_over()
        self._current = self._following
        filling, self._filling = self._filling, None
        if filling is None:
            self._wait_for(self._current)
        else:
            filling.result()
        return self._buffers[self._current]

    def ahead(self, fill: Callable[[memoryview], None]) -> None:
        """Have the buffer that comes next filled while the one handed out last is in use."""
        self._filling = self._reader.submit(self._fill, self._following, fill)

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
        # First what fills: it waits for a buffer of those that are written.
        if self._filling is not None:
            wait([self._filling])
        under_way = [busy for busy in (self._filling, *self._busy) if busy is not None]
        self._filling = None
        self._busy = [None] * len(self._buffers)
        wait(under_way)
        if kind is None:
            for done in under_way:
                done.result()

    def close(self) -> None:
        """End the threads that read and write."""
        self._reader.shutdown(wait=True)
        self._writer.shutdown(wait=True)

    @property
    def _following(self) -> int:
        return (self._current + 1) % len(self._buffers)

    def _fill(self, number: int, fill: Callable[[memoryview], None]) -> None:
        self._wait_for(number)
        fill(self._buffers[number])

    def _wait_for(self, number: int) -> None:
        busy, self._busy[number] = self._busy[number], None
        if busy is not None:
            busy.result()

    def _hand_over(self) -> None:
        if self._put_off is not None:
            action, self._put_off = self._put_off, None
            self._busy[self._current] = self._writer.submit(action)


def small_buffer(length: int) -> memoryview:
    """Memory for a few blocks, aligned for direct I/O; from the heap, as mapping pages makes all threads wait."""
    whole = bytearray(length + DIRECT_ALIGNMENT)
    start = -ctypes.addressof(ctypes.c_char.from_buffer(whole)) % DIRECT_ALIGNMENT
    return memoryview(whole)[start : start + length]


def _memory(length: int) -> memoryview:
    """Anonymous memory, aligned for direct I/O.

    In huge pages where the system has them: with small ones the kernel spends a third more time on every read and
    write. Not for child processes: older kernels could give a child the page that a direct read is filling.
    """
    mapped = mmap.mmap(-1, length + _HUGE_PAGE_BYTES, flags=mmap.MAP_PRIVATE | mmap.MAP_ANONYMOUS)
    for advice in ("MADV_HUGEPAGE", "MADV_DONTFORK"):
        # A kernel without huge pages refuses.
        with contextlib.suppress(OSError, AttributeError):
            mapped.madvise(getattr(mmap, advice))
    start = -ctypes.addressof(ctypes.c_char.from_buffer(mapped)) % _HUGE_PAGE_BYTES
    return memoryview(mapped)[start : start + length]
