#!/usr/bin/python
# Copyright (c) 2026 hotbackup contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
from __future__ import annotations

DOCUMENTATION = r"""
module: tablespace_backup
short_description: Copy the datafiles of tablespaces into a backup set, each in backup mode only while it is copied
version_added: 1.0.0
description:
  - Ensures that the datafiles of the selected tablespaces are in a backup set.
  - Each tablespace that is being written is put in backup mode, its files are copied over several streams while every
    block is checked and a checksum is computed, and it is taken out again. Read-only and offline tablespaces are copied
    as they are.
  - The work is done by a process of its own on the database host, the runner. It goes on when the play is interrupted
    or the controller dies. A second process, the guardian, ends backup mode if the runner itself dies.
  - The same O(set_id) again attaches to a live run, resumes an unfinished set without copying a finished file again, or
    changes nothing if all files are there.
author:
  - hotbackup contributors (@hotbackup)
options:
  compression:
    description:
      - How the copies of datafiles are stored. V(none) leaves them as they are, so that RMAN, C(dbv) and a DBA's C(cp)
        can use them; V(zstd) compresses each into one C(.zst) file, of which C(zstd -d) makes the datafile again.
      - With V(zstd) a file is worked on by one stream, from its beginning to its end. Whether the copies will fit the
        destination is not known beforehand, so less free space than the files have is a warning only.
      - Redo, control files and scripts are always stored as they are, because recovery reads them in place.
      - V(zstd) needs the Python package C(zstandard) or C(backports.zstd), or Python 3.14, on the database host; for a
        restore again.
      - Runs of one set may differ in it. Finished copies stay as they are.
      - V(zstd) cannot be combined with O(reflink=true).
    type: str
    choices: [none, zstd]
    default: none
  compression_level:
    description:
      - Level of V(zstd), V(1) to V(19). Up to about V(6) it costs little; the highest are many times slower than the
        storage, while the tablespace is in backup mode.
      - Only with O(compression=zstd).
    type: int
    default: 3
  compression_threads:
    description:
      - Threads that V(zstd) may use for each stream, beside the two that the stream has anyway. They help with a single
        large file. With V(0) the writing thread compresses.
      - Only with O(compression=zstd).
    type: int
    default: 0
  max_window:
    description:
      - Longest time in seconds that one tablespace may be in backup mode; V(0) means no limit.
      - A window that lasts longer is ended and the run fails. It can be resumed.
    type: int
    default: 0
  state_dir:
    description:
      - Folder on the database host for the lease, the status and the runtime code of runs, on a local file system.
      - By default C(.hotbackup/DB_UNIQUE_NAME) in the home of the user who runs the task.
    type: path
  wait:
    description:
      - Whether to wait until the run has ended.
      - V(false) returns as soon as the run has started; the same task later attaches to it.
    type: bool
    default: true
  wait_timeout:
    description: Longest time in seconds to wait for the end of the run, which then goes on; V(0) means no limit.
    type: int
    default: 0
  poll_interval:
    description: Seconds between two lines of progress, and the longest wait with O(follow); at least V(1).
    type: int
    default: 5
  follow:
    description:
      - Only report on the run with this identifier, the RV(run.run_id) of an earlier result, and start nothing.
      - With O(wait=true) waits at most O(poll_interval) for its end. Does not connect to the database.
      - This is what the action plugin uses to show progress.
    type: str
extends_documentation_fragment:
  - hotbackup.oracle._connection
  - hotbackup.oracle._set
  - hotbackup.oracle._selection
  - hotbackup.oracle._streams
  - hotbackup.oracle._streams.reflink
  - hotbackup.oracle._attributes
  - hotbackup.oracle._attributes.actiongroup_oracle
attributes:
  check_mode:
    support: full
    details: Returns the plan and makes neither a file nor a folder.
  diff_mode:
    support: none
    details: A set is added to, not changed; RV(plan) says what is added.
  idempotent:
    support: full
notes:
  - Run it as the owner of the datafiles, usually through C(become_user), on the database host.
  - The set is not a backup before M(hotbackup.oracle.backup_set) has sealed it. Afterwards switch logs and keep the
    archived redo, in this order.
  - The next tablespace begins only when a stream finds nothing left to take, so that each is in backup mode for as
    short a time as the storage allows.
  - Where C(KillUserProcesses) ends a user's processes at logout, the module warns. Exempt the user there.
seealso:
  - module: hotbackup.oracle.tablespace_info
  - module: hotbackup.oracle.log_switch
  - module: hotbackup.oracle.archivelog_backup
  - module: hotbackup.oracle.backup_set
  - name: Performing User-Managed Backup and Recovery
    description: Oracle Database Backup and Recovery User's Guide.
    link: https://docs.oracle.com/en/database/oracle/oracle-database/19/bradv/user-managed-database-backups.html
"""

EXAMPLES = r"""
- name: Copy all tablespaces into the set of this night
  hotbackup.oracle.tablespace_backup:
    login_service: ORCL
    login_user: backup_operator
    login_password: "{{ backup_operator_password }}"
    destination: /backup
    set_id: 20260301T010000Z
    streams: 4
  register: copied

- name: Copy two tablespaces with a limit on the time in backup mode
  hotbackup.oracle.tablespace_backup:
    login_service: ORCL
    login_user: backup_operator
    login_password: "{{ backup_operator_password }}"
    destination: /backup
    set_id: 20260301T010000Z
    tablespaces: [USERS, SALES_*]
    max_window: 3600
    streams: 2
    max_bytes_per_second: 200000000
    nice: 10
    io_class: best_effort

- name: Copy and compress, with two more threads for each file
  hotbackup.oracle.tablespace_backup:
    login_service: ORCL
    login_user: backup_operator
    login_password: "{{ backup_operator_password }}"
    destination: /backup
    set_id: 20260301T010000Z
    compression: zstd
    compression_level: 5
    compression_threads: 2

- name: Start a long copy and come back for it later
  hotbackup.oracle.tablespace_backup:
    login_service: ORCL
    login_user: backup_operator
    login_password: "{{ backup_operator_password }}"
    destination: /backup
    set_id: 20260301T010000Z
    wait: false
"""

RETURN = r"""
set_id:
  description: Identifier of the set.
  returned: success
  type: str
  sample: 20260301T010000Z
database:
  description: The database the set belongs to.
  returned: success
  type: dict
  sample: {unique_name: ORCL, dbid: 1567890123}
set_folder:
  description: Folder of the set.
  returned: success
  type: str
  sample: /backup/ORCL-1567890123/sets/20260301T010000Z
state_dir:
  description: Folder with the local state of the runs of this database.
  returned: success
  type: str
  sample: /home/oracle/.hotbackup/ORCL
plan:
  description:
    - What was to be done when the task began; null with O(follow).
    - C(tablespaces) are those to be copied with the files still missing, C(excluded) were not selected, C(skipped) hold
      nothing to copy, C(stale_windows) were left in backup mode by a dead run and are ended first.
  returned: success
  type: dict
  sample:
    tablespaces:
      - name: USERS
        label: USERS
        con_id: 0
        method: backup_mode
        reason: online and read write
        copy_bytes: 52436992
        files: [{file_number: 4, path: /u01/oradata/ORCL/users01.dbf, size_bytes: 52436992}]
        already_copied: []
    streams: 4
    compression: none
    file_count: 1
    copy_bytes: 52436992
    skipped: []
    excluded: [{name: TEMP, label: TEMP, con_id: 0, reason: excluded}]
    broken: []
    stale_windows: []
    problems: []
    resumes: false
    text: ["copy 1 file, 105 MB, over 2 streams", "USERS: 1 file, 105 MB, in backup mode"]
run:
  description: The run this task started or attached to, as of its last status; null if there was none.
  returned: success
  type: dict
  contains:
    run_id:
      description: Identifier of the run.
      type: str
    state:
      description: V(running), V(succeeded), V(failed), or V(died) if its process was killed.
      type: str
    phase:
      description: V(preflight), V(leftovers), V(copy), V(finish) or V(finished); V(guardian) after the runner died.
      type: str
    message:
      description: What it does at the moment.
      type: str
    percent:
      description: Part of the bytes that is copied.
      type: int
    bytes_done:
      description: Bytes copied so far.
      type: int
    bytes_total:
      description: Bytes to copy.
      type: int
    bytes_per_second:
      description: Rate over the last ten seconds.
      type: int
    files_done:
      description: Files copied so far.
      type: int
    files_total:
      description: Files to copy.
      type: int
    tablespaces:
      description: Tablespaces being copied now.
      type: list
      elements: str
    windows_open:
      description: Tablespaces in backup mode now.
      type: list
      elements: str
    pid:
      description: Process of the runner.
      type: int
    log_path:
      description: Log of the runner and its guardian on the database host.
      type: str
  sample:
    run_id: 5d0f3a1b9c2e4f60
    set_id: 20260301T010000Z
    state: succeeded
    phase: finished
    message: all files are in the set
    percent: 100
    bytes_done: 52436992
    bytes_total: 52436992
    bytes_per_second: 104873984
    files_done: 1
    files_total: 1
    tablespaces: []
    windows_open: []
    pid: 4711
    started_at: "2026-03-01T01:00:02Z"
    updated_at: "2026-03-01T01:00:09Z"
    elapsed_seconds: 7.1
    resumed: false
    journal_path: /backup/ORCL-1567890123/sets/20260301T010000Z/journal.jsonl
    log_path: /home/oracle/.hotbackup/ORCL/runtime/20260301T010000Z/runner.log
    error: null
files:
  description:
    - The datafiles in the set. Their C(path) is relative to RV(set_folder).
    - C(size_bytes) and C(digest) are of the datafile, C(stored_size_bytes) is what its copy has on disk.
    - C(accelerator) is what checked the blocks, C(numpy) or C(none) for the standard library alone.
  returned: success
  type: list
  elements: dict
  sample:
    - file_number: 4
      con_id: 0
      tablespace: USERS
      source: /u01/oradata/ORCL/users01.dbf
      path: datafiles/4_users01.dbf
      size_bytes: 52436992
      compression: none
      stored_size_bytes: 52436992
      digest: 0f3c7a2be58d41c6905d7e13b2f4a8c69d0e1f2a3b4c5d6e7f8091a2b3c4d5e6
      method: backup_mode
      begin_scn: 2871400
      checkpoint_scn: 2871400
      fault_count: 0
      accelerator: numpy
windows:
  description: The times that tablespaces were in backup mode for this set, and who ended them.
  returned: success
  type: list
  elements: dict
  sample:
    - tablespace: USERS
      con_id: 0
      file_numbers: [4]
      begin_scn: 2871400
      end_scn: 2871466
      opened_at: "2026-03-01T01:00:03.104211Z"
      closed_at: "2026-03-01T01:00:08.770102Z"
      closed_by: runner
      run_id: 5d0f3a1b9c2e4f60
begin_scn:
  description: SCN from which a restore of the set needs redo; null before a file was copied.
  returned: success
  type: int
  sample: 2871400
end_scn:
  description: SCN after the last END BACKUP, which the archived redo must reach beyond; null while files are missing.
  returned: success
  type: int
  sample: 2871466
resumed:
  description: Whether the run continued what an earlier one had begun.
  returned: success
  type: bool
  sample: false
elapsed:
  description: Seconds the run took so far.
  returned: success
  type: float
  sample: 7.1
statements:
  description: The statements that the run executed; in check mode, those that it would execute.
  returned: always
  type: list
  elements: str
  sample: [ALTER TABLESPACE "USERS" BEGIN BACKUP, ALTER TABLESPACE "USERS" END BACKUP]
"""

import getpass
import secrets
from pathlib import Path
from typing import Any

from ansible_collections.hotbackup.oracle.plugins.module_utils._backup.compression import Compression
from ansible_collections.hotbackup.oracle.plugins.module_utils._backup.errors import (
    VerificationError,
    WaitTimeout,
)
from ansible_collections.hotbackup.oracle.plugins.module_utils._backup.layout import DatabaseLayout, SetLayout
from ansible_collections.hotbackup.oracle.plugins.module_utils._backup.limits import (
    NO_LIMIT_AT_ZERO,
    POSITIVE,
)
from ansible_collections.hotbackup.oracle.plugins.module_utils._backup.plan import BackupPolicy
from ansible_collections.hotbackup.oracle.plugins.module_utils._backup.tuning import CopyTuning
from ansible_collections.hotbackup.oracle.plugins.module_utils._module import (
    ModuleContext,
    OptionSpec,
    compression_spec,
    connection_spec,
    jmespath_search,
    reflink_spec,
    run_module,
    selection_spec,
    set_spec,
    streams_spec,
    whole_number,
)
from ansible_collections.hotbackup.oracle.plugins.module_utils._oracle.discovery import (
    read_database,
    read_tablespaces,
)
from ansible_collections.hotbackup.oracle.plugins.module_utils._run.attach import follow_run, raise_failure
from ansible_collections.hotbackup.oracle.plugins.module_utils._run.beginning import (
    begin,
    is_done,
    require_startable,
)
from ansible_collections.hotbackup.oracle.plugins.module_utils._run.logind import ends_processes_at_logout
from ansible_collections.hotbackup.oracle.plugins.module_utils._run.preflight import (
    Preflight,
    examine,
    read_state,
)
from ansible_collections.hotbackup.oracle.plugins.module_utils._run.request import RunRequest
from ansible_collections.hotbackup.oracle.plugins.module_utils._run.run_result import (
    executed_statements,
    planned_statements,
    set_contents,
)
from ansible_collections.hotbackup.oracle.plugins.module_utils._run.state_folder import StateFolder
from ansible_collections.hotbackup.oracle.plugins.module_utils._run.status import RunStatus

SPEC = (
    connection_spec()
    + set_spec()
    + selection_spec()
    + streams_spec()
    + reflink_spec()
    + compression_spec()
    + OptionSpec(
        options={
            "max_window": whole_number(NO_LIMIT_AT_ZERO, default=0),
            "state_dir": {"type": "path"},
            "wait": {"type": "bool", "default": True},
            "wait_timeout": whole_number(NO_LIMIT_AT_ZERO, default=0),
            "poll_interval": whole_number(POSITIVE, default=5),
            "follow": {"type": "str"},
        },
        required_by={"follow": ("state_dir",)},
    )
)


def ensure(context: ModuleContext) -> dict[str, Any]:
    return _follow(context) if context.params["follow"] else _ensure(context)


def _ensure(context: ModuleContext) -> dict[str, Any]:
    params = context.params
    policy = BackupPolicy(
        tuple(params["tablespaces"]),
        tuple(params["exclude"]),
        params["query"],
        CopyTuning.from_options(params),
        Compression.from_options(params),
    )
    with context.connect() as gateway:
        database = read_database(gateway)
        tablespaces = read_tablespaces(gateway, database)
    layout = SetLayout(params["destination"], database.unique_name, database.dbid, params["set_id"])
    folder = StateFolder.of_database(database.unique_name, params["state_dir"])
    found = examine(database, tablespaces, layout, policy, jmespath_search)
    for warning in found.warnings:
        context.warn(warning)
    if context.check_mode:
        changed = not is_done(found, layout)
        if changed:
            require_startable(found, folder, params["set_id"])
            context.statements += planned_statements(found.plan)
        return _result(context, layout, folder, found, None, changed)
    if ends_processes_at_logout(getpass.getuser()):
        context.warn(
            "This host ends a user's processes at logout (KillUserProcesses in logind.conf): the run will not outlive "
            "the connection of this task. Name the user in KillExcludeUsers."
        )
    request = RunRequest(
        connection=context.connection_settings.to_json(),
        destination=params["destination"],
        db_unique_name=database.unique_name,
        dbid=database.dbid,
        set_id=params["set_id"],
        run_id=secrets.token_hex(8),
        policy=policy,
        max_window_seconds=params["max_window"],
        state_dir=str(folder.root),
    )
    status = begin(request, folder, found, layout)
    if status is not None and params["wait"]:
        status = follow_run(folder, status.run_id, params["wait_timeout"] or None)
        if not status.finished:
            raise WaitTimeout(
                f"The run of set {status.set_id} has not ended within {params['wait_timeout']} s. It goes on.",
                hint="The same task attaches to it.",
                details={"last_observation": status.message, "run": status.as_result()},
            )
    return _result(context, layout, folder, found, status, status is not None)


def _follow(context: ModuleContext) -> dict[str, Any]:
    params = context.params
    folder = StateFolder(Path(params["state_dir"]))
    status = follow_run(folder, params["follow"], params["poll_interval"] if params["wait"] else 0)
    layout = _layout_of(Path(status.journal_path))
    return _result(context, layout, folder, None, status, True)


def _result(
    context: ModuleContext,
    layout: SetLayout,
    folder: StateFolder,
    found: Preflight | None,
    status: RunStatus | None,
    changed: bool,
) -> dict[str, Any]:
    if status is not None:
        raise_failure(status)
    state = read_state(layout)
    if status is not None:
        context.statements += executed_statements(state, status.run_id)
    return {
        "changed": changed,
        "set_id": layout.set_id,
        "database": {"unique_name": layout.db_unique_name, "dbid": layout.dbid},
        "set_folder": str(layout.set_folder),
        "state_dir": str(folder.root),
        "plan": None if found is None else found.as_result(),
        "run": None if status is None else status.as_result(),
        **set_contents(state),
        "resumed": status is not None and status.resumed,
        "elapsed": 0.0 if status is None else status.elapsed_seconds,
        "statements": context.statements,
    }


def _layout_of(journal_path: Path) -> SetLayout:
    database = DatabaseLayout.from_folder(journal_path.parents[2])
    if database is None:
        raise VerificationError(f"{journal_path} is not the journal of a set.")
    return database.set(journal_path.parent.name)


def main() -> None:
    run_module("tablespace_backup", SPEC, ensure)


if __name__ == "__main__":
    main()
