# Copyright (c) 2026 hotbackup contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Builds tablespace statements."""

from __future__ import annotations

from typing import Any

from lark import Token

from oracle_simulator.errors import OracleError
from oracle_simulator.sql.parser import statements as st
from oracle_simulator.sql.parser.build_basics import Name, Option, Text, all_of, has, need, one_of, options_of
from oracle_simulator.sql.parser.build_pluggable import PluggableRules

_ALGORITHMS = frozenset({"3DES168", "AES128", "AES192", "AES256"})


class TablespaceRules(PluggableRules):
    """Tablespace statements: the clause comes first, its tablespace is filled in by ``alter_tablespace``."""

    def alter_tablespace(self, children: list[Any]) -> st.Statement:
        return children[3](str(children[2]))

    def ts_begin_backup(self, children: list[Any]) -> Any:
        return lambda name: st.TablespaceBackupMode(name, True)

    def ts_end_backup(self, children: list[Any]) -> Any:
        return lambda name: st.TablespaceBackupMode(name, False)

    def ts_add_datafile(self, children: list[Any]) -> Any:
        files = one_of(children, tuple) or (st.FileSpecification(),)
        return lambda name: st.AddFiles(name, files)

    def ts_add_tempfile(self, children: list[Any]) -> Any:
        files = one_of(children, tuple) or (st.FileSpecification(),)
        return lambda name: st.AddFiles(name, files, temporary=True)

    def ts_drop_datafile(self, children: list[Any]) -> Any:
        return lambda name: st.DropFile(name, children[2])

    def ts_drop_tempfile(self, children: list[Any]) -> Any:
        return lambda name: st.DropFile(name, children[2], temporary=True)

    def ts_offline(self, children: list[Any]) -> Any:
        mode = children[1].type if len(children) > 1 else "NORMAL"
        return lambda name: st.TablespaceOffline(name, mode)

    def ts_online(self, children: list[Any]) -> Any:
        return st.TablespaceOnline

    def ts_read_only(self, children: list[Any]) -> Any:
        return st.TablespaceReadOnly

    def ts_read_write(self, children: list[Any]) -> Any:
        return st.TablespaceReadWrite

    def ts_rename_datafile(self, children: list[Any]) -> Any:
        old, new = all_of(children, tuple)
        return lambda name: st.TablespaceRenameDatafile(name, tuple(map(str, old)), tuple(map(str, new)))

    def ts_resize(self, children: list[Any]) -> Any:
        return lambda name: st.TablespaceResize(name, children[1])

    def logging(self, children: list[Token]) -> Option:
        return Option("logging", children[0].type == "LOGGING")

    def ts_logging(self, children: list[Any]) -> Any:
        return lambda name: st.TablespaceLogging(name, logging=children[0].value)

    def ts_force_logging(self, children: list[Any]) -> Any:
        return lambda name: st.TablespaceLogging(name, force_logging=True)

    def ts_no_force_logging(self, children: list[Any]) -> Any:
        return lambda name: st.TablespaceLogging(name, force_logging=False)

    def ts_option_force_logging(self, children: list[Any]) -> Option:
        return Option("force_logging")

    def tablespace_option(self, children: list[Any]) -> Option:
        return children[0]

    def ts_not_supported(self, children: list[Any]) -> Any:
        return lambda name: st.NotSupported(f"ALTER TABLESPACE {children[0].upper()}")

    def tablespace_kind(self, children: list[Token]) -> Option:
        return Option(children[0].type)

    def ts_block_size(self, children: list[Any]) -> Option:
        return Option("block_size", children[1])

    def ts_encryption(self, children: list[Any]) -> Option:
        algorithm = one_of(children, Text)
        if algorithm is not None and algorithm.upper() not in _ALGORITHMS:
            raise OracleError(28340, "a different encryption algorithm has been chosen for the table")
        return Option("encryption", "AES256" if algorithm is None else str(algorithm).upper())

    def ts_option_ignored(self, children: list[Any]) -> Option:
        return Option("ignored")

    def create_tablespace(self, children: list[Any]) -> st.CreateTablespace:
        kinds = options_of(children)
        contents = "UNDO" if "UNDO" in kinds else "TEMPORARY" if "TEMPORARY" in kinds else "PERMANENT"
        files = one_of(children, tuple) or ()
        if files and has(children, "TEMPFILE") != (contents == "TEMPORARY"):
            raise OracleError(2180, "invalid option for CREATE TABLESPACE")
        return st.CreateTablespace(
            need(one_of(children, Name)),
            contents,
            files,
            "BIGFILE" in kinds,
            kinds.get("block_size"),
            kinds.get("logging", True),
            "force_logging" in kinds,
            kinds.get("encryption", ""),
        )

    def including_contents(self, children: list[Any]) -> Option:
        return Option("contents", (has(children, "AND"), has(children, "KEEP")))

    def drop_tablespace(self, children: list[Any]) -> st.DropTablespace:
        contents = options_of(children).get("contents")
        return st.DropTablespace(
            need(one_of(children, Name)), contents is not None, *(contents or (False, False))
        )
