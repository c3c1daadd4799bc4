# Copyright (c) 2026 hotbackup contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""ALTER DATABASE RECOVER: the conversation belongs to the session that began it."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime
from typing import TYPE_CHECKING

from oracle_simulator.errors import OracleError
from oracle_simulator.instance.recovery.media_recovery import RecoverySession, RecoverySpec
from oracle_simulator.sql.ddl.containers import (
    find_container,
    outside_container,
    require_cdb,
    within_container,
)
from oracle_simulator.sql.ddl.database_statements import find_files_in_scope
from oracle_simulator.sql.parser import pluggable_statements as pst
from oracle_simulator.sql.parser import statements as st
from oracle_simulator.sql.query import masks

if TYPE_CHECKING:
    from oracle_simulator.sql.session import DatabaseSession

_UNTIL_TIME = "YYYY-MM-DD:HH24:MI:SS"


def _recover(session: DatabaseSession, statement: st.Recover) -> None:
    _require_recover(session)
    if statement.scope == "LOGFILE":
        logfile = statement.logfile or ""
        _step(session, lambda recovery: recovery.logfile(logfile))
        return
    session.instance.require_mounted()
    spec = _spec(session, statement)
    if spec.incomplete:
        data = session.open_data
        session.privileges.require(data.dictionary if data else None, "RECOVER INCOMPLETE")
    if session.record.recovery is not None:
        raise OracleError(275, "media recovery has already been started")
    session.record.recovery = RecoverySession(session.instance, spec)
    _step(session, lambda recovery: recovery.start())


def _require_recover(session: DatabaseSession) -> None:
    data = session.open_data
    session.privileges.require(data.dictionary if data else None, "RECOVER")
    if session.record.client.server != "DEDICATED":
        raise OracleError(281, "media recovery may not be performed using dispatcher")


def _spec(session: DatabaseSession, statement: st.Recover) -> RecoverySpec:
    return RecoverySpec(
        file_numbers=_file_numbers(session, statement),
        automatic=statement.automatic,
        directory=statement.directory,
        until_cancel=statement.until_cancel,
        until_scn=statement.until_change,
        until_time=_moment(session, statement.until_time),
        until_consistent=statement.until_consistent,
        snapshot_time=_moment(session, statement.snapshot_time),
        test=statement.test,
        allowed_corruption=statement.allowed_corruption,
        using_backup_controlfile=statement.using_backup_controlfile,
        standby=statement.standby,
    )


def _moment(session: DatabaseSession, literal: str | None) -> datetime | None:
    return None if literal is None else masks.read_moment(literal, _UNTIL_TIME, session.now)


def _file_numbers(session: DatabaseSession, statement: st.Recover) -> tuple[int, ...] | None:
    if statement.scope == "DATAFILE":
        return tuple(record.file_number for record in find_files_in_scope(session, statement.files))
    if statement.scope != "TABLESPACE":
        return _files_of_container(session)
    session.require_open()
    control = session.instance.control
    numbers: list[int] = []
    for name in statement.tablespaces:
        tablespace = control.tablespace_named(name, session.con_id)
        if tablespace is None:
            raise OracleError(959, f"tablespace '{name}' does not exist")
        numbers += [record.file_number for record in control.files_of(tablespace)]
    return tuple(numbers)


def _files_of_container(session: DatabaseSession) -> tuple[int, ...] | None:
    """RECOVER DATABASE means the online files of a pluggable database in that, and the whole CDB in the root."""
    if session.scope is None:
        return None
    files = session.instance.control.datafiles
    return tuple(file.file_number for file in files if file.con_id == session.scope and file.online)


def _pluggable(session: DatabaseSession, statement: pst.PluggableRecover) -> None:
    """ALTER PLUGGABLE DATABASE RECOVER, in that pluggable database. Raises ORA-65046 from outside."""
    require_cdb(session)
    if session.scope is None:
        raise outside_container()
    for name in statement.target.names:
        if find_container(session, name).con_id != session.con_id:
            raise within_container()
    if isinstance(statement.recover, st.RecoverContinue):
        _continue(session, statement.recover)
    else:
        _recover(session, statement.recover)


def _step(session: DatabaseSession, action: Callable[[RecoverySession], None]) -> None:
    recovery = session.record.recovery
    if recovery is None:
        raise OracleError(1112, "media recovery not started")
    try:
        action(recovery)
    finally:
        if not recovery.active:
            session.record.recovery = None


def _continue(session: DatabaseSession, statement: st.RecoverContinue) -> None:
    _require_recover(session)
    if statement.default:
        _step(session, lambda recovery: recovery.continue_default())
    else:
        _step(session, lambda recovery: recovery.continue_())


def _cancel(session: DatabaseSession, statement: st.RecoverCancel) -> None:
    _require_recover(session)
    _step(session, lambda recovery: recovery.cancel())


HANDLERS = {
    st.Recover: _recover,
    st.RecoverContinue: _continue,
    st.RecoverCancel: _cancel,
    pst.PluggableRecover: _pluggable,
}
