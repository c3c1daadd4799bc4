# Copyright (c) 2026 hotbackup contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Reading through the page cache without changing what is in it.

A database that works through the page cache lives on what is there. Its pages are left alone. What is not there is
known before it is read: it can be read around the cache, or dropped as soon as it was read.

Private to this collection: not an interface for other collections.
"""

from __future__ import annotations

import mmap
from collections.abc import Iterator

from ansible_collections.hotbackup.oracle.plugins.module_utils._files.file_layer import FileLayer

_ABSENT, _PRESENT = 0, 1
_STRETCH_BYTES = 64 * 1024 * 1024


class PageCacheGuest:
    """An open file of which bytes up to ``end`` are read in order, by one thread at a time.

    What is in the cache is looked up a stretch at a time, right before it is read: an hour later the database has
    other pages there. (And the kernel refuses to map a file that is larger than the memory.)
    """

    def __init__(self, files: FileLayer, descriptor: int, end: int) -> None:
        self._files = files
        self._descriptor = descriptor
        self._end = end
        # The stretch that was looked up.
        self._first = self._last = 0
        # None: nobody tells. Then nothing is dropped.
        self._pages: bytes | None = b""

    def expect(self, offset: int, length: int) -> None:
        """The range is about to be read: remember what of it is in the cache."""
        if self._first <= offset and offset + length <= self._last:
            return
        self._first = offset - offset % mmap.PAGESIZE
        self._last = min(max(self._first + _STRETCH_BYTES, offset + length), self._end)
        self._pages = self._files.resident_pages(self._descriptor, self._first, self._last - self._first)

    def misses(self, offset: int, length: int) -> bool:
        """Whether some of the range, which is expected, may not have been in the cache."""
        return self._pages is None or _ABSENT in self._pages_of(offset, length)

    def lacks(self, offset: int, length: int) -> bool:
        """Whether nothing of the range, which is expected, is known to have been in the cache."""
        return self._pages is None or _PRESENT not in self._pages_of(offset, length)

    def leave(self, offset: int, length: int) -> None:
        """Drop what of the range, which was expected, was not in the cache before."""
        for first, last in self._absent_runs(self._page(offset), self._page(offset + length)):
            start = self._first + first * mmap.PAGESIZE
            self._files.forget(self._descriptor, start, (last - first) * mmap.PAGESIZE)

    def _pages_of(self, offset: int, length: int) -> bytes:
        return (self._pages or b"")[self._page(offset) : self._page(offset + length)]

    def _page(self, offset: int) -> int:
        return -(-(offset - self._first) // mmap.PAGESIZE)

    def _absent_runs(self, first: int, last: int) -> Iterator[tuple[int, int]]:
        if self._pages is None:
            return
        while (begin := self._pages.find(_ABSENT, first, last)) >= 0:
            end = self._pages.find(_PRESENT, begin, last)
            first = last if end < 0 else end
            yield begin, first
