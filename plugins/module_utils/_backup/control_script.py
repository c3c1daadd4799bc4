# Copyright (c) 2026 hotbackup contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The CREATE CONTROLFILE script of BACKUP CONTROLFILE TO TRACE, taken apart and made ready to run.

What Oracle writes is a SQL*Plus script with advice between the statements, some of it to be edited first.
What is kept in a set has the statements alone, in their order; it runs in SQL*Plus as it is, and each
statement can be taken out of it for a driver. Form of the trace: SQL Language Reference, ALTER DATABASE,
trace_file_clause.

Private to this collection: not an interface for other collections.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from enum import Enum

from ansible_collections.hotbackup.oracle.plugins.module_utils._backup.errors import VerificationError


class StatementKind(str, Enum):
    """What a statement of the script is for."""

    STARTUP = "startup"
    CREATE = "create"
    RECOVER = "recover"
    ARCHIVE = "archive"
    OPEN = "open"
    CONTAINER = "container"
    NAME_FILE = "name_file"
    ONLINE = "online"
    TEMPFILE = "tempfile"
    OTHER = "other"


@dataclass(frozen=True)
class ScriptStatement:
    """One statement without its terminator. ``sqlplus_command``: SQL*Plus itself executes it, no driver can."""

    kind: StatementKind
    text: str
    sqlplus_command: bool = False


@dataclass(frozen=True)
class ControlScript:
    """One variant of the script. Everything after OPEN is for the open database."""

    resetlogs: bool
    statements: tuple[ScriptStatement, ...]

    @property
    def create_statement(self) -> str:
        """The CREATE CONTROLFILE statement."""
        return next(item.text for item in self.statements if item.kind is StatementKind.CREATE)

    def of_kind(self, kind: StatementKind) -> tuple[str, ...]:
        """Return the texts of one kind, in order."""
        return tuple(item.text for item in self.statements if item.kind is kind)

    def as_text(self) -> str:
        """Return the script for SQL*Plus."""
        variant = "RESETLOGS" if self.resetlogs else "NORESETLOGS"
        use = (
            "the online redo logs are lost, or recovery stops before their end"
            if self.resetlogs
            else "all online redo logs survive; all committed work is recovered"
        )
        lines = [
            f"-- Makes the control files anew, {variant}: for when {use}.",
            "-- Run as SYSDBA with no instance running, after the datafiles are back in place.",
            "",
        ]
        for item in self.statements:
            lines += [item.text if item.sqlplus_command else f"{item.text};", ""]
        return "\n".join(lines)


_KINDS = (
    (StatementKind.STARTUP, re.compile(r"STARTUP\b", re.IGNORECASE)),
    (StatementKind.CREATE, re.compile(r"CREATE\s+CONTROLFILE\b", re.IGNORECASE)),
    (StatementKind.RECOVER, re.compile(r"(RECOVER\b|ALTER\s+DATABASE\s+RECOVER\b)", re.IGNORECASE)),
    (StatementKind.ARCHIVE, re.compile(r"ALTER\s+SYSTEM\s+ARCHIVE\s+LOG\b", re.IGNORECASE)),
    (StatementKind.OPEN, re.compile(r"ALTER\s+DATABASE\s+OPEN\b", re.IGNORECASE)),
    (StatementKind.CONTAINER, re.compile(r"ALTER\s+SESSION\s+SET\s+CONTAINER\b", re.IGNORECASE)),
    (StatementKind.NAME_FILE, re.compile(r"ALTER\s+DATABASE\s+RENAME\s+FILE\b", re.IGNORECASE)),
    (StatementKind.TEMPFILE, re.compile(r"ALTER\s+TABLESPACE\s+.*\bADD\s+TEMPFILE\b", re.I | re.S)),
    (StatementKind.ONLINE, re.compile(r"ALTER\s+TABLESPACE\s+.*\bONLINE$", re.I | re.S)),
)
_SQLPLUS_LINE = re.compile(r"(STARTUP|RECOVER|SHUTDOWN|CONNECT|SET|VARIABLE|EXECUTE)\b", re.IGNORECASE)
_VARIANT = re.compile(r"\b(NO)?RESETLOGS\b", re.IGNORECASE)
_LITERAL = re.compile(r"'(?:[^']|'')*'")


def parse_trace(text: str, *, resetlogs: bool) -> ControlScript:
    """Return the wanted variant of a trace written with RESETLOGS or NORESETLOGS, or of a script of ours.

    Raises VerificationError if it does not hold exactly one CREATE CONTROLFILE statement, of that variant, or
    ends in the middle of a statement.
    """
    statements = tuple(_statements(text))
    creates = [item.text for item in statements if item.kind is StatementKind.CREATE]
    if len(creates) != 1:
        raise VerificationError(
            f"The control file script holds {len(creates)} CREATE CONTROLFILE statements, not one."
        )
    # File names may contain either word; the clause stands before the first of them.
    found = _VARIANT.search(_LITERAL.sub("''", creates[0]))
    if found is None or (found.group(1) is None) != resetlogs:
        wanted = "RESETLOGS" if resetlogs else "NORESETLOGS"
        raise VerificationError(f"The control file script is not the {wanted} variant.")
    return ControlScript(resetlogs, statements)


def create_controlfile_statement(script: str) -> str:
    """Return the one CREATE CONTROLFILE statement of a script, as a driver executes it. Raises
    VerificationError.
    """
    creates = [item.text for item in _statements(script) if item.kind is StatementKind.CREATE]
    if len(creates) != 1:
        raise VerificationError(
            f"The control file script holds {len(creates)} CREATE CONTROLFILE statements, not one."
        )
    return creates[0]


def _statements(text: str) -> Iterator[ScriptStatement]:
    pending: list[str] = []
    for line in text.splitlines():
        stripped = line.strip()
        # Inside a statement too, Oracle comments clauses that do not apply.
        if not stripped or stripped.startswith("--"):
            continue
        if not pending and _SQLPLUS_LINE.match(stripped):
            yield _statement(stripped.rstrip(";"), sqlplus_command=True)
            continue
        pending.append(line.rstrip())
        if stripped.endswith(";"):
            yield _statement("\n".join(pending).strip().rstrip(";").rstrip(), sqlplus_command=False)
            pending = []
    if pending:
        raise VerificationError(f"The control file script ends inside a statement: {pending[0].strip()}")


def _statement(text: str, *, sqlplus_command: bool) -> ScriptStatement:
    kind = next((kind for kind, pattern in _KINDS if pattern.match(text)), StatementKind.OTHER)
    return ScriptStatement(kind, text, sqlplus_command)
