# Copyright (c) 2026 hotbackup contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""One database for many orchestrations, and snapshots of it where several of them begin alike."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from .orchestration import Steps
from .scene import Memory, Scene

SPEC: Mapping[str, Any] = {
    "tablespaces": [
        {"name": "SYSTEM", "size": "3M"},
        {"name": "SYSAUX", "size": "2M"},
        {"name": "UNDOTBS1", "size": "2M", "contents": "undo"},
        {"name": "TEMP", "size": "2M", "contents": "temporary"},
        {"name": "USERS", "size": "2M"},
        {"name": "OLD", "size": "2M"},
    ],
}


class Shelf:
    """Holds ``scene``, and what it was like after the steps that were kept."""

    def __init__(self, folder: Path) -> None:
        self.scene = Scene(folder / "scene", SPEC)
        self._folder = folder
        self._snapshots: dict[Steps, tuple[Path, Memory]] = {}
        self._make_tables()
        self.keep(())

    def _make_tables(self) -> None:
        scene = self.scene
        (scene.kept / "datafiles").mkdir(parents=True)
        scene.kept_logs.mkdir()
        scene.database.start()
        for tablespace in ("USERS", "OLD"):
            scene.create_table(tablespace)
        scene.execute("ALTER TABLESPACE old READ ONLY")
        scene.forget_sessions()
        scene.database.shutdown()

    def keep(self, done: Steps) -> None:
        """Keep the scene as it is after these steps; the instance is down."""
        path = self._folder / f"snapshot{len(self._snapshots)}"
        self._snapshots[done] = (path, self.scene.keep_as(path))

    def go_to(self, steps: Steps) -> Steps:
        """Be at the furthest place on the way of these steps that was kept; returns the steps up to there."""
        done = max((kept for kept in self._snapshots if steps[: len(kept)] == kept), key=len)
        self.scene.go_back_to(*self._snapshots[done])
        if not done:
            self.scene.database.start()
        return done

    def do(self, steps: Steps, keep: bool = False) -> Scene:
        """The scene after these steps; with ``keep`` they are not done a second time (the instance is down)."""
        done = self.go_to(steps)
        for step in steps[len(done) :]:
            step.do(self.scene)
        if keep and done != steps:
            self.keep(steps)
        return self.scene

    def close(self) -> None:
        """End everything."""
        self.scene.forget_sessions()
        self.scene.database.destroy()
