# Copyright (c) 2026 hotbackup contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Whether a set needs a run, and which: none, the live one, or a new one. Private to the collection."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import asdict

from ansible_collections.hotbackup.oracle.plugins.module_utils._backup.errors import (
    LeaseHeld,
    PreconditionError,
)
from ansible_collections.hotbackup.oracle.plugins.module_utils._backup.layout import SetLayout
from ansible_collections.hotbackup.oracle.plugins.module_utils._run.attach import (
    live_run,
    start_run,
    wait_for_guardian,
)
from ansible_collections.hotbackup.oracle.plugins.module_utils._run.lease import LeaseHolder
from ansible_collections.hotbackup.oracle.plugins.module_utils._run.preflight import Preflight
from ansible_collections.hotbackup.oracle.plugins.module_utils._run.request import RunRequest
from ansible_collections.hotbackup.oracle.plugins.module_utils._run.state_folder import StateFolder
from ansible_collections.hotbackup.oracle.plugins.module_utils._run.status import RunStatus, read_status

# Problems that make it another set, whatever has been copied already.
_IDENTITY_PROBLEMS = frozenset({"other_database", "other_policy"})
_GUARDIAN_SECONDS = 120.0
_ANNOUNCE_SECONDS = 30.0


def is_done(found: Preflight, layout: SetLayout) -> bool:
    """Whether the set holds all that was asked for. Raises PreconditionError if something else was asked for
    when it was begun.
    """
    for problem in found.plan.problems:
        if problem.code in _IDENTITY_PROBLEMS:
            raise PreconditionError(problem.message, hint=problem.hint)
    if layout.manifest_path.exists():
        return True
    return (
        found.state.copied_end_scn is not None
        and not found.plan.changes_anything
        and not found.stale_journals
        and not found.state.open_windows
    )


def require_startable(found: Preflight, folder: StateFolder, set_id: str) -> None:
    """Raise what would keep :func:`begin` from starting a run now: LeaseHeld or PreconditionError. Reads
    only.
    """
    holder = live_run(folder)
    if holder is None:
        found.plan.require_no_problems()
    elif holder.set_id != set_id:
        raise _held(holder)


def begin(
    request: RunRequest,
    folder: StateFolder,
    found: Preflight,
    layout: SetLayout,
    sleep: Callable[[float], None] = time.sleep,
) -> RunStatus | None:
    """Return the first status of the run that completes the set, started or found live; None if it is
    complete.

    A guardian that is still ending a dead run's windows is given time to finish. Raises LeaseHeld,
    PreconditionError and BackupError.
    """
    if is_done(found, layout):
        return None
    holder = wait_for_guardian(folder, _GUARDIAN_SECONDS, sleep)
    if holder is None:
        found.plan.require_no_problems()
        return start_run(request, folder)
    if holder.role != "runner" or holder.set_id != request.set_id:
        raise _held(holder)
    status = _announced(folder, holder, sleep)
    return status if status is not None else start_run(request, folder)


def _announced(folder: StateFolder, holder: LeaseHolder, sleep: Callable[[float], None]) -> RunStatus | None:
    """The live run's status, once it has written one; None if it ended without."""
    for _attempt in range(int(_ANNOUNCE_SECONDS / 0.2)):
        status = read_status(folder.status_path)
        if status is not None and status.run_id == holder.run_id:
            return status
        if live_run(folder) is None:
            return None
        sleep(0.2)
    raise _held(holder)


def _held(holder: LeaseHolder) -> LeaseHeld:
    return LeaseHeld(
        f"The database's lease is held by {holder.describe()}.",
        hint="Wait until it has ended, or attach to the run by giving its set_id.",
        details={"lease_holder": asdict(holder)},
    )
