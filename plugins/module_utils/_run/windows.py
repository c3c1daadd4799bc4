# Copyright (c) 2026 hotbackup contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Bring a tablespace into backup mode and out of it, and know afterwards whether it is. Private to the
collection.

Three processes end windows: the runner its own, the guardian those of a dead runner, the next run those that
both left. All do it here, the same way: read V$BACKUP, act only on what the journal shows to be ours, read
again.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass
from enum import Enum
from typing import Any, Protocol

from ansible_collections.hotbackup.oracle.plugins.module_utils._backup.errors import (
    BackupError,
    ConnectError,
    ConnectionLost,
    OracleRefused,
    VerificationError,
    WaitTimeout,
)
from ansible_collections.hotbackup.oracle.plugins.module_utils._backup.model import BackupStatus

# Oracle Database Error Messages: the database is not open, not mounted or not there. After a restart these
# mean that files in backup mode keep it from opening (ORA-10873), and only its owner may decide what to do
# then.
_NOT_OPEN = frozenset({1033, 1034, 1089, 1090, 1109, 1219, 1507, 10873})

Report = Callable[[str], None]
ENDED = "ended"


class BackupDatabase(Protocol):
    """What windows need of a database. Reconnects by itself; each call may raise ConnectError,
    ConnectionLost, OracleRefused or WaitTimeout, and after any of these the outcome must be read from the
    database.
    """

    def backup_status(self, file_numbers: Collection[int]) -> Mapping[int, BackupStatus]: ...

    def begin_backup(self, tablespace: str, con_id: int, file_numbers: Collection[int]) -> None: ...

    def end_backup(self, tablespace: str, con_id: int, file_numbers: Collection[int]) -> None: ...

    def current_scn(self) -> int: ...

    def startup_times(self) -> tuple[str, ...]: ...

    def run_is_connected(self, set_id: str) -> bool:
        """Whether another session of a run of the set exists, on any instance."""


class Patience:
    """Waits between attempts, longer each time. An unreachable database is given up after a while, when the
    guardian or the next run takes over; one that answers but cannot end backup mode is never given up."""

    def __init__(
        self,
        unreachable_seconds: float,
        sleep: Callable[[float], object] = time.sleep,
        monotonic: Callable[[], float] = time.monotonic,
        first_pause_seconds: float = 1.0,
        longest_pause_seconds: float = 15.0,
    ) -> None:
        self._unreachable_seconds = unreachable_seconds
        self._sleep = sleep
        self._monotonic = monotonic
        self._first_pause_seconds = first_pause_seconds
        self._longest_pause_seconds = longest_pause_seconds
        self._pause_seconds = first_pause_seconds
        self._unreachable_since: float | None = None

    def reached(self) -> None:
        """The database answered."""
        self._unreachable_since = None

    def after(self, problem: BackupError) -> None:
        """Wait before the next attempt; raises ``problem`` once the database was unreachable for too long."""
        if isinstance(problem, (ConnectError, ConnectionLost)):
            if self._unreachable_since is None:
                self._unreachable_since = self._monotonic()
            if self._monotonic() - self._unreachable_since >= self._unreachable_seconds:
                raise problem
        else:
            self._unreachable_since = None
        self._sleep(self._pause_seconds)
        self._pause_seconds = min(self._pause_seconds * 2, self._longest_pause_seconds)

    def pause(self) -> None:
        """Wait for something that is expected soon."""
        self._sleep(self._first_pause_seconds)


class EndingKind(str, Enum):
    """How a window was found to have ended."""

    ENDED = "ended"
    """By our END BACKUP, with CHANGE# as recorded: what was copied in it is good."""
    ENDED_EARLY = "ended_early"
    """Somebody else ended it: when, we cannot know. What was copied in it is suspect."""
    RESTARTED = "restarted"
    """An instance was restarted meanwhile: no end-backup redo record exists. The copies are worthless."""
    STILL_ACTIVE = "still_active"
    """An instance was restarted and the database is not open: its owner must decide (ORA-10873)."""


@dataclass(frozen=True)
class Ending:
    """The outcome, with an SCN read after it (None only when still active) and the reason in words."""

    kind: EndingKind
    end_scn: int | None
    reason: str

    @property
    def sound(self) -> bool:
        return self.kind is EndingKind.ENDED


def begin_window(
    database: BackupDatabase,
    tablespace: str,
    con_id: int,
    file_numbers: Sequence[int],
    set_id: str,
    patience: Patience,
) -> dict[int, int]:
    """Put a tablespace in backup mode and return the CHANGE# of each file, read back.

    The intent must be in the journal already. If the connection is lost the outcome is read from a new one,
    once the old session is gone. Raises OracleRefused if Oracle refused, BackupError if only some files are
    in backup mode.
    """
    for final_attempt in (False, True):
        try:
            database.begin_backup(tablespace, con_id, file_numbers)
        except (ConnectionLost, WaitTimeout) as exc:
            status = _read_after_doubt(database, file_numbers, set_id, patience)
            if final_attempt and not any(item.active for item in status.values()):
                raise
            problem: BackupError | None = exc
        else:
            status = database.backup_status(file_numbers)
            problem = None
        active = {number: item.scn for number, item in status.items() if item.active}
        if set(active) >= set(file_numbers):
            return {number: active[number] for number in file_numbers}
        if active or problem is None:
            missing = ", ".join(str(number) for number in sorted(set(file_numbers) - set(active)))
            raise BackupError(
                f"Failed to put tablespace {tablespace} in backup mode: V$BACKUP does not show file {missing} "
                "as ACTIVE.",
                hint="Was its structure changed or backup mode ended at this moment? Run again.",
            )
    raise AssertionError("the second attempt returns or raises")


def end_window(
    database: BackupDatabase,
    tablespace: str,
    con_id: int,
    files: Mapping[int, int | None],
    startup_times: Sequence[str],
    patience: Patience,
    report: Report,
    asked_before: bool = False,
) -> Ending:
    """Take a tablespace out of backup mode and prove it.

    ``files`` maps its files to the CHANGE# recorded when the window was opened, None where it was not read
    back. ``asked_before``: END BACKUP was possibly issued already, by us. Retries for as long as the database
    answers and its instances are the ones the window was opened under; raises ConnectError or ConnectionLost
    when patience ends.
    """
    asked = asked_before
    while True:
        try:
            status = database.backup_status(tuple(files))
            patience.reached()
            moved = [
                number
                for number, scn in files.items()
                if number in status and scn not in (None, status[number].scn)
            ]
            active = [number for number in files if number in status and status[number].active]
            restarted = bool(startup_times) and tuple(startup_times) != tuple(database.startup_times())
            if moved:
                return Ending(
                    EndingKind.ENDED_EARLY,
                    database.current_scn(),
                    f"CHANGE# of file {moved[0]} moved: somebody ended backup mode and began it again",
                )
            if not active:
                known = any(scn is not None for scn in files.values())
                return _ending(asked or not known, restarted, database.current_scn(), tablespace)
            if not asked and len(active) < len([number for number in files if number in status]):
                # Ended file by file by somebody; the rest is still ours to end.
                rest = {number: files[number] for number in active}
                ending = end_window(database, tablespace, con_id, rest, (), patience, report)
                reason = f"somebody ended backup mode of a file of {tablespace}"
                return Ending(EndingKind.ENDED_EARLY, ending.end_scn, reason)
            asked = True
            try:
                database.end_backup(tablespace, con_id, active)
            except OracleRefused as exc:
                if restarted and _codes(exc) & _NOT_OPEN:
                    return Ending(
                        EndingKind.STILL_ACTIVE,
                        None,
                        f"an instance was restarted while {tablespace} was in backup mode, and the database is "
                        "not open",
                    )
                raise
        except (ConnectError, ConnectionLost, OracleRefused, VerificationError, WaitTimeout) as exc:
            report(f"END BACKUP of {tablespace} is retried: {exc.message}")
            patience.after(exc)


def _ending(asked: bool, restarted: bool, scn: int, tablespace: str) -> Ending:
    if restarted:
        return Ending(
            EndingKind.RESTARTED, scn, f"an instance was restarted while {tablespace} was in backup mode"
        )
    if asked:
        return Ending(EndingKind.ENDED, scn, ENDED)
    return Ending(EndingKind.ENDED_EARLY, scn, f"somebody else ended backup mode of {tablespace}")


def _read_after_doubt(
    database: BackupDatabase, file_numbers: Sequence[int], set_id: str, patience: Patience
) -> Mapping[int, BackupStatus]:
    """V$BACKUP once no earlier session of the run can still be executing its statement."""
    while True:
        try:
            if not database.run_is_connected(set_id):
                return database.backup_status(file_numbers)
            patience.reached()
        except (ConnectError, ConnectionLost, WaitTimeout) as exc:
            patience.after(exc)
        else:
            patience.pause()


def _codes(refused: OracleRefused) -> set[int]:
    return set(refused.oracle_error.codes) if refused.oracle_error else set()


def window_fields(tablespace: str, con_id: int, files: Mapping[int, int | None]) -> dict[str, Any]:
    """The journal fields that name a window."""
    return {
        "tablespace": tablespace,
        "con_id": con_id,
        "files": {str(number): scn for number, scn in files.items()},
    }
