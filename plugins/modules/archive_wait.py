#!/usr/bin/python
# Copyright (c) 2026 hotbackup contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
from __future__ import annotations

DOCUMENTATION = r"""
module: archive_wait
short_description: Wait until redo has been archived
version_added: 1.0.0
description:
  - Waits until every given log, or all redo up to an SCN, is archived, in a wanted destination, with its file complete
    on disk.
  - Waits as long as there is progress, and fails early with the archiver's own error when it reports one.
  - It changes nothing; use M(hotbackup.oracle.log_switch) before, to make redo leave the current logs.
author:
  - hotbackup contributors (@hotbackup)
options:
  logs:
    description:
      - The logs to wait for, such as C(threads) of M(hotbackup.oracle.log_switch).
      - Exactly one of O(logs) and O(through_scn) is needed.
    type: list
    elements: dict
    suboptions:
      thread:
        description: Number of the redo thread.
        type: int
        required: true
      sequence:
        description: Sequence number of the log.
        type: int
        required: true
      first_scn:
        description: First SCN of the log. Not needed; allowed so that results can be passed on as they are.
        type: int
      next_scn:
        description: First SCN of the log after it. Not needed; allowed so that results can be passed on as they are.
        type: int
  through_scn:
    description:
      - Wait for all redo of all enabled threads up to this SCN.
      - Redo that is still in a current log is an error, as nothing would archive it.
    type: int
  dest_ids:
    description: Numbers of the archive destinations whose copies count; those of any destination when empty.
    type: list
    elements: int
    default: []
extends_documentation_fragment:
  - hotbackup.oracle._connection
  - hotbackup.oracle._wait
  - hotbackup.oracle._attributes
  - hotbackup.oracle._attributes.info_module
  - hotbackup.oracle._attributes.actiongroup_oracle
notes:
  - A copy counts as complete when V$ARCHIVED_LOG shows it so and, where its path can be seen from the host where the
    module runs, its file has the size it must have.
seealso:
  - module: hotbackup.oracle.log_switch
  - module: hotbackup.oracle.archivelog_backup
"""

EXAMPLES = r"""
- name: Wait for the logs that a switch left
  hotbackup.oracle.archive_wait:
    login_service: ORCL
    login_user: backup_operator
    login_password: "{{ backup_operator_password }}"
    logs: "{{ switched.threads }}"

- name: Wait for all redo of a backup in the destination that is copied from
  hotbackup.oracle.archive_wait:
    login_service: ORCL
    login_user: backup_operator
    login_password: "{{ backup_operator_password }}"
    through_scn: "{{ backup.end_scn }}"
    dest_ids: [1]
    wait_timeout: 1800
"""

RETURN = r"""
complete:
  description: Whether every log asked for is archived. Can be V(false) only with O(wait=false) or in check mode.
  returned: success
  type: bool
  sample: true
logs:
  description: One complete archived copy of each log.
  returned: success
  type: list
  elements: dict
  contains:
    thread:
      description: Number of the redo thread.
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
    dest_id:
      description: Number of the destination.
      type: int
    path:
      description: Path of the file.
      type: str
    size_bytes:
      description: Size of the file.
      type: int
  sample:
    - thread: 1
      sequence: 17
      first_scn: 2871100
      next_scn: 2871533
      dest_id: 1
      path: /u02/archive/ORCL/1_17_1217345678.arc
      size_bytes: 3146240
missing:
  description: The logs that are not archived yet.
  returned: success
  type: list
  elements: dict
  sample: []
waited_seconds:
  description: How long was waited.
  returned: success
  type: float
  sample: 2.1
last_observation:
  description: How far the wait was, with the archiver's state in words.
  returned: when waiting failed
  type: dict
  sample:
    archived: 0
    wanted: 1
    missing: [{thread: 1, sequence: 17}]
    archiver: "LOG_ARCHIVE_DEST_1 (/u02/archive/ORCL) is ERROR: ORA-19502: write error on file"
"""

import time
from typing import Any

from ansible_collections.hotbackup.oracle.plugins.module_utils._backup.limits import (
    NOT_NEGATIVE,
    POSITIVE,
    SCN,
    Limit,
)
from ansible_collections.hotbackup.oracle.plugins.module_utils._backup.model import ArchivedLog
from ansible_collections.hotbackup.oracle.plugins.module_utils._module import (
    ModuleContext,
    OptionSpec,
    connection_spec,
    run_module,
    wait_spec,
    whole_number,
    whole_numbers,
)
from ansible_collections.hotbackup.oracle.plugins.module_utils._oracle.discovery import read_database
from ansible_collections.hotbackup.oracle.plugins.module_utils._oracle.redo import (
    find_copies,
    log_names,
    unarchived_logs,
    wait_until_archived,
)

SPEC = (
    connection_spec()
    + wait_spec()
    + OptionSpec(
        options={
            "logs": {
                "type": "list",
                "elements": "dict",
                "options": {
                    "thread": whole_number(POSITIVE, required=True),
                    "sequence": whole_number(POSITIVE, required=True),
                    "first_scn": whole_number(NOT_NEGATIVE),
                    "next_scn": whole_number(SCN),
                },
            },
            "through_scn": whole_number(SCN),
            "dest_ids": whole_numbers(Limit(1, 31), default=[]),
        },
        mutually_exclusive=(("logs", "through_scn"),),
        required_one_of=(("logs", "through_scn"),),
    )
)


def wait(context: ModuleContext) -> dict[str, Any]:
    params = context.params
    started = time.monotonic()
    with context.connect() as gateway:
        database = read_database(gateway)
        if params["logs"] is not None:
            names = log_names([(log["thread"], log["sequence"]) for log in params["logs"]])
        else:
            names = log_names(unarchived_logs(gateway, database, params["through_scn"]))
        if params["wait"] and not context.check_mode:
            copies = wait_until_archived(
                gateway,
                names,
                params["dest_ids"],
                params["wait_timeout"],
                params["wait_interval"],
                resetlogs_id=database.resetlogs_id,
            )
            missing = []
        else:
            found = find_copies(gateway, names, params["dest_ids"], resetlogs_id=database.resetlogs_id)
            copies = [copy for copy in found.values() if copy is not None]
            missing = [name for name, copy in found.items() if copy is None]
    return {
        "changed": False,
        "complete": not missing,
        "logs": [_result(copy) for copy in copies],
        "missing": [{"thread": thread, "sequence": sequence} for thread, sequence in missing],
        "waited_seconds": round(time.monotonic() - started, 3),
    }


def _result(copy: ArchivedLog) -> dict[str, Any]:
    names = ("thread", "sequence", "first_scn", "next_scn", "dest_id", "path", "size_bytes")
    return {name: getattr(copy, name) for name in names}


def main() -> None:
    run_module("archive_wait", SPEC, wait)


if __name__ == "__main__":
    main()
