# Copyright (c) 2026 hotbackup contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A stand-in for the driver's connection: rows of views in dictionaries, and the statements that were executed.

It understands the plain form of our queries: ``SELECT columns FROM view [WHERE a AND b] [ORDER BY ...]``.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from datetime import datetime
from typing import Any

from ansible_collections.hotbackup.oracle.plugins.module_utils._oracle.gateway import Gateway

Row = dict[str, Any]
_SELECT = re.compile(
    r"SELECT (?P<columns>.+?) FROM (?P<view>\S+)(?: WHERE (?P<where>.+?))?(?: ORDER BY .+)?", re.DOTALL
)
_CONDITION = re.compile(r"(\S+) (=|<>|>=|<=|>|<) ('[^']*'|:\w+|\d+)")


class DriverError(Exception):
    """The base class of a driver's exceptions."""


class ErrorDetail:
    """What python-oracledb keeps in ``args[0]``."""

    def __init__(self, message: str, code: int = 0, full_code: str = "") -> None:
        self.message = message
        self.code = code
        self.full_code = full_code or (f"ORA-{code:05d}" if code else "")

    def __str__(self) -> str:
        return self.message


def driver_error(message: str, code: int = 0, full_code: str = "") -> DriverError:
    return DriverError(ErrorDetail(message, code, full_code))


def ora(code: int, text: str = "refused") -> DriverError:
    help_line = f"\nHelp: https://docs.oracle.com/error-help/db/ora-{code:05d}/"
    return driver_error(f"ORA-{code:05d}: {text}{help_line}", code)


class FakeConnection:
    """``views`` maps names to rows; ``reactions`` is asked about each statement and may change the views or raise."""

    def __init__(self, views: dict[str, list[Row]], react: Callable[[str], None] | None = None) -> None:
        self.views = views
        self.react = react or (lambda _statement: None)
        self.executed: list[str] = []
        self.queried: list[str] = []
        self.query_errors: list[DriverError] = []
        self.call_timeout = 0
        self.timeouts: list[int] = []
        self.closed = False
        self.module = ""
        self.action = ""

    def cursor(self) -> FakeCursor:
        return FakeCursor(self)

    def close(self) -> None:
        self.closed = True


class FakeCursor:
    def __init__(self, connection: FakeConnection) -> None:
        self._connection = connection
        self._rows: list[tuple[Any, ...]] = []
        self.description: list[tuple[str]] = []
        self.arraysize = 0

    def execute(self, sql: str, binds: dict[str, Any] | None = None) -> None:
        if not sql.startswith("SELECT"):
            self._connection.executed.append(sql)
            self._connection.timeouts.append(self._connection.call_timeout)
            self._connection.react(sql)
            return
        self._connection.queried.append(sql)
        if self._connection.query_errors:
            raise self._connection.query_errors.pop(0)
        found = _SELECT.fullmatch(sql)
        assert found, sql
        names = [name.strip() for name in found["columns"].split(",")]
        rows = self._connection.views[found["view"]]
        for condition in (found["where"] or "").split(" AND "):
            rows = [row for row in rows if _holds(condition, row, binds or {})]
        self.description = [(name.upper(),) for name in names]
        self._rows = [tuple(row[name] for name in names) for row in rows]

    def fetchall(self) -> list[tuple[Any, ...]]:
        return self._rows

    def close(self) -> None:
        self._rows = []


def _holds(condition: str, row: Row, binds: dict[str, Any]) -> bool:
    if not condition or condition.startswith("ROWNUM"):
        return True
    if condition.endswith(" IS NOT NULL"):
        return row[condition.removesuffix(" IS NOT NULL")] is not None
    found = _CONDITION.fullmatch(condition)
    assert found, condition
    column, operator, text = found.groups()
    wanted = (
        binds[text[1:]] if text.startswith(":") else text.strip("'") if text.startswith("'") else int(text)
    )
    value = row[column]
    return {
        "=": value == wanted,
        "<>": value != wanted,
        ">": value > wanted if operator == ">" else False,
        "<": value < wanted if operator == "<" else False,
        ">=": value >= wanted if operator == ">=" else False,
        "<=": value <= wanted if operator == "<=" else False,
    }[operator]


class FakeDatabase:
    """A small database that is open in ARCHIVELOG mode, with the statements of backup mode and log switches."""

    def __init__(self) -> None:
        self.scn = 5000
        self.views: dict[str, list[Row]] = {
            "gv$instance": [
                {
                    "inst_id": 1,
                    "instance_name": "ORCL",
                    "host_name": "dbhost01",
                    "version": "19.0.0.0.0",
                    "startup_time": datetime(2026, 11, 21, 8, 14, 38),
                    "status": "OPEN",
                    "archiver": "STARTED",
                    "log_switch_wait": None,
                }
            ],
            "v$instance": [{"instance_number": 1, "status": "OPEN"}],
            "v$database": [
                {
                    "dbid": 1684523458,
                    "name": "ORCL",
                    "db_unique_name": "ORCL",
                    "log_mode": "ARCHIVELOG",
                    "open_mode": "READ WRITE",
                    "database_role": "PRIMARY",
                    "controlfile_type": "CURRENT",
                    "open_resetlogs": "NOT ALLOWED",
                    "resetlogs_change#": 1,
                    "resetlogs_time": datetime(2026, 11, 1),
                    "current_scn": self.scn,
                    "force_logging": "NO",
                    "platform_name": "Linux x86 64-bit",
                    "cdb": "NO",
                }
            ],
            "v$database_incarnation": [
                {
                    "resetlogs_id": 77,
                    "resetlogs_change#": 1,
                    "prior_resetlogs_change#": 0,
                    "status": "CURRENT",
                }
            ],
            "v$thread": [
                {
                    "thread#": 1,
                    "status": "OPEN",
                    "enabled": "PUBLIC",
                    "sequence#": 11,
                    "current_group#": 2,
                    "last_redo_change#": 4990,
                }
            ],
            "gv$archive_dest": [
                {
                    "inst_id": 1,
                    "dest_id": 1,
                    "dest_name": "LOG_ARCHIVE_DEST_1",
                    "status": "VALID",
                    "binding": "MANDATORY",
                    "target": "PRIMARY",
                    "destination": "/nowhere/archive",
                    "error": None,
                }
            ],
            "v$controlfile": [{"name": "/u01/control01.ctl"}],
            "v$parameter": [
                {"name": "db_block_size", "value": "8192"},
                {"name": "spfile", "value": None},
                {"name": "sga_target", "value": "1G"},
                {"name": "log_archive_dest_1", "value": "LOCATION=/nowhere/archive"},
            ],
            "v$parameter2": [],
            "v$recovery_file_dest": [],
            "v$encryption_wallet": [{"status": "NOT_AVAILABLE"}],
            "v$tablespace": [
                {"ts#": number, "name": name, "bigfile": "NO", "con_id": 0}
                for number, name in enumerate(("SYSTEM", "UNDOTBS1", "TEMP", "USERS", "HISTORY"))
            ],
            "dba_tablespaces": [
                {"tablespace_name": "SYSTEM", "contents": "PERMANENT"},
                {"tablespace_name": "UNDOTBS1", "contents": "UNDO"},
                {"tablespace_name": "TEMP", "contents": "TEMPORARY"},
                {"tablespace_name": "USERS", "contents": "PERMANENT"},
                {"tablespace_name": "HISTORY", "contents": "PERMANENT"},
            ],
            "v$datafile": [
                self._datafile(1, 0, "/u01/system01.dbf", status="SYSTEM"),
                self._datafile(2, 1, "/u01/undo01.dbf"),
                self._datafile(3, 3, "/u01/users01.dbf"),
                self._datafile(4, 3, "/u01/users02.dbf"),
                self._datafile(5, 4, "/u01/history01.dbf", enabled="READ ONLY"),
            ],
            "v$backup": [
                {"file#": number, "status": "NOT ACTIVE", "change#": 0, "time": None}
                for number in range(1, 6)
            ],
            "v$datafile_header": [
                {
                    "file#": number,
                    "error": None,
                    "recover": "NO",
                    "fuzzy": "YES",
                    "checkpoint_change#": 4500,
                }
                for number in range(1, 6)
            ],
            "v$recover_file": [],
            "v$tempfile": [{"file#": 1, "ts#": 2, "name": "/u01/temp01.dbf", "bytes": 1048576, "con_id": 0}],
            "dba_temp_files": [{"file_name": "/u01/temp01.dbf", "autoextensible": "YES"}],
            "v$logfile": [
                {"group#": 1, "type": "ONLINE", "member": "/u01/redo01.log"},
                {"group#": 2, "type": "ONLINE", "member": "/u01/redo02.log"},
            ],
            "v$log": [
                self._log(1, 10, "INACTIVE", "YES", 4000, 4800),
                self._log(2, 11, "CURRENT", "NO", 4800, 2**48 - 1),
            ],
            "v$archived_log": [self.archived(10, 4000, 4800)],
            "v$mystat": [{"sid": 40}],
            "gv$session": [],
        }
        self.connection = FakeConnection(self.views, self._react)
        self.gateway = Gateway(self.connection, DriverError, sleep=lambda _seconds: None)
        self.refusals: dict[str, DriverError] = {}

    @property
    def database_row(self) -> Row:
        return self.views["v$database"][0]

    def backup(self, number: int) -> Row:
        return self.views["v$backup"][number - 1]

    def activate(self, *numbers: int, scn: int) -> None:
        for number in numbers:
            self.backup(number).update(
                {"status": "ACTIVE", "change#": scn, "time": datetime(2026, 11, 21, 22)}
            )

    @staticmethod
    def archived(sequence: int, first_scn: int, next_scn: int, **changes: Any) -> Row:
        row = {
            "resetlogs_id": 77,
            "thread#": 1,
            "sequence#": sequence,
            "first_change#": first_scn,
            "next_change#": next_scn,
            "dest_id": 1,
            "name": f"/nowhere/archive/1_{sequence}_77.arc",
            "blocks": 100,
            "block_size": 512,
            "archived": "YES",
            "deleted": "NO",
            "status": "A",
            "standby_dest": "NO",
        }
        return {**row, **changes}

    @staticmethod
    def _datafile(number: int, tablespace: int, path: str, **changes: Any) -> Row:
        row = {
            "file#": number,
            "ts#": tablespace,
            "name": path,
            "status": "ONLINE",
            "enabled": "READ WRITE",
            "bytes": number * 1048576,
            "block_size": 8192,
            "creation_change#": number * 10,
            "unrecoverable_change#": 0,
            "last_change#": None,
            "checkpoint_change#": 4500,
            "con_id": 0,
        }
        return {**row, **changes}

    @staticmethod
    def _log(group: int, sequence: int, status: str, archived: str, first_scn: int, next_scn: int) -> Row:
        return {
            "group#": group,
            "thread#": 1,
            "sequence#": sequence,
            "status": status,
            "archived": archived,
            "first_change#": first_scn,
            "next_change#": next_scn,
            "bytes": 4194304,
            "blocksize": 512,
        }

    def _react(self, statement: str) -> None:
        for prefix, error in self.refusals.items():
            if statement.startswith(prefix):
                raise error
        names = {row["name"]: row["ts#"] for row in self.views["v$tablespace"]}
        found = re.fullmatch(r'ALTER TABLESPACE "(\w+)" (BEGIN|END) BACKUP', statement)
        if found:
            files = [row["file#"] for row in self.views["v$datafile"] if row["ts#"] == names[found[1]]]
            self._backup_mode(found[2] == "BEGIN", files)
        elif statement in ("ALTER DATABASE BEGIN BACKUP", "ALTER DATABASE END BACKUP"):
            writable = [r["file#"] for r in self.views["v$datafile"] if r["enabled"] == "READ WRITE"]
            self._backup_mode("BEGIN" in statement, writable)
        elif statement.startswith("ALTER SYSTEM"):
            self.switch_log()

    def _backup_mode(self, begin: bool, files: list[int]) -> None:
        active = [number for number in files if self.backup(number)["status"] == "ACTIVE"]
        if begin and active:
            raise ora(1146, f"cannot start online backup - file {active[0]} is already in backup")
        if not begin and not active:
            raise ora(1142, "cannot end online backup - none of the files are in backup")
        self.scn += 10
        for number in files:
            if begin:
                self.activate(number, scn=self.scn)
            else:
                self.backup(number)["status"] = "NOT ACTIVE"

    def switch_log(self, archived: bool = True) -> None:
        self.scn += 10
        old = next(row for row in self.views["v$log"] if row["status"] == "CURRENT")
        new = next(row for row in self.views["v$log"] if row["status"] != "CURRENT")
        old.update({"status": "ACTIVE", "next_change#": self.scn, "archived": "YES" if archived else "NO"})
        new.update(self._log(new["group#"], old["sequence#"] + 1, "CURRENT", "NO", self.scn, 2**48 - 1))
        if archived:
            self.views["v$archived_log"].append(
                self.archived(old["sequence#"], old["first_change#"], self.scn)
            )
