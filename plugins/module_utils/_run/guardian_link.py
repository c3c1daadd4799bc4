# Copyright (c) 2026 hotbackup contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The runner's hold on its guardian. Private to the collection.

A pipe connects them: the word ``done`` on it dismisses the guardian, its end without that word means that the
runner died. The kernel delivers that end whatever killed the runner.
"""

from __future__ import annotations

import logging
import select
import subprocess

from ansible_collections.hotbackup.oracle.plugins.module_utils._backup.certain import certain
from ansible_collections.hotbackup.oracle.plugins.module_utils._backup.errors import BackupError
from ansible_collections.hotbackup.oracle.plugins.module_utils._run.launcher import Program, start
from ansible_collections.hotbackup.oracle.plugins.module_utils._run.request import GuardianRequest

_LOG = logging.getLogger("hotbackup")
_READY_SECONDS = 60.0
_LEAVE_SECONDS = 10.0
READY = b"ready\n"
DONE = b"done\n"


class GuardianLink:
    """Starts a guardian, sees to it that there is one, dismisses it."""

    def __init__(self, program: Program, request: GuardianRequest) -> None:
        self._program = program
        self._request = request
        self._process: subprocess.Popen[bytes] | None = None

    def ensure(self) -> None:
        """Return once a guardian is alive and ready. Raises BackupError: without one no window is opened."""
        if self._process is not None:
            if self._process.poll() is None:
                return
            _LOG.warning("the guardian (process %s) died; starting another", self._process.pid)
        self._process = start(
            self._program,
            "guardian",
            self._request.set_id,
            self._request.to_plain(),
            inherited=[self._request.lease_descriptor],
            answers=True,
        )
        answer = certain(self._process.stdout, "the pipe from the guardian")
        readable, _writable, _exceptional = select.select([answer], [], [], _READY_SECONDS)
        if not readable or answer.readline() != READY:
            raise BackupError(
                "The guardian, which ends backup mode if the run dies, did not start.",
                hint=f"Its log is {self._program.log_path}.",
            )
        _LOG.info("guardian is process %s", self._process.pid)

    def dismiss(self) -> None:
        """Tell the guardian that no window is left open, and wait for it to leave."""
        process, self._process = self._process, None
        if process is None or process.stdin is None:
            return
        try:
            process.stdin.write(DONE)
            process.stdin.close()
            process.wait(_LEAVE_SECONDS)
        except (BrokenPipeError, subprocess.TimeoutExpired):
            _LOG.warning("the guardian (process %s) did not leave in time", process.pid)
