# Copyright (c) 2026 hotbackup contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The lease: the exclusive right of one run on one database. Private to the collection.

It is a lock on an open file, so the kernel ends it with its last holder and it is never stale. The runner's
guardian inherits the open file: until the guardian has ended what a dead runner left open, nobody else can
start.
"""

from __future__ import annotations

import errno
import fcntl
import json
import os
import time
from collections.abc import Callable
from dataclasses import asdict, dataclass
from pathlib import Path

from ansible_collections.hotbackup.oracle.plugins.module_utils._backup.errors import BackupError, LeaseHeld

_CONTENT_SIZE_BYTES = 512
_RETRY_SECONDS = 0.05


@dataclass(frozen=True)
class LeaseHolder:
    """Who holds the lease. ``role`` is ``runner``, or ``guardian`` once the runner is dead."""

    role: str
    set_id: str
    run_id: str
    pid: int
    host: str
    since: str

    def describe(self) -> str:
        return (
            f"the {self.role} of set {self.set_id} (run {self.run_id}, process {self.pid} on {self.host}, "
            f"since {self.since})"
        )


class Lease:
    """A held lease. Closing it gives it up, unless another process inherited it."""

    def __init__(self, descriptor: int) -> None:
        self._descriptor = descriptor

    def fileno(self) -> int:
        return self._descriptor

    def announce(self, holder: LeaseHolder) -> None:
        """Tell readers who holds it: one write of a fixed length, so that nobody reads half of it."""
        content = json.dumps(asdict(holder)).encode("utf-8")
        os.pwrite(self._descriptor, content.ljust(_CONTENT_SIZE_BYTES), 0)

    def close(self) -> None:
        if self._descriptor >= 0:
            os.close(self._descriptor)
            self._descriptor = -1


def acquire_lease(
    path: Path,
    holder: LeaseHolder,
    patience_seconds: float = 2.0,
    sleep: Callable[[float], None] = time.sleep,
) -> Lease:
    """Take the lease for ``holder``. Raises LeaseHeld, naming the holder, and BackupError if there can be no
    lock.

    Readers hold the lock for an instant while they look, hence the short patience.
    """
    descriptor = _open(path, os.O_RDWR | os.O_CREAT)
    attempts = max(1, int(patience_seconds / _RETRY_SECONDS))
    for attempt in range(attempts):
        if _try_lock(path, descriptor, fcntl.LOCK_EX):
            lease = Lease(descriptor)
            lease.announce(holder)
            return lease
        if attempt + 1 < attempts:
            sleep(_RETRY_SECONDS)
    other = _read_holder(descriptor)
    os.close(descriptor)
    who = other.describe() if other else "a process that has not said yet who it is"
    raise LeaseHeld(
        f"Failed to take the lease {path}: it is held by {who}.",
        hint="Wait until that run has ended, or attach to it by giving its set_id.",
        details={"lease_holder": asdict(other) if other else None},
    )


def adopt_lease(descriptor: int) -> Lease:
    """The lease a guardian inherited from its runner."""
    os.set_inheritable(descriptor, False)
    return Lease(descriptor)


def lease_holder(path: Path) -> LeaseHolder | None:
    """Who holds the lease now; None if nobody does. Raises BackupError if that cannot be found out."""
    try:
        descriptor = os.open(path, os.O_RDWR | os.O_CLOEXEC | os.O_NOFOLLOW)
    except FileNotFoundError:
        return None
    except OSError as exc:
        raise BackupError(f"Failed to open lease {path}: {exc.strerror}.") from exc
    try:
        if _try_lock(path, descriptor, fcntl.LOCK_SH):
            return None
        return _read_holder(descriptor) or LeaseHolder(
            "runner", "unknown", "unknown", 0, "unknown", "unknown"
        )
    finally:
        os.close(descriptor)


def _open(path: Path, flags: int) -> int:
    try:
        return os.open(path, flags | os.O_CLOEXEC | os.O_NOFOLLOW, 0o600)
    except OSError as exc:
        raise BackupError(f"Failed to open lease {path}: {exc.strerror}.") from exc


def _try_lock(path: Path, descriptor: int, kind: int) -> bool:
    try:
        fcntl.flock(descriptor, kind | fcntl.LOCK_NB)
    except OSError as exc:
        if exc.errno in (errno.EAGAIN, errno.EACCES, errno.EWOULDBLOCK):
            return False
        # Without locks nothing would keep two runs apart.
        raise BackupError(
            f"Failed to lock lease {path}: {exc.strerror}.",
            hint="Choose a state_dir on a local file system.",
        ) from exc
    return True


def _read_holder(descriptor: int) -> LeaseHolder | None:
    try:
        return LeaseHolder(**json.loads(os.pread(descriptor, _CONTENT_SIZE_BYTES, 0)))
    except (ValueError, TypeError):
        # Taken a moment ago and not announced yet.
        return None
