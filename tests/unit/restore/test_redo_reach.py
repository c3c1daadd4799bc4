# Copyright (c) 2026 hotbackup contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What the redo at hand allows is said before a restore overwrites anything."""

from __future__ import annotations

import pytest
from ansible_collections.hotbackup.oracle.plugins.module_utils._backup.chain import ScnInterval
from ansible_collections.hotbackup.oracle.plugins.module_utils._backup.errors import PreconditionError
from ansible_collections.hotbackup.oracle.plugins.module_utils._run.redo_reach import (
    OPEN_END,
    RedoReach,
    archive_folders,
    require_reach,
)

from unit.backup.samples import manifest

TO_THE_END = ScnInterval(200, OPEN_END - 1)
TO_300 = ScnInterval(200, 300)


@pytest.mark.parametrize(
    ("reach", "through_scn"),
    [(TO_THE_END, None), (TO_THE_END, 200), (TO_THE_END, 10**12), (TO_300, 200), (TO_300, 300)],
    ids=["complete", "the set's own end", "any SCN while the current log is there", "first", "last"],
)
def test_what_can_be_reached_is_let_through(reach: ScnInterval, through_scn: int | None) -> None:
    require_reach(manifest(end_scn=200), RedoReach(reach), through_scn)


@pytest.mark.parametrize(
    ("reach", "through_scn", "words"),
    [
        (None, None, "redo between SCN"),
        (None, 250, "redo between SCN"),
        (TO_300, None, "Complete recovery is impossible: .* SCN 300"),
        (TO_300, 301, "from SCN 200 through SCN 300, not to 301"),
        (TO_300, 199, "from SCN 200 through SCN 300, not to 199"),
    ],
    ids=[
        "no chain",
        "no chain to an SCN",
        "the current log is lost",
        "too late",
        "before the end of the set",
    ],
)
def test_what_cannot_be_reached_is_refused(
    reach: ScnInterval | None, through_scn: int | None, words: str
) -> None:
    with pytest.raises(PreconditionError, match=words) as caught:
        require_reach(manifest(end_scn=200), RedoReach(reach), through_scn)
    assert "Nothing was changed" in caught.value.message


def test_archive_destinations_are_read_from_the_parameters() -> None:
    parameters = {
        "log_archive_dest_1": "LOCATION=/arch/one MANDATORY REOPEN=60",
        "log_archive_dest_2": "SERVICE=standby ASYNC",
        "log_archive_dest_10": 'location="/arch/ten"',
        "log_archive_dest_state_1": "ENABLE",
        "log_archive_dest": "/arch/old",
        "db_recovery_file_dest": "/fra",
        "db_name": "/not/a/destination",
    }
    assert archive_folders(parameters) == ["/fra", "/arch/old", "/arch/one", "/arch/ten"]
