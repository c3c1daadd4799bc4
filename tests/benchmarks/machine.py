# Copyright (c) 2026 hotbackup contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Reading the machine: processor time and memory of a process, and several measurements of one thing."""

from __future__ import annotations

import os
import statistics
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

TICKS_PER_SECOND = os.sysconf("SC_CLK_TCK")


def process_cpu_seconds(pid: int) -> float:
    """User and system time of a process and of its children that have ended."""
    fields = Path(f"/proc/{pid}/stat").read_text(encoding="ascii").rpartition(")")[2].split()
    return sum(int(value) for value in fields[11:15]) / TICKS_PER_SECOND


def memory_bytes(pid: int) -> int:
    """Proportional set size: memory shared between processes is divided among them."""
    for line in Path(f"/proc/{pid}/smaps_rollup").read_text(encoding="ascii").splitlines():
        if line.startswith("Pss:"):
            return int(line.split()[1]) << 10
    raise ValueError(f"the kernel reports no Pss of process {pid}")


@dataclass(frozen=True)
class Spread:
    """Several measurements of the same thing."""

    values: tuple[float, ...]

    @property
    def median(self) -> float:
        return statistics.median(self.values)

    def text(self, form: str = "{:.2f}") -> str:
        """``median (least to most)``."""
        middle, least, most = (
            form.format(value) for value in (self.median, min(self.values), max(self.values))
        )
        return f"{middle} ({least} to {most})"


def repeat(rounds: int, measure: Callable[[], float]) -> Spread:
    """``measure`` called ``rounds`` times."""
    return Spread(tuple(measure() for _round in range(rounds)))
