# Copyright (c) 2026 hotbackup contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Orchestrations, the right ones and the wrong ones, and what comes of each.

One table: the steps of the backup, the steps of the restore, and either what must be there at the end or
where the database must refuse, and with which error. All of them run under a client that never pauses, and
wherever USERS is copied a block of it is fractured in the copy (unless the story says otherwise).
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import pytest

from .dba import Dba, Refused

Step = Callable[[Dba], None]


@dataclass(frozen=True)
class Story:
    """``refused_at`` None: the last step works, and ``lost`` says whether commits are missing then.

    ``owed``: "all" acknowledged commits, or those acknowledged before the log switch ("switched").
    ``codes``: all of them are in the error stack, the first of them on top.
    """

    name: str
    steps: tuple[Step, ...]
    owed: str = "all"
    lost: bool = False
    refused_at: Step | None = None
    codes: tuple[int, ...] = ()


AFTER_THE_COPY = (
    Dba.archive_log_current,
    Dba.keep_archived_logs,
    Dba.backup_control_file,
    Dba.more_load,
    Dba.crash,
)
TO_THE_END_OF_REDO = (
    Dba.lose_datafiles,
    Dba.put_datafiles_back,
    Dba.start_mounted,
    Dba.recover_database,
    Dba.open,
)
FROM_THE_BACKUP_ALONE = (
    Dba.lose_everything,
    Dba.put_datafiles_back,
    Dba.put_control_file_back,
    Dba.start_mounted,
    Dba.recover_until_cancel,
    Dba.open_resetlogs,
)

STORIES = (
    Story(
        "right: windows, switch, archive; then recovery to the end of redo",
        (Dba.start_load, Dba.rolling_windows, *AFTER_THE_COPY, *TO_THE_END_OF_REDO),
    ),
    Story(
        "right: windows, switch, archive; then everything lost, restored from the backup alone",
        (Dba.start_load, Dba.rolling_windows, *AFTER_THE_COPY, *FROM_THE_BACKUP_ALONE),
        owed="switched",
    ),
    Story(
        "right: the end of the windows is as early as one can stop",
        (
            Dba.start_load,
            Dba.rolling_windows,
            *AFTER_THE_COPY,
            Dba.lose_everything,
            Dba.put_datafiles_back,
            Dba.put_control_file_back,
            Dba.start_mounted,
            Dba.recover_until_the_end_of_the_windows,
            Dba.open_resetlogs,
        ),
        owed="nothing",
    ),
    Story(
        "no BEGIN BACKUP: fractured blocks that recovery cannot repair",
        (Dba.start_load, Dba.copy_torn_without_begin, *AFTER_THE_COPY, *TO_THE_END_OF_REDO),
        refused_at=Dba.recover_database,
        codes=(283, 10562, 10564, 1110),
    ),
    Story(
        "no BEGIN BACKUP, no fractured block by luck: fuzzy wherever one stops",
        (Dba.start_load, Dba.copy_without_begin, *AFTER_THE_COPY, *FROM_THE_BACKUP_ALONE),
        refused_at=Dba.recover_until_cancel,
        codes=(1547, 1194, 1110),
    ),
    Story(
        "log switched before the last END BACKUP: its record is in no archived log",
        (
            Dba.start_load,
            Dba.log_switch_before_the_last_end,
            Dba.backup_control_file,
            Dba.more_load,
            Dba.crash,
            *FROM_THE_BACKUP_ALONE,
        ),
        refused_at=Dba.recover_until_cancel,
        codes=(1547, 1195, 1110),
    ),
    Story(
        "an archived log missing from the chain",
        (
            Dba.start_load,
            Dba.rolling_windows,
            Dba.archive_log_current,
            Dba.three_more_switches,
            Dba.lose_an_archived_log,
            Dba.crash,
            *TO_THE_END_OF_REDO,
        ),
        refused_at=Dba.recover_database,
        codes=(279, 289, 280, 278, 308, 27037),
    ),
    Story(
        "recovery stopped before the end-backup record",
        (
            Dba.start_load,
            Dba.rolling_windows,
            *AFTER_THE_COPY,
            Dba.lose_everything,
            Dba.put_datafiles_back,
            Dba.put_control_file_back,
            Dba.start_mounted,
            Dba.recover_until_before_the_end,
        ),
        refused_at=Dba.recover_until_before_the_end,
        codes=(1547, 1195, 1110),
    ),
    Story(
        "one file not restored, newer than the point in time",
        (
            Dba.start_load,
            Dba.rolling_windows,
            Dba.archive_log_current,
            Dba.keep_archived_logs,
            Dba.backup_control_file,
            Dba.more_load,
            Dba.shut_down,
            Dba.lose_control_files,
            Dba.put_all_but_users_back,
            Dba.put_control_file_back,
            Dba.start_mounted,
            Dba.recover_until_the_end_of_the_windows,
        ),
        refused_at=Dba.recover_until_the_end_of_the_windows,
        codes=(1547, 1152, 1110),
    ),
    Story(
        "an archived log copied before the archiver had finished it",
        (
            Dba.start_load,
            Dba.rolling_windows,
            Dba.keep_half_written_log,
            Dba.backup_control_file,
            Dba.crash,
            *FROM_THE_BACKUP_ALONE,
        ),
        refused_at=Dba.recover_until_cancel,
        codes=(332, 334),
    ),
    Story(
        "restored over, opened without recovery",
        (
            Dba.start_load,
            Dba.rolling_windows,
            *AFTER_THE_COPY,
            Dba.lose_datafiles,
            Dba.put_datafiles_back,
            Dba.start_mounted,
            Dba.open,
        ),
        refused_at=Dba.open,
        codes=(1113, 1110),
    ),
    Story(
        "a control file copied with cp is an old control file",
        (
            Dba.start_load,
            Dba.rolling_windows,
            Dba.cp_control_file,
            Dba.archive_log_current,
            Dba.three_more_switches,
            Dba.crash,
            Dba.lose_control_files,
            Dba.put_control_file_back,
            Dba.start_mounted,
            Dba.open,
        ),
        refused_at=Dba.open,
        codes=(1122, 1110, 1207),
    ),
    Story(
        "crash in backup mode, END BACKUP at mount: the originals lose nothing",
        (
            Dba.start_load,
            Dba.copy_in_a_window_left_open,
            Dba.crash,
            Dba.start_mounted,
            Dba.end_backup,
            Dba.open,
        ),
    ),
    Story(
        "crash in backup mode, opened as it is",
        (Dba.start_load, Dba.copy_in_a_window_left_open, Dba.crash, Dba.start_mounted, Dba.open),
        refused_at=Dba.open,
        codes=(10873, 1110),
    ),
    Story(
        "crash in backup mode, recovered instead: slower, nothing lost",
        (
            Dba.start_load,
            Dba.copy_in_a_window_left_open,
            Dba.crash,
            Dba.start_mounted,
            Dba.recover_database,
            Dba.open,
        ),
    ),
    Story(
        "END BACKUP on restored files: opens, and commits are gone",
        (
            Dba.start_load,
            Dba.copy_in_a_window_left_open,
            Dba.crash,
            Dba.lose_datafiles,
            Dba.put_datafiles_back,
            Dba.start_mounted,
            Dba.end_backup,
            Dba.open,
        ),
        lost=True,
    ),
)


@pytest.mark.parametrize("story", STORIES, ids=lambda story: story.name)
def test_an_orchestration_has_its_consequence(dba: Dba, story: Story) -> None:
    for step in story.steps:
        try:
            step(dba)
        except Refused as refused:
            assert step is story.refused_at, f"{step.__name__}: {refused}"
            assert refused.codes[0] == story.codes[0], str(refused)
            assert set(story.codes) <= set(refused.codes), str(refused)
            return
    assert story.refused_at is None, f"{story.refused_at.__name__} was not refused"
    rows = dba.rows()
    owed = {"all": dba.load.acknowledged, "switched": dba.owed, "nothing": {}}[story.owed]
    assert bool(dba.load.lost(rows, owed)) == story.lost
    assert not dba.load.unexpected(rows)


def test_recovery_asks_for_a_missing_log_until_it_is_given(dba: Dba) -> None:
    for step in (Dba.start_load, Dba.rolling_windows, Dba.archive_log_current, Dba.keep_archived_logs):
        step(dba)
    spare = dba.kept / "spare"
    (dba.kept / "redo").rename(spare)
    (dba.kept / "redo").mkdir()
    for step in (Dba.three_more_switches, Dba.lose_an_archived_log, Dba.crash):
        step(dba)
    for step in (Dba.lose_datafiles, Dba.put_datafiles_back, Dba.start_mounted):
        step(dba)
    assert dba.refusal("ALTER DATABASE RECOVER AUTOMATIC DATABASE")[0] == 279
    for _again in range(2):
        assert {279, 308} <= set(dba.refusal("ALTER DATABASE RECOVER CONTINUE DEFAULT"))
    assert 308 in dba.refusal("ALTER DATABASE RECOVER LOGFILE '/nonexistent/1_1.arc'")
    for log in sorted(spare.iterdir()):
        if not (dba.database.home.archive_folder / log.name).exists():
            missing = log
    codes = dba.refusal(f"ALTER DATABASE RECOVER LOGFILE '{missing}'")
    while codes:
        assert codes[0] == 279, codes
        codes = dba.refusal("ALTER DATABASE RECOVER CONTINUE DEFAULT")
    dba.open()
    assert not dba.load.lost(dba.rows())
