# Copyright (c) 2026 hotbackup contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""ALTER SESSION SET CONTAINER."""

from __future__ import annotations

from typing import TYPE_CHECKING

from oracle_simulator.errors import OracleError
from oracle_simulator.instance.container import ContainerRecord
from oracle_simulator.net.backend import AdminMode
from oracle_simulator.sql.privileges import Privileges

if TYPE_CHECKING:
    from oracle_simulator.sql.session import DatabaseSession


def require_cdb(session: DatabaseSession) -> None:
    """Raises ORA-01507, ORA-65090 (no container database)."""
    session.instance.require_mounted()
    if not session.instance.control.containers:
        raise OracleError(65090, "operation only allowed in a container database")


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
        raise OracleError(1109, "database not open")
    Privileges(session.user, AdminMode.NORMAL).require(target.dictionary, "SET CONTAINER")
