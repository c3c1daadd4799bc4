# Copyright (c) 2026 hotbackup contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The few RMAN commands that change what a backup tool finds, or stand in its way.

::

    CROSSCHECK ARCHIVELOG ALL
    DELETE [FORCE] [NOPROMPT] [EXPIRED] ARCHIVELOG {ALL | [UNTIL] SEQUENCE n [THREAD t]}
    BACKUP ARCHIVELOG {ALL | [UNTIL] SEQUENCE n [THREAD t]} [DELETE [ALL] INPUT]
    CHANGE ARCHIVELOG {ALL | [UNTIL] SEQUENCE n [THREAD t]} {AVAILABLE | UNAVAILABLE | UNCATALOG}
    CATALOG ARCHIVELOG 'file'
    BACKUP CURRENT CONTROLFILE

BACKUP writes no backup piece: what matters are the records it leaves of archived logs, and the snapshot it makes
of the control file, during which nobody else may back that up.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path

from oracle_simulator.instance.archiving import archived_log_upkeep as upkeep
from oracle_simulator.instance.archiving.archived_log_upkeep import Chosen, Outcome
from oracle_simulator.instance.control_file import control_file_backup
from oracle_simulator.instance.control_file.control import AVAILABLE, EXPIRED, UNAVAILABLE, ArchivedLogRecord
from oracle_simulator.instance.instance import Instance

_WHICH = r"(?P<which>ALL|(?P<until>UNTIL )?SEQUENCE (?P<sequence>\d+)(?: THREAD (?P<thread>\d+))?)"
_CROSSCHECK = re.compile(r"CROSSCHECK ARCHIVELOG ALL", re.I)
_DELETE = re.compile(
    rf"DELETE (?P<force>FORCE )?(?:NOPROMPT )?(?P<expired>EXPIRED )?ARCHIVELOG {_WHICH}", re.I
)
_BACKUP = re.compile(rf"BACKUP ARCHIVELOG {_WHICH}(?P<delete> DELETE (?P<every>ALL )?INPUT)?", re.I)
_CHANGE = re.compile(rf"CHANGE ARCHIVELOG {_WHICH} (?P<to>AVAILABLE|UNAVAILABLE|UNCATALOG)", re.I)
_CATALOG = re.compile(r"CATALOG ARCHIVELOG '(?P<file>[^']+)'", re.I)


def run_command(instance: Instance, text: str) -> list[str]:
    """Run one command; returns what RMAN says. Raises ValueError for a command not known here,
    ORA-01507, and as :func:`control_file_backup.to_snapshot`."""
    command = " ".join(text.rstrip("; \n").split())
    if _CROSSCHECK.fullmatch(command):
        return list(_crosschecked(upkeep.crosscheck(instance)))
    if found := _DELETE.fullmatch(command):
        return list(_deleted(_delete(instance, found)))
    if found := _BACKUP.fullmatch(command):
        return list(_back_up(instance, found))
    if found := _CHANGE.fullmatch(command):
        return list(_change(instance, found))
    if found := _CATALOG.fullmatch(command):
        outcome = upkeep.register(instance, Path(found["file"]), "RMAN")
        return [f"cataloged archived log\narchived log file name={name}" for name in outcome.done]
    if command.upper() == "BACKUP CURRENT CONTROLFILE":
        return [f"snapshot control file name={control_file_backup.to_snapshot(instance)}"]
    raise ValueError(f"RMAN-01009: syntax error, or not known here: {command}")


def _chosen(found: re.Match[str]) -> Chosen:
    if found["which"].upper() == "ALL":
        return lambda _log: True
    sequence, thread, until = int(found["sequence"]), found["thread"], bool(found["until"])

    def chosen(log: ArchivedLogRecord) -> bool:
        in_range = log.sequence <= sequence if until else log.sequence == sequence
        return in_range and (thread is None or log.thread == int(thread))

    return chosen


def _delete(instance: Instance, found: re.Match[str]) -> Outcome:
    chosen = _chosen(found)
    status = EXPIRED if found["expired"] else AVAILABLE
    return upkeep.delete(
        instance,
        lambda log: log.status == status and chosen(log),
        force=bool(found["force"] or found["expired"]),
    )


def _back_up(instance: Instance, found: re.Match[str]) -> Iterator[str]:
    chosen = _chosen(found)
    # DELETE INPUT deletes the copy that was read; DELETE ALL INPUT those of the other destinations too.
    seen: set[tuple[int, int, int]] = set()

    def first_copy(log: ArchivedLogRecord) -> bool:
        key = (log.resetlogs_id, log.thread, log.sequence)
        fresh = chosen(log) and log.status == AVAILABLE and key not in seen
        seen.update([key] if fresh else [])
        return fresh

    outcome = upkeep.back_up(instance, first_copy)
    yield from (f"input archived log {name}" for name in outcome.done)
    if found["delete"]:
        every = bool(found["every"])
        yield from _deleted(
            upkeep.delete(instance, lambda log: log.name in outcome.done or (every and chosen(log)))
        )


def _change(instance: Instance, found: re.Match[str]) -> Iterator[str]:
    what = found["to"].upper()
    if what == "UNCATALOG":
        outcome = upkeep.uncatalog(instance, _chosen(found))
    else:
        outcome = upkeep.change_status(
            instance, _chosen(found), AVAILABLE if what == "AVAILABLE" else UNAVAILABLE
        )
    yield from (f"changed archived log {what.lower()}: {name}" for name in outcome.done)


def _crosschecked(outcome: Outcome) -> Iterator[str]:
    for name in outcome.done:
        yield f"validation succeeded for archived log\narchived log file name={name}"
    for name in outcome.left:
        yield f"validation failed for archived log\narchived log file name={name}"


def _deleted(outcome: Outcome) -> Iterator[str]:
    yield from (f"deleted archived log\narchived log file name={name}" for name in outcome.done)
    if outcome.left:
        yield "RMAN-06207: warning: objects could not be deleted due to mismatched status. Use CROSSCHECK"
