# Copyright (c) 2026 hotbackup contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The current container of a session, and which statements it allows."""

from __future__ import annotations

from typing import TYPE_CHECKING

from oracle_simulator.errors import OracleError
from oracle_simulator.instance.container import ROOT, ContainerRecord
from oracle_simulator.instance.messages import not_open
from oracle_simulator.net.backend import AdminMode
from oracle_simulator.sql.ddl.privileges import Privileges
from oracle_simulator.sql.parser import pluggable_statements as pst
from oracle_simulator.sql.parser import statements as st

if TYPE_CHECKING:
    from oracle_simulator.sql.session import DatabaseSession

_WHOLE_DATABASE: tuple[type[st.Statement], ...] = (
    st.SwitchLogfile,
    st.ArchiveLog,
    st.SetParameters,
    st.MountDatabase,
    st.DismountDatabase,
    st.BackupControlfile,
    st.ArchiveMode,
    st.ForceLogging,
    st.AddLogfile,
    st.DropLogfile,
    st.ClearLogfile,
    st.AddLogMember,
    st.DropLogMember,
    st.EnableThread,
    st.DisableThread,
    st.CreateControlfile,
    st.CreateParameterFile,
    pst.CreatePluggable,
    pst.DropPluggable,
)
"""Statements about what all containers share."""


def within_container() -> OracleError:
    """ORA-65040."""
    return OracleError(65040, "operation not allowed from within a pluggable database")


def outside_container() -> OracleError:
    """ORA-65046."""
    return OracleError(65046, "operation not allowed from outside a pluggable database")


def require_cdb(session: DatabaseSession) -> None:
    """Raises ORA-01507, ORA-65090 (no container database)."""
    session.instance.require_mounted()
    if not session.instance.control.containers:
        raise OracleError(65090, "operation only allowed in a container database")


def in_container(session: DatabaseSession, statement: st.Statement) -> st.Statement:
    """What a statement means in the current container: ALTER DATABASE OPEN opens the pluggable database.

    Raises ORA-65040 in a pluggable database for a statement about the whole.
    """
    if session.con_id <= ROOT:
        return statement
    if isinstance(statement, _WHOLE_DATABASE):
        raise within_container()
    if isinstance(statement, st.OpenDatabase):
        if statement.resetlogs is not None:
            raise within_container()
        return pst.OpenPluggable(pst.PluggableTarget(), statement.read_only)
    if isinstance(statement, st.CloseDatabase):
        return pst.ClosePluggable(pst.PluggableTarget(), "IMMEDIATE")
    if isinstance(statement, st.Recover) and _incomplete(statement):
        raise within_container()
    return statement


def _incomplete(statement: st.Recover) -> bool:
    until = statement.until_change is not None or statement.until_time is not None
    return until or statement.until_cancel or statement.using_backup_controlfile


def find_container(session: DatabaseSession, name: str) -> ContainerRecord:
    """A container by name, as written or in upper case. Raises ORA-65011."""
    for wanted in (name, name.upper()):
        for record in session.instance.control.containers:
            if record.name == wanted:
                return record
    raise OracleError(65011, f"Pluggable database {name.upper()} does not exist.")


def set_container(session: DatabaseSession, name: str) -> None:
    """ALTER SESSION SET CONTAINER: an uncommitted transaction stays where it is.

    Raises ORA-65090, ORA-65011, ORA-01031 (no SET CONTAINER in that container; a local user has nowhere to go),
    ORA-01109 (not open, and the session is no administrator's).
    """
    require_cdb(session)
    record = find_container(session, name)
    if session.record.mode is AdminMode.NORMAL and record.con_id != session.con_id:
        _require_set_container(session, record)
    session.record.con_id = record.con_id
    session.record.schema = session.user


def _require_set_container(session: DatabaseSession, record: ContainerRecord) -> None:
    user = session.require_open().dictionary.find_user(session.user)
    if user is None or not user.common:
        raise OracleError(1031, "insufficient privileges")
    target = session.database.containers.get(record.con_id)
    if target is None:
        raise not_open()
    Privileges(session.user, AdminMode.NORMAL).require(target.dictionary, "SET CONTAINER")
