#!/usr/bin/python
# Copyright (c) 2026 hotbackup contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
from __future__ import annotations

DOCUMENTATION = r"""
module: archivelog_backup
short_description: Keep the archived redo that a backup set or a range of SCNs needs
version_added: 1.0.0
description:
  - Ensures that the redo store holds an unbroken, verified chain of archived logs of every enabled thread for a range
    of SCNs, which is that of a backup set or given by O(from_scn) and O(through_scn).
  - Every log is read through, its blocks are checked, and its own header must say that it is the log wanted. If one
    archived copy is missing or damaged, the next destination's is used.
  - Sets share the redo store. A log that is in it already, and sound, is not copied again.
  - Several logs are read and copied at the same time. One that cannot be kept does not keep the others from it; the
    module then fails, with C(lost_logs) in the result.
author:
  - hotbackup contributors (@hotbackup)
options:
  destination:
    description:
      - Folder below which backup sets are kept, as seen from the host where the module runs.
      - The redo store is C(DB_UNIQUE_NAME-DBID/redo) below it.
    type: path
    required: true
  set_id:
    description:
      - Identifier of the set whose redo is wanted, from its lowest begin-backup SCN to the SCN after its last END
        BACKUP.
      - One of O(set_id) and O(from_scn) is needed.
    type: str
  from_scn:
    description: Keep the redo from this SCN on, without a set.
    type: int
  through_scn:
    description: Last SCN of the range of O(from_scn); by default as far as every thread has been archived.
    type: int
extends_documentation_fragment:
  - hotbackup.oracle._connection
  - hotbackup.oracle._streams
  - hotbackup.oracle._attributes
  - hotbackup.oracle._attributes.actiongroup_oracle
attributes:
  check_mode:
    support: full
    details:
      - Logs in the store are judged by their names and headers, and none is read through.
      - As long as the set is not copied, its logs are not known and RV(logs) is empty.
  diff_mode:
    support: none
    details: Logs are added to a store, nothing is changed.
  idempotent:
    support: full
notes:
  - Redo that is not archived yet cannot be kept. Run M(hotbackup.oracle.log_switch) and
    M(hotbackup.oracle.archive_wait) before.
  - The archive destinations must be readable by the user of the task on this host.
seealso:
  - module: hotbackup.oracle.log_switch
  - module: hotbackup.oracle.archive_wait
  - module: hotbackup.oracle.backup_set
"""

EXAMPLES = r"""
- name: Keep the redo that the set of this night needs
  hotbackup.oracle.archivelog_backup:
    login_service: ORCL
    login_user: backup_operator
    login_password: "{{ backup_operator_password }}"
    destination: /backup
    set_id: 20260301T010000Z

- name: Keep everything archived since the last set
  hotbackup.oracle.archivelog_backup:
    login_service: ORCL
    login_user: backup_operator
    login_password: "{{ backup_operator_password }}"
    destination: /backup
    from_scn: 2871466
    streams: 2
    max_bytes_per_second: 200000000
    nice: 10
"""

RETURN = r"""
logs:
  description: The logs of the range, in the order of thread and sequence.
  returned: success
  type: list
  elements: dict
  contains:
    resetlogs_id:
      description: Incarnation of the database.
      type: int
    thread:
      description: Number of the thread.
      type: int
    sequence:
      description: Sequence number of the log.
      type: int
    first_scn:
      description: First SCN in the log.
      type: int
    next_scn:
      description: First SCN of the log after it.
      type: int
    path:
      description: Path relative to the folder of the database.
      type: str
    size_bytes:
      description: Size of the log.
      type: int
    digest:
      description: SHA-256 over the SHA-256 of its chunks; null in check mode.
      type: str
    changed:
      description: Whether this task stored it.
      type: bool
  sample:
    - resetlogs_id: 1093214587
      thread: 1
      sequence: 17
      first_scn: 2871100
      next_scn: 2871533
      path: redo/1093214587/t1/17.arc
      size_bytes: 3145728
      digest: 3b5d1c0e7b9a54c6d3a1b8e09f4c2d5e6a7b8c9d0e1f2a3b4c5d6e7f8091a2b3
      changed: true
chain:
  description: What was proved. An incomplete chain makes the module fail, with C(gaps) in the result.
  returned: success
  type: dict
  contains:
    complete:
      description: Whether the redo is unbroken; in check mode, whether it will be. False if that is not known yet.
      type: bool
    gaps:
      description: What is missing.
      type: list
      elements: dict
    threads:
      description: The threads whose redo is needed.
      type: list
      elements: int
    begin_scn:
      description: First SCN of the range; null if it is not known yet.
      type: int
    end_scn:
      description: Last SCN of the range; null if it is not known yet.
      type: int
  sample: {complete: true, gaps: [], threads: [1], begin_scn: 2871400, end_scn: 2871466}
redo_folder:
  description: Folder of the redo store.
  returned: success
  type: str
  sample: /backup/ORCL-1567890123/redo
statements:
  description: The statements executed; this module only queries.
  returned: always
  type: list
  elements: str
  sample: []
"""

from collections.abc import Callable, Collection
from typing import Any

from ansible_collections.hotbackup.oracle.plugins.module_utils._backup.chain import (
    required_threads,
)
from ansible_collections.hotbackup.oracle.plugins.module_utils._backup.errors import PreconditionError
from ansible_collections.hotbackup.oracle.plugins.module_utils._backup.journal_state import JournalState
from ansible_collections.hotbackup.oracle.plugins.module_utils._backup.layout import DatabaseLayout
from ansible_collections.hotbackup.oracle.plugins.module_utils._backup.limits import NOT_NEGATIVE, SCN
from ansible_collections.hotbackup.oracle.plugins.module_utils._backup.model import ArchivedLog, Database
from ansible_collections.hotbackup.oracle.plugins.module_utils._backup.tuning import CopyTuning
from ansible_collections.hotbackup.oracle.plugins.module_utils._files.io_context import ignore
from ansible_collections.hotbackup.oracle.plugins.module_utils._module import (
    ModuleContext,
    OptionSpec,
    connection_spec,
    run_module,
    streams_spec,
    whole_number,
)
from ansible_collections.hotbackup.oracle.plugins.module_utils._oracle.discovery import (
    read_archived_logs,
    read_database,
)
from ansible_collections.hotbackup.oracle.plugins.module_utils._oracle.gateway import Gateway
from ansible_collections.hotbackup.oracle.plugins.module_utils._run.preflight import read_state
from ansible_collections.hotbackup.oracle.plugins.module_utils._run.redo_intake import (
    RedoNotes,
    store_logs,
)
from ansible_collections.hotbackup.oracle.plugins.module_utils._run.redo_store import (
    ScnRange,
    StoredLog,
    archived_through,
    missing_from_store,
    planned_log,
    prove_stored,
    range_of_set,
    required_logs,
)

SPEC = (
    connection_spec()
    + streams_spec()
    + OptionSpec(
        options={
            "destination": {"type": "path", "required": True},
            "set_id": {"type": "str"},
            "from_scn": whole_number(NOT_NEGATIVE),
            "through_scn": whole_number(SCN),
        },
        mutually_exclusive=(("set_id", "from_scn"), ("set_id", "through_scn")),
        required_one_of=(("set_id", "from_scn"),),
    )
)


def ensure(context: ModuleContext) -> dict[str, Any]:
    params = context.params
    tuning = CopyTuning.from_options(params)
    with context.connect() as gateway:
        database = read_database(gateway)
        layout = DatabaseLayout(params["destination"], database.unique_name, database.dbid)
        state = _state(layout, database, params["set_id"])
        if context.check_mode and params["set_id"] and state.copied_end_scn is None:
            context.warn(f"Set {params['set_id']} is not copied yet, so the logs it will need are not known.")
            return _result(context, layout, [], None, True)
        wanted, threads, logs = _wanted(gateway, database, state, params)
    required = required_logs(layout, logs, wanted, database.resetlogs_id, threads)
    if context.check_mode:
        missing = set(missing_from_store(layout, required))
        stored = [planned_log(layout, key, required[key], key in missing) for key in sorted(required)]
    else:
        in_order = {key: required[key] for key in sorted(required)}
        stored = store_logs(layout, in_order, tuning, _note_in_set(layout, params["set_id"], state))
        prove_stored(stored, wanted, database.resetlogs_id, threads)
    chain = _chain_result(True, threads, wanted)
    return _result(context, layout, stored, chain, any(log.changed for log in stored))


def _note_in_set(
    layout: DatabaseLayout, set_id: str | None, state: JournalState
) -> Callable[[StoredLog], None]:
    """What the set is told of each stored log; a range without a set has nobody to tell."""
    return RedoNotes(layout.set(set_id).journal_path, state).note if set_id else ignore


def _chain_result(complete: bool, threads: Collection[int], wanted: ScnRange | None) -> dict[str, Any]:
    return {
        "complete": complete,
        "gaps": [],
        "threads": sorted(threads),
        "begin_scn": wanted.begin_scn if wanted else None,
        "end_scn": wanted.end_scn if wanted else None,
    }


def _result(
    context: ModuleContext,
    layout: DatabaseLayout,
    logs: list[StoredLog],
    chain: dict[str, Any] | None,
    changed: bool,
) -> dict[str, Any]:
    return {
        "changed": changed,
        "logs": [vars(log) for log in logs],
        "chain": chain or _chain_result(False, (), None),
        "redo_folder": str(layout.redo_folder),
        "statements": context.statements,
    }


def _state(layout: DatabaseLayout, database: Database, set_id: str | None) -> JournalState:
    state = read_state(layout.set(set_id)) if set_id else JournalState()
    if state.exists and state.resetlogs_id != database.resetlogs_id:
        raise PreconditionError(
            f"Set {set_id} is of incarnation {state.resetlogs_id}; the database is now in incarnation "
            f"{database.resetlogs_id}.",
            hint="Start a new set.",
        )
    return state


def _wanted(
    gateway: Gateway, database: Database, state: JournalState, params: dict[str, Any]
) -> tuple[ScnRange, Collection[int], list[ArchivedLog]]:
    """The range, the threads that write redo in it, and the logs the control file knows of it."""
    wanted = range_of_set(state) if params["set_id"] else None
    begin_scn = wanted.begin_scn if wanted else params["from_scn"]
    threads = required_threads(database.threads, database.threads, begin_scn)
    logs = read_archived_logs(gateway, begin_scn, database.resetlogs_id)
    if wanted is None:
        through = params["through_scn"]
        if through is None:
            through = archived_through([log for log in logs if log.available], threads)
        if through is None or through < begin_scn:
            raise PreconditionError(
                f"No redo from SCN {begin_scn} on is archived in every thread.",
                hint="Switch logs and wait for the archiver first.",
            )
        wanted = ScnRange(begin_scn, through)
    return wanted, threads, logs


def main() -> None:
    run_module("archivelog_backup", SPEC, ensure)


if __name__ == "__main__":
    main()
