# Copyright (c) 2026 hotbackup contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""All faults in force in one instance."""

from __future__ import annotations

import os
import signal
import threading
from collections.abc import Callable

from oracle_simulator.instance.faults.file_faults import FileFaults
from oracle_simulator.instance.faults.steps import Action, Step, StepFault, StepFaults


def kill_this_process() -> None:
    """SIGKILL: nothing of this process runs any more, this function does not return."""
    os.kill(os.getpid(), signal.SIGKILL)


class Faults:
    """The faults in force: ``steps`` of the instance's work, ``files``, and those of the archiver, set here.

    Attributes are read by background threads, set through the methods. ``kill`` must not return.
    """

    def __init__(self, archiver_delay: float = 0.0, kill: Callable[[], None] = kill_this_process) -> None:
        self.steps = StepFaults(kill)
        self.files = FileFaults(kill)
        self.changed = threading.Condition()
        self._archiver_delay = archiver_delay
        self._archiver_stopped = False
        self._destination_delays: dict[int, float] = {}
        self._destination_errors: dict[int, str] = {}
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

    def repair_files(self, pattern: str | None = None) -> None:
        """End the file faults of this pattern, or all; the archiver tries again at once, without REOPEN's wait."""
        self.files.clear(pattern)
        with self.changed:
            self._touch()

    def hold_between_pieces(
        self, file_number: int, seconds: float = 60.0, block_number: int | None = None
    ) -> None:
        """The next write of a block of this file stops half-way until :meth:`release` or ``seconds`` passed."""
        self.steps.arm(
            StepFault(
                Step.DATAFILE_BETWEEN_PIECES,
                Action.HOLD,
                file_number=file_number,
                block_number=block_number,
                seconds=seconds,
            )
        )

    def release(self) -> None:
        """End every hold, in force or waiting for its step."""
        self.steps.release()

    @property
    def held(self) -> tuple[int, int] | None:
        """(file number, block number) the database writer is held in, None when it isn't."""
        return _block_of(self.steps.held)

    def wait_until_held(self, timeout: float) -> tuple[int, int] | None:
        """Wait until the database writer is held; the block, or None when ``timeout`` seconds passed."""
        return _block_of(self.steps.wait_until_held(timeout))

    def wake(self) -> None:
        """Let the waiting archiver look again."""
        with self.changed:
            self.changed.notify_all()

    def end(self) -> None:
        """The instance goes down: nobody waits any more."""
        self.steps.end()
        self.files.end()
        self.wake()


def _block_of(place: tuple[Step, int | None, int | None] | None) -> tuple[int, int] | None:
    if place is None or place[1] is None or place[2] is None:
        return None
    return place[1], place[2]
