#!/usr/bin/python
# Copyright (c) 2026 hotbackup contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
from __future__ import annotations

DOCUMENTATION = r"""
module: controlfile_backup
short_description: Save control file, CREATE CONTROLFILE scripts and parameters in a backup set
version_added: 1.0.0
description:
  - Ensures that a backup set holds a binary copy of the control file, the two CREATE CONTROLFILE scripts made ready to
    run, a text parameter file, and the password file if it can be read.
  - Belongs after the copies and their redo, so that the control file knows all of them.
  - The copy is verified block by block before it gets its name. A keystore is reported, never copied beside the data.
author:
  - hotbackup contributors (@hotbackup)
extends_documentation_fragment:
  - hotbackup.oracle._connection
  - hotbackup.oracle._set
  - hotbackup.oracle._attributes
  - hotbackup.oracle._attributes.actiongroup_oracle
attributes:
  check_mode:
    support: full
  diff_mode:
    support: none
    details: The content of a control file cannot be compared usefully.
  idempotent:
    support: full
    details: Unchanged if the set holds an intact control-file part that was saved after its last copied file.
notes:
  - The server writes these files, so the module must run on the database host as the user that owns the database, and
    O(destination) must be writable for that user. On a cluster it must be visible from all instances.
  - With O(login_mode=normal) the parameter file is made from V$PARAMETER2, as C(CREATE PFILE) needs an administrative
    privilege.
  - The password file is looked for as C(dbs/orapwSID) in O(oracle_home), when that and O(oracle_sid) are given.
seealso:
  - module: hotbackup.oracle.archivelog_backup
  - module: hotbackup.oracle.backup_set
"""

EXAMPLES = r"""
- name: Save the control file
  hotbackup.oracle.controlfile_backup:
    login_service: ORCL
    login_user: backup_operator
    login_password: "{{ backup_operator_password }}"
    destination: /backup/oracle
    set_id: 20261121T221500Z
    oracle_home: /u01/app/oracle/product/19.0.0/dbhome_1
    oracle_sid: ORCL
"""

RETURN = r"""
files:
  description: The files of the control-file part; in check mode those that would be written, without size and digest.
  returned: success
  type: list
  elements: dict
  contains:
    kind:
      description:
        - V(control_file), V(noresetlogs_script), V(resetlogs_script), V(pfile) or V(password_file).
      type: str
    path:
      description: Path relative to the folder of the set.
      type: str
    size_bytes:
      description: Size of the file.
      type: int
    digest:
      description: SHA-256 over the SHA-256 of its chunks.
      type: str
  sample:
    - kind: control_file
      path: control/control.ctl
      size_bytes: 10567680
      digest: 7f2d1c0e7b9a54c6d3a1b8e09f4c2d5e6a7b8c9d0e1f2a3b4c5d6e7f8091a2b3
set_folder:
  description: Folder of the set.
  returned: success
  type: str
  sample: /backup/oracle/ORCL-1684523458/sets/20261121T221500Z
control_scn:
  description: The control file copy knows all that happened before this SCN. Null if the database is not open.
  returned: success
  type: int
  sample: 2871540
keystore:
  description: What is known of the keystore. Back it up separately, never with the data.
  returned: success
  type: dict
  sample: {status: NOT_AVAILABLE, wallet_root: null}
statements:
  description: The statements executed; in check mode, those that would be.
  returned: always
  type: list
  elements: str
  sample:
    - ALTER DATABASE BACKUP CONTROLFILE TO '/backup/oracle/ORCL-1684523458/sets/20261121T221500Z/control/x' REUSE
"""

from pathlib import Path
from typing import Any

from ansible_collections.hotbackup.oracle.plugins.module_utils._backup.layout import SetLayout, check_set_id
from ansible_collections.hotbackup.oracle.plugins.module_utils._module import (
    ModuleContext,
    connection_spec,
    run_module,
    set_spec,
)
from ansible_collections.hotbackup.oracle.plugins.module_utils._oracle.discovery import read_database
from ansible_collections.hotbackup.oracle.plugins.module_utils._run.control_backup import (
    check_set,
    keystore_report,
    planned_files,
    planned_statements,
    read_state,
    save,
    saved_already,
)

SPEC = connection_spec() + set_spec()


def ensure(context: ModuleContext) -> dict[str, Any]:
    params = context.params
    check_set_id(params["set_id"])
    with context.connect() as gateway:
        database = read_database(gateway)
        layout = SetLayout(params["destination"], database.unique_name, database.dbid, params["set_id"])
        state = read_state(layout)
        check_set(layout, database, state)
        backup = saved_already(layout, state)
        changed = backup is None
        if backup is None and context.check_mode:
            context.statements.extend(planned_statements(layout, database))
        elif backup is None:
            backup = save(gateway, layout, database, _password_file(params), context.warn)
    return {
        "changed": changed,
        "files": planned_files(layout) if backup is None else [vars(item) for item in backup.files],
        "set_folder": str(layout.set_folder),
        "control_scn": None if backup is None else backup.control_scn,
        "keystore": keystore_report(database),
        "statements": context.statements,
    }


def _password_file(params: dict[str, Any]) -> Path | None:
    if not params["oracle_home"] or not params["oracle_sid"]:
        return None
    return Path(params["oracle_home"]) / "dbs" / f"orapw{params['oracle_sid']}"


def main() -> None:
    run_module("controlfile_backup", SPEC, ensure)


if __name__ == "__main__":
    main()
