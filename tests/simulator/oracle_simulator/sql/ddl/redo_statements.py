# Copyright (c) 2026 hotbackup contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""ALTER DATABASE on online logs and redo threads."""

from __future__ import annotations

from typing import TYPE_CHECKING

from oracle_simulator.errors import OracleError
from oracle_simulator.instance.instance import Instance
from oracle_simulator.instance.redo import clear_log, log_groups, thread_enabling
from oracle_simulator.instance.redo.log_groups import LogReference, NewGroup
from oracle_simulator.instance.redo.thread_states import instance_name
from oracle_simulator.sql.parser import statements as st

if TYPE_CHECKING:
    from oracle_simulator.sql.session import DatabaseSession


def thread_of_instance(instance: Instance, name: str) -> int:
    """The redo thread of an instance, running or not. Raises ORA-02065 for a name nobody has."""
    for record in instance.control.threads:
        if name.upper() == instance_name(instance.home.sid, record.thread).upper():
            return record.thread
    raise OracleError(2065, "illegal option for ALTER SYSTEM")


def _thread(session: DatabaseSession, thread: st.RedoThreadReference | None) -> int:
    if thread is None:
        return session.record.instance_number
    return (
        thread.number if thread.number is not None else thread_of_instance(session.instance, thread.instance)
    )


def _log(log: st.RedoLogReference) -> LogReference:
    return log.group if log.group is not None else log.members


def _require(session: DatabaseSession) -> Instance:
    data = session.open_data
    session.privileges.require(data.dictionary if data else None, "ALTER DATABASE")
    session.instance.require_mounted()
    return session.instance


def _add_logfile(session: DatabaseSession, statement: st.AddLogfile) -> None:
    instance = _require(session)
    groups = [
        NewGroup(group.members, group.group, group.size_bytes, group.block_size or 512, group.reuse)
        for group in statement.groups
    ]
    log_groups.add_groups(instance, _thread(session, statement.thread), groups)


def _add_log_member(session: DatabaseSession, statement: st.AddLogMember) -> None:
    log_groups.add_members(_require(session), statement.members, _log(statement.log))


def _drop_logfile(session: DatabaseSession, statement: st.DropLogfile) -> None:
    log_groups.drop_groups(_require(session), [_log(log) for log in statement.logs])


def _drop_log_member(session: DatabaseSession, statement: st.DropLogMember) -> None:
    log_groups.drop_members(_require(session), statement.members)


def _clear_logfile(session: DatabaseSession, statement: st.ClearLogfile) -> None:
    instance, logs = _require(session), [_log(log) for log in statement.logs]
    clear_log.clear_logs(instance, logs, statement.unarchived, statement.unrecoverable_datafile)


def _enable_thread(session: DatabaseSession, statement: st.EnableThread) -> None:
    thread_enabling.enable_thread(_require(session), _thread(session, statement.thread), statement.public)


def _disable_thread(session: DatabaseSession, statement: st.DisableThread) -> None:
    thread_enabling.disable_thread(_require(session), _thread(session, statement.thread))


HANDLERS = {
    st.AddLogfile: _add_logfile,
    st.AddLogMember: _add_log_member,
    st.DropLogfile: _drop_logfile,
    st.DropLogMember: _drop_log_member,
    st.ClearLogfile: _clear_logfile,
    st.EnableThread: _enable_thread,
    st.DisableThread: _disable_thread,
}
