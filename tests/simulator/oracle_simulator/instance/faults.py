# Copyright (c) 2026 hotbackup contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Faults a test can switch on in a running instance.

Every fault is the kind of trouble a database has in life: a slow or stopped archiver, a full archive
destination, a database writer caught between the pieces of one block.
"""

from __future__ import annotations

import threading
from dataclasses import dataclass


@dataclass(frozen=True)
class Hold:
    """Stop the database writer between the pieces of a block of this file, at most ``seconds`` long."""

    file_number: int
    seconds: float
    block_number: int | None = None


class Faults:
    """The faults in force. Attributes are read by background threads, set through the methods."""

    def __init__(self, archiver_delay: float = 0.0) -> None:
        self.changed = threading.Condition()
        self._archiver_delay = archiver_delay
        self._archiver_stopped = False
        self._destination_delays: dict[int, float] = {}
        self._destination_errors: dict[int, str] = {}
        self._hold: Hold | None = None
        self._held: tuple[int, int] | None = None
        self.version = 0

    def _touch(self) -> None:
        self.version += 1
        self.changed.notify_all()

    @property
    def archiver_delay(self) -> float:
        """Seconds an archiver takes for one log."""
        return self._archiver_delay

    @property
    def archiver_stopped(self) -> bool:
        """Whether the archiver processes do nothing."""
        return self._archiver_stopped

    def destination_error(self, dest_id: int) -> str | None:
        """The operating system's text with which writing to this destination fails, None when it works."""
        return self._destination_errors.get(dest_id)

    def destination_delay(self, dest_id: int) -> float:
        """Seconds a copy of one log in this destination takes."""
        return self._destination_delays.get(dest_id, self._archiver_delay)

    def set_archiver_delay(self, seconds: float, dest_id: int | None = None) -> None:
        """Make archivers slow everywhere, or in one destination only."""
        with self.changed:
            if dest_id is None:
                self._archiver_delay = seconds
            else:
                self._destination_delays[dest_id] = seconds
            self._touch()

    def stop_archiver(self, stopped: bool = True) -> None:
        with self.changed:
            self._archiver_stopped = stopped
            self._touch()

    def fail_destination(self, dest_id: int, text: str | None = "No space left on device") -> None:
        """Let a destination fail with ``text``; None makes it work again."""
        with self.changed:
            if text is None:
                self._destination_errors.pop(dest_id, None)
            else:
                self._destination_errors[dest_id] = text
            self._touch()

    def hold_between_pieces(
        self, file_number: int, seconds: float = 60.0, block_number: int | None = None
    ) -> None:
        """The next write of a block of this file stops half-way until :meth:`release` or ``seconds`` passed."""
        with self.changed:
            self._hold = Hold(file_number, seconds, block_number)
            self.changed.notify_all()

    def release(self) -> None:
        """End a hold, in force or waiting for its block."""
        with self.changed:
            self._hold = None
            self.changed.notify_all()

    @property
    def held(self) -> tuple[int, int] | None:
        """(file number, block number) the database writer is held in, None when it isn't."""
        return self._held

    def wait_until_held(self, timeout: float) -> tuple[int, int] | None:
        """Wait until the database writer is held; the block, or None when ``timeout`` seconds passed."""
        with self.changed:
            self.changed.wait_for(lambda: self._held is not None, timeout)
            return self._held

    def between_pieces(self, file_number: int, block_number: int, stop: threading.Event) -> None:
        """Called by the database writer between two pieces of a block; waits when that is asked for."""
        hold = self._hold
        if hold is None or hold.file_number != file_number:
            return
        if hold.block_number not in (None, block_number):
            return
        with self.changed:
            self._held = (file_number, block_number)
            self.changed.notify_all()
            self.changed.wait_for(lambda: self._hold is not hold or stop.is_set(), hold.seconds)
            self._held = None
            if self._hold is hold:
                self._hold = None
            self.changed.notify_all()

    def wake(self) -> None:
        """Let every waiting thread look again (at shutdown)."""
        with self.changed:
            self.changed.notify_all()
