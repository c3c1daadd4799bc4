# Copyright (c) 2026 hotbackup contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Start a run, or find it running, and wait for it: what the module does with the runner. Private to the
collection.
"""

from __future__ import annotations

import subprocess
import time
from collections.abc import Callable
from dataclasses import asdict

from ansible_collections.hotbackup.oracle.plugins.module_utils._backup.certain import certain
from ansible_collections.hotbackup.oracle.plugins.module_utils._backup.errors import (
    BackupError,
    LeaseHeld,
    OracleErrorInfo,
)
from ansible_collections.hotbackup.oracle.plugins.module_utils._files.atomic import make_private_folder

# Named so that Ansible, which ships only what is imported, ships what the launcher copies.
from ansible_collections.hotbackup.oracle.plugins.module_utils._run import guardian, runner
from ansible_collections.hotbackup.oracle.plugins.module_utils._run.launcher import (
    Program,
    install_program,
    log_tail,
    start,
)
from ansible_collections.hotbackup.oracle.plugins.module_utils._run.lease import LeaseHolder, lease_holder
from ansible_collections.hotbackup.oracle.plugins.module_utils._run.request import RunRequest
from ansible_collections.hotbackup.oracle.plugins.module_utils._run.state_folder import StateFolder
from ansible_collections.hotbackup.oracle.plugins.module_utils._run.status import (
    DIED,
    FAILED,
    RunStatus,
    read_status,
)

PROGRAMS = (runner.main, guardian.main)
_POLL_SECONDS = 0.2
_START_SECONDS = 60.0


def live_run(folder: StateFolder) -> LeaseHolder | None:
    """Who owns the database now: a runner, the guardian of a dead one, or nobody. Raises BackupError."""
    return lease_holder(folder.lease_path)


def wait_for_guardian(
    folder: StateFolder,
    seconds: float,
    sleep: Callable[[float], None] = time.sleep,
    monotonic: Callable[[], float] = time.monotonic,
) -> LeaseHolder | None:
    """The live holder, once a guardian that is ending a dead run's windows is through or ``seconds`` have
    passed.
    """
    until = monotonic() + seconds
    while True:
        holder = live_run(folder)
        if holder is None or holder.role == "runner" or monotonic() >= until:
            return holder
        sleep(_POLL_SECONDS)


def start_run(
    request: RunRequest,
    folder: StateFolder,
    sleep: Callable[[float], None] = time.sleep,
    monotonic: Callable[[], float] = time.monotonic,
) -> RunStatus:
    """Start a runner and return its first status. Raises LeaseHeld if another run was quicker, BackupError if
    the runner does not come up.
    """
    folder.create()
    log_path = folder.log_path(request.set_id)
    make_private_folder(folder.runtime_folder(request.set_id))
    program = install_program(folder.code_folder(request.set_id), log_path)
    process = start(program, "runner", request.set_id, request.to_plain())
    certain(process.stdin, "the pipe to the runner").close()
    return _first_status(request, folder, program, process, sleep, monotonic)


def follow_run(
    folder: StateFolder,
    run_id: str,
    seconds: float | None,
    sleep: Callable[[float], None] = time.sleep,
    monotonic: Callable[[], float] = time.monotonic,
) -> RunStatus:
    """The status of a run at its end, or after ``seconds`` (None: however long it takes).

    A run whose processes are gone without a last word is reported as died. Raises BackupError if the state
    folder knows nothing of the run.
    """
    until = None if seconds is None else monotonic() + seconds
    while True:
        # In this order: a run that ends between the two reads has written its last word before it let go.
        holder = live_run(folder)
        status = read_status(folder.status_path)
        if status is None or status.run_id != run_id:
            raise BackupError(
                f"Nothing is known of run {run_id} in {folder.root}.",
                hint="Another run may have followed it; the journal of its set says what it did.",
            )
        if status.finished:
            return status
        if holder is None or holder.run_id != run_id:
            return _died(status)
        if until is not None and monotonic() >= until:
            return status
        sleep(_POLL_SECONDS)


def _first_status(
    request: RunRequest,
    folder: StateFolder,
    program: Program,
    process: subprocess.Popen[bytes],
    sleep: Callable[[float], None],
    monotonic: Callable[[], float],
) -> RunStatus:
    until = monotonic() + _START_SECONDS
    while monotonic() < until:
        exit_status = process.poll()
        status = read_status(folder.status_path)
        if status is not None and status.run_id == request.run_id:
            return status
        if exit_status == runner.EXIT_LEASE_HELD:
            holder = live_run(folder)
            raise LeaseHeld(
                "Another run was quicker: "
                + (holder.describe() if holder else "it has ended meanwhile")
                + ".",
                hint="Wait until that run has ended, or attach to it by giving its set_id.",
                details={"lease_holder": asdict(holder) if holder else None},
            )
        if exit_status is not None:
            break
        sleep(_POLL_SECONDS / 4)
    tail = log_tail(program.log_path)
    raise BackupError(
        f"The runner did not start (exit status {process.poll()}).",
        hint=f"Its log is {program.log_path}.",
        details={"log": tail},
    )


def _died(status: RunStatus) -> RunStatus:
    message = f"The runner of set {status.set_id} and its guardian died without a last word."
    if status.windows_open:
        message += f" Perhaps still in backup mode: {', '.join(status.windows_open)}."
    error = {"msg": message, "hint": status.how_to_go_on}
    fields = {**asdict(status), "state": DIED, "message": message, "error": error}
    return RunStatus(**fields)


def raise_failure(status: RunStatus) -> None:
    """Raise what ended a run that did not succeed, with its progress and whether backup mode is still on."""
    if status.state not in (FAILED, DIED):
        return
    error = status.error or {}
    failure = BackupError(
        str(error.get("msg") or status.message),
        hint=str(error.get("hint") or ""),
        details={**(error.get("details") or {}), "run": status.as_result()},
    )
    oracle = error.get("oracle_error")
    if oracle:
        failure.oracle_error = OracleErrorInfo(oracle["code"], tuple(oracle["codes"]), oracle["message"])
    raise failure
