# Copyright (c) 2026 hotbackup contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The physical standby role: what a standby control file changes for mounting, opening, recovering and backing up.

A standby is the primary's datafiles with a control file of its own kind. It opens read only, and what brings it
forward is media recovery with the primary's archived logs. Source: Data Guard Concepts and Administration;
SQL Reference, ALTER DATABASE; causes and actions of the messages.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from oracle_simulator.errors import OracleError
from oracle_simulator.instance.control_file.control import REQUIRED, STANDBY, ControlState
from oracle_simulator.instance.headers import identify
from oracle_simulator.instance.recovery.resetlogs import first_inconsistency, reset_logs

if TYPE_CHECKING:
    from oracle_simulator.instance.instance import Instance

_NO_BACKUP_MODE = {
    1109: "database not open",
    1666: "control file is for a standby database",
    16000: "database or pluggable database open for read-only access",
}


def make_standby(state: ControlState) -> None:
    """Turn a copy of a primary's control file into a standby one. Its threads are open elsewhere, not here."""
    state.database.control_file_type = STANDBY
    state.database.open_resetlogs = REQUIRED
    for thread in state.threads:
        thread.status = "CLOSED"
    for group in state.redo_groups:
        group.status = "INACTIVE" if group.status == "ACTIVE" else group.status


def require_standby(state: ControlState) -> None:
    """Raises ORA-01665 for the control file of a primary."""
    if not state.database.is_standby:
        raise OracleError(1665, "control file is not a standby control file")


def refuse_standby(state: ControlState) -> None:
    """Raises ORA-01666 for a standby control file."""
    if state.database.is_standby:
        raise OracleError(1666, "control file is for a standby database")


def refuse_backup_mode(instance: Instance) -> None:
    """Backup mode is for databases open read write. With which code a standby says so is a reading."""
    if instance.control.database.is_standby:
        code = instance.readings.standby_begin_backup
        raise OracleError(code, _NO_BACKUP_MODE[code])


def check_open(instance: Instance, read_write: bool, resetlogs: bool | None) -> None:
    """A standby only opens read only, and only when its files fit together.

    Raises ORA-16003 for READ WRITE, ORA-01666 for RESETLOGS, ORA-10458 above the reason why the files do not
    fit (ORA-01194, ORA-01195, ORA-01113).
    """
    if read_write:
        raise OracleError(16003, "standby database is restricted to read-only access")
    if resetlogs is not None:
        refuse_standby(instance.control)
    problem = first_inconsistency(instance, _applied_scn(instance))
    if problem is not None:
        raise problem.under(10458, "standby database requires recovery")


def activate(instance: Instance) -> None:
    """ACTIVATE PHYSICAL STANDBY DATABASE: a primary of a new incarnation, mounted. Raises as RESETLOGS does."""
    instance.require_mounted()
    require_standby(instance.control)
    with instance.latch:
        instance.control.database.recovery_stop_scn = _applied_scn(instance)
    reset_logs(instance)
    instance.log.write("ALTER DATABASE ACTIVATE PHYSICAL STANDBY DATABASE", "Standby became primary")


def _applied_scn(instance: Instance) -> int:
    online = [record for record in instance.control.datafiles if record.online]
    writable = [record for record in online if record.enabled != "READ ONLY"]
    return max(identify(instance, record).checkpoint.scn for record in writable or online)
