# Copyright (c) 2026 hotbackup contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Counts what the streams do and keeps the run's status file current. Private to the collection."""

from __future__ import annotations

import logging
import threading
import time
from collections import deque
from collections.abc import Callable, Sequence

from ansible_collections.hotbackup.oracle.plugins.module_utils._run.status import StatusWriter

_LOG = logging.getLogger("hotbackup")
_RATE_WINDOW_SECONDS = 10.0


class Progress:
    """Byte counts may come from any thread; everything else is for the thread that owns the run."""

    def __init__(self, writer: StatusWriter, monotonic: Callable[[], float] = time.monotonic) -> None:
        self._writer = writer
        self._monotonic = monotonic
        self._lock = threading.Lock()
        self._bytes_done = 0
        self._samples: deque[tuple[float, int]] = deque()

    def add_bytes(self, count: int) -> None:
        with self._lock:
            self._bytes_done += count

    def start_round(self, files_total: int, bytes_total: int) -> None:
        """Begin counting anew: a later round copies what changed under an earlier one."""
        with self._lock:
            self._bytes_done = 0
        self._samples.clear()
        self._writer.update(files_done=0, files_total=files_total, bytes_done=0, bytes_total=bytes_total)

    def file_done(self) -> None:
        self._writer.update(files_done=self._writer.status.files_done + 1)

    def phase(self, name: str, message: str = "") -> None:
        _LOG.info("%s %s", name, message)
        self._writer.update(phase=name, message=message)

    def say(self, message: str) -> None:
        _LOG.info("%s", message)
        self._writer.update(message=message)

    def show(self, tablespaces: Sequence[str], windows_open: Sequence[str]) -> None:
        self._writer.update(tablespaces=tuple(tablespaces), windows_open=tuple(windows_open))

    def tick(self) -> None:
        """Write the counts of this moment; the file is touched at most once a second."""
        moment = self._monotonic()
        with self._lock:
            done = self._bytes_done
        self._samples.append((moment, done))
        while moment - self._samples[0][0] > _RATE_WINDOW_SECONDS:
            self._samples.popleft()
        since, before = self._samples[0]
        rate = int((done - before) / (moment - since)) if moment > since else 0
        self._writer.update(bytes_done=done, bytes_per_second=rate)
