# Copyright (c) 2026 hotbackup contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Windows of backup mode left out, misplaced or disturbed."""

from __future__ import annotations

from .backup_steps import (
    READ_WRITE,
    begin,
    by_somebody_else,
    copy,
    copy_begun,
    copy_finished_torn,
    copy_torn,
    end,
    keep_logs,
    statement,
    work,
)
from .orchestration import Refused, after, before, deviation, instead_of, without
from .restore_steps import (
    crash,
    end_backup,
    instance_dies,
    lose_datafiles,
    mount,
    open_database,
    open_resetlogs,
    put_datafiles_back,
    recover_database,
    recover_until_cancel,
    shut_down,
)
from .right import (
    END_OF_REDO,
    ENDED_AFTER_THE_CRASH,
    FROM_THE_BACKUP,
    begin_database,
)

FRACTURED = (283, 10562, 10564, 1110)
END_NOT_REACHED = (1547, 1195, 1110)
FUZZY = (1547, 1194, 1110)

begin_again = by_somebody_else(begin("USERS"))
begin_all = by_somebody_else(begin_database)
end_early = by_somebody_else(end("USERS"))
mount_again, open_again = by_somebody_else(mount), by_somebody_else(open_database)
end_at_mount = by_somebody_else(end_backup)

WRONG = (
    deviation(
        "no BEGIN BACKUP: recovery cannot repair a fractured block",
        END_OF_REDO,
        without(begin("USERS"), end("USERS")),
        refused=Refused(recover_database, FRACTURED),
    ),
    deviation(
        "no BEGIN BACKUP, by luck no fractured block: fuzzy wherever one stops",
        FROM_THE_BACKUP,
        without(begin("USERS"), end("USERS")),
        instead_of(copy_torn("USERS"), copy("USERS")),
        refused=Refused(recover_until_cancel, FUZZY),
    ),
    deviation(
        "BEGIN BACKUP of one tablespace only",
        FROM_THE_BACKUP,
        without(*(step for name in READ_WRITE if name != "USERS" for step in (begin(name), end(name)))),
        refused=Refused(recover_until_cancel, FUZZY),
    ),
    deviation(
        "copying begun before BEGIN BACKUP returned",
        END_OF_REDO,
        instead_of(copy_torn("USERS")),
        before(begin("USERS"), work("too early"), copy_torn("USERS")),
        refused=Refused(recover_database, FRACTURED),
    ),
    deviation(
        "END BACKUP before the copy had finished",
        END_OF_REDO,
        without(work("in the window"), work("late in the window")),  # no image of a block in the redo
        instead_of(copy_torn("USERS"), copy_begun("USERS")),
        after(end("USERS"), work("while it is still copied"), copy_finished_torn("USERS")),
        refused=Refused(recover_database, FRACTURED),
    ),
    deviation(
        "END BACKUP forgotten: no orderly shutdown",
        END_OF_REDO,
        without(end("USERS")),
        instead_of(crash, shut_down),
        refused=Refused(shut_down, (1149, 1110)),
    ),
    deviation(
        "END BACKUP forgotten: its record is in no log",
        FROM_THE_BACKUP,
        without(end("USERS")),
        refused=Refused(recover_until_cancel, END_NOT_REACHED),
    ),
    deviation(
        "END BACKUP after the last log that is kept",
        FROM_THE_BACKUP,
        instead_of(end("USERS")),
        after(keep_logs("the second time"), end("USERS")),
        refused=Refused(recover_until_cancel, END_NOT_REACHED),
    ),
    deviation(
        "read-only tablespace begun like the others",
        END_OF_REDO,
        before(copy("OLD"), begin("OLD")),
        refused=Refused(begin("OLD"), (1642,)),
    ),
    deviation(
        "two runs on one database: the second cannot begin",
        END_OF_REDO,
        after(begin("USERS"), begin_again),
        refused=Refused(begin_again, (1146, 1110)),
    ),
    deviation(
        "two runs on one database: nor can it in whole-database mode",
        END_OF_REDO,
        after(begin("USERS"), begin_all),
        refused=Refused(begin_all, (1146, 1110)),
    ),
    deviation(
        "backup ended early by somebody else: one's own END finds nothing",
        END_OF_REDO,
        after(work("in the window"), end_early),
        refused=Refused(end("USERS"), (1142,)),
    ),
    deviation(
        "backup ended early by somebody else, ORA-01142 taken for success",
        END_OF_REDO,
        after(begin("USERS"), end_early),
        without(end("USERS")),
        refused=Refused(recover_database, FRACTURED),
    ),
    deviation(
        "backup ended and begun again by somebody else: no statement of one's own fails",
        END_OF_REDO,
        without(work("in the window"), work("late in the window")),
        instead_of(
            copy_torn("USERS"),
            copy_begun("USERS"),
            end_early,
            work("between two windows"),
            copy_finished_torn("USERS"),
            begin_again,
        ),
        refused=Refused(recover_database, FRACTURED),
    ),
    deviation(
        "instance restarted in the window: the window is over, END BACKUP says so",
        END_OF_REDO,
        after(begin("USERS"), instance_dies, mount_again, end_at_mount, open_again),
        refused=Refused(end("USERS"), (1142,)),
    ),
    deviation(
        "instance restarted in the window, ORA-01142 taken for success",
        END_OF_REDO,
        after(begin("USERS"), instance_dies, mount_again, end_at_mount, open_again),
        without(end("USERS")),
        refused=Refused(recover_database, FRACTURED),
    ),
    deviation(
        "instance restarted after the copy: END BACKUP at mount leaves no record in the redo",
        FROM_THE_BACKUP,
        after(copy_torn("USERS"), instance_dies, mount_again, end_at_mount, open_again),
        without(end("USERS")),
        refused=Refused(recover_until_cancel, END_NOT_REACHED),
    ),
    deviation(
        "crash in the window, opened as it is",
        ENDED_AFTER_THE_CRASH,
        without(end_backup),
        refused=Refused(open_database, (10873, 1110)),
    ),
    deviation(
        "restored file and END BACKUP instead of recovery: it opens, and what came after the copy is gone",
        ENDED_AFTER_THE_CRASH,
        after(crash, lose_datafiles, put_datafiles_back),
        gone=("after the copy",),
    ),
    deviation(
        "restored files, END BACKUP under a backup control file",
        FROM_THE_BACKUP,
        instead_of(recover_until_cancel, end_backup),
        refused=Refused(open_resetlogs, (1194, 1110)),
    ),
    deviation(
        "hot copy in NOARCHIVELOG mode",
        END_OF_REDO,
        before(
            work("before the backup"),
            shut_down,
            mount_again,
            statement("ALTER DATABASE NOARCHIVELOG"),
            open_again,
        ),
        refused=Refused(begin("SYSTEM"), (1123,)),
    ),
)
