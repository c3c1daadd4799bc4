#!/usr/bin/python
# Copyright (c) 2026 hotbackup contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Media recovery to a target, and opening the database."""

from __future__ import annotations

DOCUMENTATION = r"""
module: recovery
short_description: Recover a restored Oracle database and open it
version_added: 1.0.0
description:
  - Applies redo to restored datafiles until the target is reached, proves from the datafile headers
    that they are consistent, and
    opens the database.
  - Redo is found by the logs' own headers in the redo store, in every local archive destination and
    among the online logs, not
    by the names Oracle suggests.
  - The whole conversation of C(ALTER DATABASE RECOVER) runs in one session. A recovery that broke off
    is started again and goes
    on where it was.
  - Refuses while a restore or another recovery of the database is at work on this host, such as one that outlived its
    play.
  - After C(CREATE CONTROLFILE), read-only tablespaces get their names back; tempfiles are added where
    they are missing.
author: hotbackup contributors (@hotbackup)
options:
  dbid:
    description: DBID of the database, needed when several databases have a set of that id below the
      destination.
    type: int
  through_scn:
    description:
      - Recover through this SCN, inclusive.
      - Without O(through_scn) and O(until_time), recovery is complete.
    type: int
  until_time:
    description: Recover until this moment, in the database host's local time, as
      V(YYYY-MM-DD:HH24:MI:SS).
    type: str
  control_file_method:
    description:
      - Where the control file comes from, as
        RV(hotbackup.oracle.datafile_restore#module:control_file.method) says.
      - V(create) makes it with the set's C(NORESETLOGS) script; the instance must not have a database
        mounted then.
    type: str
    choices: [current, create, backup]
    default: current
  open:
    description: Open the database after recovery, with C(RESETLOGS) only where it is needed.
    type: bool
    default: true
  state_dir:
    description: Folder of the local state of runs, as for M(hotbackup.oracle.tablespace_backup).
    type: path
extends_documentation_fragment:
  - hotbackup.oracle._connection
  - hotbackup.oracle._set
  - hotbackup.oracle._attributes
  - hotbackup.oracle._attributes.actiongroup_oracle
attributes:
  check_mode:
    support: partial
    details: >-
      The target, the set and the connection options are checked; which redo will be applied is known only from the
      recovery itself.
  diff_mode:
    support: none
  idempotent:
    support: partial
    details:
      - Complete recovery of a database that is open and needs none changes nothing.
      - Recovery to a point in time of a database that is open is refused.
notes:
  - Needs O(login_mode=sysbackup) or O(login_mode=sysdba), and a statically registered service, since
    the database is not open.
seealso:
  - module: hotbackup.oracle.datafile_restore
  - module: hotbackup.oracle.instance
"""

EXAMPLES = r"""
- name: Recover completely and open
  hotbackup.oracle.recovery:
    login_service: ORCL
    login_user: backup_admin
    login_password: "{{ oracle_admin_password }}"
    login_mode: sysbackup
    destination: /backup/oracle
    set_id: 20260115T020000Z

- name: Recover to the moment before the tables were dropped
  hotbackup.oracle.recovery:
    login_service: ORCL
    login_user: backup_admin
    login_password: "{{ oracle_admin_password }}"
    login_mode: sysbackup
    destination: /backup/oracle
    set_id: 20260115T020000Z
    through_scn: 48210733
"""

RETURN = r"""
recovery:
  description: What was done.
  returned: success
  type: dict
  contains:
    method:
      description: Where the control file came from.
      type: str
      sample: current
    applied_logs:
      description: Logs that were given to Oracle and applied, in order. Online logs that Oracle found
        itself are not listed.
      type: list
      elements: str
      sample: [/backup/oracle/ORCL-1618384213/redo/1188223344/t1/1042.arc]
    created_files:
      description: Datafiles that were created from redo because the control file did not know them.
      type: list
      elements: str
      sample: []
    renamed_files:
      description: Datafiles that got their names back after C(CREATE CONTROLFILE).
      type: list
      elements: str
      sample: []
    added_tempfiles:
      description: Tempfiles that were added.
      type: list
      elements: str
      sample: [/u02/oradata/ORCL/temp01.dbf]
    recovered_to_scn:
      description: Checkpoint SCN of the datafiles after recovery.
      type: int
      sample: 48210734
    resetlogs:
      description: Whether the database was opened with C(RESETLOGS), which begins a new incarnation.
      type: bool
      sample: false
    opened:
      description: Whether the database is open.
      type: bool
      sample: true
    open_mode:
      description: V$DATABASE.OPEN_MODE after the task.
      type: str
      sample: READ WRITE
statements:
  description: Statements that were executed.
  returned: always
  type: list
  elements: str
  sample: [ALTER DATABASE RECOVER DATABASE, ALTER DATABASE OPEN]
oracle_error:
  description: Oracle's error stack, if Oracle refused.
  returned: failure
  type: dict
  sample: {code: 283, codes: [283, 1110], message: "ORA-00283: recovery session canceled due to errors"}
"""

from collections.abc import Mapping
from dataclasses import asdict
from typing import Any

from ansible_collections.hotbackup.oracle.plugins.module_utils._backup.errors import PreconditionError
from ansible_collections.hotbackup.oracle.plugins.module_utils._backup.limits import DBID, SCN
from ansible_collections.hotbackup.oracle.plugins.module_utils._backup.restore_plan import ControlFileMethod
from ansible_collections.hotbackup.oracle.plugins.module_utils._module import (
    ModuleContext,
    OptionSpec,
    connection_spec,
    run_module,
    set_spec,
    whole_number,
)
from ansible_collections.hotbackup.oracle.plugins.module_utils._oracle.recovery import RecoveryTarget
from ansible_collections.hotbackup.oracle.plugins.module_utils._run.database_recovery import (
    DatabaseRecovery,
    RecoveryOutcome,
)
from ansible_collections.hotbackup.oracle.plugins.module_utils._run.file_restore import open_set
from ansible_collections.hotbackup.oracle.plugins.module_utils._run.restore_lease import (
    RECOVERY,
    require_no_restore,
    restore_lease,
)
from ansible_collections.hotbackup.oracle.plugins.module_utils._run.state_folder import StateFolder

SPEC = (
    connection_spec()
    + set_spec()
    + OptionSpec(
        options={
            "dbid": whole_number(DBID),
            "through_scn": whole_number(SCN),
            "until_time": {"type": "str"},
            "control_file_method": {
                "type": "str",
                "choices": [method.value for method in ControlFileMethod],
                "default": "current",
            },
            "open": {"type": "bool", "default": True},
            "state_dir": {"type": "path"},
        },
        mutually_exclusive=(("through_scn", "until_time"),),
    )
)


def body(context: ModuleContext) -> Mapping[str, Any]:
    """Check the target against the set, then recover."""
    params = context.params
    context.connection_settings.check()  # check mode does not connect
    layout, manifest = open_set(params["destination"], params["set_id"], params["dbid"])
    target = RecoveryTarget(through_scn=params["through_scn"], until_time=params["until_time"])
    method = ControlFileMethod(params["control_file_method"])
    if target.through_scn is not None and target.through_scn < manifest.end_scn:
        raise PreconditionError(
            f"Set {manifest.set_id} is consistent only from SCN {manifest.end_scn} on;"
            f" it cannot be recovered to {target.through_scn}.",
            hint="Choose an older set: backup_set_info with until_scn lists those that fit.",
        )
    folder = StateFolder.of_database(layout.db_unique_name, params["state_dir"])
    require_no_restore(folder)
    if context.check_mode:
        outcome = RecoveryOutcome(changed=True, method=method.value)
    else:
        lease = restore_lease(folder, RECOVERY, manifest.set_id)
        with lease, context.connect(action=manifest.set_id) as gateway:
            recovery = DatabaseRecovery(gateway, layout, manifest, target, method, context.warn)
            outcome = recovery.run(open_database=params["open"])
    result = asdict(outcome)
    return {"changed": result.pop("changed"), "recovery": result, "statements": context.statements}


def main() -> None:
    """Run the module."""
    run_module("recovery", SPEC, body)


if __name__ == "__main__":
    main()
