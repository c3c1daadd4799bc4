# Copyright (c) 2026 hotbackup contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A branch of history that RESETLOGS cut off does not come back unnoticed, and is not advised."""

from __future__ import annotations

import re
from dataclasses import replace
from pathlib import Path

import pytest
from ansible_collections.hotbackup.oracle.plugins.module_utils._backup.errors import PreconditionError
from ansible_collections.hotbackup.oracle.plugins.module_utils._backup.layout import SetLayout
from ansible_collections.hotbackup.oracle.plugins.module_utils._backup.manifest import Manifest
from ansible_collections.hotbackup.oracle.plugins.module_utils._run.redo_reach import (
    redo_reach,
    require_reach,
)

from unit.backup.samples import manifest
from unit.files.oracle_file_writer import RedoLog

DBID = RedoLog().dbid
OWN_ID, LATER_ID, LATEST_ID = 1000, 1_250_000_000, 1_250_100_000
Place = tuple[SetLayout, Path]


@pytest.fixture
def place(tmp_path: Path) -> Place:
    """A redo store with the own incarnation's logs from SCN 50 to 900, and a place for an online log."""
    layout = SetLayout(str(tmp_path / "backup"), "ORCL", DBID, "20261121T221500Z")
    for sequence, first in enumerate((50, 400), start=1):
        path = layout.redo_path(OWN_ID, 1, sequence)
        path.parent.mkdir(parents=True, exist_ok=True)
        own = RedoLog(resetlogs_id=OWN_ID, resetlogs_scn=1, sequence=sequence, first_scn=first)
        replace(own, next_scn=400 if first == 50 else 900).write(path)
    return layout, tmp_path / "redo01.log"


def begin_incarnation(log: Path, resetlogs_id: int, scn: int, *, archived: bool = False) -> None:
    """A log of the incarnation that began at ``scn``."""
    log.parent.mkdir(parents=True, exist_ok=True)
    later = RedoLog(resetlogs_id=resetlogs_id, resetlogs_scn=scn, sequence=1, first_scn=scn)
    replace(later, next_scn=scn + 50, current=not archived).write(log)


def set_of(
    place: Place, begin_scn: int = 100, end_scn: int = 200, born: tuple[int, int] = (OWN_ID, 1)
) -> Manifest:
    sample = manifest()
    database = replace(
        sample.database, resetlogs_id=born[0], resetlogs_scn=born[1], online_logs=(str(place[1]),), dbid=DBID
    )
    return replace(sample, database=database, begin_scn=begin_scn, end_scn=end_scn)


def ask(place: Place, sealed: Manifest, through_scn: int | None) -> None:
    require_reach(sealed, redo_reach(sealed, place[0]), through_scn)


def refusal(place: Place, sealed: Manifest, through_scn: int | None) -> PreconditionError:
    with pytest.raises(PreconditionError) as caught:
        ask(place, sealed, through_scn)
    return caught.value


def test_a_set_made_before_the_branch_may_go_to_a_moment_before_it(place: Place) -> None:
    begin_incarnation(place[1], LATER_ID, 500)
    ask(place, set_of(place), 499)


@pytest.mark.parametrize("through_scn", [None, 500, 700], ids=["complete", "first given up", "given up"])
def test_what_was_given_up_is_refused_and_the_scns_that_are_advised_are_accepted(
    place: Place, through_scn: int | None
) -> None:
    begin_incarnation(place[1], LATER_ID, 500)
    refused = refusal(place, set_of(place), through_scn)
    assert (
        f"in incarnation {OWN_ID}, to which the set belongs, was given up from SCN 500 on" in refused.message
    )
    assert f"incarnation {LATER_ID} began there, as {place[1]} shows" in refused.message
    assert "RESETLOGS at 2026-" in refused.message
    assert "take a new backup" in refused.hint
    (advised,) = re.findall(r"SCN (\d+) to (\d+)", refused.hint)
    assert advised == ("200", "499")
    for scn in advised:
        ask(place, set_of(place), int(scn))


@pytest.mark.parametrize("through_scn", [None, 600, 700])
def test_a_set_that_was_given_up_as_a_whole_is_not_restored_to_anything(
    place: Place, through_scn: int | None
) -> None:
    begin_incarnation(place[1], LATER_ID, 500)
    refused = refusal(place, set_of(place, 100, 600), through_scn)
    assert "cannot be restored: it is complete only from SCN 600 on" in refused.message
    assert "restore_until_scn" not in refused.hint
    assert "complete before SCN 500" in refused.hint


def test_an_archived_log_tells_of_the_new_incarnation_when_the_online_logs_are_lost(place: Place) -> None:
    begin_incarnation(place[0].redo_path(LATER_ID, 1, 1), LATER_ID, 500, archived=True)
    assert "given up from SCN 500 on" in refusal(place, set_of(place), None).message


def test_the_earliest_departure_counts_whatever_came_later(place: Place) -> None:
    begin_incarnation(place[0].redo_path(LATER_ID, 1, 1), LATER_ID, 500, archived=True)
    begin_incarnation(place[1], LATEST_ID, 700)
    assert "given up from SCN 500 on" in refusal(place, set_of(place), 600).message


def test_a_later_incarnation_that_began_at_a_lower_scn_gives_the_whole_set_up(place: Place) -> None:
    begin_incarnation(place[1], LATEST_ID, 301)
    orphan = set_of(place, 600, 700, born=(LATER_ID, 500))
    assert "given up from SCN 301 on" in refusal(place, orphan, 700).message


def test_a_set_of_the_living_incarnation_is_fine(place: Place) -> None:
    begin_incarnation(place[1], LATER_ID, 500)
    ask(place, set_of(place, 600, 700, born=(LATER_ID, 500)), None)


def test_without_resetlogs_the_scn_that_is_advised_is_accepted(place: Place) -> None:
    refused = refusal(place, set_of(place), None)
    assert "Complete recovery is impossible" in refused.message
    (advised,) = re.findall(r"through SCN (\d+)", refused.hint)
    ask(place, set_of(place), int(advised))
