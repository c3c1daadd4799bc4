# Copyright (c) 2026 hotbackup contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Redo that is not there, not whole, or not the right one."""

from __future__ import annotations

from .backup_steps import (
    archive,
    copy_online_log,
    cut_log_of,
    end,
    flip_in_log_of,
    keep_half_written_log,
    keep_logs,
    keep_online_logs,
    log_of_another_database,
    lose_log_of,
    note,
    work,
)
from .orchestration import Refused, after, before, deviation, instead_of, without
from .restore_steps import (
    feed_next_log,
    lose_datafiles,
    lose_redo,
    mount,
    open_database,
    open_resetlogs,
    put_datafiles_back,
    put_online_logs_back,
    recover_database,
    recover_until_cancel,
    recovering,
)
from .right import END_OF_REDO, FIRST, FROM_THE_BACKUP, SECOND, checkpoint
from .wrong_windows import END_NOT_REACHED

LOG_NOT_FOUND = (279, 289, 280, 278, 308, 27037)
THIRD, FOURTH = "the third time", "the fourth time"
NO_LONGER_ONLINE = after(
    keep_logs(SECOND), work("later"), archive(THIRD), work("even later"), archive(FOURTH), keep_logs(FOURTH)
)
WRONG = (
    deviation(
        "log switched before the last END BACKUP",
        FROM_THE_BACKUP,
        without(archive(FIRST), keep_logs(FIRST), archive(SECOND), keep_logs(SECOND)),
        before(end("USERS"), archive(FIRST), keep_logs(FIRST)),
        refused=Refused(recover_until_cancel, END_NOT_REACHED),
    ),
    deviation(
        "archived log copied before the archiver had finished it",
        FROM_THE_BACKUP,
        without(keep_logs(SECOND)),
        instead_of(archive(SECOND), keep_half_written_log),
        refused=Refused(recover_until_cancel, (332, 334)),
    ),
    deviation(
        "archived log cut short on its way",
        FROM_THE_BACKUP,
        after(keep_logs(SECOND), cut_log_of("end")),
        refused=Refused(recover_until_cancel, (332, 334)),
    ),
    deviation(
        "bit flipped in an archived log",
        FROM_THE_BACKUP,
        after(keep_logs(SECOND), flip_in_log_of("end")),
        refused=Refused(recover_until_cancel, (283, 353, 334)),
    ),
    deviation(
        "log with the begin SCN missing: no file can leave its place",
        FROM_THE_BACKUP,
        after(keep_logs(SECOND), lose_log_of("begin")),
        refused=Refused(recover_until_cancel, END_NOT_REACHED),
    ),
    deviation(
        "log with the begin SCN missing: complete recovery asks for it",
        END_OF_REDO,
        NO_LONGER_ONLINE,
        after(keep_logs(FOURTH), lose_log_of("begin")),
        refused=Refused(recover_database, LOG_NOT_FOUND),
    ),
    deviation(
        "hole in the middle: complete recovery asks for the log",
        END_OF_REDO,
        NO_LONGER_ONLINE,
        before(archive(SECOND), note("middle")),
        after(keep_logs(FOURTH), lose_log_of("middle")),
        refused=Refused(recover_database, LOG_NOT_FOUND),
    ),
    deviation(
        "hole in the middle, and one stops there: what came after is gone",
        FROM_THE_BACKUP,
        NO_LONGER_ONLINE,
        before(archive(SECOND), note("middle")),
        after(keep_logs(FOURTH), lose_log_of("middle")),
        gone=("after the backup", "later", "even later"),
    ),
    deviation(
        "hole in the middle, the log after it offered instead",
        FROM_THE_BACKUP,
        NO_LONGER_ONLINE,
        before(archive(SECOND), note("middle")),
        after(keep_logs(FOURTH), lose_log_of("middle")),
        instead_of(recover_until_cancel, feed_next_log),
        refused=Refused(feed_next_log, (310, 334)),
    ),
    deviation(
        "last log missing: its commits are gone",
        FROM_THE_BACKUP,
        without(keep_logs(SECOND)),
        gone=("after the backup",),
    ),
    deviation(
        "log after the last END BACKUP missing",
        FROM_THE_BACKUP,
        without(keep_logs(FIRST), keep_logs(SECOND)),
        refused=Refused(recover_until_cancel, END_NOT_REACHED),
    ),
    deviation(
        "log of another database",
        FROM_THE_BACKUP,
        after(keep_logs(SECOND), log_of_another_database("end")),
        refused=Refused(recover_until_cancel, (342, 334)),
    ),
    deviation(
        "current online log copied while it is written: it passes for the end of redo",
        FROM_THE_BACKUP,
        without(keep_logs(SECOND)),
        instead_of(archive(SECOND), copy_online_log, work("after the copy of the log")),
        gone=("after the copy of the log",),
    ),
    deviation(
        "old copies of the online logs put back: the current one ends before the checkpoint",
        END_OF_REDO,
        without(archive(FIRST), archive(SECOND), lose_datafiles, put_datafiles_back, recover_database),
        before(work("after the windows"), keep_online_logs),
        after(work("last"), checkpoint),
        before(mount, put_online_logs_back),
        refused=Refused(open_database, (600,)),
    ),
    deviation(
        "online redo lost: complete recovery ends where it began",
        END_OF_REDO,
        before(mount, lose_redo),
        refused=Refused(recover_database, LOG_NOT_FOUND),
    ),
    deviation(
        "online redo lost, and one stops at the last archived log",
        END_OF_REDO,
        before(mount, lose_redo),
        instead_of(recover_database, recovering("ALTER DATABASE RECOVER DATABASE UNTIL CANCEL")),
        instead_of(open_database, open_resetlogs),
        gone=("last",),
    ),
    deviation(
        "point in time before the end of the backup",
        FROM_THE_BACKUP,
        instead_of(
            recover_until_cancel,
            before_the_end := recovering(
                "ALTER DATABASE RECOVER DATABASE UNTIL CHANGE {begin} USING BACKUP CONTROLFILE"
            ),
        ),
        refused=Refused(before_the_end, END_NOT_REACHED),
    ),
)
