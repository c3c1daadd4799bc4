# Copyright (c) 2026 hotbackup contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A large file that gets its final name only when it is whole and on stable storage.

Private to this collection: not an interface for other collections.
"""

from __future__ import annotations

import contextlib
import errno
import os

from ansible_collections.hotbackup.oracle.plugins.module_utils._backup.errors import (
    BackupError,
    PreconditionError,
)
from ansible_collections.hotbackup.oracle.plugins.module_utils._files.file_layer import (
    DIRECT_ALIGNMENT,
    FileLayer,
)

PARTIAL_SUFFIX = ".partial"
HOLE_SIZE_BYTES = 64 * 1024
"""Of a sparse source, aligned stretches of this many zeros become holes."""


class StagedFile:
    """Written as ``<destination>.partial``; unless :meth:`publish` returned, :meth:`discard` leaves nothing.

    The order is open, write, :meth:`complete`, :meth:`publish`.

    Raises OSError as the file layer does, PreconditionError for a destination that is taken or too small, and
    BackupError where another process took away or cut what was being written.
    """

    def __init__(self, files: FileLayer, destination: str, mode: int, replace: bool) -> None:
        self._files = files
        self._destination = destination
        self._partial = destination + PARTIAL_SUFFIX
        self._folder = os.path.dirname(destination)
        self._mode = mode
        self._replace = replace
        self._descriptor = -1
        self._direct: int | None = None
        self._can_allocate = True
        self._identity: os.stat_result | None = None
        self._size_bytes: int | None = None
        self._settled = True

    @property
    def descriptor(self) -> int:
        """The open partial file, to be read."""
        return self._descriptor

    @property
    def inode(self) -> int:
        """Of the file, under whatever name."""
        return self._status().st_ino

    def open(self) -> None:
        """Refuse a destination that is taken; take the partial file for ourselves."""
        self._refuse_if_taken()
        descriptor = self._files.open_staging(self._partial)
        if descriptor is None:
            raise PreconditionError(f"Failed to write {self._partial}: another process is writing it.")
        self._descriptor, self._settled = descriptor, False
        self._direct = self._files.open_direct(self._partial, descriptor)

    def discard(self) -> None:
        """Leave nothing, unless it was published."""
        if self._settled:
            return
        self._settled = True
        # Removed while the lock is still held, so that no other writer's file is hit. Which of the names the file
        # has is looked up: an error or an interrupt does not tell whether the renaming has happened.
        for name in (self._destination, self._partial):
            with contextlib.suppress(OSError):
                ours = self._ours(name)
                if ours is not None and not (name == self._destination and self._has_replaced(ours)):
                    self._files.remove(name)
        with contextlib.suppress(OSError):
            self._close()

    def reserve(self, size_bytes: int) -> None:
        """Raise PreconditionError unless the folder has room for ``size_bytes``."""
        available = self._files.free_bytes(self._folder)
        if available < size_bytes:
            raise PreconditionError(
                f"Failed to reserve space in {self._folder} for {self._destination}: "
                f"{size_bytes} bytes needed, {available} bytes free.",
                hint="Free space there or choose another destination.",
                details={"needed_bytes": size_bytes, "free_bytes": available},
            )

    def clone(self, source: int, size_bytes: int) -> bool:
        """Let the file, which is empty still, share the blocks of ``source``; False where that is not possible.

        What it has grown to beyond ``size_bytes`` meanwhile is left out.
        """
        if not self._files.clone(source, self._descriptor):
            return False
        if self._files.status(self._descriptor).st_size > size_bytes:
            self._files.set_size(self._descriptor, size_bytes)
        return True

    def allocate(self, start: int, end: int) -> None:
        """Give a range blocks before several writes of it are under way at once.

        Without them the file system lets only one write at a time make the file larger.
        """
        if self._can_allocate:
            self._can_allocate = self._files.allocate(self._descriptor, start, end - start)

    def leave_holes(self, size_bytes: int) -> None:
        """Make the file ``size_bytes`` long at once: what is never written is a hole."""
        self._files.set_size(self._descriptor, size_bytes)

    def write_data_at(self, data: memoryview, offset: int) -> None:
        """As :meth:`write_at`, but stretches of zeros are left out; the file is long enough already."""
        for start in range(0, len(data), HOLE_SIZE_BYTES):
            stretch = data[start : start + HOLE_SIZE_BYTES]
            if stretch.tobytes().count(0) < len(stretch):
                self.write_at(stretch, offset + start)

    def write_at(self, data: memoryview, offset: int) -> None:
        """Write all of ``data``; several threads may write different places at the same time.

        Around the page cache where the file system can: a backup must not push the database's pages out of
        it, and the kernel's flushing of a full cache costs more than it saves. What is not aligned (the end of
        a file, what follows a short write) goes through the cache.
        """
        while data:
            direct, aligned = self._direct, len(data) - len(data) % DIRECT_ALIGNMENT
            if direct is None or not aligned or offset % DIRECT_ALIGNMENT:
                count = self._files.write_at(self._descriptor, data, offset)
            else:
                count = self._write_direct(direct, data[:aligned], offset)
            data, offset = data[count:], offset + count

    def _write_direct(self, direct: int, data: memoryview, offset: int) -> int:
        try:
            return self._files.write_at(direct, data, offset)
        except OSError as exc:
            if exc.errno != errno.EINVAL:
                raise
        # The file system wants another alignment than ours.
        return self._files.write_at(self._descriptor, data, offset)

    def complete(self, size_bytes: int) -> None:
        """All of its ``size_bytes`` are written: flush them."""
        self._size_bytes = size_bytes
        self._files.set_mode(self._descriptor, self._mode)
        self._files.flush(self._descriptor)

    def publish(self) -> None:
        """Give the complete file its final name, flush the folder: it is there for good when this returns."""
        self._require_ours(self._partial)
        self._take_name()
        self._files.flush_folder(self._folder)
        # Once more: since the first look another file may have taken the name that was renamed.
        self._require_ours(self._destination)
        self._close()
        self._settled = True

    def _take_name(self) -> None:
        if self._replace:
            self._files.rename(self._partial, self._destination)
            return
        try:
            self._files.rename_new(self._partial, self._destination)
        except FileExistsError as exc:
            raise self._name_taken() from exc

    def _close(self) -> None:
        """Raises OSError; neither descriptor is used again, as its number may be another file's by then."""
        descriptors = [number for number in (self._direct, self._descriptor) if number is not None]
        self._direct, self._descriptor = None, -1
        with contextlib.ExitStack() as closing:
            for descriptor in descriptors:
                if descriptor >= 0:
                    closing.callback(self._files.close, descriptor)

    def _ours(self, path: str) -> os.stat_result | None:
        """The status of the file we wrote, if it still has this name and not one that another process put there."""
        status = self._status()
        found = self._files.status_of(path)
        return found if found is not None and os.path.samestat(found, status) else None

    def _status(self) -> os.stat_result:
        """The first one asked for: its inode is always true."""
        if self._identity is None:
            self._identity = self._files.status(self._descriptor)
        return self._identity

    def _has_replaced(self, ours: os.stat_result) -> bool:
        """A whole copy that has taken another file's place already is better than none."""
        return self._replace and ours.st_size == self._size_bytes

    def _require_ours(self, path: str) -> None:
        found = self._ours(path)
        if found is None or found.st_size != self._size_bytes:
            size = "" if found is None else f"has {found.st_size} bytes, not the {self._size_bytes} written"
            state = size or "was removed or replaced meanwhile"
            raise BackupError(
                f"Failed to write {self._destination}: {path} {state}.",
                hint="Another process works in the same folder. Find it, then run the same again.",
            )

    def _refuse_if_taken(self) -> None:
        if not self._replace and self._files.exists(self._destination):
            raise self._name_taken()

    def _name_taken(self) -> PreconditionError:
        return PreconditionError(
            f"Failed to write {self._destination}: it exists.",
            hint="Nothing is overwritten unless replacing it was asked for.",
        )
