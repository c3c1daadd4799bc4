#!/usr/bin/python
# Copyright (c) 2026 hotbackup contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
from __future__ import annotations

DOCUMENTATION = r"""
module: log_switch
short_description: Make redo leave the current logs of all threads
version_added: 1.0.0
description:
  - Ensures that the redo written so far, or up to O(through_scn), has left the current log of every enabled thread, so
    that it gets archived.
  - Uses C(ALTER SYSTEM ARCHIVE LOG CURRENT), which covers all threads and returns when the logs are archived. In
    NOARCHIVELOG mode C(ALTER SYSTEM SWITCH LOGFILE) is used, for databases with one thread.
  - After a hot backup this belongs after the last END BACKUP, never before.
author:
  - hotbackup contributors (@hotbackup)
options:
  through_scn:
    description:
      - Redo up to this SCN shall have left the current logs. If it has already, nothing is done.
      - Without it, a switch is made each time.
    type: int
extends_documentation_fragment:
  - hotbackup.oracle._connection
  - hotbackup.oracle._attributes
  - hotbackup.oracle._attributes.actiongroup_oracle
attributes:
  check_mode:
    support: full
  diff_mode:
    support: none
    details: A log switch has no state that could be compared.
  idempotent:
    support: partial
    details: With O(through_scn). Without it, each run is one switch.
notes:
  - The statement is bounded by O(login_call_timeout). A stuck archiver makes the module fail with the archiver's own
    error when that time is over.
  - In a container database the session must be in the root.
seealso:
  - module: hotbackup.oracle.archive_wait
"""

EXAMPLES = r"""
- name: Force the redo of a backup out of the current logs
  hotbackup.oracle.log_switch:
    login_service: ORCL
    login_user: backup_operator
    login_password: "{{ backup_operator_password }}"
    through_scn: "{{ backup.end_scn }}"
  register: switched

- name: Wait until it is archived
  hotbackup.oracle.archive_wait:
    login_service: ORCL
    login_user: backup_operator
    login_password: "{{ backup_operator_password }}"
    logs: "{{ switched.threads }}"
"""

RETURN = r"""
threads:
  description: For each enabled thread the log that holds the redo asked for, which must become archived.
  returned: success
  type: list
  elements: dict
  contains:
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
      description: First SCN of the log after it; null while it is current, that is in check mode.
      type: int
  sample:
    - {thread: 1, sequence: 17, first_scn: 2871100, next_scn: 2871533}
statements:
  description: The statements executed; in check mode, those that would be.
  returned: always
  type: list
  elements: str
  sample: [ALTER SYSTEM ARCHIVE LOG CURRENT]
"""

from typing import Any

from ansible_collections.hotbackup.oracle.plugins.module_utils._backup.limits import SCN
from ansible_collections.hotbackup.oracle.plugins.module_utils._module import (
    ModuleContext,
    OptionSpec,
    connection_spec,
    run_module,
    whole_number,
)
from ansible_collections.hotbackup.oracle.plugins.module_utils._oracle.discovery import read_database
from ansible_collections.hotbackup.oracle.plugins.module_utils._oracle.redo import (
    current_logs,
    known_logs,
    logs_containing,
    switch_logs,
    switch_statement,
)

SPEC = connection_spec() + OptionSpec(options={"through_scn": whole_number(SCN)})


def ensure(context: ModuleContext) -> dict[str, Any]:
    through_scn = context.params["through_scn"]
    with context.connect() as gateway:
        database = read_database(gateway)
        current = current_logs(gateway)
        changed = through_scn is None or any(log.first_scn <= through_scn for log in current)
        if not changed:
            threads = logs_containing(gateway, database, through_scn)
        elif context.check_mode:
            context.statements.append(switch_statement(database))
            threads = [(log, None) for log in current]
        else:
            left = switch_logs(gateway, database, context.params["login_call_timeout"])
            known = known_logs(gateway, database, min(log.first_scn for log in left))
            threads = [(log, known.get((log.thread, log.sequence), (log, None))[1]) for log in left]
    return {
        "changed": changed,
        "threads": [{**log._asdict(), "next_scn": next_scn} for log, next_scn in threads],
        "statements": context.statements,
    }


def main() -> None:
    run_module("log_switch", SPEC, ensure)


if __name__ == "__main__":
    main()
