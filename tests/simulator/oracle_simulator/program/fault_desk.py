# Copyright (c) 2026 hotbackup contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Where faults are asked for: requests of the command line and of fixtures, and what they set in the instance."""

from __future__ import annotations

import dataclasses
from typing import Any

from oracle_simulator.instance.faults import (
    Action,
    FileFault,
    Operation,
    Step,
    StepFault,
    Trouble,
    When,
)
from oracle_simulator.instance.faults.file_choice import patterns
from oracle_simulator.instance.faults.redo_storm import RedoStorm
from oracle_simulator.instance.instance import Instance
from oracle_simulator.sql.core_dump import dump_core
from oracle_simulator.sql.session_registry import SessionRegistry


class FaultDesk:
    """The faults of one instance.

    A request is a mapping; every key is optional:

    - ``archiver_delay`` seconds for one log (with ``destination``: only there), ``archiver_stopped``
    - ``destination`` DEST_ID with ``error``, the operating system's text, or None when it works again
    - ``hold_file`` FILE# with ``seconds``: its next block stays half written; ``release`` ends every hold
    - ``kill_at`` or ``hold_at`` a step (instance/faults/steps.py), with ``when`` (before, after), ``nth``,
      ``file`` FILE#, ``seconds``
    - ``io`` full, error, slow or kill, ``on`` some files (instance/faults/file_choice.py), with
      ``operations`` of read, write, sync (default: read and write, for full and kill write), ``nth``,
      ``seconds`` for slow, ``kept_bytes`` for kill; ``repair`` files as with ``on``, or True for all
    - ``redo_storm`` MiB of redo per second, 0 ends it
    - ``clock_jump`` seconds
    - ``core_dump`` SID: the server process of this session dies of SIGSEGV
    """

    def __init__(self, instance: Instance, sessions: SessionRegistry) -> None:
        self._instance = instance
        self._sessions = sessions
        self._storm = RedoStorm(instance)

    def set(self, request: dict[str, Any]) -> None:
        """Switch on or off what is asked for. Raises ValueError for words nobody knows, OracleError."""
        faults = self._instance.faults
        if "archiver_delay" in request:
            faults.set_archiver_delay(float(request["archiver_delay"]), request.get("destination"))
        elif "destination" in request:
            faults.fail_destination(int(request["destination"]), request["error"])
        if "archiver_stopped" in request:
            faults.stop_archiver(bool(request["archiver_stopped"]))
        if "hold_file" in request:
            faults.hold_between_pieces(int(request["hold_file"]), float(request.get("seconds", 60.0)))
        if request.get("release"):
            faults.release()
        for action in Action:
            if f"{action}_at" in request:
                faults.steps.arm(_step_fault(action, request[f"{action}_at"], request))
        if "io" in request:
            for pattern in patterns(self._instance, str(request["on"])):
                faults.files.add(_file_fault(pattern, request))
        if "repair" in request:
            self._repair(request["repair"])
        if "redo_storm" in request:
            self._storm.blow(float(request["redo_storm"]))
        if "clock_jump" in request:
            self._instance.wall_clock.jump(float(request["clock_jump"]))
        if "core_dump" in request:
            dump_core(self._instance, self._sessions, int(request["core_dump"]))

    def shown(self) -> dict[str, Any]:
        """What is in force, for the status of the instance."""
        faults = self._instance.faults
        return {
            "archiver_delay": faults.archiver_delay,
            "archiver_stopped": faults.archiver_stopped,
            "held": faults.held,
            "held_at": faults.steps.held,
            "step_faults": [dataclasses.asdict(fault) for fault in faults.steps.armed],
            "file_faults": [f"{fault.trouble} {fault.pattern}" for fault in faults.files.in_force],
            "redo_storm": self._storm.rate,
            "clock_offset": self._instance.wall_clock.offset_seconds,
        }

    def _repair(self, choice: Any) -> None:
        faults = self._instance.faults
        for pattern in [None] if choice is True else patterns(self._instance, str(choice)):
            faults.repair_files(pattern)


def _step_fault(action: Action, step: str, request: dict[str, Any]) -> StepFault:
    return StepFault(
        Step(step),
        action,
        When(request.get("when", When.BEFORE)),
        int(request.get("nth", 1)),
        request.get("file"),
        seconds=float(request.get("seconds", 60.0)),
    )


def _file_fault(pattern: str, request: dict[str, Any]) -> FileFault:
    trouble = Trouble(request["io"])
    usual = (
        (Operation.WRITE,) if trouble in (Trouble.FULL, Trouble.KILL) else (Operation.READ, Operation.WRITE)
    )
    return FileFault(
        pattern,
        trouble,
        frozenset(Operation(word) for word in request.get("operations", usual)),
        int(request.get("nth", 1)),
        float(request.get("seconds", 1.0)),
        int(request.get("kept_bytes", 0)),
    )
