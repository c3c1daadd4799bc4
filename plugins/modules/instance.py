#!/usr/bin/python
# Copyright (c) 2026 hotbackup contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Bring the local instance to a state."""

from __future__ import annotations

DOCUMENTATION = r"""
module: instance
short_description: Start, mount, open or stop the local Oracle instance
version_added: 1.0.0
description:
  - Brings the instance of O(oracle_sid) on the host where the module runs to a state.
  - Works through SQL*Plus of O(oracle_home) with operating-system authentication (C(/ as sysdba)),
    because starting and
    stopping is not SQL and the driver's thin mode cannot do it. No password is involved.
  - An instance that is further than the wanted state is shut down and started again; Oracle knows no
    other way back.
author: hotbackup contributors (@hotbackup)
options:
  state:
    description:
      - The state to reach.
      - V(nomount) is the instance without a database, V(mounted) has the control file open, V(open) and
        V(read_only) have
        the database open.
    type: str
    choices: [stopped, nomount, mounted, open, read_only]
    required: true
  mode:
    description:
      - How a running instance is shut down when that is needed.
      - V(abort) needs crash recovery at the next start; use it for a database whose files are lost.
    type: str
    choices: [normal, transactional, immediate, abort]
    default: immediate
  oracle_home:
    description: Oracle home of the instance.
    type: path
    required: true
  oracle_sid:
    description: System identifier of the instance.
    type: str
    required: true
extends_documentation_fragment:
  - hotbackup.oracle._attributes
attributes:
  check_mode:
    support: full
  diff_mode:
    support: full
  idempotent:
    support: full
notes:
  - Run it as the operating-system user that owns the Oracle software, for example with
    C(become_user=oracle).
  - Where Grid Infrastructure or Oracle Restart manages the database, use its own C(srvctl) instead.
seealso:
  - module: hotbackup.oracle.recovery
  - module: hotbackup.oracle.datafile_restore
"""

EXAMPLES = r"""
- name: Mount the database for recovery
  hotbackup.oracle.instance:
    state: mounted
    oracle_home: /u01/app/oracle/product/19.0.0/dbhome_1
    oracle_sid: ORCL

- name: Stop an instance whose datafiles are lost
  hotbackup.oracle.instance:
    state: stopped
    mode: abort
    oracle_home: /u01/app/oracle/product/19.0.0/dbhome_1
    oracle_sid: ORCL
"""

RETURN = r"""
instance:
  description: The instance and its state after the task (in check mode, the state it would have).
  returned: success
  type: dict
  contains:
    oracle_sid:
      description: System identifier.
      type: str
      sample: ORCL
    previous_state:
      description: State before the task.
      type: str
      sample: stopped
    state:
      description: State after the task.
      type: str
      sample: mounted
statements:
  description: SQL*Plus commands that were run, or would be in check mode.
  returned: success
  type: list
  elements: str
  sample: [STARTUP MOUNT]
oracle_error:
  description: Oracle's error stack, if Oracle refused.
  returned: failure
  type: dict
  sample: {code: 1157, codes: [1157, 1110], message: "ORA-01157: cannot identify/lock data file 4"}
"""

from collections.abc import Mapping
from typing import Any

from ansible_collections.hotbackup.oracle.plugins.module_utils._backup.errors import VerificationError
from ansible_collections.hotbackup.oracle.plugins.module_utils._module import (
    ModuleContext,
    OptionSpec,
    local_instance,
    run_module,
)
from ansible_collections.hotbackup.oracle.plugins.module_utils._oracle.local_instance import (
    STATES,
    commands_to_reach,
)

SPEC = OptionSpec(
    options={
        "state": {"type": "str", "choices": list(STATES), "required": True},
        "mode": {
            "type": "str",
            "choices": ["normal", "transactional", "immediate", "abort"],
            "default": "immediate",
        },
        "oracle_home": {"type": "path", "required": True},
        "oracle_sid": {"type": "str", "required": True},
    }
)


def body(context: ModuleContext) -> Mapping[str, Any]:
    """Read the state, plan the commands, run them, read again."""
    wanted = context.params["state"]
    instance = local_instance(context)
    before = instance.state()
    commands = commands_to_reach(before, wanted, context.params["mode"])
    after = wanted
    if commands and not context.check_mode:
        context.statements.extend(commands)
        instance.perform(*commands)
        after = instance.state()
        if after != wanted:
            raise VerificationError(
                f"Instance {instance.oracle_sid} is {after} after {' / '.join(commands)}, not {wanted}.",
                hint="Something else may start or stop it, such as Oracle Restart; the alert log says what happened.",
            )
    return {
        "changed": bool(commands),
        "instance": {"oracle_sid": instance.oracle_sid, "previous_state": before, "state": after},
        "statements": commands,
        "diff": {"before": {"state": before}, "after": {"state": after}},
    }


def main() -> None:
    """Run the module."""
    run_module("instance", SPEC, body)


if __name__ == "__main__":
    main()
