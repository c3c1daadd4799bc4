#!/usr/bin/python
# Copyright (c) 2026 hotbackup contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
from __future__ import annotations

DOCUMENTATION = r"""
module: tablespace_info
short_description: Read tablespaces, their datafiles, and how each must be backed up
version_added: 1.0.0
description:
  - Reads the tablespaces of a database from the control file, so that none is missed and the database may be mounted
    or open.
  - Says for each tablespace how it must be backed up, and why.
author:
  - hotbackup contributors (@hotbackup)
extends_documentation_fragment:
  - hotbackup.oracle._connection
  - hotbackup.oracle._selection
  - hotbackup.oracle._attributes
  - hotbackup.oracle._attributes.info_module
  - hotbackup.oracle._attributes.actiongroup_oracle
seealso:
  - module: hotbackup.oracle.database_info
  - module: hotbackup.oracle.tablespace_backup
"""

EXAMPLES = r"""
- name: Read all tablespaces
  hotbackup.oracle.tablespace_info:
    login_service: ORCL
    login_user: backup_operator
    login_password: "{{ backup_operator_password }}"
  register: found

- name: Name the ones that cannot be backed up
  ansible.builtin.debug:
    msg: "{{ found.tablespaces | selectattr('method', 'eq', 'broken') | map(attribute='reason') }}"

- name: Read the large tablespaces that are not undo
  hotbackup.oracle.tablespace_info:
    login_service: ORCL
    login_user: backup_operator
    login_password: "{{ backup_operator_password }}"
    exclude: [UNDO*]
    query: "[?size_bytes > `10000000000`]"
"""

RETURN = r"""
tablespaces:
  description: The selected tablespaces, in the order of container and tablespace number.
  returned: success
  type: list
  elements: dict
  contains:
    name:
      description: Name of the tablespace.
      type: str
      sample: USERS
    label:
      description: Name with its container in a container database, else just the name.
      type: str
      sample: USERS
    number:
      description: Tablespace number, unique within its container.
      type: int
      sample: 4
    con_id:
      description: Container identifier, V(0) outside container databases.
      type: int
      sample: 0
    container:
      description: Name of the container, null outside container databases.
      type: str
      sample: null
    bigfile:
      description: Whether it consists of one large file.
      type: bool
      sample: false
    temporary:
      description: Whether it holds temporary data only.
      type: bool
      sample: false
    undo:
      description: Whether it holds undo; null while the database is not open, as only the dictionary knows it.
      type: bool
      sample: false
    block_size:
      description: Block size in bytes.
      type: int
      sample: 8192
    size_bytes:
      description: Bytes its datafiles occupy on disk. Files that the database cannot reach count as 0.
      type: int
      sample: 52436992
    method:
      description:
        - V(backup_mode), put it in backup mode while its files are copied.
        - V(plain_copy), its files do not change and are copied as they are.
        - V(skip), there is nothing to copy.
        - V(broken), it cannot be backed up.
      type: str
      sample: backup_mode
    reason:
      description: Why RV(tablespaces[].method) is what it is.
      type: str
      sample: online and read write
    in_backup_mode:
      description: Whether any of its files is in backup mode now.
      type: bool
      sample: false
    datafiles:
      description: Its datafiles. SCNs are those of the control file, C(header_) values those of the file itself.
      type: list
      elements: dict
      sample:
        - file_number: 4
          con_id: 0
          tablespace_number: 4
          tablespace: USERS
          path: /u01/oradata/ORCL/users01.dbf
          status: ONLINE
          enabled: READ WRITE
          size_bytes: 52428800
          size_on_disk: 52436992
          block_size: 8192
          bigfile: false
          creation_scn: 4567
          unrecoverable_scn: 0
          last_scn: null
          checkpoint_scn: 2871400
          backup_status: NOT ACTIVE
          backup_scn: 0
          backup_time: null
          in_backup_mode: false
          header_error: null
          header_fuzzy: "YES"
          header_recover: "NO"
          header_checkpoint_scn: 2871400
          recover_error: null
          needs_recovery: false
excluded:
  description: The tablespaces that were not selected.
  returned: success
  type: list
  elements: dict
  contains:
    label:
      description: Name of the tablespace, with its container in a container database.
      type: str
    reason:
      description: What left it out.
      type: str
  sample:
    - {label: UNDOTBS1, reason: excluded}
"""

from typing import Any

from ansible_collections.hotbackup.oracle.plugins.module_utils._backup.describe import tablespace_result
from ansible_collections.hotbackup.oracle.plugins.module_utils._backup.selection import select_tablespaces
from ansible_collections.hotbackup.oracle.plugins.module_utils._module import (
    ModuleContext,
    connection_spec,
    jmespath_search,
    run_module,
    selection_spec,
)
from ansible_collections.hotbackup.oracle.plugins.module_utils._oracle.discovery import (
    read_database,
    read_tablespaces,
)

SPEC = connection_spec() + selection_spec()


def read(context: ModuleContext) -> dict[str, Any]:
    with context.connect() as gateway:
        tablespaces = read_tablespaces(gateway, read_database(gateway))
    selection = select_tablespaces(
        tablespaces,
        context.params["tablespaces"],
        context.params["exclude"],
        context.params["query"],
        jmespath_search,
    )
    return {
        "changed": False,
        "tablespaces": [tablespace_result(tablespace) for tablespace in selection.tablespaces],
        "excluded": [
            {"label": tablespace.label, "reason": reason} for tablespace, reason in selection.excluded
        ],
    }


def main() -> None:
    run_module("tablespace_info", SPEC, read)


if __name__ == "__main__":
    main()
