# Copyright (c) 2026 hotbackup contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Builds transaction control, ALTER SYSTEM and ALTER SESSION."""

from __future__ import annotations

import re
from dataclasses import replace
from itertools import pairwise
from typing import Any

from lark import Token

from oracle_simulator.errors import OracleError
from oracle_simulator.sql.parser import statements as st
from oracle_simulator.sql.parser.build_basics import (
    Basics,
    Name,
    Option,
    all_of,
    has,
    need,
    one_of,
    options_of,
    unquote_identifier,
)


class ControlRules(Basics):
    """Transaction control, ALTER SYSTEM and ALTER SESSION."""

    def commit(self, children: list[Any]) -> st.Commit:
        return st.Commit()

    def rollback(self, children: list[Any]) -> st.Rollback:
        return st.Rollback(one_of(children, Name))

    def savepoint(self, children: list[Any]) -> st.Savepoint:
        return st.Savepoint(need(one_of(children, Name)))

    def transaction_read_only(self, children: list[Any]) -> Option:
        return Option("read_only")

    def transaction_read_write(self, children: list[Any]) -> Option:
        return Option("read_write")

    def transaction_isolation(self, children: list[Any]) -> Option:
        return Option("serializable", has(children, "SERIALIZABLE"))

    def set_transaction(self, children: list[Any]) -> st.SetTransaction:
        options = options_of(children)
        return st.SetTransaction("read_only" in options or bool(options.get("serializable")))

    def lock_mode(self, children: list[Any]) -> str:
        return " ".join(str(child).upper() for child in children)

    def lock_table(self, children: list[Any]) -> st.LockTable:
        return st.LockTable(need(one_of(children, tuple)), children[4], has(children, "NOWAIT"))

    def alter_system(self, children: list[Any]) -> st.Statement:
        return children[2]

    def switch_logfile(self, children: list[Any]) -> st.SwitchLogfile:
        return st.SwitchLogfile()

    def switch_all_logfiles(self, children: list[Any]) -> st.SwitchLogfile:
        return st.SwitchLogfile(every_thread=True)

    def archive_current(self, children: list[Any]) -> st.ArchiveLog:
        return st.ArchiveLog("CURRENT", noswitch=has(children, "NOSWITCH"))

    def archive_all(self, children: list[Any]) -> st.ArchiveLog:
        return st.ArchiveLog("ALL")

    def archive_next(self, children: list[Any]) -> st.ArchiveLog:
        return st.ArchiveLog("NEXT")

    def archive_start(self, children: list[Any]) -> st.ArchiveLog:
        return st.ArchiveLog("START")

    def archive_stop(self, children: list[Any]) -> st.ArchiveLog:
        return st.ArchiveLog("STOP")

    def archive_sequence(self, children: list[Any]) -> st.ArchiveLog:
        return st.ArchiveLog("SEQUENCE", number=children[1])

    def archive_change(self, children: list[Any]) -> st.ArchiveLog:
        return st.ArchiveLog("CHANGE", number=children[1])

    def archive_group(self, children: list[Any]) -> st.ArchiveLog:
        return st.ArchiveLog("GROUP", number=children[1])

    def archive_logfile(self, children: list[Any]) -> st.ArchiveLog:
        return st.ArchiveLog("LOGFILE", logfile=children[1])

    def archive_log(self, children: list[Any]) -> st.ArchiveLog:
        archive = need(one_of(children, st.ArchiveLog))
        for word, value in pairwise(children):
            if isinstance(word, Token) and word.type == "INSTANCE":
                archive = replace(archive, instance=str(value))
            elif isinstance(word, Token) and word.type == "TO":
                archive = replace(archive, destination=str(value))
        return archive

    def checkpoint(self, children: list[Any]) -> st.Checkpoint:
        return st.Checkpoint()

    def register_services(self, children: list[Any]) -> st.RegisterServices:
        return st.RegisterServices()

    def kill_session(self, children: list[Any]) -> st.KillSession:
        found = re.fullmatch(r"\s*(\d+)\s*,\s*(\d+)\s*(?:,\s*@\d+\s*)?", children[2])
        if not found:
            raise OracleError(26, "missing or invalid session ID")
        return st.KillSession(int(found[1]), int(found[2]), has(children, "IMMEDIATE"))

    def disconnect_session(self, children: list[Any]) -> st.DisconnectSession:
        whom = self.kill_session(children)
        return st.DisconnectSession(whom.sid, whom.serial, has(children, "POST_TRANSACTION"))

    def parameter(self, children: list[Any]) -> str:
        return ".".join(str(child) for child in children if child != ".").lower()

    def setting_value(self, children: list[Any]) -> str:
        value = children[0]
        return (
            unquote_identifier(value) if isinstance(value, Token) and value.type == "QUOTED" else str(value)
        )

    def setting(self, children: list[Any]) -> Option:
        values = [str(child) for child in children[1:] if not isinstance(child, Token)]
        return Option("setting", (children[0], ", ".join(values)))

    def scope(self, children: list[Any]) -> Option:
        words = [child.type for child in children if isinstance(child, Token)]
        return Option("scope", next((word for word in words if word in {"MEMORY", "SPFILE", "BOTH"}), None))

    def set_parameters(self, children: list[Any]) -> st.SetParameters:
        settings = tuple(o.value for o in all_of(children, Option) if o.name == "setting")
        return st.SetParameters(settings, options_of(children).get("scope"))

    def enable_restricted(self, children: list[Any]) -> st.RestrictedSession:
        return st.RestrictedSession(True)

    def disable_restricted(self, children: list[Any]) -> st.RestrictedSession:
        return st.RestrictedSession(False)

    def suspend(self, children: list[Any]) -> st.SuspendDatabase:
        return st.SuspendDatabase(True)

    def resume(self, children: list[Any]) -> st.SuspendDatabase:
        return st.SuspendDatabase(False)

    def system_not_supported(self, children: list[Any]) -> st.NotSupported:
        return st.NotSupported(f"ALTER SYSTEM {children[0].upper()}")

    def alter_session(self, children: list[Any]) -> st.Statement:
        return children[2]

    def session_set(self, children: list[Any]) -> st.AlterSessionSet:
        return st.AlterSessionSet(tuple(option.value for option in all_of(children, Option)))

    def session_other(self, children: list[Any]) -> st.AlterSessionOther:
        return st.AlterSessionOther()
