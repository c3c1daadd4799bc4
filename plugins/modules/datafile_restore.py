#!/usr/bin/python
# Copyright (c) 2026 hotbackup contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Put a set's files back in place."""

from __future__ import annotations

DOCUMENTATION = r"""
module: datafile_restore
short_description: Restore datafiles and control files from a backup set
version_added: 1.0.0
description:
  - Makes the datafiles of a database equal to those of a sealed set. Only files that differ are
    written; each is checked block by
    block and against the set's digest before it takes the place of what is there.
  - Chooses the control file for the recovery that follows (RV(control_file.method)), and writes it if
    needed.
  - Keeps copies of what no backup holds, the current control files and the online redo logs, below
    C(preserved/) of the
    database's folder, before anything is written.
  - Refuses while the database is open, and without the confirming value. Whether it was opened meanwhile is asked again
    before files are replaced.
  - Refuses while another restore or recovery of the database is at work on this host, such as one that outlived its
    play.
author: hotbackup contributors (@hotbackup)
options:
  dbid:
    description: DBID of the database, needed when several databases have a set of that id below the
      destination.
    type: int
  tablespaces:
    description: Restore only the files of these tablespaces.
    type: list
    elements: str
    default: []
  file_numbers:
    description: Restore only the files of these numbers.
    type: list
    elements: int
    default: []
  through_scn:
    description:
      - The SCN through which the recovery that follows will go; leave it out for complete recovery.
      - Whether enough redo is there is found out before anything is written, in the redo store, the archive
        destinations and the online logs.
      - What was given up when the database was opened with RESETLOGS does not come back. A set made before that can be
        recovered to SCNs before it only, and not completely.
      - With complete recovery and all control files lost, the control file is made anew from the set's
        script if every online redo log survived, so that no new incarnation begins.
      - With it, the control file of the set takes the place of the current one, which has forgotten what was
        dropped after that SCN.
    type: int
  confirm:
    description:
      - The name of the database that may be overwritten, V(<DB_UNIQUE_NAME>@<host>), with the value of
        O(host).
      - Not needed in check mode.
    type: str
  state_dir:
    description: Folder of the local state of runs, as for M(hotbackup.oracle.tablespace_backup).
    type: path
  host:
    description: Name of the inventory host, as it must appear in O(confirm).
    type: str
    required: true
  oracle_home:
    description: Oracle home of the instance.
    type: path
    required: true
  oracle_sid:
    description: System identifier of the instance.
    type: str
    required: true
extends_documentation_fragment:
  - hotbackup.oracle._set
  - hotbackup.oracle._streams
  - hotbackup.oracle._streams.reflink
  - hotbackup.oracle._attributes
attributes:
  check_mode:
    support: full
  diff_mode:
    support: none
  idempotent:
    support: partial
    details: Files that were recovered since no longer equal the set and are written again.
notes:
  - Copies that are stored compressed are decompressed on the way. That needs the Python package C(zstandard) or
    C(backports.zstd), or Python 3.14, on this host; without one the task fails before anything is written, and
    C(zstd -d) makes the datafiles by hand.
  - O(reflink) does nothing for copies that are stored compressed.
  - Run it as the operating-system user that owns the datafiles, never as root.
  - While it works it says how far it is in RV(status_path), at most once a second; C(watch cat) on the host shows it.
    RV(status_path) has the fields of RV(hotbackup.oracle.tablespace_backup#module:run); the C(phase) is V(compare),
    V(verify), V(copy) or V(finished). Where C(updated_at) stands still while C(state) is V(running), the process C(pid)
    was killed or waits for its storage. Nothing is written in check mode.
  - Files are restored to the places they were copied from.
seealso:
  - module: hotbackup.oracle.backup_set_info
  - module: hotbackup.oracle.recovery
  - module: hotbackup.oracle.instance
"""

EXAMPLES = r"""
- name: Put all datafiles back
  hotbackup.oracle.datafile_restore:
    destination: /backup/oracle
    set_id: 20260115T020000Z
    oracle_home: /u01/app/oracle/product/19.0.0/dbhome_1
    oracle_sid: ORCL
    host: "{{ inventory_hostname }}"
    confirm: ORCL@dbhost01

- name: Show what a restore of one tablespace would write
  hotbackup.oracle.datafile_restore:
    destination: /backup/oracle
    set_id: 20260115T020000Z
    tablespaces: [USERS]
    oracle_home: /u01/app/oracle/product/19.0.0/dbhome_1
    oracle_sid: ORCL
    host: "{{ inventory_hostname }}"
  check_mode: true
"""

RETURN = r"""
set_id:
  description: The set.
  returned: success
  type: str
  sample: 20260115T020000Z
files:
  description: The datafiles and what was done about each.
  returned: success
  type: list
  elements: dict
  contains:
    file_number:
      description: Absolute file number.
      type: int
      sample: 4
    tablespace:
      description: Its tablespace.
      type: str
      sample: USERS
    path:
      description: Its place.
      type: str
      sample: /u02/oradata/ORCL/users01.dbf
    size_bytes:
      description: Its size in bytes.
      type: int
      sample: 5251072
    restored:
      description: Whether it was written (would be, in check mode); false if it equalled the set.
      type: bool
      sample: true
control_file:
  description: The control file for the recovery.
  returned: success
  type: dict
  contains:
    method:
      description: V(current), V(create) or V(backup); to be given to M(hotbackup.oracle.recovery).
      type: str
      sample: create
    reason:
      description: Why.
      type: str
      sample: all control files are lost, the online redo logs survived
    written:
      description: Control files that were written.
      type: list
      elements: str
      sample: []
preserved:
  description: Copies of current control files and online redo logs, made before anything was written.
  returned: success
  type: list
  elements: str
  sample: [/backup/oracle/ORCL-1618384213/preserved/20260115T101500.000000Z/1_redo01.log]
status_path:
  description: File on the host that says how far the restore is, or how the last one ended.
  returned: success
  type: str
  sample: /home/oracle/.hotbackup/ORCL/restore_status.json
bytes_written:
  description: Bytes of datafiles written.
  returned: success
  type: int
  sample: 209715200
"""

from collections.abc import Mapping
from datetime import datetime, timezone
from typing import Any

from ansible_collections.hotbackup.oracle.plugins.module_utils._backup.layout import SetLayout
from ansible_collections.hotbackup.oracle.plugins.module_utils._backup.limits import DBID, FILE_NUMBER, SCN
from ansible_collections.hotbackup.oracle.plugins.module_utils._backup.manifest import Manifest
from ansible_collections.hotbackup.oracle.plugins.module_utils._backup.restore_plan import (
    check_confirmation,
    select_files,
)
from ansible_collections.hotbackup.oracle.plugins.module_utils._backup.tuning import CopyTuning
from ansible_collections.hotbackup.oracle.plugins.module_utils._module import (
    ModuleContext,
    OptionSpec,
    reflink_spec,
    run_module,
    set_spec,
    streams_spec,
    whole_number,
    whole_numbers,
)
from ansible_collections.hotbackup.oracle.plugins.module_utils._oracle.local_instance import LocalInstance
from ansible_collections.hotbackup.oracle.plugins.module_utils._run.closed_database import (
    ClosedDatabase,
    run_program,
)
from ansible_collections.hotbackup.oracle.plugins.module_utils._run.file_restore import (
    choose_control_file,
    open_set,
    plan_files,
    preserve,
    require_sound_control_copy,
    require_sound_copies,
    restore_control_files,
    restore_files,
)
from ansible_collections.hotbackup.oracle.plugins.module_utils._run.redo_reach import (
    redo_reach,
    require_reach,
)
from ansible_collections.hotbackup.oracle.plugins.module_utils._run.restore_lease import (
    RESTORE,
    require_no_restore,
    restore_lease,
)
from ansible_collections.hotbackup.oracle.plugins.module_utils._run.restore_progress import (
    RestoreProgress,
    restore_progress,
)
from ansible_collections.hotbackup.oracle.plugins.module_utils._run.state_folder import StateFolder

SPEC = (
    set_spec()
    + streams_spec()
    + reflink_spec()
    + OptionSpec(
        options={
            "dbid": whole_number(DBID),
            "tablespaces": {"type": "list", "elements": "str", "default": []},
            "file_numbers": whole_numbers(FILE_NUMBER, default=[]),
            "through_scn": whole_number(SCN),
            "confirm": {"type": "str"},
            "state_dir": {"type": "path"},
            "host": {"type": "str", "required": True},
            "oracle_home": {"type": "path", "required": True},
            "oracle_sid": {"type": "str", "required": True},
        }
    )
)


def body(context: ModuleContext) -> Mapping[str, Any]:
    """Plan from the manifest and the disk, then write what differs."""
    params = context.params
    tuning = CopyTuning.from_options(params)
    layout, manifest = open_set(params["destination"], params["set_id"], params["dbid"])
    folder = StateFolder.of_database(layout.db_unique_name, params["state_dir"])
    require_no_restore(folder)
    told = {"status_path": str(folder.restore_status_path)}
    if context.check_mode:
        return {**_restore(context, layout, manifest, tuning, RestoreProgress()), **told}
    check_confirmation(params["confirm"], manifest, params["host"])
    lease = restore_lease(folder, RESTORE, manifest.set_id)
    with lease, restore_progress(folder, manifest.set_id) as progress:
        return {**_restore(context, layout, manifest, tuning, progress), **told}


def _restore(
    context: ModuleContext,
    layout: SetLayout,
    manifest: Manifest,
    tuning: CopyTuning,
    progress: RestoreProgress,
) -> dict[str, Any]:
    params = context.params
    closed = ClosedDatabase(LocalInstance(params["oracle_home"], params["oracle_sid"], run_program))
    wanted = select_files(manifest, file_numbers=params["file_numbers"], tablespaces=params["tablespaces"])
    require_reach(manifest, redo_reach(manifest, layout), params["through_scn"])
    control = choose_control_file(manifest, layout, complete=params["through_scn"] is None)
    if not context.check_mode:
        closed.require()
    planned = plan_files(layout, wanted, tuning, progress)
    preserved: list[str] = []
    written = 0
    change = bool(control.copies) or any(not item.equal for item in planned)
    if change and not context.check_mode:
        require_sound_copies(planned, tuning, progress)
        require_sound_control_copy(manifest, layout, control.copies.values())
        # Reading the copies may have taken hours.
        closed.require()
        database = manifest.database
        preserved = preserve(
            [*database.control_files, *database.online_logs], layout.database, datetime.now(timezone.utc)
        )
        written = restore_files(
            planned, database.dbid, tuning, lambda _copy: closed.require_lately(), progress
        )
        if control.copies:
            closed.require()
            restore_control_files(control.copies)
    return {
        "changed": change,
        "set_id": manifest.set_id,
        "files": [
            {
                "file_number": item.file.file_number,
                "tablespace": item.file.tablespace,
                "path": item.target,
                "size_bytes": item.file.size_bytes,
                "restored": not item.equal,
            }
            for item in planned
        ],
        "control_file": {
            "method": control.method.value,
            "reason": control.reason,
            "written": sorted(control.copies),
        },
        "preserved": preserved,
        "bytes_written": written,
    }


def main() -> None:
    """Run the module."""
    run_module("datafile_restore", SPEC, body)


if __name__ == "__main__":
    main()
