# Copyright (c) 2026 hotbackup contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Every orchestration of the table has its consequence."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator

import pytest

from ..dba import Refused as NotAllowed
from . import wrong_copies, wrong_redo, wrong_windows
from .orchestration import Gone, Orchestration, Steps
from .right import RIGHT
from .shelf import Shelf

ORCHESTRATIONS = (*RIGHT, *wrong_windows.WRONG, *wrong_redo.WRONG, *wrong_copies.WRONG)


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
    made = Shelf(tmp_path_factory.mktemp("catalogue"))
    yield made
    made.close()


@pytest.mark.parametrize("orchestration", ORCHESTRATIONS, ids=lambda each: each.name)
def test_an_orchestration_has_its_consequence(shelf: Shelf, orchestration: Orchestration) -> None:
    expected = orchestration.consequence
    done = shelf.go_to(orchestration.steps)
    for step in orchestration.steps[len(done) :]:
        try:
            step.do(shelf.scene)
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
    assert shelf.scene.gone() == set(expected.batches)
