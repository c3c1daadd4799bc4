# Copyright (c) 2026 hotbackup contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The named steps of an instance's work, and what can be made to happen at them: a kill, or a stop.

The code says where it is (``with faults.steps.at(Step.ARCHIVE_COPY)``); a fault waits for the nth time. Nothing
here depends on timing, so a test can put a crash, or itself, exactly between two writes.
"""

from __future__ import annotations

import enum
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass

from oracle_simulator.instance.messages import terminated


class Step(enum.StrEnum):
    """Each step is one write or wait whose being done or not makes a difference after a crash."""

    BEGIN_BACKUP_CHECKPOINT = "begin_backup.checkpoint"
    BEGIN_BACKUP_HEADER = "begin_backup.header"
    END_BACKUP_REDO = "end_backup.redo"
    END_BACKUP_HEADER = "end_backup.header"
    CHECKPOINT_HEADER = "checkpoint.header"
    LOG_SWITCH_NEW_LOG = "log_switch.new_log"
    LOG_SWITCH_OLD_LOG = "log_switch.old_log"
    LOG_SWITCH_CONTROL_FILE = "log_switch.control_file"
    REDO_WRITE = "redo.write"
    REDO_SYNC = "redo.sync"
    DATAFILE_BLOCK = "datafile.block"
    DATAFILE_BETWEEN_PIECES = "datafile.between_pieces"
    DATAFILE_SYNC = "datafile.sync"
    CONTROL_FILE_WRITE = "control_file.write"
    CONTROL_FILE_BACKUP = "control_file.backup"
    ARCHIVE_COPY = "archive.copy"
    ARCHIVE_PIECE = "archive.piece"
    ARCHIVE_CONTROL_FILE = "archive.control_file"
    CRASH_RECOVERY = "crash_recovery"
    RESETLOGS_LOGS = "resetlogs.logs"
    RESETLOGS_HEADER = "resetlogs.header"
    RESETLOGS_CONTROL_FILE = "resetlogs.control_file"


class When(enum.StrEnum):
    """Before the step is done, or just after it."""

    BEFORE = "before"
    AFTER = "after"


class Action(enum.StrEnum):
    """KILL is SIGKILL of the instance's process; HOLD stops whoever does the step."""

    KILL = "kill"
    HOLD = "hold"


@dataclass(frozen=True)
class StepFault:
    """Something that happens once, at the ``occurrence``-th time from now.

    ``file_number`` and ``block_number`` narrow it to steps that are about this datafile or block. A hold ends
    with :meth:`StepFaults.release`, with the instance, or after ``seconds``.
    """

    step: Step
    action: Action
    when: When = When.BEFORE
    occurrence: int = 1
    file_number: int | None = None
    block_number: int | None = None
    seconds: float = 60.0

    def fits(self, step: Step, when: When, file_number: int | None, block_number: int | None) -> bool:
        """Whether it waits for this step."""
        return (
            (self.step, self.when) == (step, when)
            and self.file_number in (None, file_number)
            and self.block_number in (None, block_number)
        )


class StepFaults:
    """The step faults in force. ``kill`` must not return."""

    def __init__(self, kill: Callable[[], None]) -> None:
        self._kill = kill
        self._changed = threading.Condition()
        self._armed: dict[StepFault, int] = {}
        self._over = False
        self._held: tuple[Step, int | None, int | None] | None = None

    def arm(self, fault: StepFault) -> None:
        """From now on wait for the step. Raises ValueError for an occurrence before the first."""
        if fault.occurrence < 1:
            raise ValueError("the first occurrence is number 1")
        with self._changed:
            self._armed = {**self._armed, fault: 0}

    def release(self) -> None:
        """Forget every hold, in force or waiting for its step."""
        with self._changed:
            self._armed = {fault: n for fault, n in self._armed.items() if fault.action is not Action.HOLD}
            self._changed.notify_all()

    def end(self) -> None:
        """The instance goes down: nobody is held any more."""
        with self._changed:
            self._over = True
            self._changed.notify_all()

    @property
    def armed(self) -> list[StepFault]:
        """What waits for its step, or holds somebody at it."""
        return list(self._armed)

    @property
    def held(self) -> tuple[Step, int | None, int | None] | None:
        """(step, file number, block number) somebody is held at, None when nobody is."""
        return self._held

    def wait_until_held(self, timeout: float) -> tuple[Step, int | None, int | None] | None:
        """Wait until somebody is held; where, or None when ``timeout`` seconds passed."""
        with self._changed:
            self._changed.wait_for(lambda: self._held is not None, timeout)
            return self._held

    @contextmanager
    def at(
        self, step: Step, file_number: int | None = None, block_number: int | None = None
    ) -> Iterator[None]:
        """The block is this step. Called by the code that does it, without the latch of the instance. Raises
        ORA-01092 when the instance went down while somebody was held."""
        self.reached(step, When.BEFORE, file_number, block_number)
        yield
        self.reached(step, When.AFTER, file_number, block_number)

    def reached(
        self,
        step: Step,
        when: When = When.BEFORE,
        file_number: int | None = None,
        block_number: int | None = None,
    ) -> None:
        """One edge of a step; :meth:`at` says both."""
        if not self._armed:
            return
        with self._changed:
            for fault in [f for f in self._armed if f.fits(step, when, file_number, block_number)]:
                if fault not in self._armed:
                    continue  # released while this thread was held by the one before
                self._armed[fault] += 1
                if self._armed[fault] != fault.occurrence:
                    continue
                if fault.action is Action.KILL:
                    self._kill()
                else:
                    self._hold(fault, (step, file_number, block_number))

    def _hold(self, fault: StepFault, place: tuple[Step, int | None, int | None]) -> None:
        self._held = place
        self._changed.notify_all()
        self._changed.wait_for(lambda: fault not in self._armed or self._over, fault.seconds)
        self._held = None
        self._armed = {other: n for other, n in self._armed.items() if other is not fault}
        self._changed.notify_all()
        if self._over:
            raise terminated()  # whoever was held does not go on as if nothing had happened
