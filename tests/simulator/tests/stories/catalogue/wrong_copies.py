# Copyright (c) 2026 hotbackup contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Copies of datafiles and control files that are not what they are taken for, and restores that break off."""

from __future__ import annotations

from .backup_steps import (
    archive,
    backup_control_file,
    copy,
    copy_of_another_database,
    copy_torn,
    copy_under_another_name,
    cp_control_file,
    create_fresh,
    cut_copy,
    flip_in_control_copy,
    flip_in_header,
    flip_in_row,
    keep_logs,
    load_unlogged,
    lose_log_of,
    note,
    older_set,
    statement,
    swap_files_of_two,
    use_older_copy,
    work,
)
from .orchestration import Refused, after, before, deviation, instead_of, without
from .restore_steps import (
    checkpoint_ends_instance,
    crash,
    lose_control_files,
    lose_datafiles,
    lose_fresh,
    lose_others,
    mount,
    open_database,
    open_resetlogs,
    put_back,
    put_control_back,
    put_control_file_back,
    put_datafiles_back,
    read_old_rows,
    read_quick_rows,
    recover_database,
    recover_until_cancel,
    recovering,
    shut_down,
)
from .right import END_OF_REDO, FIRST, FROM_THE_BACKUP, SECOND, checkpoint, read_only_offline
from .wrong_redo import FOURTH, LOG_NOT_FOUND, NO_LONGER_ONLINE
from .wrong_windows import END_NOT_REACHED

create_datafile = statement("ALTER DATABASE CREATE DATAFILE '{datafiles}/fresh01.dbf'")
read_write = statement("ALTER TABLESPACE old READ WRITE")
users_for_drop = statement("ALTER DATABASE DATAFILE '{datafiles}/users01.dbf' OFFLINE FOR DROP")
users_online = statement("ALTER DATABASE DATAFILE '{datafiles}/users01.dbf' ONLINE")
create_two = statement(
    "CREATE TABLESPACE two DATAFILE '{datafiles}/two01.dbf' SIZE 2M, '{datafiles}/two02.dbf' SIZE 2M"
)
two_offline = statement("ALTER TABLESPACE two OFFLINE")
two_online = statement("ALTER TABLESPACE two ONLINE")
second_control_copy = backup_control_file("second.ctl")

WRONG = (
    deviation(
        "opened without recovery",
        END_OF_REDO,
        without(recover_database),
        refused=Refused(open_database, (1113, 1110)),
    ),
    deviation(
        "one of the restored files recovered, opened",
        END_OF_REDO,
        instead_of(recover_database, statement("ALTER DATABASE RECOVER AUTOMATIC DATAFILE 4")),
        refused=Refused(open_database, (1113, 1110)),
    ),
    deviation(
        "OPEN RESETLOGS without recovery",
        FROM_THE_BACKUP,
        without(recover_until_cancel),
        refused=Refused(open_resetlogs, (1195, 1110)),
    ),
    deviation(
        "backup control file, opened without RESETLOGS",
        FROM_THE_BACKUP,
        instead_of(open_resetlogs, open_database),
        refused=Refused(open_database, (1589,)),
    ),
    deviation(
        "backup control file, opened with NORESETLOGS",
        FROM_THE_BACKUP,
        instead_of(open_resetlogs, noresetlogs := statement("ALTER DATABASE OPEN NORESETLOGS")),
        refused=Refused(noresetlogs, (1588,)),
    ),
    deviation(
        "old control file without USING BACKUP CONTROLFILE",
        FROM_THE_BACKUP,
        instead_of(
            recover_until_cancel, as_if_current := recovering("ALTER DATABASE RECOVER DATABASE UNTIL CANCEL")
        ),
        refused=Refused(as_if_current, (283, 1610)),
    ),
    deviation(
        "control file copied with cp while the database was open: it is an old control file",
        END_OF_REDO,
        instead_of(backup_control_file(), cp_control_file),
        instead_of(lose_datafiles, lose_control_files),
        instead_of(put_datafiles_back, put_control_back),
        without(recover_database),
        refused=Refused(open_database, (1122, 1110, 1207)),
    ),
    deviation(
        "control file copied with cp, recovered as if it were current",
        END_OF_REDO,
        instead_of(backup_control_file(), cp_control_file),
        instead_of(lose_datafiles, lose_control_files),
        instead_of(put_datafiles_back, put_control_back),
        refused=Refused(recover_database, (283, 1122, 1110, 1207)),
    ),
    deviation(
        "two control file copies of different times",
        FROM_THE_BACKUP,
        after(keep_logs(SECOND), second_control_copy),
        instead_of(put_control_back, put_control_file_back("control.ctl", "second.ctl")),
        refused=Refused(mount, (214,)),
    ),
    deviation(
        "bit flipped in the control file's copy",
        FROM_THE_BACKUP,
        after(backup_control_file(), flip_in_control_copy),
        refused=Refused(mount, (205,)),
    ),
    deviation(
        "read-only file not taken offline under a backup control file",
        FROM_THE_BACKUP,
        without(read_only_offline),
        refused=Refused(recover_until_cancel, (283, 1233, 1110)),
    ),
    deviation(
        "read-only tablespace made writable after the backup: the control file still calls it read only",
        FROM_THE_BACKUP,
        before(archive(SECOND), read_write, work("in OLD", "OLD")),
        without(read_only_offline),
        refused=Refused(recover_until_cancel, (283, 1233, 1110)),
    ),
    deviation(
        "read-only tablespace made writable after the backup, its file taken offline for recovery",
        FROM_THE_BACKUP,
        before(archive(SECOND), read_write, work("in OLD", "OLD")),
        refused=Refused(open_resetlogs, (1245, 1110)),
    ),
    deviation(
        "one file not restored: newer than the point where recovery stops",
        FROM_THE_BACKUP,
        instead_of(crash, shut_down),
        instead_of(lose_datafiles, lose_others),
        instead_of(put_datafiles_back, put_back("SYSTEM", "SYSAUX", "UNDOTBS1")),
        refused=Refused(recover_until_cancel, (1547, 1152, 1110)),
    ),
    deviation(
        "file of another database",
        FROM_THE_BACKUP,
        after(copy_torn("USERS"), copy_of_another_database),
        refused=Refused(recover_until_cancel, (283, 1122, 1110, 1206)),
    ),
    deviation(
        "file of an older set, whose logs were not kept",
        FROM_THE_BACKUP,
        before(work("before the backup"), *older_set),
        after(copy_torn("USERS"), use_older_copy),
        after(keep_logs(SECOND), lose_log_of("older set")),
        refused=Refused(recover_until_cancel, END_NOT_REACHED),
    ),
    deviation(
        "file taken offline FOR DROP to get past ORA-01245: RESETLOGS leaves it behind",
        FROM_THE_BACKUP,
        after(read_only_offline, users_for_drop),
        after(open_resetlogs, users_online),
        refused=Refused(users_online, (1190, 1110)),
    ),
    deviation(
        "files of a tablespace offline since one moment, each put back as the other",
        END_OF_REDO,
        before(work("before the backup"), create_two, two_offline, swap_files_of_two, two_online),
        refused=Refused(two_online, (1122, 1110, 1204)),
    ),
    deviation(
        "file restored under another file's name",
        FROM_THE_BACKUP,
        after(copy_torn("USERS"), copy_under_another_name),
        refused=Refused(recover_until_cancel, (283, 1122, 1110, 1204)),
    ),
    deviation(
        "datafile copy cut short",
        FROM_THE_BACKUP,
        after(copy_torn("USERS"), cut_copy),
        refused=Refused(recover_until_cancel, (283, 1122, 1110, 1200)),
    ),
    deviation(
        "bit flipped in the header of a copy",
        FROM_THE_BACKUP,
        after(copy_torn("USERS"), flip_in_header("USERS")),
        refused=Refused(recover_until_cancel, (283, 1122, 1110, 1210)),
    ),
    deviation(
        "bit flipped in a block that the redo brings whole: healed",
        FROM_THE_BACKUP,
        after(copy_torn("USERS"), flip_in_row("USERS")),
    ),
    deviation(
        "bit flipped in a block without redo: found when it is read",
        FROM_THE_BACKUP,
        after(copy("OLD"), flip_in_row("OLD")),
        after(statement("ALTER TABLESPACE old ONLINE"), read_old_rows),
        refused=Refused(read_old_rows, (1578, 1110)),
    ),
    deviation(
        "load without redo after the copy: recovery ends well, and its rows cannot be read",
        END_OF_REDO,
        before(work("last"), *load_unlogged),
        after(open_database, read_quick_rows),
        refused=Refused(read_quick_rows, (1578, 1110, 26040)),
    ),
    deviation(
        "restored over an online file",
        END_OF_REDO,
        after(work("last"), checkpoint, put_back("USERS"), checkpoint_ends_instance),
        without(crash, lose_datafiles, put_datafiles_back, recover_database),
        refused=Refused(open_database, (1113, 1110)),
    ),
    deviation(
        "datafile added during the run and not copied: the control file knows it",
        FROM_THE_BACKUP,
        before(archive(FIRST), *create_fresh),
        after(lose_datafiles, lose_fresh),
        refused=Refused(recover_until_cancel, (283, 1157, 1110)),
    ),
    deviation(
        "datafile added and not copied, made anew from its redo: nothing is lost",
        FROM_THE_BACKUP,
        before(archive(FIRST), *create_fresh),
        after(lose_datafiles, lose_fresh),
        before(recover_until_cancel, create_datafile),
    ),
    deviation(
        "datafile added after the control file was backed up",
        FROM_THE_BACKUP,
        before(archive(SECOND), *create_fresh),
        after(lose_datafiles, lose_fresh),
        refused=Refused(recover_until_cancel, (283, 1244, 1110)),
    ),
    deviation(
        "datafile added and not copied, the log with its creation is lost",
        END_OF_REDO,
        NO_LONGER_ONLINE,
        before(archive(SECOND), note("creation"), *create_fresh),
        after(keep_logs(FOURTH), lose_log_of("creation")),
        instead_of(lose_datafiles, lose_fresh),
        instead_of(put_datafiles_back),
        after(mount, create_datafile),
        refused=Refused(recover_database, LOG_NOT_FOUND),
    ),
)
