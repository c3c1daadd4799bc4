# Copyright (c) 2026 hotbackup contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""ALTER SYSTEM SUSPEND and RESUME: no file is written in between (Administrator's Guide, Suspending and Resuming
a Database).

Only writing stands still here; Oracle stops new reads from disk, too. Commits wait, everything that needs no
write goes on.
"""

from __future__ import annotations

import contextlib
import errno
import threading
from collections.abc import Iterator


class Suspension:
    """The gate in front of every write of the instance."""

    def __init__(self) -> None:
        self._changed = threading.Condition()
        self._writing = 0
        self._suspended = False
        self._ended = False

    @property
    def suspended(self) -> bool:
        """``V$INSTANCE.DATABASE_STATUS`` is SUSPENDED."""
        return self._suspended

    def suspend(self) -> None:
        """Let no write begin any more; returns when those under way are finished."""
        with self._changed:
            self._suspended = True
            self._changed.wait_for(lambda: not self._writing)

    def resume(self) -> None:
        """Let them go on."""
        with self._changed:
            self._suspended = False
            self._changed.notify_all()

    def end(self) -> None:
        """The instance is down: what waits here will never be written."""
        with self._changed:
            self._ended = True
            self._changed.notify_all()

    @contextlib.contextmanager
    def writing(self) -> Iterator[None]:
        """One write, which waits while the instance is suspended. Raises OSError when it goes down meanwhile."""
        with self._changed:
            if self._suspended:
                self._changed.wait_for(lambda: not self._suspended or self._ended)
                if self._ended:
                    raise OSError(errno.EIO, "instance went down while suspended")
            self._writing += 1
        try:
            yield
        finally:
            with self._changed:
                self._writing -= 1
                if self._suspended:
                    self._changed.notify_all()
