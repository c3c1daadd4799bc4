# Copyright (c) 2026 hotbackup contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""ALTER PLUGGABLE DATABASE, and what else opens, closes, backs up and recovers a pluggable database."""

from __future__ import annotations

from typing import TYPE_CHECKING

from oracle_simulator.data import container_changes
from oracle_simulator.errors import OracleError
from oracle_simulator.instance import backup_mode, datafiles, pluggable
from oracle_simulator.instance.container import ROOT, SEED, ContainerMode, ContainerRecord
from oracle_simulator.instance.messages import not_open
from oracle_simulator.sql.ddl.containers import (
    find_container,
    outside_container,
    require_cdb,
    within_container,
)
from oracle_simulator.sql.parser import pluggable_statements as pst

if TYPE_CHECKING:
    from oracle_simulator.sql.session import DatabaseSession
    from oracle_simulator.sql.session_registry import SessionRecord


# ---------------------------------------------------------------- which


def _chosen(session: DatabaseSession, target: pst.PluggableTarget) -> list[ContainerRecord]:
    """The pluggable databases a statement is about.

    Raises ORA-65090, ORA-65000 (none named in the root), ORA-65040 (another one, from within one), ORA-65011,
    ORA-65017 (the seed).
    """
    require_cdb(session)
    control = session.instance.control
    if target.every:
        if session.con_id != ROOT:
            raise within_container()
        excluded = {find_container(session, name).con_id for name in target.names}
        return [each for each in control.containers if each.pluggable and each.con_id not in excluded]
    if not target.names and session.con_id == ROOT:
        raise OracleError(65000, "missing or invalid pluggable database name")
    found = [find_container(session, name) for name in target.names]
    if not found:
        found = [each for each in control.containers if each.con_id == session.con_id]
    for record in found:
        if session.con_id not in (ROOT, record.con_id):
            raise within_container()
        if record.con_id == SEED:
            raise OracleError(65017, "seed pluggable database may not be dropped or altered")
        if record.con_id == ROOT:
            raise OracleError(65011, f"Pluggable database {record.name} does not exist.")
    return found


def _current(session: DatabaseSession, target: pst.PluggableTarget) -> ContainerRecord:
    """The one pluggable database a statement is about, which must be the current container.

    Raises ORA-65046 from the root, and as :func:`_chosen`.
    """
    require_cdb(session)
    if session.con_id == ROOT:
        raise outside_container()
    (record,) = _chosen(session, target)
    return record


# ---------------------------------------------------------------- open and close


def _require_administrator(session: DatabaseSession) -> None:
    """Oracle wants SYSDBA, SYSOPER, SYSBACKUP or SYSDG, or ALTER PLUGGABLE DATABASE."""
    data = session.database.containers.root
    session.privileges.require(data.dictionary if data else None, "MOUNT", "ALTER PLUGGABLE DATABASE")


def _open(session: DatabaseSession, statement: pst.OpenPluggable) -> None:
    _require_administrator(session)
    if not session.instance.is_open:
        require_cdb(session)
        raise not_open()
    containers = session.database.containers
    mode = ContainerMode(statement.read_only, statement.restricted)
    for record in _chosen(session, statement.target):
        is_open = containers.get(record.con_id) is not None
        if is_open and statement.force:
            _end_sessions(session, record)
            containers.close(record, abort=False)
        elif is_open and statement.target.every:
            continue
        containers.open(record, mode)


def _close(session: DatabaseSession, statement: pst.ClosePluggable) -> None:
    _require_administrator(session)
    containers = session.database.containers
    for record in _chosen(session, statement.target):
        if containers.get(record.con_id) is None:
            if statement.target.every:
                continue
            raise OracleError(65020, f"pluggable database {record.name} already closed")
        if statement.mode != "ABORT" and not session.instance.readings.pluggable_closes_in_backup_mode:
            pluggable.refuse_in_backup(session.instance, record.con_id)
        if statement.mode == "NORMAL":
            _wait_for_sessions(session, record)
        else:
            _end_sessions(session, record)
        containers.close(record, abort=statement.mode == "ABORT")


def _others_in(session: DatabaseSession, record: ContainerRecord) -> list[SessionRecord]:
    every = session.registry.records()
    return [each for each in every if each.con_id == record.con_id and each is not session.record]


def _end_sessions(session: DatabaseSession, record: ContainerRecord) -> None:
    error = OracleError(1089, "immediate shutdown or close in progress - no operations are permitted")
    for each in _others_in(session, record):
        session.registry.kill(each, error)


def _wait_for_sessions(session: DatabaseSession, record: ContainerRecord) -> None:
    own = session.record
    session.registry.wait_until_gone(
        lambda each: each.con_id == record.con_id and each is not own, session.is_cancelled
    )
    if session.is_cancelled():
        raise OracleError(1013, "user requested cancel of current operation")


def _save_state(session: DatabaseSession, statement: pst.SavePluggableState) -> None:
    _require_administrator(session)
    root = session.database.containers.root
    if root is None:
        raise not_open()
    for record in _chosen(session, statement.target):
        mode = None if statement.discard else session.instance.container_modes.get(record.con_id)
        container_changes.save_state(root.dictionary, record, mode, session.is_cancelled)


# ---------------------------------------------------------------- backup and recovery


def _backup_mode(session: DatabaseSession, statement: pst.PluggableBackupMode) -> None:
    record = _current(session, statement.target)
    data = session.open_data
    session.privileges.require(data.dictionary if data else None, "ALTER DATABASE")
    if statement.active:
        backup_mode.begin_database(session.instance, session.is_cancelled, record.con_id)
    else:
        backup_mode.end_database(session.instance, record.con_id)


def _recovery(session: DatabaseSession, statement: pst.PluggableRecovery) -> None:
    """ENABLE or DISABLE RECOVERY: from the root; its files go offline, or online again. The container is closed."""
    _require_administrator(session)
    if session.con_id > ROOT:
        raise within_container()
    instance = session.instance
    for record in _chosen(session, statement.target):
        if session.database.containers.get(record.con_id) is not None:
            raise OracleError(65025, f"Pluggable database {record.name} is not closed on all instances.")
        files = [file for file in instance.control.datafiles if file.con_id == record.con_id]
        if statement.enabled:
            datafiles.online(instance, files)
        else:
            datafiles.offline(instance, files, for_drop=True)
        with instance.latch:
            record.recovery_enabled = statement.enabled
        instance.save_control()


def _datafiles(session: DatabaseSession, statement: pst.PluggableDatafiles) -> None:
    record = _current(session, statement.target)
    data = session.open_data
    session.privileges.require(data.dictionary if data else None, "ALTER DATABASE")
    instance = session.instance
    files = [datafiles.find(instance, each, record.con_id) for each in statement.files]
    if not statement.files:
        files = [file for file in instance.control.datafiles if file.con_id == record.con_id]
    if statement.online:
        datafiles.online(instance, files)
    else:
        datafiles.offline(instance, files)


HANDLERS = {
    pst.OpenPluggable: _open,
    pst.ClosePluggable: _close,
    pst.SavePluggableState: _save_state,
    pst.PluggableBackupMode: _backup_mode,
    pst.PluggableRecovery: _recovery,
    pst.PluggableDatafiles: _datafiles,
}
