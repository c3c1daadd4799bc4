# Copyright (c) 2026 hotbackup contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The one seam between what is kept on disk and the operating system.

Copies, journal, small files and folders are written through a :class:`FileLayer`, so a test can make any single
call fail, or take the power away at it, and a later reader (direct I/O, a snapshot's mount) can take its place.

Private to this collection: not an interface for other collections.
"""

from __future__ import annotations

import errno
import os
from typing import Protocol

from ansible_collections.hotbackup.oracle.plugins.module_utils._files import linux
from ansible_collections.hotbackup.oracle.plugins.module_utils._files.file_names import (
    claim_staging,
    rename_to_free_name,
)

# What file systems without direct I/O answer (tmpfs, some network file systems).
_NO_DIRECT_IO = frozenset({errno.EINVAL, errno.ENOTSUP, errno.EOPNOTSUPP})

DIRECT_ALIGNMENT = 4096
"""Offset, length and memory address of direct I/O are multiples of this; no common device wants more."""


class FileLayer(Protocol):
    """Calls raise OSError as the operating system does."""

    def open_source(self, path: str) -> int:
        """Open for reading."""

    def open_source_direct(self, path: str, descriptor: int) -> int | None:
        """Open a source once more, for reads that bypass the page cache; None where there is no such way.

        ``descriptor`` is the one :meth:`open_source` gave for ``path``.
        """

    def open_staging(self, path: str) -> int | None:
        """Open an empty, exclusively locked, owner-only file with no other name; None if another writer holds it."""

    def open_new(self, path: str) -> int:
        """Make an owner-only file for writing; the name must be free."""

    def open_journal(self, path: str) -> int:
        """Open for reading and appending, made owner-only if missing; a link is not followed."""

    def status(self, descriptor: int) -> os.stat_result:
        """Return size, inode and times of an open file."""

    def status_of(self, path: str) -> os.stat_result | None:
        """Return size, inode and times of what has this name, be it a link; None if the name is free."""

    def exists(self, path: str) -> bool:
        """Tell whether the name is taken, be it by a dangling link."""

    def free_bytes(self, folder: str) -> int:
        """Return the bytes an ordinary user may still write in a folder."""

    def read_into(self, descriptor: int, buffer: memoryview, offset: int) -> int:
        """Fill the start of ``buffer`` from ``offset``; return the count, 0 at the end of the file."""

    def forget(self, descriptor: int, offset: int, length: int) -> None:
        """Ask that the next read of the range come from storage, not from the page cache."""

    def stop_readahead(self, descriptor: int) -> None:
        """Ask that nothing be read into the page cache but what is asked for."""

    def resident_pages(self, descriptor: int, offset: int, length: int) -> bytes | None:
        """Which pages of a range are in the page cache: 1 or 0 for each; None where nobody can tell."""

    def open_direct(self, path: str, descriptor: int) -> int | None:
        """Open the staging file once more, for writes that bypass the page cache; None where there is no such way.

        ``descriptor`` is the one :meth:`open_staging` gave for ``path``.
        """

    def clone(self, source: int, descriptor: int) -> bool:
        """Let the empty staging file share all blocks of another file; False where that is not possible."""

    def allocate(self, descriptor: int, offset: int, length: int) -> bool:
        """Give a range blocks on disk before it is written; False where there is no such call."""

    def set_size(self, descriptor: int, size_bytes: int) -> None:
        """Make the file that long; what was not written reads as zeros."""

    def write_at(self, descriptor: int, data: memoryview, offset: int) -> int:
        """Write the start of ``data`` at ``offset``; return how many bytes were taken."""

    def append(self, descriptor: int, data: memoryview) -> int:
        """Write the start of ``data`` at the end of the file; return how many bytes were taken."""

    def truncate(self, descriptor: int, length: int) -> None:
        """Cut the file to its first ``length`` bytes."""

    def set_mode(self, descriptor: int, mode: int) -> None:
        """Set the permission bits."""

    def flush(self, descriptor: int) -> None:
        """Return when the file is on stable storage."""

    def rename(self, source: str, target: str) -> None:
        """Give the file its final name, whatever has it."""

    def rename_new(self, source: str, target: str) -> None:
        """Give the file its final name; raise FileExistsError, and change nothing, if that is taken."""

    def make_folder(self, path: str) -> None:
        """Make a folder with mode 0700 in one that exists; the name must be free."""

    def flush_folder(self, folder: str) -> None:
        """Return when the folder's names are on stable storage."""

    def remove(self, path: str) -> None:
        """Remove a name."""

    def close(self, descriptor: int) -> None:
        """Close."""


class OsFileLayer:
    """The operating system itself. Stateless, so one value serves all streams."""

    def open_source(self, path: str) -> int:
        return os.open(path, os.O_RDONLY | os.O_CLOEXEC)

    def open_source_direct(self, path: str, descriptor: int) -> int | None:
        try:
            return _open_direct(path, os.O_RDONLY, descriptor)
        except FileNotFoundError:
            # Its name is gone; what is open can still be read.
            return None

    def open_staging(self, path: str) -> int | None:
        return claim_staging(path)

    def open_new(self, path: str) -> int:
        return os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_APPEND | os.O_CLOEXEC, 0o600)

    def open_journal(self, path: str) -> int:
        return os.open(path, os.O_RDWR | os.O_CREAT | os.O_APPEND | os.O_NOFOLLOW | os.O_CLOEXEC, 0o600)

    def status(self, descriptor: int) -> os.stat_result:
        return os.fstat(descriptor)

    def status_of(self, path: str) -> os.stat_result | None:
        try:
            return os.lstat(path)
        except FileNotFoundError:
            return None

    def exists(self, path: str) -> bool:
        return os.path.lexists(path)

    def free_bytes(self, folder: str) -> int:
        status = os.statvfs(folder)
        return status.f_bavail * status.f_frsize

    def read_into(self, descriptor: int, buffer: memoryview, offset: int) -> int:
        if hasattr(os, "preadv"):
            return os.preadv(descriptor, [buffer], offset)
        # Solaris has no preadv; the extra copy is the price there.
        data = os.pread(descriptor, len(buffer), offset)
        buffer[: len(data)] = data
        return len(data)

    def forget(self, descriptor: int, offset: int, length: int) -> None:
        if hasattr(os, "posix_fadvise"):
            os.posix_fadvise(descriptor, offset, length, os.POSIX_FADV_DONTNEED)

    def stop_readahead(self, descriptor: int) -> None:
        if hasattr(os, "posix_fadvise"):
            os.posix_fadvise(descriptor, 0, 0, os.POSIX_FADV_RANDOM)

    def resident_pages(self, descriptor: int, offset: int, length: int) -> bytes | None:
        return linux.resident_pages(descriptor, offset, length)

    def open_direct(self, path: str, descriptor: int) -> int | None:
        return _open_direct(path, os.O_WRONLY | os.O_NOFOLLOW, descriptor)

    def clone(self, source: int, descriptor: int) -> bool:
        return linux.clone(source, descriptor)

    def allocate(self, descriptor: int, offset: int, length: int) -> bool:
        return linux.allocate(descriptor, offset, length)

    def set_size(self, descriptor: int, size_bytes: int) -> None:
        os.ftruncate(descriptor, size_bytes)

    def write_at(self, descriptor: int, data: memoryview, offset: int) -> int:
        return os.pwrite(descriptor, data, offset)

    def append(self, descriptor: int, data: memoryview) -> int:
        return os.write(descriptor, data)

    def truncate(self, descriptor: int, length: int) -> None:
        os.ftruncate(descriptor, length)

    def set_mode(self, descriptor: int, mode: int) -> None:
        os.fchmod(descriptor, mode)

    def flush(self, descriptor: int) -> None:
        os.fsync(descriptor)

    def rename(self, source: str, target: str) -> None:
        os.replace(source, target)

    def rename_new(self, source: str, target: str) -> None:
        rename_to_free_name(source, target)

    def make_folder(self, path: str) -> None:
        os.mkdir(path, 0o700)
        # mkdir's mode is cut by the umask; a umask of 0277 would lock out the owner.
        os.chmod(path, 0o700)

    def flush_folder(self, folder: str) -> None:
        descriptor = os.open(folder, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
        try:
            os.fsync(descriptor)
        finally:
            os.close(descriptor)

    def remove(self, path: str) -> None:
        os.unlink(path)

    def close(self, descriptor: int) -> None:
        os.close(descriptor)


def append_all(files: FileLayer, descriptor: int, data: bytes) -> None:
    """Write all of ``data`` at the end of the file, which may take it in several pieces."""
    rest = memoryview(data)
    while rest:
        rest = rest[files.append(descriptor, rest) :]


def read_fully(files: FileLayer, descriptor: int, target: memoryview, offset: int) -> int:
    """Fill ``target`` from ``offset``; return the count, less than its length only at the file's end."""
    filled = 0
    while filled < len(target):
        count = files.read_into(descriptor, target[filled:], offset + filled)
        if count == 0:
            break
        filled += count
    return filled


def _open_direct(path: str, flags: int, descriptor: int) -> int | None:
    """Open what ``descriptor`` has open, if ``path`` still leads to it; None where there is no direct I/O."""
    if not hasattr(os, "O_DIRECT"):
        return None
    try:
        direct = os.open(path, flags | os.O_DIRECT | os.O_CLOEXEC)
    except OSError as exc:
        if exc.errno in _NO_DIRECT_IO:
            return None
        raise
    if os.path.samestat(os.fstat(direct), os.fstat(descriptor)):
        return direct
    os.close(direct)
    return None
