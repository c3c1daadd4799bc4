# Copyright (c) 2026 hotbackup contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Names that only one process can have: that of a copy being written, and a final one that must be free.

All functions raise OSError as the operating system does. Private to this collection: not an interface for other
collections.
"""

from __future__ import annotations

import contextlib
import errno
import os

from ansible_collections.hotbackup.oracle.plugins.module_utils._files import linux
from ansible_collections.hotbackup.oracle.plugins.module_utils._files.file_locks import try_lock

# What file systems answer that give a file one name only (FAT and some FUSE file systems say EPERM).
_NO_LINKS = linux.NOT_OFFERED | {errno.EPERM, errno.EMLINK}


def claim_staging(path: str) -> int | None:
    """Open an empty, exclusively locked, owner-only file with no other name; None if another writer holds it."""
    claimed = _claim(path)
    if claimed is not None and claimed[1].st_nlink > 1:
        # Its writer died between the two steps of _link: the other name is a whole copy's, which must not be
        # emptied. Only this name is given up.
        try:
            os.unlink(path)
        finally:
            os.close(claimed[0])
        claimed = _claim(path, os.O_EXCL)
    if claimed is None:
        return None
    descriptor = claimed[0]
    try:
        os.ftruncate(descriptor, 0)
        os.fchmod(descriptor, 0o600)
    except OSError:
        os.close(descriptor)
        raise
    return descriptor


def rename_to_free_name(source: str, target: str) -> None:
    """Rename; raise FileExistsError, and change nothing, if the name is taken."""
    if linux.rename_new(source, target) or _link(source, target):
        return
    # Nothing better is offered here: who takes the name after this look is overwritten.
    if os.path.lexists(target):
        raise FileExistsError(errno.EEXIST, os.strerror(errno.EEXIST))
    os.rename(source, target)


def _claim(path: str, flags: int = 0) -> tuple[int, os.stat_result] | None:
    """Open and lock a staging file, made if missing; None if another writer holds it.

    What an interrupted copy left is taken over, unless its writer lives: two writers under one name would publish
    each other's half-written bytes.
    """
    descriptor = os.open(path, os.O_RDWR | os.O_CREAT | os.O_NOFOLLOW | os.O_CLOEXEC | flags, 0o600)
    try:
        # The look at the name closes the gap between open and lock.
        status = _status_if_named(descriptor, path) if try_lock(descriptor) else None
    except OSError:
        os.close(descriptor)
        raise
    if status is None:
        os.close(descriptor)
        return None
    return descriptor, status


def _status_if_named(descriptor: int, path: str) -> os.stat_result | None:
    with contextlib.suppress(FileNotFoundError):
        status = os.fstat(descriptor)
        return status if os.path.samestat(status, os.lstat(path)) else None
    return None


def _link(source: str, target: str) -> bool:
    """Rename by way of a second name, which a system gives only if it is free; False where it gives none.

    This is what serves NFS, whose own rename always replaces. There a call is repeated when its answer was lost,
    and if the server has forgotten the first one, success looks like a failure: the name that link() gave is found
    taken, the one that unlink() removed is missing. Whose name it is tells the truth. (A file that is open keeps
    its removed name there as .nfs..., until it is closed or for ever if the host dies: a second name, harmless.)
    """
    try:
        os.link(source, target, follow_symlinks=False)
    except OSError as exc:
        if exc.errno in _NO_LINKS:
            return False
        if exc.errno != errno.EEXIST or not _is_same_file(source, target):
            raise
    try:
        with contextlib.suppress(FileNotFoundError):
            os.unlink(source)
    except BaseException:
        # Not renamed means not there.
        if _is_same_file(source, target):
            os.unlink(target)
        raise
    return True


def _is_same_file(one: str, other: str) -> bool:
    with contextlib.suppress(FileNotFoundError):
        return os.path.samestat(os.lstat(one), os.lstat(other))
    return False
