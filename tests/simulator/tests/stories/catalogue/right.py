# Copyright (c) 2026 hotbackup contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The right orchestrations: of each, everything that was acknowledged is there at the end."""

from __future__ import annotations

from .backup_steps import (
    READ_WRITE,
    archive,
    backup_control_file,
    begin,
    copy,
    copy_torn,
    end,
    keep_logs,
    note_the_end,
    statement,
    work,
)
from .orchestration import Gone, Orchestration, after, deviation, instead_of
from .restore_steps import (
    crash,
    end_backup,
    lose_archived_logs,
    lose_control_files,
    lose_datafiles,
    lose_read_only,
    lose_redo,
    mount,
    open_database,
    open_resetlogs,
    put_control_back,
    put_datafiles_back,
    put_read_only_back,
    recover_database,
    recover_until_cancel,
    recovering,
)

FIRST, SECOND = "the first time", "the second time"

BACKUP = (
    work("before the backup"),
    *(step for name in READ_WRITE if name != "USERS" for step in (begin(name), copy(name), end(name))),
    begin("USERS"),
    work("in the window"),
    copy_torn("USERS"),
    work("late in the window"),
    end("USERS"),
    note_the_end,
    copy("OLD"),
    work("after the windows"),
    archive(FIRST),
    keep_logs(FIRST),
    backup_control_file(),
    work("after the backup"),
    archive(SECOND),
    keep_logs(SECOND),
)
END_OF_REDO = Orchestration(
    "right: recovered to the end of redo",
    (
        *BACKUP,
        work("last"),
        crash,
        lose_datafiles,
        put_datafiles_back,
        mount,
        recover_database,
        open_database,
    ),
    Gone(),
)

# USING BACKUP CONTROLFILE does not recover what the control file calls read only: offline, and online at the end.
read_only_offline = statement("ALTER DATABASE DATAFILE '{datafiles}/old01.dbf' OFFLINE")
read_only_online = statement("ALTER TABLESPACE old ONLINE")
FROM_THE_BACKUP = Orchestration(
    "right: everything lost, restored from the backup alone",
    (
        *BACKUP,
        crash,
        lose_datafiles,
        lose_read_only,
        lose_control_files,
        lose_redo,
        lose_archived_logs,
        put_datafiles_back,
        put_read_only_back,
        put_control_back,
        mount,
        read_only_offline,
        recover_until_cancel,
        open_resetlogs,
        read_only_online,
    ),
    Gone(),
)
until_the_end_of_the_windows = recovering(
    "ALTER DATABASE RECOVER DATABASE UNTIL CHANGE {end} USING BACKUP CONTROLFILE"
)
AS_EARLY_AS_CAN_BE = deviation(
    "right: stopped on purpose where the last window ends",
    FROM_THE_BACKUP,
    instead_of(recover_until_cancel, until_the_end_of_the_windows),
    gone=("after the windows", "after the backup"),
)

begin_database = statement("ALTER DATABASE BEGIN BACKUP")
checkpoint = statement("ALTER SYSTEM CHECKPOINT")
IN_THE_WINDOW = (
    work("before the backup"),
    begin_database,
    work("in the window"),
    checkpoint,
    *(copy(name) for name in READ_WRITE),
    work("after the copy"),
    checkpoint,
)
WHOLE_DATABASE = Orchestration(
    "right: ALTER DATABASE BEGIN BACKUP around all copies",
    (
        *IN_THE_WINDOW,
        end_backup,
        archive(FIRST),
        work("last"),
        crash,
        lose_datafiles,
        put_datafiles_back,
        mount,
        recover_database,
        open_database,
    ),
    Gone(),
)
ENDED_AFTER_THE_CRASH = Orchestration(
    "right: crash in the window, END BACKUP of the originals",
    (*IN_THE_WINDOW, crash, mount, end_backup, open_database),
    Gone(),
)
RECOVERED_AFTER_THE_CRASH = deviation(
    "right: crash in the window, the originals recovered",
    ENDED_AFTER_THE_CRASH,
    instead_of(end_backup, recover_database),
)
RIGHT = (
    END_OF_REDO,
    FROM_THE_BACKUP,
    AS_EARLY_AS_CAN_BE,
    WHOLE_DATABASE,
    ENDED_AFTER_THE_CRASH,
    RECOVERED_AFTER_THE_CRASH,
    deviation(
        "right: the copy restored after a crash in the window, and recovered",
        RECOVERED_AFTER_THE_CRASH,
        after(crash, lose_datafiles, put_datafiles_back),
    ),
)
