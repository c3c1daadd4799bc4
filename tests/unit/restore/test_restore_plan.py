# Copyright (c) 2026 hotbackup contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Which control file a recovery starts from."""

from __future__ import annotations

import pytest
from ansible_collections.hotbackup.oracle.plugins.module_utils._backup.restore_plan import (
    ControlFileMethod,
    ControlFilePlan,
    plan_control_file,
)

WANTED = ("/u/control01.ctl", "/u/control02.ctl")
COPY = "/backup/control/control.ctl"


def plan(usable: tuple[str, ...], lost_logs: tuple[str, ...] = (), *, complete: bool) -> ControlFilePlan:
    return plan_control_file(WANTED, usable, lost_logs, complete=complete, backup_copy=COPY)


def test_complete_recovery_keeps_the_control_file_that_survived() -> None:
    found = plan(WANTED[:1], complete=True)
    assert (found.method, found.copies) == (ControlFileMethod.CURRENT, {WANTED[1]: WANTED[0]})


def test_a_past_state_takes_the_control_file_of_the_set_though_the_current_one_survived() -> None:
    found = plan(WANTED, complete=False)
    assert (found.method, found.copies) == (ControlFileMethod.BACKUP, dict.fromkeys(WANTED, COPY))


@pytest.mark.parametrize(
    ("lost_logs", "method"), [((), ControlFileMethod.CREATE), (("/u/redo01.log",), ControlFileMethod.BACKUP)]
)
def test_with_all_lost_the_online_redo_decides(lost_logs: tuple[str, ...], method: ControlFileMethod) -> None:
    assert plan((), lost_logs, complete=True).method is method
