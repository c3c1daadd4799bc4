# Copyright (c) 2026 hotbackup contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""End the backup mode that a dead run left, as far as its journal proves it ours. Private to the collection.

Used by the guardian when its runner dies and by the next run after both died.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from ansible_collections.hotbackup.oracle.plugins.module_utils._backup.errors import (
    ConnectError,
    ConnectionLost,
    WaitTimeout,
)
from ansible_collections.hotbackup.oracle.plugins.module_utils._backup.journal_state import (
    JournalState,
    Window,
    WindowState,
    replay,
)
from ansible_collections.hotbackup.oracle.plugins.module_utils._backup.model import BackupStatus
from ansible_collections.hotbackup.oracle.plugins.module_utils._backup.plain import parse_integer
from ansible_collections.hotbackup.oracle.plugins.module_utils._files.journal import Journal, read_journal
from ansible_collections.hotbackup.oracle.plugins.module_utils._run.windows import (
    ENDED,
    BackupDatabase,
    Ending,
    EndingKind,
    Patience,
    Report,
    end_window,
    window_fields,
)

RUNNER = "runner"
GUARDIAN = "guardian"
NEXT_RUN = "next_run"
USER = "user"


@dataclass(frozen=True)
class Leftover:
    """A window that the journal of a dead run does not show as closed. ``intent_scn`` is None in old
    journals.
    """

    window: Window
    startup_times: tuple[str, ...]
    intent_scn: int | None

    def is_ours(self, status: Mapping[int, BackupStatus]) -> bool:
        """Whether every file of it that is in backup mode now got there by our BEGIN BACKUP.

        A window that was read back is known by its CHANGE#. Of one that was only intended we know that no
        file was in backup mode at the intent's SCN, so what is active now must have begun at or after it.
        """
        for number, scn in self.window.files.items():
            item = status.get(number)
            if item is None or not item.active:
                continue
            if scn is not None:
                if item.scn != scn:
                    return False
            elif self.intent_scn is not None and item.scn < self.intent_scn:
                return False
        return True


@dataclass(frozen=True)
class Ended:
    """What became of one window that a dead run left: the words that follow "backup mode of" its tablespace."""

    tablespace: str
    what: str


def sentences(ended: Sequence[Ended]) -> list[str]:
    """One sentence for all tablespaces that ended alike, in the order of the first of each."""
    alike: dict[str, list[str]] = {}
    for item in ended:
        alike.setdefault(item.what, []).append(item.tablespace)
    return [f"backup mode of {', '.join(names)}{what}" for what, names in alike.items()]


def ended_windows(records: Sequence[Mapping[str, Any]]) -> list[Ended]:
    """What these records of a journal say of windows that were ended."""
    return [
        _ended(record["tablespace"], record.get("by", RUNNER), record.get("reason", ENDED))
        for record in records
        if record["event"] == "window_closed"
    ]


def _ended(tablespace: str, by: str, reason: str) -> Ended:
    if by != USER and reason == ENDED:
        return Ended(tablespace, f" was ended by the {by.replace('_', ' ')}")
    return Ended(tablespace, f": {reason}")


def find_leftovers(records: Sequence[Mapping[str, Any]]) -> list[Leftover]:
    """The windows a journal leaves open, in the order they were opened. Raises VerificationError."""
    state = replay(records)
    intents = {
        (record["tablespace"], record.get("con_id", 0)): record
        for record in records
        if record["event"] == "window_intent"
    }
    return [_leftover(window, intents[(window.tablespace, window.con_id)]) for window in state.open_windows]


def _leftover(window: Window, intent: Mapping[str, Any]) -> Leftover:
    scn = intent.get("current_scn")
    return Leftover(
        window=window,
        startup_times=tuple(intent.get("startup_times", ())),
        intent_scn=None if scn is None else parse_integer(scn, "current_scn"),
    )


def end_leftovers(
    database: BackupDatabase, journal_path: Path, by: str, patience: Patience, report: Report
) -> list[str]:
    """End every window the journal leaves open and journal how; return it in sentences.

    The run that opened them must be dead: the caller holds the lease. Raises ConnectError or ConnectionLost
    when the database stayed unreachable, VerificationError if the journal is damaged.
    """
    records = read_journal(journal_path)
    leftovers = find_leftovers(records)
    if not leftovers:
        return []
    state = replay(records)
    _wait_for_dead_sessions(database, state.set_id, patience, report)
    ended = []
    with Journal.open(journal_path) as journal:
        for leftover in leftovers:
            ending = _end(database, leftover, patience, report)
            ended.append(record_ending(journal, state, leftover.window, ending, by, leftover.window.run_id))
    return sentences(ended)


def record_ending(
    journal: Journal, state: JournalState, window: Window, ending: Ending, by: str, run_id: str
) -> Ended:
    """Journal how a window ended and discard the copies that an unsound ending makes worthless."""
    by = by if ending.sound else USER
    if ending.kind is not EndingKind.STILL_ACTIVE:
        fields = window_fields(window.tablespace, window.con_id, window.files)
        journal.append(
            "window_closed",
            run_id=run_id,
            **fields,
            end_scn=ending.end_scn,
            by=by,
            reason=ending.reason,
        )
    if not ending.sound:
        for number, scn in window.files.items():
            copied = state.files.get(number)
            if copied is not None and scn is not None and copied.begin_scn == scn:
                journal.append("file_discarded", run_id=run_id, file_number=number, reason=ending.reason)
    return _ended(window.tablespace, by, ending.reason)


def _end(database: BackupDatabase, leftover: Leftover, patience: Patience, report: Report) -> Ending:
    window = leftover.window
    if window.state is WindowState.INTENDED:
        status = _read(database, window, patience)
        if not any(item.active for item in status.values()) or not leftover.is_ours(status):
            # Nothing was copied in it: whoever is in backup mode now, it is not ours to end.
            return Ending(EndingKind.ENDED, database.current_scn(), "was never begun")
        files: dict[int, int | None] = {number: item.scn for number, item in status.items() if item.active}
    else:
        files = dict(window.files)
    return end_window(
        database,
        window.tablespace,
        window.con_id,
        files,
        leftover.startup_times,
        patience,
        report,
        asked_before=window.state is WindowState.CLOSING,
    )


def _read(database: BackupDatabase, window: Window, patience: Patience) -> Mapping[int, BackupStatus]:
    while True:
        try:
            return database.backup_status(tuple(window.files))
        except (ConnectError, ConnectionLost, WaitTimeout) as exc:
            patience.after(exc)


def _wait_for_dead_sessions(
    database: BackupDatabase, set_id: str, patience: Patience, report: Report
) -> None:
    """A BEGIN BACKUP that was under way when its client died goes on in the server, sometimes for minutes:
    only when that session is gone does V$BACKUP say what became of it.
    """
    waiting = False
    while True:
        try:
            if not database.run_is_connected(set_id):
                return
            patience.reached()
        except (ConnectError, ConnectionLost, WaitTimeout) as exc:
            report(f"the database does not answer: {exc.message}")
            patience.after(exc)
            continue
        if not waiting:
            report("waiting for the dead run's session to end")
            waiting = True
        patience.pause()
