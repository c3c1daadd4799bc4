# Copyright (c) 2026 hotbackup contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Advisory locks that end with their holder, on file systems that have them.

Private to this collection: not an interface for other collections.
"""

from __future__ import annotations

import contextlib
import errno
import fcntl
from collections.abc import Iterator

# Network file systems mounted without a lock service answer one of these. The lease of a run, kept on a local
# disk, already excludes a second run; refusing to work there would protect nothing.
_LOCKS_MISSING = frozenset({errno.ENOLCK, errno.ENOTSUP, errno.EOPNOTSUPP, errno.ENOSYS})


def try_lock(descriptor: int) -> bool:
    """Take the exclusive lock of an open file; False if it is held. It ends with the descriptor."""
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    except OSError as exc:
        if exc.errno not in _LOCKS_MISSING:
            raise
    return True


@contextlib.contextmanager
def locked(descriptor: int) -> Iterator[None]:
    """Hold the exclusive lock of an open file for the length of a ``with`` block; wait for it."""
    held = True
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX)
    except OSError as exc:
        if exc.errno not in _LOCKS_MISSING:
            raise
        held = False
    try:
        yield
    finally:
        if held:
            fcntl.flock(descriptor, fcntl.LOCK_UN)
