# Copyright (c) 2026 hotbackup contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Reading the machine: processor time of ours and of others, memory, and several measurements of one thing."""

from __future__ import annotations

import os
import statistics
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

TICKS_PER_SECOND = os.sysconf("SC_CLK_TCK")
FOREIGN_LIMIT = 0.12
"""A measurement during which others took a larger share of the machine than this is not clean."""


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


def _busy_seconds() -> float:
    """Processor time that anybody used since this machine started; waiting for disks is left out."""
    first = Path("/proc/stat").read_text(encoding="ascii").split("\n", 1)[0]
    user, nice, system, _idle, _wait, interrupts, soft_interrupts = [int(v) for v in first.split()[1:8]]
    return (user + nice + system + interrupts + soft_interrupts) / TICKS_PER_SECOND


def kernel_threads_cpu_seconds() -> float:
    """Processor time of the kernel's own threads: they write back what we wrote, so it is ours."""
    total = 0.0
    for folder in Path("/proc").iterdir():
        if not folder.name.isdigit():
            continue
        try:
            fields = (folder / "stat").read_text(encoding="ascii").rpartition(")")[2].split()
        except (FileNotFoundError, ProcessLookupError):
            continue  # it has ended meanwhile
        if fields[1] == "2":  # child of kthreadd
            total += sum(int(value) for value in fields[11:13]) / TICKS_PER_SECOND
    return total


class Watch:
    """Measures a ``with`` block: wall clock, and the share of the machine that others took meanwhile.

    Ours are this process, the children it has waited for, the processes ``pids`` and the kernel's threads.
    """

    def __init__(self, *pids: int) -> None:
        self._pids = pids
        self.seconds = 0.0
        self.cpu_seconds = 0.0
        self.foreign_share = 0.0

    def __enter__(self) -> Watch:
        self._before = (time.monotonic(), self._ours(), kernel_threads_cpu_seconds(), _busy_seconds())
        return self

    def __exit__(self, *_exception: object) -> None:
        start, ours, kernel, busy = self._before
        self.seconds = time.monotonic() - start
        self.cpu_seconds = self._ours() - ours
        foreign = _busy_seconds() - busy - self.cpu_seconds - (kernel_threads_cpu_seconds() - kernel)
        self.foreign_share = max(0.0, foreign) / (self.seconds * (os.cpu_count() or 1))

    @property
    def clean(self) -> bool:
        return self.foreign_share <= FOREIGN_LIMIT

    def _ours(self) -> float:
        times = os.times()
        own = times.user + times.system + times.children_user + times.children_system
        return own + sum(process_cpu_seconds(pid) for pid in self._pids)


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
