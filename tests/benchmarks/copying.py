# Copyright (c) 2026 hotbackup contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What the measurements of copies share: files to copy, a folder to copy them to, and the engine in its process."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from oracle_simulator.data.filled_files import make_filled_file

MEBIBYTE = 1 << 20
GIGABYTE = 1e9


@dataclass(frozen=True)
class Workload:
    """Files to copy; sizes in bytes."""

    name: str
    count: int
    size_bytes: int
    block_size: int = 8192
    bigfile: bool = False

    def make(self, folder: Path) -> list[str]:
        """The files, full of sound random blocks, and in the page cache."""
        folder.mkdir()
        paths = [folder / f"{self.name}{number:04}.dbf" for number in range(self.count)]
        for number, path in enumerate(paths):
            make_filled_file(
                path, self.size_bytes, block_size=self.block_size, bigfile=self.bigfile, seed=number
            )
        return [str(path) for path in paths]


def workloads(scale: float) -> list[Workload]:
    """The three of them; ``scale`` 1 is 2 GiB each."""
    return [
        Workload("set", 8, int(256 * scale) * MEBIBYTE),
        Workload("bigfile", 1, int(2048 * scale) * MEBIBYTE, bigfile=True),
        # of 8K blocks, 1 MiB would be headers and bitmaps only
        Workload("small", int(2000 * scale), MEBIBYTE, block_size=4096),
    ]


class Engine:
    """The worker process."""

    def __init__(self) -> None:
        self._process = subprocess.Popen(
            [sys.executable, "-m", "benchmarks.copy_worker"],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
        )

    def __enter__(self) -> Engine:
        return self

    def __exit__(self, *_exception: object) -> None:
        if self._process.stdin is not None:
            self._process.stdin.close()
        self._process.wait(timeout=60)

    @property
    def pid(self) -> int:
        return self._process.pid

    def order(self, **order: Any) -> dict[str, Any]:
        """Have something done; the worker's answer. Raises RuntimeError when it has died."""
        if self._process.stdin is None or self._process.stdout is None:
            raise RuntimeError("the worker has no pipes")
        self._process.stdin.write(json.dumps(order) + "\n")
        self._process.stdin.flush()
        line = self._process.stdout.readline()
        if not line:
            raise RuntimeError("the worker has ended; its message is above")
        answer: dict[str, Any] = json.loads(line)
        return answer


def fresh_folder(folder: Path) -> Path:
    """An empty folder, and nothing waiting to be written."""
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir()
    os.sync()
    return folder
