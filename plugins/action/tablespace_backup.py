# Copyright (c) 2026 hotbackup contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Starts M(hotbackup.oracle.tablespace_backup) and shows progress until its run has ended.

The run needs neither this plugin nor the controller: when they are gone it goes on.
"""

from __future__ import annotations

import time
from collections.abc import Mapping
from typing import Any

from ansible.errors import AnsibleConnectionFailure
from ansible.module_utils.parsing.convert_bool import boolean
from ansible.plugins.action import ActionBase
from ansible.utils.display import Display

display = Display()

_DEFAULT_POLL_SECONDS = 5
# A network that is gone for longer does not harm the run, but the play should not hang on it.
_UNREACHABLE_ATTEMPTS = 6
_UNREACHABLE_PAUSE_SECONDS = 10


class ActionModule(ActionBase):
    """Calls the module once to start or find the run, then again and again to follow it."""

    _supports_check_mode = True
    _supports_async = False
    _requires_connection = True

    def run(self, tmp: str | None = None, task_vars: dict[str, Any] | None = None) -> dict[str, Any]:
        """Return what the module itself would return had it waited."""
        super().run(tmp, task_vars)
        variables = task_vars or {}
        arguments = dict(self._task.args)
        waits = boolean(arguments.get("wait", True), strict=False)
        if self._task.check_mode or not waits or arguments.get("follow"):
            return self._call(arguments, variables)
        started = self._call({**arguments, "wait": False}, variables)
        if not _is_running(started):
            return started
        return self._follow(arguments, started, variables)

    def _follow(
        self, arguments: Mapping[str, Any], started: dict[str, Any], variables: dict[str, Any]
    ) -> dict[str, Any]:
        follow = {
            **arguments,
            "wait": True,
            "wait_timeout": 0,
            "follow": started["run"]["run_id"],
            "state_dir": started["state_dir"],
            "poll_interval": int(arguments.get("poll_interval") or _DEFAULT_POLL_SECONDS),
        }
        limit = int(arguments.get("wait_timeout") or 0)
        until = time.monotonic() + limit
        host = variables.get("inventory_hostname", "")
        result = started
        display.display(beginning_line(host, started["run"]))
        while _is_running(result):
            display.display(progress_line(host, result["run"]))
            if limit and time.monotonic() >= until:
                run = result["run"]
                return {
                    **result,
                    "failed": True,
                    "msg": f"The run of set {run['set_id']} has not ended within {limit} s. It goes on. "
                    "The same task attaches to it.",
                    "last_observation": run["message"],
                }
            result = self._call_through_trouble(follow, variables)
        if not result.get("failed"):
            display.display(progress_line(host, result["run"]))
        # What the first call alone knew: the later ones do not connect to the database.
        warnings = [*started.get("warnings", []), *result.get("warnings", [])]
        return {**result, "plan": started["plan"], **({"warnings": warnings} if warnings else {})}

    def _call_through_trouble(self, arguments: dict[str, Any], variables: dict[str, Any]) -> dict[str, Any]:
        """Call the module; a host that cannot be reached for a while does not end the wait."""
        for attempt in range(1, _UNREACHABLE_ATTEMPTS):
            try:
                result = self._call(arguments, variables)
                if not result.get("unreachable"):
                    return result
                reason = result.get("msg", "unreachable")
            except AnsibleConnectionFailure as exc:
                reason = str(exc)
            display.warning(
                f"{variables.get('inventory_hostname', '')}: cannot ask for progress ({reason}); the run goes on. "
                f"Attempt {attempt} of {_UNREACHABLE_ATTEMPTS}."
            )
            time.sleep(_UNREACHABLE_PAUSE_SECONDS)
        return self._call(arguments, variables)

    def _call(self, arguments: Mapping[str, Any], variables: dict[str, Any]) -> dict[str, Any]:
        result: dict[str, Any] = self._execute_module(
            module_name="hotbackup.oracle.tablespace_backup",
            module_args=dict(arguments),
            task_vars=variables,
        )
        return result


def _is_running(result: Mapping[str, Any]) -> bool:
    run = result.get("run") or {}
    return not result.get("failed") and not result.get("unreachable") and run.get("state") == "running"


def beginning_line(host: str, run: Mapping[str, Any]) -> str:
    """What a person needs who continues after the play was cut off: the set's id, and where the runner writes."""
    return f"{host}: set {run['set_id']}, log {run['log_path']}"


def progress_line(host: str, run: Mapping[str, Any]) -> str:
    """One line for people, such as ``ORA1: 43% USERS 3/7 files 120 MB/s``."""
    if not run["files_total"]:
        return f"{host}: {run['phase']}: {run['message']}"
    rate = f" {run['bytes_per_second'] / 1e6:.0f} MB/s" if run["bytes_per_second"] else ""
    names = " ".join(run["tablespaces"]) or run["phase"]
    return f"{host}: {run['percent']}% {names} {run['files_done']}/{run['files_total']} files{rate}"
