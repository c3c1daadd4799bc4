# Copyright (c) 2026 hotbackup contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Files that fail or are slow: full disks, input/output errors, delays, and a kill within a write."""

from __future__ import annotations

import enum
import errno
import os
import threading
from collections.abc import Callable
from dataclasses import dataclass
from fnmatch import fnmatchcase


class Operation(enum.StrEnum):
    """What is done to a file. A write is also what makes a file longer or shorter."""

    READ = "read"
    WRITE = "write"
    SYNC = "sync"


class Trouble(enum.StrEnum):
    """FULL is ENOSPC, ERROR is EIO, SLOW a delay before each operation, KILL is SIGKILL within a write."""

    FULL = "full"
    ERROR = "error"
    SLOW = "slow"
    KILL = "kill"


@dataclass(frozen=True)
class FileFault:
    """Trouble with the files whose whole path matches the shell pattern ``pattern``.

    It begins with the ``occurrence``-th operation from now and lasts until it is cleared. ``seconds`` is the
    delay of SLOW. KILL happens when ``kept_bytes`` of the write are in the file: a torn write.
    """

    pattern: str
    trouble: Trouble
    operations: frozenset[Operation] = frozenset({Operation.READ, Operation.WRITE})
    occurrence: int = 1
    seconds: float = 0.0
    kept_bytes: int = 0

    def concerns(self, path: str, operation: Operation) -> bool:
        """Whether it is about this operation on this file."""
        return operation in self.operations and fnmatchcase(path, self.pattern)


class FileFaults:
    """The file faults in force. ``kill`` must not return."""

    def __init__(self, kill: Callable[[], None]) -> None:
        self.kill = kill
        self._changed = threading.Condition()
        self._counted: dict[FileFault, int] = {}
        self._over = False

    def add(self, fault: FileFault) -> None:
        """From now on."""
        with self._changed:
            self._counted = {**self._counted, fault: 0}

    def clear(self, pattern: str | None = None) -> None:
        """End the faults of this pattern, or all; who waits for a slow file goes on at once."""
        with self._changed:
            self._counted = {
                fault: n for fault, n in self._counted.items() if pattern not in (None, fault.pattern)
            }
            self._changed.notify_all()

    def end(self) -> None:
        """The instance goes down: nothing is slow any more."""
        with self._changed:
            self._over = True
            self._changed.notify_all()

    @property
    def in_force(self) -> list[FileFault]:
        """All of them."""
        return list(self._counted)

    def meet(self, path: str, operation: Operation) -> FileFault | None:
        """Called for every operation on a file: waits, or raises OSError, as the faults want it.

        Returns a KILL fault for the caller to obey: it knows what is being written.
        """
        if not self._counted:
            return None
        deadly: FileFault | None = None
        for fault in self._due(path, operation):
            if fault.trouble is Trouble.SLOW:
                self._wait(fault)
            elif fault.trouble is Trouble.KILL:
                deadly = fault
            else:
                number = errno.ENOSPC if fault.trouble is Trouble.FULL else errno.EIO
                raise OSError(number, os.strerror(number), path)
        return deadly

    def _due(self, path: str, operation: Operation) -> list[FileFault]:
        with self._changed:
            met = [fault for fault in self._counted if fault.concerns(path, operation)]
            for fault in met:
                self._counted[fault] += 1
            return [fault for fault in met if self._counted[fault] >= fault.occurrence]

    def _wait(self, fault: FileFault) -> None:
        with self._changed:
            self._changed.wait_for(lambda: self._over or fault not in self._counted, fault.seconds)
