# Copyright (c) 2026 hotbackup contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""ALTER SYSTEM and ALTER SESSION."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from oracle_simulator.errors import OracleError
from oracle_simulator.instance.cache.checkpoint import checkpoint_now
from oracle_simulator.instance.container import NON_CDB, ROOT
from oracle_simulator.instance.parameter_changes import change_parameter
from oracle_simulator.instance.redo import redo_switch
from oracle_simulator.sql.ddl import containers
from oracle_simulator.sql.ddl.redo_statements import thread_of_instance
from oracle_simulator.sql.parser import statements as st
from oracle_simulator.sql.query import masks
from oracle_simulator.sql.query.time_zones import zone_name

if TYPE_CHECKING:
    from oracle_simulator.instance.control_file.control import RedoGroup
    from oracle_simulator.sql.session import DatabaseSession
    from oracle_simulator.sql.session_registry import SessionRecord

_SESSION_PARAMETERS = frozenset(
    {
        "nls_language",
        "nls_territory",
        "nls_currency",
        "nls_iso_currency",
        "nls_numeric_characters",
        "nls_calendar",
        "nls_date_language",
        "nls_sort",
        "nls_comp",
        "nls_time_format",
        "nls_time_tz_format",
        "nls_dual_currency",
        "nls_length_semantics",
        "nls_nchar_conv_excp",
        "time_zone",
        "isolation_level",
        "sql_trace",
        "events",
        "optimizer_mode",
        "cursor_sharing",
        "statistics_level",
        "edition",
        "error_on_overlap_time",
        "plsql_optimize_level",
        "recyclebin",
        "ddl_lock_timeout",
        "tracefile_identifier",
    }
)


def _require_alter_system(session: DatabaseSession) -> None:
    data = session.open_data
    session.privileges.require(data.dictionary if data else None, "ALTER SYSTEM")


def _switch_logfile(session: DatabaseSession, statement: st.SwitchLogfile) -> None:
    _require_alter_system(session)
    session.instance.require_mounted()
    if statement.every_thread:
        redo_switch.switch_all_logfiles(session.instance, session.is_cancelled)
    else:
        redo_switch.switch_logfile(session.instance, session.is_cancelled)


def _archive_log(session: DatabaseSession, statement: st.ArchiveLog) -> None:
    _require_alter_system(session)
    instance = session.instance
    instance.require_mounted()
    thread = thread_of_instance(instance, statement.instance) if statement.instance is not None else None
    cancelled, to = session.is_cancelled, statement.destination
    match statement.what:
        case "CURRENT" if statement.noswitch:
            redo_switch.archive_log_noswitch(instance, to)
        case "START" | "STOP":
            return  # archiving has been automatic since 10g; the words are still taken
        case "CURRENT":
            redo_switch.archive_log_current(instance, cancelled, to, thread)
        case "ALL":
            redo_switch.archive_log_all(instance, cancelled, to, thread)
        case "NEXT":
            redo_switch.archive_log_next(instance, cancelled, to, thread)
        case "SEQUENCE":
            number = thread or session.record.instance_number
            redo_switch.archive_log_sequence(instance, statement.number or 0, cancelled, to, number)
        case "GROUP" | "CHANGE" | "LOGFILE":
            redo_switch.archive_log_group(instance, _group_of(session, statement, thread), cancelled, to)


def _group_of(session: DatabaseSession, statement: st.ArchiveLog, thread: int | None) -> RedoGroup:
    for group in session.instance.control.redo_groups:
        holds = group.first_scn <= (statement.number or 0) < (group.next_scn or 1 << 63)
        here = group.thread == (thread or session.record.instance_number)
        if (
            (statement.what == "GROUP" and group.group == statement.number)
            or (statement.what == "LOGFILE" and statement.logfile in group.members)
            or (statement.what == "CHANGE" and here and group.status != "UNUSED" and holds)
        ):
            return group
    wanted = statement.logfile or f"{statement.what.lower()} {statement.number}"
    raise OracleError(268, f"specified log file does not exist '{wanted}'")


def _checkpoint(session: DatabaseSession, statement: st.Checkpoint) -> None:
    _require_alter_system(session)
    session.instance.require_mounted()
    checkpoint_now(session.instance, session.is_cancelled)


def _register_services(session: DatabaseSession, statement: st.RegisterServices) -> None:
    _require_alter_system(session)
    session.database.register_services()


def _suspend(session: DatabaseSession, statement: st.SuspendDatabase) -> None:
    _require_alter_system(session)
    suspension = session.instance.disk.suspension
    if statement.suspended:
        suspension.suspend()
    else:
        suspension.resume()


def _other_session(session: DatabaseSession, sid: int, serial: int) -> SessionRecord:
    _require_alter_system(session)
    record = session.registry.find(sid, serial)
    if record is None or session.con_id not in (NON_CDB, ROOT, record.con_id):
        raise OracleError(30, "User session ID does not exist.")
    if record is session.record:
        raise OracleError(27, "cannot kill current session")
    return record


def _kill_session(session: DatabaseSession, statement: st.KillSession) -> None:
    record = _other_session(session, statement.sid, statement.serial)
    session.registry.kill(record, OracleError(28, "your session has been killed"))


def _disconnect_session(session: DatabaseSession, statement: st.DisconnectSession) -> None:
    """Its server process ends: the client is told nothing, it finds its connection closed."""
    record = _other_session(session, statement.sid, statement.serial)
    if statement.post_transaction and record.in_transaction():
        record.leaving = True
        return
    session.registry.kill(record, OracleError(3113, "end-of-file on communication channel"))
    session.database.cut_connection(record.sid)


def _set_parameters(session: DatabaseSession, statement: st.SetParameters) -> None:
    _require_alter_system(session)
    if statement.scope in ("SPFILE", "BOTH"):
        raise OracleError(32001, "write to SPFILE requested but no SPFILE is in use")
    for name, value in statement.settings:
        change_parameter(session.instance, name, value)


def _restricted_session(session: DatabaseSession, statement: st.RestrictedSession) -> None:
    _require_alter_system(session)
    mode = session.instance.container_modes.get(session.con_id)
    if mode is None:
        session.registry.restricted = statement.enabled
    else:
        session.instance.container_modes[session.con_id] = replace(mode, restricted=statement.enabled)
    session.database.register_services()


def _alter_session(session: DatabaseSession, statement: st.AlterSessionSet) -> None:
    record = session.record
    for name, value in statement.settings:
        if name == "current_schema":
            session.set_current_schema(value)
        elif name == "nls_date_format":
            masks.format_moment(session.now, value)
            record.date_format = value
        elif name == "nls_timestamp_format":
            masks.format_moment(session.now, value)
            record.timestamp_format = value
        elif name == "nls_timestamp_tz_format":
            masks.format_moment(session.now, value)
            record.timestamp_tz_format = value
        elif name == "container":
            containers.set_container(session, value)
        elif name not in _SESSION_PARAMETERS and name not in set(session.instance.parameters.names()):
            raise OracleError(2248, "invalid option for ALTER SESSION")
        if name == "isolation_level" and "".join(value.upper().split()) != "READCOMMITTED":
            raise OracleError(3001, "unimplemented feature (transactions that see one moment)")
        if name == "time_zone":
            record.time_zone = zone_name(value)


def _nothing(session: DatabaseSession, statement: st.AlterSessionOther) -> None:
    """Accepted without effect: there is nothing here that the clause could change."""


HANDLERS = {
    st.SwitchLogfile: _switch_logfile,
    st.ArchiveLog: _archive_log,
    st.Checkpoint: _checkpoint,
    st.SuspendDatabase: _suspend,
    st.KillSession: _kill_session,
    st.DisconnectSession: _disconnect_session,
    st.RegisterServices: _register_services,
    st.SetParameters: _set_parameters,
    st.RestrictedSession: _restricted_session,
    st.AlterSessionSet: _alter_session,
    st.AlterSessionOther: _nothing,
}
