#!/usr/bin/python
# Copyright (c) 2026 hotbackup contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
from __future__ import annotations

DOCUMENTATION = r"""
module: backup_mode
short_description: Put tablespaces or a whole Oracle database in backup mode, or take them out
version_added: 1.0.0
description:
  - For copies that a play makes by other means, such as storage snapshots. M(hotbackup.oracle.tablespace_backup) copies
    files itself and needs no help from this module.
  - Backup mode has no owner in the database. This module keeps a journal on the database host of what it put in backup
    mode and refuses to end anything else, unless it is named in O(end_foreign).
  - Whether something is in backup mode already is read from V$BACKUP, never inferred from an error.
author:
  - hotbackup contributors (@hotbackup)
options:
  state:
    description: Whether the files shall be in backup mode.
    type: str
    choices: [active, inactive]
    required: true
  scope:
    description:
      - With V(tablespace), the tablespaces of O(tablespaces), one by one.
      - With V(database), all online read-write files at once; meant for copies that take seconds.
    type: str
    choices: [tablespace, database]
    default: tablespace
  tablespaces:
    description:
      - Names or globs of the tablespaces. Needed with O(scope=tablespace), not allowed with O(scope=database).
    type: list
    elements: str
  end_foreign:
    description:
      - Tablespaces whose backup mode may be ended with O(state=inactive) although it is not known to be ours.
      - Ending the backup mode of somebody else's running backup ruins that backup without a sign.
    type: list
    elements: str
    default: []
  destination:
    description:
      - Folder below which backup sets are kept. With it, windows that dead runs of unfinished sets left open are
        recognised as ours.
    type: path
  state_dir:
    description: Folder on the database host for the journal; C(~/.hotbackup/DB_UNIQUE_NAME) by default.
    type: path
extends_documentation_fragment:
  - hotbackup.oracle._connection
  - hotbackup.oracle._attributes
  - hotbackup.oracle._attributes.actiongroup_oracle
attributes:
  check_mode:
    support: full
  diff_mode:
    support: full
  idempotent:
    support: full
notes:
  - Needs ARCHIVELOG mode. Every changed block is logged whole while its file is in backup mode, so keep the time short.
  - A play that dies between V(active) and V(inactive) leaves backup mode on. Use C(block) with C(always), and the
    playbook C(hotbackup.oracle.end_stale_backup_mode) for what even that cannot reach.
  - Read-only and offline tablespaces need no backup mode; they are reported in RV(not_concerned).
seealso:
  - module: hotbackup.oracle.tablespace_backup
  - name: ALTER TABLESPACE
    description: SQL Language Reference, BEGIN BACKUP and END BACKUP.
    link: https://docs.oracle.com/en/database/oracle/oracle-database/19/sqlrf/ALTER-TABLESPACE.html
"""

EXAMPLES = r"""
- name: Take a snapshot of the whole database
  module_defaults:
    group/hotbackup.oracle.oracle:
      login_service: ORCL
      login_user: backup_operator
      login_password: "{{ backup_operator_password }}"
  block:
    - name: Enter backup mode
      hotbackup.oracle.backup_mode:
        state: active
        scope: database

    - name: Take the snapshot
      ansible.builtin.command:
        argv: [/usr/local/sbin/snapshot, oradata]
      changed_when: true
  always:
    - name: Leave backup mode
      hotbackup.oracle.backup_mode:
        state: inactive
        scope: database

- name: End what an old backup script left behind, after making sure that it is not running
  hotbackup.oracle.backup_mode:
    login_service: ORCL
    login_user: backup_operator
    login_password: "{{ backup_operator_password }}"
    state: inactive
    tablespaces: [USERS]
    end_foreign: [USERS]
"""

RETURN = r"""
tablespaces:
  description: The tablespaces that backup mode concerns, as they are now; in check mode, as they would be.
  returned: success
  type: list
  elements: dict
  contains:
    label:
      description: Name of the tablespace, with its container in a container database.
      type: str
    active:
      description: Whether its files are in backup mode.
      type: bool
    files:
      description: Its files. C(begin_scn) is where their backup mode last began, null if that is not known yet.
      type: list
      elements: dict
  sample:
    - label: USERS
      active: true
      files:
        - {file_number: 4, begin_scn: 2871400}
not_concerned:
  description: Selected tablespaces for which there was nothing to do, with the reason.
  returned: success
  type: list
  elements: dict
  sample:
    - {label: HISTORY, reason: "read only: its files do not change"}
statements:
  description: The statements executed; in check mode, those that would be.
  returned: always
  type: list
  elements: str
  sample: ['ALTER TABLESPACE "USERS" BEGIN BACKUP']
foreign:
  description: Tablespaces in backup mode that are not ours.
  returned: when the module refuses to end them
  type: list
  elements: str
  sample: [USERS]
"""

import uuid
from collections.abc import Sequence
from typing import Any

from ansible_collections.hotbackup.oracle.plugins.module_utils._backup.errors import (
    LeaseHeld,
    PreconditionError,
)
from ansible_collections.hotbackup.oracle.plugins.module_utils._backup.layout import DatabaseLayout
from ansible_collections.hotbackup.oracle.plugins.module_utils._backup.mode_plan import (
    ModePlan,
    plan_active,
    plan_inactive,
)
from ansible_collections.hotbackup.oracle.plugins.module_utils._backup.model import (
    BackupStatus,
    Database,
    Tablespace,
)
from ansible_collections.hotbackup.oracle.plugins.module_utils._backup.selection import select_tablespaces
from ansible_collections.hotbackup.oracle.plugins.module_utils._files.journal import Journal
from ansible_collections.hotbackup.oracle.plugins.module_utils._module import (
    ModuleContext,
    OptionSpec,
    connection_spec,
    run_module,
)
from ansible_collections.hotbackup.oracle.plugins.module_utils._oracle.discovery import (
    foreign_sessions,
    read_backup_status,
    read_database,
    read_tablespaces,
)
from ansible_collections.hotbackup.oracle.plugins.module_utils._oracle.gateway import Gateway
from ansible_collections.hotbackup.oracle.plugins.module_utils._run.attach import live_run
from ansible_collections.hotbackup.oracle.plugins.module_utils._run.state_folder import StateFolder
from ansible_collections.hotbackup.oracle.plugins.module_utils._run.user_windows import (
    JOURNAL_NAME,
    OwnedWindow,
    close_window,
    find_owned,
    journals_of,
    open_window,
    statement_of,
)

SPEC = connection_spec() + OptionSpec(
    options={
        "state": {"type": "str", "choices": ["active", "inactive"], "required": True},
        "scope": {"type": "str", "choices": ["tablespace", "database"], "default": "tablespace"},
        "tablespaces": {"type": "list", "elements": "str"},
        "end_foreign": {"type": "list", "elements": "str", "default": []},
        "destination": {"type": "path"},
        "state_dir": {"type": "path"},
    },
    required_if=(("scope", "tablespace", ("tablespaces",)),),
)


def ensure(context: ModuleContext) -> dict[str, Any]:
    params = context.params
    active, whole_database = params["state"] == "active", params["scope"] == "database"
    if whole_database and params["tablespaces"]:
        raise PreconditionError("tablespaces cannot be combined with scope=database.")
    if active and params["end_foreign"]:
        raise PreconditionError("end_foreign cannot be combined with state=active.")
    with context.connect() as gateway:
        database = read_database(gateway)
        tablespaces = read_tablespaces(gateway, database)
        selected = (
            tuple(tablespaces)
            if whole_database
            else select_tablespaces(tablespaces, params["tablespaces"]).tablespaces
        )
        before = _statuses(tablespaces)
        folder = StateFolder.of_database(database.unique_name, params["state_dir"])
        owned = find_owned(journals_of(folder.root, _sets(params["destination"], database)), before)
        owned_files = {number for item in owned for number in item.window.files}
        if active:
            _require_hot_backup_possible(database)
            plan = plan_active(selected, owned_files, whole_database=whole_database)
        else:
            _require_open(database)
            plan = plan_inactive(selected, owned_files, params["end_foreign"], whole_database=whole_database)
        if context.check_mode:
            context.statements.extend(statement_of(change, active=active) for change in plan.changes)
            after = _predicted(before, plan, active)
        else:
            if plan.changes:
                _require_no_live_run(gateway, database, folder)
                _apply(gateway, plan, active, tablespaces, owned, folder)
            after = read_backup_status(gateway)
    concerned = [item for item in selected if item not in [skipped for skipped, _reason in plan.skipped]]
    return {
        "changed": bool(plan.changes),
        "tablespaces": [_result(item, after) for item in concerned],
        "not_concerned": [{"label": item.label, "reason": reason} for item, reason in plan.skipped],
        "statements": context.statements,
        "diff": {
            "before": {item.label: _state(item, before) for item in concerned},
            "after": {item.label: _state(item, after) for item in concerned},
        },
    }


def _apply(
    gateway: Gateway,
    plan: ModePlan,
    active: bool,
    tablespaces: Sequence[Tablespace],
    owned: Sequence[OwnedWindow],
    folder: StateFolder,
) -> None:
    run_id = uuid.uuid4().hex
    if not active:
        for change in plan.changes:
            close_window(gateway, change, owned, run_id)
        return
    folder.create()
    with Journal.open(folder.root / JOURNAL_NAME) as journal:
        for change in plan.changes:
            open_window(gateway, journal, change, tablespaces, run_id)


def _require_hot_backup_possible(database: Database) -> None:
    if database.log_mode != "ARCHIVELOG" or database.open_mode != "READ WRITE":
        raise PreconditionError(
            f"{database.unique_name} is {database.open_mode} in {database.log_mode} mode.",
            hint="Backup mode needs a database that is open READ WRITE in ARCHIVELOG mode.",
        )


def _require_open(database: Database) -> None:
    """END BACKUP at mount only repairs headers: on a file that was restored since, it corrupts the database.

    RECOVER DATABASE is right in every case (Backup and Recovery User's Guide, recovering from a shutdown
    during an online backup).
    """
    if not database.open_mode.startswith("READ"):
        raise PreconditionError(
            f"{database.unique_name} is {database.open_mode}; backup mode is ended only on an open database.",
            hint="After a crash with files in backup mode (ORA-10873): ALTER DATABASE RECOVER DATABASE, then open.",
        )


def _require_no_live_run(gateway: Gateway, database: Database, folder: StateFolder) -> None:
    """The lease shows a runner or guardian of this host, also one without a session at the moment."""
    holder = live_run(folder)
    runs = sorted(
        {session.action for session in foreign_sessions(gateway)} | ({holder.set_id} if holder else set())
    )
    if runs:
        raise LeaseHeld(
            f"A run of set {', '.join(runs)} is at work on {database.unique_name}; backup mode is its business now.",
            hint="Wait until it has ended.",
        )


def _sets(destination: str | None, database: Database) -> DatabaseLayout | None:
    return DatabaseLayout(destination, database.unique_name, database.dbid) if destination else None


def _statuses(tablespaces: Sequence[Tablespace]) -> dict[int, BackupStatus]:
    return {
        item.file_number: BackupStatus(item.backup_status, item.backup_scn, item.backup_time)
        for tablespace in tablespaces
        for item in tablespace.datafiles
    }


def _predicted(before: dict[int, BackupStatus], plan: ModePlan, active: bool) -> dict[int, BackupStatus]:
    changed = {number for change in plan.changes for number in change.file_numbers}
    status = "ACTIVE" if active else "NOT ACTIVE"
    return {
        number: BackupStatus(status, 0 if active else item.scn, None) if number in changed else item
        for number, item in before.items()
    }


def _state(tablespace: Tablespace, statuses: dict[int, BackupStatus]) -> str:
    active = [statuses[item.file_number].active for item in tablespace.datafiles]
    return "active" if any(active) else "inactive"


def _result(tablespace: Tablespace, statuses: dict[int, BackupStatus]) -> dict[str, Any]:
    return {
        "label": tablespace.label,
        "active": _state(tablespace, statuses) == "active",
        "files": [
            {"file_number": item.file_number, "begin_scn": statuses[item.file_number].scn or None}
            for item in tablespace.datafiles
        ],
    }


def main() -> None:
    run_module("backup_mode", SPEC, ensure)


if __name__ == "__main__":
    main()
