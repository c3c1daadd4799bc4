# Copyright (c) 2026 hotbackup contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Linux calls for which Python has no function of its own. Elsewhere each says that it cannot.

Private to this collection: not an interface for other collections.
"""

from __future__ import annotations

import ctypes
import errno
import fcntl
import mmap
import os
import platform
import sys

# What kernels and file systems answer that lack a call altogether.
NOT_OFFERED = frozenset({errno.ENOSYS, errno.EOPNOTSUPP, errno.ENOTSUP, errno.EINVAL, errno.ENOTTY})
_CANNOT_CLONE = NOT_OFFERED | {errno.EXDEV, errno.ETXTBSY, errno.EPERM}
_FICLONE = 0x40049409
# System call numbers differ between architectures; glibc has no wrapper for this one.
_IOPRIO_SET = {"x86_64": 251, "aarch64": 30, "ppc64le": 273, "s390x": 282}
_IOPRIO_WHO_PROCESS = 1
_IOPRIO_CLASS_SHIFT = 13
_AT_FDCWD = -100
_RENAME_NOREPLACE = 1
# mincore says it in the lowest bit; the others are reserved.
_LOWEST_BIT = bytes(value & 1 for value in range(256))


def _libc() -> ctypes.CDLL | None:
    return ctypes.CDLL(None, use_errno=True) if sys.platform == "linux" else None


_LIBC = _libc()


def allocate(descriptor: int, offset: int, length: int) -> bool:
    """Give a range of an open file its blocks on disk; False where the file system has no such call.

    Unlike ``os.posix_fallocate`` it never falls back to writing the range. Raises OSError, ENOSPC among them.
    """
    if _LIBC is None or not hasattr(_LIBC, "fallocate64"):
        return False
    while True:
        result = _LIBC.fallocate64(descriptor, 0, ctypes.c_longlong(offset), ctypes.c_longlong(length))
        # A signal interrupts the call, and Python repeats only its own.
        if result == 0 or ctypes.get_errno() != errno.EINTR:
            return _succeeded(result, NOT_OFFERED)


def clone(source: int, target: int) -> bool:
    """Make an empty file share all blocks of another, copied on write; False where that is not possible."""
    if sys.platform != "linux":
        return False
    try:
        fcntl.ioctl(target, _FICLONE, source)
    except OSError as exc:
        if exc.errno in _CANNOT_CLONE:
            return False
        raise
    return True


def resident_pages(descriptor: int, offset: int, length: int) -> bytes | None:
    """Which pages of a range are in the page cache: a byte for each, 1 if it is; None where nobody tells.

    ``offset`` is a multiple of the page size. Only a file's owner is asked for: the kernel lets others hear that
    everything is there.
    """
    if _LIBC is None or not length or not hasattr(_LIBC, "mincore"):
        return None
    if os.geteuid() not in (0, os.fstat(descriptor).st_uid):
        return None
    answer = ctypes.create_string_buffer(-(-length // mmap.PAGESIZE))
    try:
        # A private mapping may be "writable" on a descriptor opened for reading, and only then has an address here.
        with mmap.mmap(descriptor, length, access=mmap.ACCESS_COPY, offset=offset) as mapped:
            start = ctypes.c_char.from_buffer(mapped)
            result = _LIBC.mincore(ctypes.byref(start), ctypes.c_size_t(length), answer)
            del start
    except (OSError, ValueError):
        # No mapping: the file has become shorter, or its file system has none.
        return None
    return answer.raw.translate(_LOWEST_BIT) if result == 0 else None


def rename_new(source: str, target: str) -> bool:
    """Rename to a name that is free, in one step; False where kernel, C library or file system cannot do that.

    Raises OSError, FileExistsError among them.
    """
    if _LIBC is None or not hasattr(_LIBC, "renameat2"):
        return False
    names = os.fsencode(source), os.fsencode(target)
    result = _LIBC.renameat2(_AT_FDCWD, names[0], _AT_FDCWD, names[1], _RENAME_NOREPLACE)
    return _succeeded(result, NOT_OFFERED)


def set_io_priority(io_class: int, level: int) -> None:
    """Set the calling thread's I/O class (2 best effort, 3 idle) and level (0 first to 7 last). Raises OSError."""
    number = _IOPRIO_SET.get(platform.machine())
    if _LIBC is None or number is None:
        raise OSError(errno.ENOSYS, f"no I/O priorities on {sys.platform} {platform.machine()}")
    value = io_class << _IOPRIO_CLASS_SHIFT | level
    _succeeded(_LIBC.syscall(number, _IOPRIO_WHO_PROCESS, 0, value), frozenset())


def _succeeded(result: int, tolerated: frozenset[int]) -> bool:
    if result == 0:
        return True
    code = ctypes.get_errno()
    if code in tolerated:
        return False
    raise OSError(code, os.strerror(code))
