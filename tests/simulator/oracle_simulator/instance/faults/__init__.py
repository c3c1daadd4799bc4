# Copyright (c) 2026 hotbackup contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Trouble on demand: what can go wrong in the life of a database, switched on in a running instance.

``steps`` names the moments of the instance's work at which it can be killed or held; ``file_faults`` makes
files fail or slow; ``disk`` is the one place below all files where they do; ``unsynced`` forgets, after a
power failure, what was not yet on stable storage; ``faults`` holds all that is in force.
"""

from __future__ import annotations

from oracle_simulator.instance.faults.disk import FaultyDisk
from oracle_simulator.instance.faults.faults import Faults
from oracle_simulator.instance.faults.file_faults import FileFault, FileFaults, Operation, Trouble
from oracle_simulator.instance.faults.steps import Action, Step, StepFault, StepFaults, When

__all__ = [
    "Action",
    "Faults",
    "FaultyDisk",
    "FileFault",
    "FileFaults",
    "Operation",
    "Step",
    "StepFault",
    "StepFaults",
    "Trouble",
    "When",
]
