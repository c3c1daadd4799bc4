# Copyright (c) 2026 hotbackup contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A branch of history that RESETLOGS cut off does not come back unnoticed."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest
from ansible_collections.hotbackup.oracle.plugins.module_utils._backup.errors import PreconditionError
from ansible_collections.hotbackup.oracle.plugins.module_utils._backup.manifest import Manifest
from ansible_collections.hotbackup.oracle.plugins.module_utils._run.redo_reach import require_living_branch

from unit.backup.samples import manifest
from unit.files.oracle_file_writer import RedoLog

OWN_ID, LATER_ID = 1000, 2000


DBID = RedoLog().dbid


def set_of(online_log: Path, begin_scn: int, end_scn: int) -> Manifest:
    sample = manifest()
    database = replace(
        sample.database, resetlogs_id=OWN_ID, resetlogs_scn=1, online_logs=(str(online_log),), dbid=DBID
    )
    return replace(sample, database=database, begin_scn=begin_scn, end_scn=end_scn)


@pytest.fixture
def online_log(tmp_path: Path) -> Path:
    """An online log of the incarnation that began at SCN 500."""
    log = RedoLog(resetlogs_id=LATER_ID, resetlogs_scn=500, first_scn=500, current=True)
    return log.write(tmp_path / "redo01.log")


def test_a_set_made_before_the_branch_may_go_to_a_moment_before_it(online_log: Path) -> None:
    require_living_branch(set_of(online_log, 100, 200), 499)


@pytest.mark.parametrize(
    ("end_scn", "through_scn"), [(600, None), (600, 700), (200, 500)], ids=["set", "set and target", "target"]
)
def test_what_was_given_up_is_refused(online_log: Path, end_scn: int, through_scn: int | None) -> None:
    with pytest.raises(PreconditionError, match="given up at SCN 500"):
        require_living_branch(set_of(online_log, 100, end_scn), through_scn)


def test_a_set_of_the_living_incarnation_is_fine(online_log: Path) -> None:
    own = set_of(online_log, 600, 700)
    living = replace(own, database=replace(own.database, resetlogs_id=LATER_ID, resetlogs_scn=500))
    require_living_branch(living, None)
