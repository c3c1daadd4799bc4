# Copyright (c) 2026 hotbackup contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What RMAN does to archived logs and to their records in the control file.

Source: Backup and Recovery Reference, CROSSCHECK, DELETE, BACKUP ... DELETE INPUT, CHANGE, CATALOG;
Database Reference, V$ARCHIVED_LOG.
"""

from __future__ import annotations

import contextlib
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from oracle_simulator.errors import OracleError
from oracle_simulator.instance.control_file.control import AVAILABLE, DELETED, EXPIRED, ArchivedLogRecord
from oracle_simulator.instance.messages import os_lines
from oracle_simulator.storage.log_header import RedoCorrupt
from oracle_simulator.storage.oracle_time import encode_time
from oracle_simulator.storage.redo_log import read_log_header

if TYPE_CHECKING:
    from oracle_simulator.instance.instance import Instance

Chosen = Callable[[ArchivedLogRecord], bool]


@dataclass(frozen=True)
class Outcome:
    """The names of the files a command dealt with, and of those it left alone although they were meant."""

    done: tuple[str, ...]
    left: tuple[str, ...] = ()


def crosscheck(instance: Instance) -> Outcome:
    """CROSSCHECK ARCHIVELOG ALL: records of missing files become EXPIRED, of files that are back AVAILABLE.

    Returns the names of the files that were found; those not found are "left".
    """
    found: list[str] = []
    missing: list[str] = []
    for log in _records(instance, lambda log: log.status in (AVAILABLE, EXPIRED)):
        name = log.name or ""
        there = Path(name).is_file()
        log.status = AVAILABLE if there else EXPIRED
        (found if there else missing).append(name)
    instance.save_control()
    return Outcome(tuple(found), tuple(missing))


def delete(instance: Instance, chosen: Chosen, force: bool = False) -> Outcome:
    """DELETE ARCHIVELOG: the files go, and their records say so.

    Without ``force`` a record that says AVAILABLE while its file is gone (RMAN-06207) is left for CROSSCHECK.
    """
    done: list[str] = []
    left: list[str] = []
    for log in _records(instance, chosen):
        name = log.name or ""
        if log.status == AVAILABLE and not force and not Path(name).is_file():
            left.append(name)
            continue
        forget_file(log)
        done.append(name)
    instance.save_control()
    instance.archiver.retry()  # there may be room again
    return Outcome(tuple(done), tuple(left))


def back_up(instance: Instance, chosen: Chosen) -> Outcome:
    """BACKUP ARCHIVELOG: the records count one backup more. To the tape that nobody has mounted, so to say."""
    logs = [log for log in _records(instance, chosen) if Path(log.name or "").is_file()]
    for log in logs:
        log.backup_count += 1
    instance.save_control()
    instance.archiver.retry()  # what is backed up can be reclaimed
    return Outcome(tuple(log.name or "" for log in logs))


def change_status(instance: Instance, chosen: Chosen, status: str) -> Outcome:
    """CHANGE ARCHIVELOG ... AVAILABLE or UNAVAILABLE."""
    logs = _records(instance, chosen)
    for log in logs:
        log.status = status
    instance.save_control()
    return Outcome(tuple(log.name or "" for log in logs))


def uncatalog(instance: Instance, chosen: Chosen) -> Outcome:
    """CHANGE ARCHIVELOG ... UNCATALOG: the records are gone, the files stay."""
    logs = _records(instance, chosen)
    with instance.latch:
        instance.control.archived_logs = [log for log in instance.control.archived_logs if log not in logs]
    instance.save_control()
    return Outcome(tuple(log.name or "" for log in logs))


def register(instance: Instance, path: Path, registrar: str, replace: bool = False) -> Outcome:
    """CATALOG ARCHIVELOG 'f' (registrar RMAN), ALTER DATABASE REGISTER LOGFILE 'f' (RFS): one more record.

    Raises ORA-00308 for a file that can't be opened, ORA-00311 for one that is no log, ORA-00342 for one of
    another database, ORA-00332 for one that is not complete, ORA-16089 for one that is registered already
    unless it is to be replaced.
    """
    instance.require_mounted()
    named = (334, f"archived log: '{path}'")
    try:
        header = read_log_header(path, disk=instance.disk)
        size = path.stat().st_size
    except OSError as exc:
        raise OracleError(308, f"cannot open archived log '{path}'", *os_lines(exc)) from exc
    except RedoCorrupt as exc:
        raise OracleError(311, "cannot read header from archived log", named) from exc
    now = instance.wall_clock.second()
    with instance.latch:
        control = instance.control
        others = [log for log in control.archived_logs if log.name != str(path)]
        if len(others) < len(control.archived_logs) and not replace:
            raise OracleError(16089, "archive log has already been registered")
        if header.dbid != control.database.dbid:
            raise OracleError(342, "archived log does not have expected resetlogs SCN", named)
        written = header.next_available_block
        if written is None or header.next_scn is None or size < written * header.block_size:
            raise OracleError(332, "archived log is too small - may be incompletely archived", named)
        control.archived_logs = others
        control.archived_logs.append(
            ArchivedLogRecord(
                recid=control.take_recid(),
                stamp=encode_time(now),
                name=str(path),
                dest_id=0,
                thread=header.thread,
                sequence=header.sequence,
                resetlogs_scn=header.resetlogs_scn,
                resetlogs_id=header.resetlogs_id,
                first_scn=header.first_scn,
                first_time=header.first_time,
                next_scn=header.next_scn,
                next_time=header.next_time,
                blocks=written - 1,
                block_size=header.block_size,
                completion_time=now,
                creator="ARCH",
                registrar=registrar,
                in_recovery_area=instance.recovery_area.holds(path),
            )
        )
    instance.save_control()
    return Outcome((str(path),))


def forget_file(log: ArchivedLogRecord) -> None:
    """Delete the file of a record, if it is there, and say so in the record."""
    if log.name is not None:
        with contextlib.suppress(OSError):
            Path(log.name).unlink()
    log.name, log.deleted, log.status = None, True, DELETED


def _records(instance: Instance, chosen: Chosen) -> list[ArchivedLogRecord]:
    instance.require_mounted()
    with instance.latch:
        every = instance.control.archived_logs
        return [log for log in every if log.name is not None and not log.deleted and chosen(log)]
