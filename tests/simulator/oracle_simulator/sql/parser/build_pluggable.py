# Copyright (c) 2026 hotbackup contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Builds ALTER, CREATE and DROP PLUGGABLE DATABASE."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from oracle_simulator.errors import OracleError
from oracle_simulator.sql.parser import pluggable_statements as pst
from oracle_simulator.sql.parser import statements as st
from oracle_simulator.sql.parser.build_basics import Name, Option, Text, all_of, has, need, one_of, options_of
from oracle_simulator.sql.parser.build_database import DatabaseRules

_NOBODY = pst.PluggableTarget()


class PluggableRules(DatabaseRules):
    """Statements about pluggable databases. The target is filled in by :meth:`alter_pluggable`."""

    def pdb_names(self, children: list[Any]) -> pst.PluggableTarget:
        return pst.PluggableTarget(tuple(map(str, children[0])))

    def pdb_all(self, children: list[Any]) -> pst.PluggableTarget:
        return pst.PluggableTarget(tuple(map(str, one_of(children, tuple) or ())), every=True)

    def alter_pluggable(self, children: list[Any]) -> st.Statement:
        statement = children[-1]
        target = one_of(children, pst.PluggableTarget) or _NOBODY
        return (
            replace(statement, target=target) if isinstance(statement, pst.PluggableStatement) else statement
        )

    def pdb_restricted(self, children: list[Any]) -> Option:
        return Option("restricted")

    def pdb_force(self, children: list[Any]) -> Option:
        return Option("force")

    def pdb_ignored(self, children: list[Any]) -> Option:
        return Option("ignored")

    def pdb_open_option(self, children: list[Any]) -> Any:
        return children[0]

    def pdb_open(self, children: list[Any]) -> st.Statement:
        options = options_of(children)
        if "upgrade" in options:
            return st.NotSupported("ALTER PLUGGABLE DATABASE OPEN UPGRADE or RESETLOGS")
        return pst.OpenPluggable(_NOBODY, "read_only" in options, "restricted" in options, "force" in options)

    def pdb_close(self, children: list[Any]) -> pst.ClosePluggable:
        mode = next((word for word in ("IMMEDIATE", "ABORT") if has(children, word)), "NORMAL")
        return pst.ClosePluggable(_NOBODY, mode)

    def pdb_save(self, children: list[Any]) -> pst.SavePluggableState:
        return pst.SavePluggableState(_NOBODY)

    def pdb_discard(self, children: list[Any]) -> pst.SavePluggableState:
        return pst.SavePluggableState(_NOBODY, discard=True)

    def pdb_begin_backup(self, children: list[Any]) -> pst.PluggableBackupMode:
        return pst.PluggableBackupMode(_NOBODY, True)

    def pdb_end_backup(self, children: list[Any]) -> pst.PluggableBackupMode:
        return pst.PluggableBackupMode(_NOBODY, False)

    def pdb_enable_recovery(self, children: list[Any]) -> pst.PluggableRecovery:
        return pst.PluggableRecovery(_NOBODY, True)

    def pdb_disable_recovery(self, children: list[Any]) -> pst.PluggableRecovery:
        return pst.PluggableRecovery(_NOBODY, False)

    def pdb_recover_start(self, children: list[Any]) -> st.Recover:
        scope = one_of(children, st.Recover) or st.Recover("DATABASE")
        directory = one_of(children, Text)
        return replace(
            scope,
            automatic=has(children, "AUTOMATIC"),
            directory=None if directory is None else str(directory),
        )

    def pdb_recover(self, children: list[Any]) -> pst.PluggableRecover:
        return pst.PluggableRecover(_NOBODY, children[1])

    def pdb_datafile(self, children: list[Any]) -> pst.PluggableDatafiles:
        return pst.PluggableDatafiles(_NOBODY, one_of(children, tuple) or (), has(children, "ONLINE"))

    def pdb_not_supported(self, children: list[Any]) -> st.NotSupported:
        return st.NotSupported(f"ALTER PLUGGABLE DATABASE {children[0].upper()}")

    def pdb_roles(self, children: list[Any]) -> Option:
        return Option("roles", tuple(map(str, need(one_of(children, tuple)))))

    def pdb_convert(self, children: list[Any]) -> Option:
        texts = [str(text) for text in need(one_of(children, tuple))]
        if len(texts) % 2:
            raise OracleError(65005, "missing or invalid file name pattern for file")
        return Option("convert", tuple(zip(texts[::2], texts[1::2], strict=True)))

    def pdb_file_dest(self, children: list[Any]) -> Option:
        return Option("file_dest")

    def create_pluggable(self, children: list[Any]) -> st.Statement:
        options = options_of(children)
        if "file_dest" in options:
            return st.NotSupported("CREATE PLUGGABLE DATABASE ... CREATE_FILE_DEST")
        name, administrator = all_of(children, Name)
        return pst.CreatePluggable(
            str(name),
            str(administrator),
            options["password"],
            options.get("roles", ()),
            options.get("convert", ()),
        )

    def create_pluggable_otherwise(self, children: list[Any]) -> st.NotSupported:
        return st.NotSupported(f"CREATE PLUGGABLE DATABASE ... {children[4].upper()}")

    def drop_pluggable(self, children: list[Any]) -> pst.DropPluggable:
        return pst.DropPluggable(str(need(one_of(children, Name))), has(children, "INCLUDING"))
