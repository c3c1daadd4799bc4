#!/usr/bin/python
# Copyright (c) 2026 hotbackup contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
from __future__ import annotations

DOCUMENTATION = r"""
module: backup_set
short_description: Seal a backup set when it is proved complete, or remove one
version_added: 1.0.0
description:
  - With O(state=sealed), proves that a backup set is complete and writes its manifest, last and atomically. Without a
    manifest a set is unfinished and is not a backup.
  - Proved are, from the stored files' own headers, that every datafile asked for is in the set and was copied in backup
    mode or at rest; that the archived redo leads without a break from the first BEGIN BACKUP past the last END BACKUP;
    and that the control file was saved after it.
  - The database is asked again whether it changed meanwhile. A datafile that was added, another incarnation, or a
    read-only file that was written refuse the seal. Changes without redo (NOLOGGING) become findings.
author:
  - hotbackup contributors (@hotbackup)
options:
  state:
    description:
      - V(sealed) ensures that the set is complete and has its manifest.
      - V(absent) removes the folder of the set. The redo store is left alone, as other sets use it too.
    type: str
    choices: [sealed, absent]
    default: sealed
  verify:
    description:
      - How the stored files are looked at before the set is sealed.
      - V(headers) reads sizes and headers. Every block was checked when it was copied.
      - V(full) reads every byte of datafiles and redo back and compares the checksums. Compressed copies are
        decompressed for that; V(headers) decompresses their beginning. O(streams) and the options of the same kind say
        how it is read.
    type: str
    choices: [headers, full]
    default: headers
  confirm:
    description: With O(state=absent), must be equal to O(set_id).
    type: str
  state_dir:
    description: Folder of the local state of runs, as for M(hotbackup.oracle.tablespace_backup).
    type: path
extends_documentation_fragment:
  - hotbackup.oracle._connection
  - hotbackup.oracle._set
  - hotbackup.oracle._streams
  - hotbackup.oracle._attributes
  - hotbackup.oracle._attributes.actiongroup_oracle
attributes:
  check_mode:
    support: full
    details: Proves the set and writes nothing. A set that is not copied yet gets no verdict.
  diff_mode:
    support: none
    details: A seal has no earlier state.
  idempotent:
    support: full
seealso:
  - module: hotbackup.oracle.tablespace_backup
  - module: hotbackup.oracle.archivelog_backup
  - module: hotbackup.oracle.controlfile_backup
  - module: hotbackup.oracle.backup_set_info
"""

EXAMPLES = r"""
- name: Seal the set of this night
  hotbackup.oracle.backup_set:
    login_service: ORCL
    login_user: backup_operator
    login_password: "{{ backup_operator_password }}"
    destination: /backup
    set_id: 20260301T010000Z

- name: Seal it after reading every byte back
  hotbackup.oracle.backup_set:
    login_service: ORCL
    login_user: backup_operator
    login_password: "{{ backup_operator_password }}"
    destination: /backup
    set_id: 20260301T010000Z
    verify: full

- name: Remove an old set
  hotbackup.oracle.backup_set:
    login_service: ORCL
    login_user: backup_operator
    login_password: "{{ backup_operator_password }}"
    destination: /backup
    set_id: 20260101T010000Z
    state: absent
    confirm: 20260101T010000Z
"""

RETURN = r"""
set_id:
  description: Identifier of the set.
  returned: success
  type: str
  sample: 20260301T010000Z
set_folder:
  description: Folder of the set.
  returned: success
  type: str
  sample: /backup/ORCL-1567890123/sets/20260301T010000Z
manifest_path:
  description: The manifest; null with O(state=absent).
  returned: success
  type: str
  sample: /backup/ORCL-1567890123/sets/20260301T010000Z/manifest.json
exists:
  description: Whether the set exists, in check mode whether it would.
  returned: success
  type: bool
  sample: true
sealed:
  description: Whether it is sealed, in check mode whether it would be.
  returned: success
  type: bool
  sample: true
verdict:
  description:
    - V(good), nothing was found.
    - V(good_with_findings), it can be restored whole, and RV(findings) say what to know.
    - V(degraded), it can be restored, but something is missing or blocks are bad in the database itself.
    - Null with O(state=absent), and in check mode for a set that is not copied yet.
  returned: success
  type: str
  sample: good
findings:
  description: What was found. C(severity) is V(notice) or V(degrades).
  returned: success
  type: list
  elements: dict
  sample:
    - severity: notice
      code: nologging
      subject: /u01/oradata/ORCL/load01.dbf
      message: >-
        Datafile 7 was written without redo at SCN 2871450, after SCN 2871400 at which its copy begins: those blocks
        cannot be recovered (ORA-26040).
begin_scn:
  description: SCN from which a restore needs redo; null with O(state=absent).
  returned: success
  type: int
  sample: 2871400
end_scn:
  description: Lowest SCN to which the set can be recovered; null with O(state=absent).
  returned: success
  type: int
  sample: 2871466
file_count:
  description: Datafiles in the set.
  returned: success
  type: int
  sample: 8
size_bytes:
  description: Bytes on disk of the set with the redo it needs.
  returned: success
  type: int
  sample: 214748364
statements:
  description: The statements executed; this module only queries.
  returned: always
  type: list
  elements: str
  sample: []
"""

from datetime import datetime, timezone
from typing import Any

from ansible_collections.hotbackup.oracle.plugins.module_utils._backup.chain import required_threads
from ansible_collections.hotbackup.oracle.plugins.module_utils._backup.errors import LeaseHeld
from ansible_collections.hotbackup.oracle.plugins.module_utils._backup.layout import SetLayout
from ansible_collections.hotbackup.oracle.plugins.module_utils._backup.manifest import Manifest
from ansible_collections.hotbackup.oracle.plugins.module_utils._backup.plain import plain
from ansible_collections.hotbackup.oracle.plugins.module_utils._backup.selection import select_tablespaces
from ansible_collections.hotbackup.oracle.plugins.module_utils._backup.tuning import CopyTuning
from ansible_collections.hotbackup.oracle.plugins.module_utils._module import (
    ModuleContext,
    OptionSpec,
    connection_spec,
    jmespath_search,
    run_module,
    set_spec,
    streams_spec,
)
from ansible_collections.hotbackup.oracle.plugins.module_utils._oracle.discovery import (
    read_database,
    read_online_logs,
    read_tablespaces,
)
from ansible_collections.hotbackup.oracle.plugins.module_utils._oracle.gateway import Gateway
from ansible_collections.hotbackup.oracle.plugins.module_utils._run.lease import lease_holder
from ansible_collections.hotbackup.oracle.plugins.module_utils._run.preflight import read_state
from ansible_collections.hotbackup.oracle.plugins.module_utils._run.removal import (
    remove_set,
    require_removable,
)
from ansible_collections.hotbackup.oracle.plugins.module_utils._run.sealing import (
    Seen,
    note_seal,
    prove,
    read_manifest,
    write_seal,
)
from ansible_collections.hotbackup.oracle.plugins.module_utils._run.state_folder import StateFolder

SPEC = (
    connection_spec()
    + set_spec()
    + streams_spec()
    + OptionSpec(
        options={
            "state": {"type": "str", "choices": ["sealed", "absent"], "default": "sealed"},
            "verify": {"type": "str", "choices": ["headers", "full"], "default": "headers"},
            "confirm": {"type": "str"},
            "state_dir": {"type": "path"},
        },
        required_if=(("state", "absent", ("confirm",)),),
    )
)


def ensure(context: ModuleContext) -> dict[str, Any]:
    params = context.params
    tuning = CopyTuning.from_options(params)
    with context.connect() as gateway:
        database = read_database(gateway)
        layout = SetLayout(params["destination"], database.unique_name, database.dbid, params["set_id"])
        _refuse_live_run(params["state_dir"], layout)
        if params["state"] == "absent":
            return _absent(context, layout)
        manifest = read_manifest(layout)
        changed = manifest is None
        if manifest is None:
            state = read_state(layout)
            if context.check_mode and state.copied_end_scn is None:
                context.warn(f"Set {layout.set_id} is not copied yet, so it cannot be proved.")
                return _result(context, layout, None, True)
            manifest = prove(
                layout, state, _look(gateway, layout), params["verify"], tuning, datetime.now(timezone.utc)
            )
            if not context.check_mode:
                write_seal(layout, manifest)
        elif not context.check_mode and read_state(layout).sealed is None:
            # The run that sealed it died between manifest and journal.
            note_seal(layout, layout.manifest_path.read_bytes())
    return _result(context, layout, manifest, changed)


def _look(gateway: Gateway, layout: SetLayout) -> Seen:
    """What the database is now, and of it what the set was begun for."""
    database = read_database(gateway)
    state = read_state(layout)
    policy = state.policy
    selection = select_tablespaces(
        read_tablespaces(gateway, database),
        policy.get("tablespaces", ()),
        policy.get("exclude", ()),
        policy.get("query", ""),
        jmespath_search,
    )
    threads = required_threads(database.threads, database.threads, state.begin_scn or 0)
    return Seen(database, selection, read_online_logs(gateway), threads)


def _absent(context: ModuleContext, layout: SetLayout) -> dict[str, Any]:
    exists = layout.set_folder.exists()
    if exists:
        require_removable(layout, context.params["confirm"])
        if not context.check_mode:
            remove_set(layout)
    return _result(context, layout, None, exists)


def _refuse_live_run(state_dir: str | None, layout: SetLayout) -> None:
    folder = StateFolder.of_database(layout.db_unique_name, state_dir)
    holder = lease_holder(folder.lease_path)
    if holder is not None and holder.set_id == layout.set_id:
        raise LeaseHeld(
            f"Set {layout.set_id} is still being worked on by {holder.describe()}.",
            hint="Wait until it has ended.",
        )


def _result(
    context: ModuleContext, layout: SetLayout, manifest: Manifest | None, changed: bool
) -> dict[str, Any]:
    return {
        "changed": changed,
        "set_id": layout.set_id,
        "set_folder": str(layout.set_folder),
        "manifest_path": None if manifest is None else str(layout.manifest_path),
        "exists": manifest is not None,
        "sealed": manifest is not None,
        "verdict": None if manifest is None else manifest.verdict.value,
        "findings": [] if manifest is None else plain(manifest.findings),
        "begin_scn": None if manifest is None else manifest.begin_scn,
        "end_scn": None if manifest is None else manifest.end_scn,
        "file_count": 0 if manifest is None else len(manifest.files),
        "size_bytes": 0 if manifest is None else manifest.size_bytes,
        "statements": context.statements,
    }


def main() -> None:
    run_module("backup_set", SPEC, ensure)


if __name__ == "__main__":
    main()
