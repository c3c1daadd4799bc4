#!/usr/bin/python
# Copyright (c) 2026 hotbackup contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
from __future__ import annotations

DOCUMENTATION = r"""
module: backup_set_info
short_description: List backup sets, what they are worth, and to which SCNs they can be recovered
version_added: 1.0.0
description:
  - Reads the sets below a destination from their own manifests, journals and files, and the redo store from the headers
    of its logs. No database is needed.
author:
  - hotbackup contributors (@hotbackup)
options:
  destination:
    description: Folder below which backup sets are kept.
    type: path
    required: true
  db_unique_name:
    description: Sets of the database with this C(DB_UNIQUE_NAME) only.
    type: str
  dbid:
    description: Sets of the database with this identifier only.
    type: int
  set_id:
    description: This set only.
    type: str
  until_scn:
    description: Sets only that can be recovered to this SCN with the redo that is there.
    type: int
  query:
    description:
      - JMESPath expression over the list of sets, in the form of RV(sets). It answers a list of sets or of their
        identifiers. Needs the Python library C(jmespath).
    type: str
    default: ""
  verify:
    description:
      - V(none) believes the manifests. V(headers) compares size and header of every file. V(full) reads every byte and
        compares the digests, with O(streams) and the options of the same kind.
      - The redo that a set needs is looked for with each of them.
      - To look at compressed copies, V(headers) and V(full) need the Python package C(zstandard) or C(backports.zstd),
        or Python 3.14, where the module runs.
    type: str
    choices: [none, headers, full]
    default: none
extends_documentation_fragment:
  - hotbackup.oracle._streams
  - hotbackup.oracle._attributes
  - hotbackup.oracle._attributes.info_module
seealso:
  - module: hotbackup.oracle.backup_set
  - module: hotbackup.oracle.datafile_restore
"""

EXAMPLES = r"""
- name: List the sets of a database
  hotbackup.oracle.backup_set_info:
    destination: /backup/oracle
    db_unique_name: ORCL
  register: backups

- name: Find the newest good set for a point in time
  hotbackup.oracle.backup_set_info:
    destination: /backup/oracle
    db_unique_name: ORCL
    until_scn: 2871600
    query: "[?verdict == 'good' || verdict == 'good_with_findings']"
  register: candidates

- name: Read every byte of one set
  hotbackup.oracle.backup_set_info:
    destination: /backup/oracle
    set_id: 20261121T221500Z
    verify: full
"""

RETURN = r"""
sets:
  description:
    - The sets, newest first by RV(sets[].sealed_at); one that is not sealed counts from the first entry of its journal.
    - The identifier does not decide. It may be chosen by hand, and a set may be completed long after it was begun.
  returned: success
  type: list
  elements: dict
  contains:
    set_id:
      description: Identifier of the set.
      type: str
    db_unique_name:
      description: Name of the database.
      type: str
    dbid:
      description: Identifier of the database.
      type: int
    path:
      description: Folder of the set.
      type: str
    sealed:
      description: Whether the set is complete. One that is not is never a backup.
      type: bool
    sealed_at:
      description: When it was sealed, in UTC.
      type: str
    verdict:
      description:
        - V(good); V(good_with_findings), restorable whole; V(degraded), restorable, but something that was asked for is
          missing or blocks are corrupt in the source itself; V(unusable), a restore would fail; V(unknown), not sealed.
        - A set is V(unusable) too when all that it could be recovered to was given up with RESETLOGS.
      type: str
    findings:
      description:
        - What was found. A finding with the code V(given_up) says from which SCN on the history of the set is no longer
          the database's, because it was opened with RESETLOGS; the redo store, and the online logs where they are on
          this host, tell.
      type: list
      elements: dict
    begin_scn:
      description: A restore needs redo from this SCN on.
      type: int
    end_scn:
      description: A restored set is consistent from this SCN on.
      type: int
    reachable:
      description:
        - First and last SCN it can be recovered to with the redo store as it is, without what was given up with
          RESETLOGS. Null if redo is missing or nothing is left.
      type: dict
    resetlogs_id:
      description: Incarnation of the database the set is of.
      type: int
    size_bytes:
      description: Bytes on disk of the set and of the redo it needs.
      type: int
    file_count:
      description: How many datafiles it holds.
      type: int
    tablespaces:
      description: Names of the tablespaces it holds.
      type: list
      elements: str
    excluded:
      description: Names of the tablespaces it does not hold.
      type: list
      elements: str
    open_windows:
      description: Tablespaces that the journal does not show to have left backup mode.
      type: list
      elements: str
  sample:
    - set_id: 20261121T221500Z
      db_unique_name: ORCL
      dbid: 1684523458
      path: /backup/oracle/ORCL-1684523458/sets/20261121T221500Z
      sealed: true
      sealed_at: "2026-11-21T22:17:31Z"
      verdict: good
      findings: []
      begin_scn: 2871400
      end_scn: 2871520
      reachable: {from_scn: 2871520, through_scn: 2873004}
      resetlogs_id: 1217345678
      size_bytes: 214958080
      file_count: 6
      tablespaces: [SYSTEM, SYSAUX, UNDOTBS1, USERS]
      excluded: []
      open_windows: []
redo_problems:
  description: Files of the redo stores that are not usable logs, with the reason.
  returned: success
  type: list
  elements: str
  sample: []
"""

from pathlib import Path
from typing import Any

from ansible_collections.hotbackup.oracle.plugins.module_utils._backup.errors import PreconditionError
from ansible_collections.hotbackup.oracle.plugins.module_utils._backup.layout import check_set_id
from ansible_collections.hotbackup.oracle.plugins.module_utils._backup.limits import DBID, SCN
from ansible_collections.hotbackup.oracle.plugins.module_utils._backup.plain import plain
from ansible_collections.hotbackup.oracle.plugins.module_utils._backup.tuning import CopyTuning
from ansible_collections.hotbackup.oracle.plugins.module_utils._module import (
    ModuleContext,
    OptionSpec,
    jmespath_search,
    run_module,
    streams_spec,
    whole_number,
)
from ansible_collections.hotbackup.oracle.plugins.module_utils._run.set_catalog import (
    SetReport,
    find_databases,
    newest_first,
    read_redo_store,
    read_sets,
)

SPEC = streams_spec() + OptionSpec(
    options={
        "destination": {"type": "path", "required": True},
        "db_unique_name": {"type": "str"},
        "dbid": whole_number(DBID),
        "set_id": {"type": "str"},
        "until_scn": whole_number(SCN),
        "query": {"type": "str", "default": ""},
        "verify": {"type": "str", "choices": ["none", "headers", "full"], "default": "none"},
    }
)


def read(context: ModuleContext) -> dict[str, Any]:
    params = context.params
    tuning = CopyTuning.from_options(params)
    if params["set_id"] is not None:
        check_set_id(params["set_id"])
    reports: list[SetReport] = []
    redo_problems: list[str] = []
    for layout in find_databases(Path(params["destination"]), params["db_unique_name"], params["dbid"]):
        logs, problems = read_redo_store(layout)
        redo_problems += problems
        reports += read_sets(layout, logs, params["verify"], tuning, context.warn, params["set_id"])
    if params["until_scn"] is not None:
        reports = [item for item in reports if item.reachable and params["until_scn"] in item.reachable]
    sets = [_result(report) for report in newest_first(reports)]
    return {
        "changed": False,
        "sets": _queried(sets, params["query"]) if params["query"] else sets,
        "redo_problems": redo_problems,
    }


def _queried(sets: list[dict[str, Any]], query: str) -> list[dict[str, Any]]:
    answer = jmespath_search(query, sets)
    if answer is None:
        return []
    if not isinstance(answer, list):
        raise PreconditionError(f"The query {query!r} must answer a list of sets.")
    wanted = {item.get("path") if isinstance(item, dict) else item for item in answer}
    chosen = [item for item in sets if item["path"] in wanted or item["set_id"] in wanted]
    if answer and not chosen:
        raise PreconditionError(f"The query {query!r} answered {answer!r}, which are not sets.")
    return chosen


def _result(report: SetReport) -> dict[str, Any]:
    manifest, journal = report.manifest, report.journal
    copied = manifest.files if manifest else tuple(journal.files.values())
    size = manifest.size_bytes if manifest else sum(item.stored_size_bytes for item in copied)
    result: dict[str, Any] = plain(
        {
            "set_id": report.layout.set_id,
            "db_unique_name": report.layout.db_unique_name,
            "dbid": report.layout.dbid,
            "path": str(report.layout.set_folder),
            "sealed": report.sealed,
            "sealed_at": manifest.sealed_at if manifest else None,
            "verdict": report.verdict,
            "findings": report.findings,
            "begin_scn": manifest.begin_scn if manifest else journal.begin_scn,
            "end_scn": manifest.end_scn if manifest else journal.copied_end_scn,
            "reachable": report.reachable,
            "resetlogs_id": manifest.database.resetlogs_id if manifest else journal.resetlogs_id,
            "size_bytes": size,
            "file_count": len(copied),
            "tablespaces": list(dict.fromkeys(item.tablespace for item in copied)),
            "excluded": [item.tablespace for item in manifest.excluded] if manifest else [],
            "open_windows": [window.tablespace for window in journal.open_windows],
        }
    )
    return result


def main() -> None:
    run_module("backup_set_info", SPEC, read)


if __name__ == "__main__":
    main()
