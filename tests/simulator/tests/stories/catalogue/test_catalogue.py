# Copyright (c) 2026 hotbackup contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Every orchestration of the table has its consequence."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest

from ..dba import Refused as NotAllowed
from . import wrong_copies, wrong_redo, wrong_windows
from .orchestration import Gone, Orchestration, Steps
from .right import RIGHT
from .scene import Memory, Scene

ORCHESTRATIONS = (*RIGHT, *wrong_windows.WRONG, *wrong_redo.WRONG, *wrong_copies.WRONG)
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


@dataclass
class Shelf:
    """A database at work on one orchestration after the other, and snapshots of it where several begin alike."""

    scene: Scene
    folder: Path
    snapshots: dict[Steps, tuple[Path, Memory]] = field(default_factory=dict)

    def keep(self, done: Steps) -> None:
        path = self.folder / f"snapshot{len(self.snapshots)}"
        self.snapshots[done] = (path, self.scene.keep_as(path))

    def begin(self, steps: Steps) -> Steps:
        """Go to the furthest place on the way that was kept; returns the steps from there on."""
        done = max((kept for kept in self.snapshots if steps[: len(kept)] == kept), key=len)
        self.scene.go_back_to(*self.snapshots[done])
        return steps[len(done) :]


def _shared_places() -> set[Steps]:
    """Where the instance is down, and more than one orchestration passes."""
    places = Counter(
        one.steps[: number + 1]
        for one in ORCHESTRATIONS
        for number, step in enumerate(one.steps)
        if step.at_rest
    )
    return {place for place, count in places.items() if count > 1}


SHARED = _shared_places()


@pytest.fixture(scope="module")
def shelf(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Shelf]:
    folder = tmp_path_factory.mktemp("catalogue")
    scene = Scene(folder / "scene", SPEC)
    (scene.kept / "datafiles").mkdir(parents=True)
    scene.kept_logs.mkdir()
    scene.database.start()
    for tablespace in ("USERS", "OLD"):
        scene.create_table(tablespace)
    scene.execute("ALTER TABLESPACE old READ ONLY")
    scene.forget_sessions()
    scene.database.shutdown()
    kept = Shelf(scene, folder)
    kept.keep(())
    yield kept
    scene.forget_sessions()
    scene.database.destroy()


@pytest.mark.parametrize("orchestration", ORCHESTRATIONS, ids=lambda each: each.name)
def test_an_orchestration_has_its_consequence(shelf: Shelf, orchestration: Orchestration) -> None:
    expected = orchestration.consequence
    remaining = shelf.begin(orchestration.steps)
    scene = shelf.scene
    done = orchestration.steps[: len(orchestration.steps) - len(remaining)]
    if not done:
        scene.database.start()
    for step in remaining:
        try:
            step.do(scene)
        except NotAllowed as refused:
            assert not isinstance(expected, Gone), f"{step.name}: {refused}"
            assert step == expected.at, f"{step.name}: {refused}"
            assert refused.codes[0] == expected.codes[0], str(refused)
            assert set(expected.codes) <= set(refused.codes), str(refused)
            return
        done = (*done, step)
        if done in SHARED:
            shelf.keep(done)
    assert isinstance(expected, Gone), f"{expected.at.name} was not refused"
    assert scene.gone() == set(expected.batches)
