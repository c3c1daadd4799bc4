#!/usr/bin/python
# Copyright (c) 2026 hotbackup contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
from __future__ import annotations

DOCUMENTATION = r"""
module: database_info
short_description: Read identity and state of an Oracle database
version_added: 1.0.0
description:
  - Reads who a database is, how it is open, what its redo threads and archive destinations do, and which of its files
    are in backup mode.
  - Works on a database that is mounted or open.
author:
  - hotbackup contributors (@hotbackup)
extends_documentation_fragment:
  - hotbackup.oracle._connection
  - hotbackup.oracle._attributes
  - hotbackup.oracle._attributes.info_module
  - hotbackup.oracle._attributes.actiongroup_oracle
notes:
  - A database that is only mounted is reached with O(login_mode=sysbackup) or O(login_mode=sysdba).
  - C(autoextend) of RV(database.tempfiles) is V(false) while the database is not open, as only the dictionary knows it.
seealso:
  - module: hotbackup.oracle.tablespace_info
  - name: V$DATABASE
    description: Oracle Database Reference.
    link: https://docs.oracle.com/en/database/oracle/oracle-database/19/refrn/V-DATABASE.html
"""

EXAMPLES = r"""
- name: Read the database
  hotbackup.oracle.database_info:
    login_service: ORCL
    login_user: backup_operator
    login_password: "{{ backup_operator_password }}"
  register: database

- name: Hot backups need ARCHIVELOG mode and a working archiver
  ansible.builtin.assert:
    that:
      - database.database.log_mode == 'ARCHIVELOG'
      - database.database.instances | map(attribute='archiver') | unique == ['STARTED']
      - database.files_in_backup_mode | length == 0

- name: Read a database that is only mounted
  hotbackup.oracle.database_info:
    login_service: ORCL
    login_user: sys
    login_password: "{{ sys_password }}"
    login_mode: sysdba
"""

RETURN = r"""
database:
  description: The database.
  returned: success
  type: dict
  contains:
    dbid:
      description: Database identifier, the same for a primary and its standbys.
      type: int
      sample: 1684523458
    name:
      description: C(DB_NAME).
      type: str
      sample: ORCL
    unique_name:
      description: C(DB_UNIQUE_NAME).
      type: str
      sample: ORCL
    log_mode:
      description: V(ARCHIVELOG), V(NOARCHIVELOG) or V(MANUAL).
      type: str
      sample: ARCHIVELOG
    open_mode:
      description: V(MOUNTED), V(READ WRITE), V(READ ONLY) or V(READ ONLY WITH APPLY).
      type: str
      sample: READ WRITE
    role:
      description: Role in a Data Guard configuration.
      type: str
      sample: PRIMARY
    control_file_type:
      description: V(CURRENT), or V(BACKUP) or V(CREATED) after the control file was restored or made anew.
      type: str
      sample: CURRENT
    open_resetlogs:
      description: Whether the next open allows or needs RESETLOGS.
      type: str
      sample: NOT ALLOWED
    resetlogs_scn:
      description: SCN at which the current incarnation began. SCNs beyond 2^53 are strings in all results.
      type: int
      sample: 1
    resetlogs_id:
      description: Identifier of the current incarnation, V(0) if the database does not tell.
      type: int
      sample: 1217345678
    resetlogs_time:
      description: When the current incarnation began, in the zone of the database server.
      type: str
      sample: "2026-11-21T08:14:38"
    current_scn:
      description: SCN at the moment of reading, null while the database is not open.
      type: int
      sample: 2871503
    force_logging:
      description: Whether all changes are logged.
      type: str
      sample: "NO"
    cdb:
      description: Whether it is a container database.
      type: bool
      sample: false
    platform:
      description: Platform of the server.
      type: str
      sample: Linux x86 64-bit
    version:
      description: Version of the first instance.
      type: str
      sample: 19.0.0.0.0
    block_size:
      description: Standard block size in bytes.
      type: int
      sample: 8192
    wallet_status:
      description: State of the keystore; null without one, or if the account may not see it.
      type: str
      sample: NOT_AVAILABLE
    incarnations:
      description: The branches of the database's history.
      type: list
      elements: dict
      sample:
        - {resetlogs_id: 1217345678, resetlogs_scn: 1, prior_resetlogs_scn: 0, status: CURRENT}
    instances:
      description: The running instances.
      type: list
      elements: dict
      sample:
        - number: 1
          name: ORCL
          host_name: dbhost01
          version: 19.0.0.0.0
          startup_time: "2026-11-21T08:14:38"
          status: OPEN
          archiver: STARTED
          log_switch_wait: null
    threads:
      description: The redo threads.
      type: list
      elements: dict
      sample:
        - {number: 1, status: OPEN, enabled: PUBLIC, current_sequence: 17, current_group: 2, last_redo_scn: 2871490}
    destinations:
      description: The archive destinations in use.
      type: list
      elements: dict
      sample:
        - dest_id: 1
          name: LOG_ARCHIVE_DEST_1
          status: VALID
          binding: MANDATORY
          target: PRIMARY
          path: /u02/archive/ORCL
          error: null
    control_files:
      description: Paths of the control files.
      type: list
      elements: str
      sample: [/u01/oradata/ORCL/control01.ctl, /u01/oradata/ORCL/control02.ctl]
    tempfiles:
      description: The temporary files, which a restore makes anew.
      type: list
      elements: dict
      sample:
        - file_number: 1
          tablespace: TEMP
          path: /u01/oradata/ORCL/temp01.dbf
          size_bytes: 20971520
          autoextend: true
          con_id: 0
    parameters:
      description: Initialization parameters that matter to a backup, by name. Values are text.
      type: dict
      sample: {compatible: 19.0.0, log_archive_format: "%t_%s_%r.arc"}
    containers:
      description: The containers of a container database.
      type: list
      elements: dict
      sample: []
    recovery_area:
      description: The fast recovery area, null without one.
      type: dict
      sample: {path: /u03/fra, limit_bytes: 10737418240, used_bytes: 104857600, reclaimable_bytes: 0}
files_in_backup_mode:
  description: The datafiles that are in backup mode now, whoever put them there.
  returned: success
  type: list
  elements: dict
  contains:
    file_number:
      description: Number of the file.
      type: int
    begin_scn:
      description: SCN at which its backup mode began.
      type: int
    begun_at:
      description: When its backup mode began, in UTC, taking the zone of the host for that of the server.
      type: str
  sample:
    - {file_number: 4, begin_scn: 2871400, begun_at: "2026-11-21T22:15:07Z"}
live_runs:
  description: Sessions of runs of this collection that are at work on the database now.
  returned: success
  type: list
  elements: dict
  contains:
    instance:
      description: Number of the instance.
      type: int
    sid:
      description: Session identifier.
      type: int
    serial:
      description: Serial number of the session.
      type: int
    action:
      description: Identifier of the backup set.
      type: str
    machine:
      description: Host of the run.
      type: str
    program:
      description: Its program.
      type: str
  sample: []
"""

from typing import Any

from ansible_collections.hotbackup.oracle.plugins.module_utils._backup.describe import database_result
from ansible_collections.hotbackup.oracle.plugins.module_utils._module import (
    ModuleContext,
    connection_spec,
    run_module,
)
from ansible_collections.hotbackup.oracle.plugins.module_utils._oracle.discovery import (
    foreign_sessions,
    read_backup_status,
    read_database,
)

SPEC = connection_spec()


def read(context: ModuleContext) -> dict[str, Any]:
    with context.connect() as gateway:
        return {
            "changed": False,
            "database": database_result(read_database(gateway)),
            "files_in_backup_mode": [
                {"file_number": number, "begin_scn": status.scn, "begun_at": status.time}
                for number, status in read_backup_status(gateway).items()
                if status.active
            ],
            "live_runs": foreign_sessions(gateway),
        }


def main() -> None:
    run_module("database_info", SPEC, read)


if __name__ == "__main__":
    main()
