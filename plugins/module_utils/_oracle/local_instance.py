# Copyright (c) 2026 hotbackup contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Start and stop the local instance through SQL*Plus: the one thing the thin driver cannot do.

SQL*Plus exits with 0 after most failures, so its text is parsed: marker lines that our own script asks
for, and ORA-/SP2- errors. The script goes in through standard input; logon is ``/ as sysdba``, so there is
no password anywhere.

Private to this collection: not an interface for other collections.
"""

from __future__ import annotations

import os
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path

from ansible_collections.hotbackup.oracle.plugins.module_utils._backup.errors import (
    OracleErrorInfo,
    OracleRefused,
    PreconditionError,
)

RunCommand = Callable[[list[str], str, Mapping[str, str]], tuple[int, str, str]]
"""Run a program: (argument list, standard input, added environment) to (status, stdout, stderr)."""

_MARK = re.compile(r"^HOTBACKUP_(\w+)=(.*?)\s*$", re.MULTILINE)
_ERROR = re.compile(r"^((?:ORA|SP2|TNS|LRM)-(\d{4,5}): .*)$", re.MULTILINE)
_NO_INSTANCE = {1034, 27101}
_NOT_MOUNTED = 1507
# In the order of how much each explains, for a stack that holds several.
_HINTS = {
    1031: "Run the task as the owner of the Oracle software (become_user), who may log in with / as sysdba.",
    1078: "The parameter file was not found or is wrong: look for init<SID>.ora or spfile<SID>.ora in"
    " $ORACLE_HOME/dbs. A set keeps its own in parameters/init.ora.",
    205: "A control file is lost or damaged; the alert log names it. The restore role brings it back.",
    10873: "Files were in backup mode when the instance died: mount, ALTER DATABASE RECOVER DATABASE, then open. No END"
    " BACKUP: it would ruin a file that was restored since.",
    1149: "Files are in backup mode. Wait for the backup that runs, or end what a dead one left with the playbook"
    " end_stale_backup_mode.",
    1157: "A datafile is lost or cannot be read. datafile_restore puts back those that differ from a set.",
    1113: "A datafile needs recovery: mount the database and run the recovery module.",
    1589: "An incomplete recovery was not finished: run the recovery module again, with the same target.",
}

STOPPED, NOMOUNT, MOUNTED, OPEN, READ_ONLY = "stopped", "nomount", "mounted", "open", "read_only"
STATES = (STOPPED, NOMOUNT, MOUNTED, OPEN, READ_ONLY)


@dataclass(frozen=True)
class LocalInstance:
    """An instance of this host, addressed as its own tools address it."""

    oracle_home: str
    oracle_sid: str
    run_command: RunCommand

    def state(self) -> str:
        """One of STATES. Raises OracleRefused when SQL*Plus gives an answer that is none of them."""
        output = self._run(
            "SELECT 'HOTBACKUP_STATUS=' || status FROM v$instance;\n"
            "SELECT 'HOTBACKUP_MODE=' || open_mode FROM v$database;\n"
        )
        marks = dict(_MARK.findall(output))
        errors = error_codes(output)
        if "STATUS" not in marks:
            if _NO_INSTANCE & set(errors):
                return STOPPED
            raise self._refused("read the state", output)
        if marks["STATUS"] == "STARTED":
            return NOMOUNT
        if marks.get("MODE", "").startswith("READ WRITE"):
            return OPEN
        if marks.get("MODE", "").startswith("READ ONLY"):
            return READ_ONLY
        if marks.get("MODE") == "MOUNTED":
            return MOUNTED
        raise self._refused("read the state", output)

    def perform(self, *commands: str) -> None:
        """Run commands in one SQL*Plus session, stopping at the first error. Raises OracleRefused."""
        script = "WHENEVER SQLERROR EXIT FAILURE\n" + "".join(f"{command}\n" for command in commands)
        output = self._run(script)
        if error_codes(output):
            raise self._refused(" / ".join(commands), output)

    def _run(self, script: str) -> str:
        program = str(Path(self.oracle_home) / "bin" / "sqlplus")
        if not os.access(program, os.X_OK):
            raise PreconditionError(
                f"There is no SQL*Plus at {program}.",
                hint="Check oracle_home; instances start and stop through it.",
            )
        environment = {
            "ORACLE_HOME": self.oracle_home,
            "ORACLE_SID": self.oracle_sid,
            "NLS_LANG": "AMERICAN_AMERICA.AL32UTF8",
        }
        status, out, err = self.run_command(
            [program, "-S", "-L", "/", "as", "sysdba"], script + "EXIT\n", environment
        )
        if status not in (0, 1) and not _ERROR.search(out):
            raise self._refused("run SQL*Plus", f"{out}\n{err}")
        return out

    def _refused(self, what: str, output: str) -> OracleRefused:
        lines = [match.group(1) for match in _ERROR.finditer(output)]
        codes = error_codes(output)
        text = "\n".join(lines) or output.strip()[-500:] or "SQL*Plus printed nothing"
        info = OracleErrorInfo(code=codes[0], codes=tuple(codes), message=text) if codes else None
        hint = next(
            (text for code, text in _HINTS.items() if code in codes),
            "The alert log of the instance says more.",
        )
        return OracleRefused(
            f"Failed to {what} on instance {self.oracle_sid}: {text}", hint=hint, oracle_error=info
        )


def error_codes(output: str) -> list[int]:
    """The numbers of all error lines that SQL*Plus printed."""
    return [int(match.group(2)) for match in _ERROR.finditer(output)]


def commands_to_reach(current: str, wanted: str, shutdown_mode: str) -> list[str]:
    """The SQL*Plus commands that lead from one state to another; empty when it is already so.

    A running instance cannot go back to an earlier state (ORA-16196): it is shut down and started again.
    """
    if current == wanted:
        return []
    startup = {
        NOMOUNT: ["STARTUP NOMOUNT"],
        MOUNTED: ["STARTUP MOUNT"],
        OPEN: ["STARTUP"],
        READ_ONLY: ["STARTUP MOUNT", "ALTER DATABASE OPEN READ ONLY;"],
    }
    onward = {
        (NOMOUNT, MOUNTED): ["ALTER DATABASE MOUNT;"],
        (NOMOUNT, OPEN): ["ALTER DATABASE MOUNT;", "ALTER DATABASE OPEN;"],
        (NOMOUNT, READ_ONLY): ["ALTER DATABASE MOUNT;", "ALTER DATABASE OPEN READ ONLY;"],
        (MOUNTED, OPEN): ["ALTER DATABASE OPEN;"],
        (MOUNTED, READ_ONLY): ["ALTER DATABASE OPEN READ ONLY;"],
    }
    if current == STOPPED:
        return startup[wanted]
    if (current, wanted) in onward:
        return onward[(current, wanted)]
    return [f"SHUTDOWN {shutdown_mode.upper()}", *(startup[wanted] if wanted != STOPPED else [])]
