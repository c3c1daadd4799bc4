# Copyright (c) 2026 hotbackup contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Which log media recovery needs next, where it may be found, and whether a given file is that log."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING

from oracle_simulator.errors import OracleError
from oracle_simulator.instance.control_file.control import (
    ArchivedLogRecord,
    ControlState,
    IncarnationRecord,
    LogHistoryRecord,
    RedoGroup,
)
from oracle_simulator.instance.messages import ErrorLine, os_lines
from oracle_simulator.instance.recovery.crash_recovery import readable_member, unfinished_switch
from oracle_simulator.storage.log_header import LogHeader, RedoCorrupt
from oracle_simulator.storage.redo_log import read_log_header, reopened

if TYPE_CHECKING:
    from oracle_simulator.instance.instance import Instance


@dataclass(frozen=True)
class Position:
    """Where recovery is: all redo before ``scn`` is applied; what follows is in log ``sequence`` of ``thread``
    and ``incarnation``. The sequence is None when only the SCN is known."""

    scn: int
    time: datetime | None
    incarnation: IncarnationRecord
    thread: int
    sequence: int | None


@dataclass(frozen=True)
class LogSource:
    """A log found for a position."""

    path: Path
    header: LogHeader


class NotTheLog(Exception):
    """A file offered for a position is not the log: the error to say so."""

    def __init__(self, error: OracleError) -> None:
        super().__init__(error.message)
        self.error = error


def suggestion(instance: Instance, position: Position, directory: str | None) -> Path:
    """The name ORA-00289 suggests: from ``directory`` or the first destination, and log_archive_format."""
    sequence = position.sequence or 0
    name = instance.parameters.archived_log_name(position.thread, sequence, position.incarnation.resetlogs_id)
    if directory:
        return Path(directory) / name
    destination = instance.archiver.destinations[0]
    if destination.in_recovery_area:
        return instance.recovery_area.suggested_log_name(position.thread, sequence)
    return destination.file(name)


def recorded_log(instance: Instance, position: Position) -> Path | None:
    """The archived log that only the control file can name for a position: AUTOMATIC looks it up.

    That is one in the recovery area, or one registered by hand on a standby.
    """
    wanted = (position.incarnation.resetlogs_id, position.thread, position.sequence)
    for log in instance.control.archived_logs:
        only_here = log.in_recovery_area or log.registrar == "RFS"
        if only_here and log.name and (log.resetlogs_id, log.thread, log.sequence) == wanted:
            return Path(log.name)
    return None


def request_lines(position: Position, suggested: Path, name_unknown: bool) -> list[ErrorLine]:
    """ORA-00279, ORA-00289 and ORA-00280: the log that is needed.

    When only the SCN is known ORA-00280 is left out or, with ``name_unknown``, says sequence #0.
    """
    moment = position.time.strftime("%m/%d/%Y %H:%M:%S") if position.time else ""
    lines: list[ErrorLine] = [
        (279, f"change {position.scn} generated at {moment} needed for thread {position.thread}"),
        (289, f"suggestion : {suggested}"),
    ]
    if position.sequence is not None or name_unknown:
        place = f"thread {position.thread} is in sequence #{position.sequence or 0}"
        lines.append((280, f"change {position.scn} for {place}"))
    return lines


def online_log(instance: Instance, position: Position) -> LogSource | None:
    """The online log of a position by the control file, if there is one and it can be read."""
    control = instance.control
    database = control.database
    here = (position.incarnation.resetlogs_scn, position.incarnation.resetlogs_id)
    if here != (database.resetlogs_scn, database.resetlogs_id):
        return None
    for group in control.groups_of(position.thread):
        if group.status != "UNUSED" and _holds(group, position):
            try:
                path, header = readable_member(group, instance.disk)
            except OracleError:
                return None
            if (
                group.status == "CURRENT"
                and not header.current
                and unfinished_switch(instance, group.thread) is not None
            ):
                header = reopened(header)
            return LogSource(path, header)
    return None


def offered_log(instance: Instance, path: Path, position: Position) -> LogSource:
    """The log in ``path``, verified to be the one needed.

    Raises NotTheLog with ORA-00308 when it can't be opened, ORA-00311 when it is no log, ORA-00342 for
    another database or incarnation, ORA-00325 for another thread, ORA-00310 for another sequence (ORA-00326
    or ORA-00328 when only the SCN is known), ORA-00332 when it is cut short; all but the first with ORA-00334
    naming the file.
    """
    named = (334, f"archived log: '{path}'")
    try:
        header = read_log_header(path, disk=instance.disk)
        size = path.stat().st_size
    except OSError as exc:
        raise NotTheLog(OracleError(308, f"cannot open archived log '{path}'", *os_lines(exc))) from exc
    except RedoCorrupt as exc:
        raise NotTheLog(OracleError(311, "cannot read header from archived log", named)) from exc
    incarnation = position.incarnation
    branch = (incarnation.resetlogs_scn, incarnation.resetlogs_id)
    if header.dbid != instance.control.database.dbid or (header.resetlogs_scn, header.resetlogs_id) != branch:
        text = f"archived log does not have expected resetlogs SCN {incarnation.resetlogs_scn}"
        raise NotTheLog(OracleError(342, text, named))
    if header.thread != position.thread:
        text = f"archived log for thread {position.thread}, wrong thread # {header.thread} in header"
        raise NotTheLog(OracleError(325, text, named))
    if position.sequence is None:
        _refuse_other_changes(header, position, named)
    elif header.sequence != position.sequence:
        text = f"archived log contains sequence {header.sequence}; sequence {position.sequence} required"
        raise NotTheLog(OracleError(310, text, named))
    written = header.next_available_block
    if written is not None and size < written * header.block_size:
        text = "archived log is too small - may be incompletely archived"
        raise NotTheLog(OracleError(332, text, named))
    return LogSource(path, header)


def _holds(group: RedoGroup, position: Position) -> bool:
    if position.sequence is not None:
        return group.sequence == position.sequence
    return group.first_scn <= position.scn and (group.next_scn is None or position.scn < group.next_scn)


def _refuse_other_changes(header: LogHeader, position: Position, named: ErrorLine) -> None:
    if header.first_scn > position.scn:
        text = f"log begins at change {header.first_scn}, need earlier change {position.scn}"
        raise NotTheLog(OracleError(326, text, named))
    if header.next_scn is not None and header.next_scn <= position.scn:
        text = f"archived log ends at change {header.next_scn}, need later change {position.scn}"
        raise NotTheLog(OracleError(328, text, named))


def next_incarnation(control: ControlState, incarnation: IncarnationRecord) -> IncarnationRecord | None:
    """The child of an incarnation on the way to the current one; None for the current one itself."""
    current = control.incarnation(control.database.resetlogs_scn, control.database.resetlogs_id)
    child: IncarnationRecord | None = None
    while current is not None and current is not incarnation:
        child, number = current, current.prior_number
        current = next((record for record in control.incarnations if record.number == number), None)
    return child if current is not None else None


def is_ancestor(control: ControlState, incarnation: IncarnationRecord) -> bool:
    """Whether redo of ``incarnation`` leads to the current one (which leads to itself)."""
    database = control.database
    if (incarnation.resetlogs_scn, incarnation.resetlogs_id) == (
        database.resetlogs_scn,
        database.resetlogs_id,
    ):
        return True
    return next_incarnation(control, incarnation) is not None


def sequence_of(
    control: ControlState, scn: int, thread: int, incarnation: IncarnationRecord | None = None
) -> int | None:
    """The sequence of the log of a thread that holds ``scn``, by the control file's records; of the current
    incarnation unless another is given."""
    database = control.database
    branch = database.resetlogs_id if incarnation is None else incarnation.resetlogs_id
    if branch == database.resetlogs_id:
        for group in control.groups_of(thread):
            holds = group.first_scn <= scn and (group.next_scn is None or scn < group.next_scn)
            if group.sequence and holds:
                return group.sequence
    logs: list[ArchivedLogRecord | LogHistoryRecord] = [*control.archived_logs, *control.log_history]
    for log in logs:
        if (log.thread, log.resetlogs_id) == (thread, branch) and log.first_scn <= scn < log.next_scn:
            return log.sequence
    return None
