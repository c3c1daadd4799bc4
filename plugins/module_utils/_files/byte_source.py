# Copyright (c) 2026 hotbackup contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The bytes of an open file as the database knows them, however they are stored.

Private to this collection: not an interface for other collections.
"""

from __future__ import annotations

import errno
import mmap
import threading
from collections.abc import Callable
from typing import Protocol

from ansible_collections.hotbackup.oracle.plugins.module_utils._files.file_layer import (
    DIRECT_ALIGNMENT,
    FileLayer,
    read_fully,
)
from ansible_collections.hotbackup.oracle.plugins.module_utils._files.page_cache import PageCacheGuest

# The unit of st_blocks, whatever the file system's is.
_STAT_BLOCK_BYTES = 512

Fill = Callable[[memoryview, int], int]
"""Fills a buffer from an offset; returns the count, less than the buffer's length only at the end of the file."""


class Visit(Protocol):
    """A range that is read in order, leaving the page cache as it was found. By one thread at a time."""

    def waits(self, offset: int, length: int) -> bool:
        """Whether filling a buffer from here takes so long that it should be done ahead."""

    def fill(self, target: memoryview, offset: int) -> int:
        """See :data:`Fill`."""


class ByteSource(Protocol):
    """Offsets and sizes are in bytes of the file itself, not of its stored form. Calls raise OSError."""

    def size_bytes(self) -> int:
        """The size at this moment."""

    def is_sparse(self) -> bool:
        """Whether parts of the file have no blocks on disk."""

    def fill(self, target: memoryview, offset: int) -> int:
        """See :data:`Fill`. Raises VerificationError for a stored form that is damaged."""

    def visit(self, end: int) -> Visit:
        """Begin to read a range that ends there; several may be read at once, as far as the source allows that."""

    def forget(self, offset: int, length: int) -> None:
        """Ask that the next read of the range come from storage."""

    def close(self) -> None:
        """Close what it has opened itself."""


class PlainSource:
    """A file that is stored as it is, or one of the database's own.

    With ``path``, what is not in the page cache is read around it: nothing that the database has there makes room
    for what it never asked for, and the kernel copies nothing.
    """

    def __init__(self, files: FileLayer, descriptor: int, path: str | None = None) -> None:
        self._files = files
        self._descriptor = descriptor
        self._path = path
        self._opening = threading.Lock()
        self._direct: int | None = None

    def size_bytes(self) -> int:
        return self._files.status(self._descriptor).st_size

    def is_sparse(self) -> bool:
        status = self._files.status(self._descriptor)
        return status.st_blocks * _STAT_BLOCK_BYTES < status.st_size

    def fill(self, target: memoryview, offset: int) -> int:
        return read_fully(self._files, self._descriptor, target, offset)

    def visit(self, end: int) -> Visit:
        return _PlainVisit(self, PageCacheGuest(self._files, self._descriptor, end))

    def fill_around_cache(self, target: memoryview, offset: int) -> int:
        """As :meth:`fill`, without the page cache where that is possible."""
        count, direct = 0, self._direct_descriptor()
        if direct is not None and len(target) % DIRECT_ALIGNMENT == 0:
            try:
                count = self._files.read_into(direct, target, offset)
            except OSError as exc:
                # The file system wants another alignment than ours.
                if exc.errno != errno.EINVAL:
                    raise
        return count + (self.fill(target[count:], offset + count) if count < len(target) else 0)

    def forget(self, offset: int, length: int) -> None:
        # Only whole pages are dropped.
        page = offset - offset % mmap.PAGESIZE
        self._files.forget(self._descriptor, page, max(offset + length, offset + mmap.PAGESIZE) - page)

    def close(self) -> None:
        direct, self._direct = self._direct, None
        if direct is not None:
            self._files.close(direct)

    def _direct_descriptor(self) -> int | None:
        with self._opening:
            if self._path is not None:
                self._direct = self._files.open_source_direct(self._path, self._descriptor)
                # Once is enough, whatever came of it.
                self._path = None
            return self._direct


class _PlainVisit:
    def __init__(self, source: PlainSource, cache: PageCacheGuest) -> None:
        self._source = source
        self._cache = cache

    def waits(self, offset: int, length: int) -> bool:
        self._cache.expect(offset, length)
        return self._cache.misses(offset, length)

    def fill(self, target: memoryview, offset: int) -> int:
        self._cache.expect(offset, len(target))
        if self._cache.lacks(offset, len(target)):
            count = self._source.fill_around_cache(target, offset)
        else:
            count = self._source.fill(target, offset)
        self._cache.leave(offset, len(target))
        return count
