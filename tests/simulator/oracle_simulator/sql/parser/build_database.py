# Copyright (c) 2026 hotbackup contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Builds ALTER DATABASE, CREATE CONTROLFILE and CREATE PFILE."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from lark import Token

from oracle_simulator.errors import OracleError
from oracle_simulator.sql.parser import statements as st
from oracle_simulator.sql.parser.build_basics import Name, Option, Text, all_of, has, need, one_of, options_of
from oracle_simulator.sql.parser.build_control import ControlRules


class DatabaseRules(ControlRules):
    """ALTER DATABASE, CREATE CONTROLFILE, CREATE PFILE."""

    def database_name(self, children: list[Any]) -> None:
        return None

    def alter_database(self, children: list[Any]) -> st.Statement:
        return children[-1]

    def mount(self, children: list[Any]) -> st.Statement:
        return st.MountDatabase(standby=has(children, "STANDBY"))

    def open_read_only(self, children: list[Any]) -> Option:
        return Option("read_only")

    def open_read_write(self, children: list[Any]) -> Option:
        return Option("read_write")

    def open_resetlogs(self, children: list[Any]) -> Option:
        return Option("resetlogs", True)

    def open_noresetlogs(self, children: list[Any]) -> Option:
        return Option("resetlogs", False)

    def open_upgrade(self, children: list[Any]) -> Option:
        return Option("upgrade")

    def open(self, children: list[Any]) -> st.Statement:
        options = options_of(children)
        if "upgrade" in options:
            return st.NotSupported("OPEN UPGRADE")
        return st.OpenDatabase("read_only" in options, options.get("resetlogs"), "read_write" in options)

    def register_logfile(self, children: list[Any]) -> st.RegisterLogfile:
        return st.RegisterLogfile(str(one_of(children, Text)), replace=has(children, "REPLACE"))

    def activate_standby(self, children: list[Any]) -> st.ActivateStandby:
        return st.ActivateStandby()

    def create_standby_controlfile(self, children: list[Any]) -> st.BackupControlfile:
        return st.BackupControlfile(str(one_of(children, Text)), reuse=has(children, "REUSE"), standby=True)

    def close(self, children: list[Any]) -> st.CloseDatabase:
        return st.CloseDatabase()

    def dismount(self, children: list[Any]) -> st.DismountDatabase:
        return st.DismountDatabase()

    def begin_backup(self, children: list[Any]) -> st.DatabaseBackupMode:
        return st.DatabaseBackupMode(True)

    def end_backup(self, children: list[Any]) -> st.DatabaseBackupMode:
        return st.DatabaseBackupMode(False)

    def file_end_backup(self, children: list[Any]) -> Option:
        return Option("end_backup")

    def file_online(self, children: list[Any]) -> Option:
        return Option("online")

    def file_offline(self, children: list[Any]) -> Option:
        return Option("offline", has(children, "DROP"))

    def file_resize(self, children: list[Any]) -> Option:
        return Option("resize", children[1])

    def file_autoextend(self, children: list[Any]) -> Option:
        return Option("autoextend", children[0])

    def datafile(self, children: list[Any]) -> st.Statement:
        files, action = children[1], children[2]
        match action.name:
            case "end_backup":
                return st.DatafileEndBackup(files)
            case "online":
                return st.DatafileOnline(files)
            case "offline":
                return st.DatafileOffline(files, action.value)
            case "resize":
                return st.DatafileResize(files[0], action.value)
        return st.DatafileAutoextend(files, action.value)

    def temp_drop(self, children: list[Any]) -> Option:
        return Option("drop", has(children, "DATAFILES"))

    def temp_online(self, children: list[Any]) -> Option:
        return Option("status", True)

    def temp_offline(self, children: list[Any]) -> Option:
        return Option("status", False)

    def temp_resize(self, children: list[Any]) -> Option:
        return Option("resize", children[1])

    def tempfile(self, children: list[Any]) -> st.Statement:
        files, action = children[1], children[2]
        if action.name == "drop":
            return st.TempfileDrop(files, action.value)
        if action.name == "resize":
            return st.TempfileResize(files[0], action.value)
        return st.TempfileStatus(files, action.value)

    def backup_controlfile(self, children: list[Any]) -> st.BackupControlfile:
        return st.BackupControlfile(str(one_of(children, Text)), reuse=has(children, "REUSE"))

    def backup_trace(self, children: list[Any]) -> st.BackupControlfile:
        path = one_of(children, Text)
        resetlogs = True if has(children, "RESETLOGS") else False if has(children, "NORESETLOGS") else None
        return st.BackupControlfile(
            None if path is None else str(path), trace=True, reuse=has(children, "REUSE"), resetlogs=resetlogs
        )

    def rename_file(self, children: list[Any]) -> st.RenameFile:
        old, new = all_of(children, tuple)
        return st.RenameFile(tuple(map(str, old)), tuple(map(str, new)))

    def create_datafile(self, children: list[Any]) -> st.CreateDatafile:
        path = one_of(children, Text)
        name = None if path is None else str(path)
        return st.CreateDatafile(need(one_of(children, tuple))[0], name, has(children, "NEW"))

    def move_datafile(self, children: list[Any]) -> st.MoveDatafile:
        reference, *others = [child for child in children if not isinstance(child, Token)]
        path = str(others[0]) if others else None
        return st.MoveDatafile(reference, path, has(children, "REUSE"), has(children, "KEEP"))

    def database_not_supported(self, children: list[Any]) -> st.NotSupported:
        return st.NotSupported(f"ALTER DATABASE {children[0].upper()}")

    def recover(self, children: list[Any]) -> st.Statement:
        return children[1]

    def recover_continue(self, children: list[Any]) -> st.RecoverContinue:
        return st.RecoverContinue(has(children, "DEFAULT"))

    def recover_cancel(self, children: list[Any]) -> st.RecoverCancel:
        return st.RecoverCancel()

    def recover_managed(self, children: list[Any]) -> st.NotSupported:
        return st.NotSupported("RECOVER MANAGED STANDBY DATABASE")

    def recover_database(self, children: list[Any]) -> st.Recover:
        return st.Recover("DATABASE", standby=has(children, "STANDBY"))

    def recover_tablespace(self, children: list[Any]) -> st.Recover:
        return st.Recover("TABLESPACE", tablespaces=all_of(children, Name))

    def recover_datafile(self, children: list[Any]) -> st.Recover:
        return st.Recover("DATAFILE", files=children[1])

    def recover_logfile(self, children: list[Any]) -> st.Recover:
        return st.Recover("LOGFILE", logfile=str(children[1]))

    def until_cancel(self, children: list[Any]) -> Option:
        return Option("until_cancel")

    def until_time(self, children: list[Any]) -> Option:
        return Option("until_time", str(children[2]))

    def until_change(self, children: list[Any]) -> Option:
        return Option("until_change", children[2])

    def until_consistent(self, children: list[Any]) -> Option:
        return Option("until_consistent")

    def using_backup(self, children: list[Any]) -> Option:
        return Option("using_backup_controlfile")

    def snapshot_time(self, children: list[Any]) -> Option:
        return Option("snapshot_time", str(children[2]))

    def recover_test(self, children: list[Any]) -> Option:
        return Option("test")

    def allow_corruption(self, children: list[Any]) -> Option:
        return Option("allowed_corruption", children[1])

    def recover_ignored(self, children: list[Any]) -> Option:
        return Option("ignored")

    def recover_start(self, children: list[Any]) -> st.Recover:
        options = options_of(children)
        options.pop("ignored", None)
        if sum(name.startswith("until_") for name in options) > 1:
            raise OracleError(905, "missing keyword")
        directory = one_of(children, Text)
        return replace(
            need(one_of(children, st.Recover)),
            automatic=has(children, "AUTOMATIC"),
            directory=None if directory is None else str(directory),
            **options,
        )

    def archivelog(self, children: list[Any]) -> st.ArchiveMode:
        return st.ArchiveMode(True)

    def noarchivelog(self, children: list[Any]) -> st.ArchiveMode:
        return st.ArchiveMode(False)

    def force_logging(self, children: list[Any]) -> st.ForceLogging:
        return st.ForceLogging(True)

    def no_force_logging(self, children: list[Any]) -> st.ForceLogging:
        return st.ForceLogging(False)

    def add_logfile(self, children: list[Any]) -> st.AddLogfile:
        groups = all_of(children, st.RedoGroupSpecification)
        return st.AddLogfile(groups, one_of(children, st.RedoThreadReference))

    def redo_thread(self, children: list[Any]) -> st.RedoThreadReference:
        name = one_of(children, Text)
        return st.RedoThreadReference(one_of(children, int), str(name or ""))

    def redo_log(self, children: list[Any]) -> st.RedoLogReference:
        return st.RedoLogReference(one_of(children, int), tuple(map(str, all_of(children, Text))))

    def log_member(self, children: list[Any]) -> Option:
        return Option("member", (str(children[0]), has(children, "REUSE")))

    def add_log_member(self, children: list[Any]) -> st.AddLogMember:
        members = tuple(option.value for option in all_of(children, Option))
        return st.AddLogMember(members, need(one_of(children, st.RedoLogReference)))

    def drop_logfile(self, children: list[Any]) -> st.DropLogfile:
        return st.DropLogfile(all_of(children, st.RedoLogReference))

    def drop_log_member(self, children: list[Any]) -> st.DropLogMember:
        return st.DropLogMember(tuple(map(str, need(one_of(children, tuple)))))

    def clear_logfile(self, children: list[Any]) -> st.ClearLogfile:
        logs = all_of(children, st.RedoLogReference)
        return st.ClearLogfile(logs, has(children, "UNARCHIVED"), has(children, "UNRECOVERABLE"))

    def enable_thread(self, children: list[Any]) -> st.EnableThread:
        thread = need(one_of(children, st.RedoThreadReference))
        return st.EnableThread(thread, has(children, "PUBLIC"))

    def disable_thread(self, children: list[Any]) -> st.DisableThread:
        return st.DisableThread(need(one_of(children, st.RedoThreadReference)))

    def default_tablespace(self, children: list[Any]) -> st.DefaultTablespace:
        return st.DefaultTablespace(need(one_of(children, Name)))

    def default_temporary(self, children: list[Any]) -> st.DefaultTablespace:
        return st.DefaultTablespace(need(one_of(children, Name)), temporary=True)

    def cf_reuse(self, children: list[Any]) -> Option:
        return Option("reuse")

    def cf_database(self, children: list[Any]) -> Option:
        return Option("database", (str(one_of(children, Name)), has(children, "SET")))

    def cf_logfile(self, children: list[Any]) -> Option:
        return Option("groups", all_of(children, st.RedoGroupSpecification))

    def cf_resetlogs(self, children: list[Any]) -> Option:
        return Option("resetlogs", True)

    def cf_noresetlogs(self, children: list[Any]) -> Option:
        return Option("resetlogs", False)

    def cf_datafile(self, children: list[Any]) -> Option:
        if not all(file.path for file in children[1]):
            raise OracleError(2236, "invalid file name")
        return Option("datafiles", children[1])

    def cf_limit(self, children: list[Any]) -> Option:
        return Option("limit", (children[0].lower(), children[1]))

    def cf_archivelog(self, children: list[Any]) -> Option:
        return Option("archivelog", True)

    def cf_noarchivelog(self, children: list[Any]) -> Option:
        return Option("archivelog", False)

    def cf_force_logging(self, children: list[Any]) -> Option:
        return Option("force_logging")

    def cf_character_set(self, children: list[Any]) -> Option:
        return Option("character_set", str(children[2]))

    def create_controlfile(self, children: list[Any]) -> st.CreateControlfile:
        limits = tuple(o.value for o in all_of(children, Option) if o.name == "limit")
        options = {name: value for name, value in options_of(children).items() if name != "limit"}
        database, set_name = options.pop("database", (None, False))
        if database is None:
            raise OracleError(1503, "CREATE CONTROLFILE failed", (1504, "database name must be given"))
        if "resetlogs" not in options:
            raise OracleError(1967, "invalid option for CREATE CONTROLFILE")
        options.setdefault("groups", ())
        options.setdefault("datafiles", ())
        return st.CreateControlfile(database, set_name=set_name, limits=limits, **options)

    def create_parameter_file(self, children: list[Any]) -> st.CreateParameterFile:
        words = [child for child in children if isinstance(child, (Token, Text))]
        split = next(i for i, word in enumerate(words) if isinstance(word, Token) and word.type == "FROM")
        before, after = one_of(words[:split], Text), one_of(words[split:], Text)
        return st.CreateParameterFile(
            server=has(words[:split], "SPFILE"),
            path=None if before is None else str(before),
            source=str(words[split + 1]).upper(),
            source_path=None if after is None else str(after),
        )
