# Copyright (c) 2026 hotbackup contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What a run tells about itself while it works. Private to the collection.

The journal is the truth about what was done; this small file is for people and for the action plugin.
"""

from __future__ import annotations

import json
import logging
import time
from collections.abc import Callable
from dataclasses import asdict, dataclass, field, replace
from datetime import datetime, timezone
from pathlib import Path
from typing import Any

from ansible_collections.hotbackup.oracle.plugins.module_utils._backup.errors import BackupError
from ansible_collections.hotbackup.oracle.plugins.module_utils._files.atomic import write_atomically

_LOG = logging.getLogger("hotbackup")
RUNNING = "running"
SUCCEEDED = "succeeded"
FAILED = "failed"
DIED = "died"
_WRITE_INTERVAL_SECONDS = 1.0
_TIME_FORMAT = "%Y-%m-%dT%H:%M:%SZ"


@dataclass(frozen=True)
class RunStatus:
    """One moment of one run. Times are ISO 8601 UTC."""

    set_id: str
    run_id: str
    pid: int
    started_at: str
    state: str = RUNNING
    phase: str = "preflight"
    message: str = ""
    updated_at: str = ""
    elapsed_seconds: float = 0.0
    tablespaces: tuple[str, ...] = ()
    windows_open: tuple[str, ...] = ()
    files_done: int = 0
    files_total: int = 0
    bytes_done: int = 0
    bytes_total: int = 0
    bytes_per_second: int = 0
    resumed: bool = False
    journal_path: str = ""
    log_path: str = ""
    error: dict[str, Any] | None = field(default=None)

    @property
    def finished(self) -> bool:
        return self.state != RUNNING

    @property
    def how_to_go_on(self) -> str:
        """What to do about a run whose process died."""
        log = (
            f" What runner and guardian did is in {self.log_path} on the database host."
            if self.log_path
            else ""
        )
        return (
            f"Run the same set_id again, {self.set_id}: it ends whatever is still in backup mode and completes the set"
            f" without copying finished files again.{log}"
        )

    def to_json(self) -> str:
        return json.dumps(asdict(self), indent=1)

    @classmethod
    def from_json(cls, text: str) -> RunStatus:
        """Raises ValueError, TypeError or KeyError when ``text`` is no status."""
        fields = json.loads(text)
        fields["tablespaces"] = tuple(fields["tablespaces"])
        fields["windows_open"] = tuple(fields["windows_open"])
        return cls(**fields)

    def as_result(self) -> dict[str, Any]:
        """The module's ``run``: JSON-plain, with the part done in percent."""
        result = asdict(self)
        result["tablespaces"] = list(self.tablespaces)
        result["windows_open"] = list(self.windows_open)
        result["percent"] = self.percent
        return result

    @property
    def percent(self) -> int:
        if self.state == SUCCEEDED:
            return 100
        return min(99, self.bytes_done * 100 // self.bytes_total) if self.bytes_total else 0


class StatusWriter:
    """Keeps the status file current; writes at most once a second unless a state or phase changes.

    The time that has passed is the run's, since its ``started_at``, also for a guardian that goes on where the
    runner died.

    A file that cannot be written is logged and no more: it informs, and the run must go on, above all to end
    windows.
    """

    def __init__(
        self,
        path: Path,
        status: RunStatus,
        monotonic: Callable[[], float] = time.monotonic,
        now: Callable[[], datetime] = lambda: datetime.now(timezone.utc),
    ) -> None:
        self._path = path
        self._monotonic = monotonic
        self._now = now
        self._started = monotonic() - _seconds_since(status.started_at, now())
        self._written = float("-inf")
        self.status = status

    def update(self, **changes: Any) -> None:
        """Change fields of the status."""
        before = self.status
        moment = self._monotonic()
        self.status = replace(
            before,
            updated_at=self._now().strftime(_TIME_FORMAT),
            elapsed_seconds=round(moment - self._started, 3),
            **changes,
        )
        turned = (before.state, before.phase, before.message) != (
            self.status.state,
            self.status.phase,
            self.status.message,
        )
        if turned or moment - self._written >= _WRITE_INTERVAL_SECONDS:
            self._written = moment
            try:
                write_atomically(self._path, self.status.to_json().encode("utf-8"))
            except BackupError as exc:
                _LOG.warning("%s", exc)


def _seconds_since(started_at: str, now: datetime) -> float:
    """0 for a moment that is not told, or that a clock which was set back puts in the future."""
    try:
        started = datetime.strptime(started_at, _TIME_FORMAT).replace(tzinfo=timezone.utc)
    except ValueError:
        return 0.0
    return max(0.0, (now - started).total_seconds())


def read_status(path: Path) -> RunStatus | None:
    """The last status of the last run; None if there was none. Raises BackupError if it is unreadable."""
    try:
        return RunStatus.from_json(path.read_text(encoding="utf-8"))
    except FileNotFoundError:
        return None
    except (OSError, ValueError, TypeError, KeyError) as exc:
        raise BackupError(f"Failed to read run status {path}: {exc}.") from exc
