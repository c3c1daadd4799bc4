# Copyright (c) 2026 hotbackup contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Everything this collection raises. Private to the collection.

A message says what was tried, on which object, what Oracle (or the operating system) answered, and
what to do next. Only a module's ``main()`` turns these into a failed task.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any


@dataclass(frozen=True)
class OracleErrorInfo:
    """One Oracle error stack: the deciding ``code``, every code of the stack, and its text."""

    code: int
    codes: tuple[int, ...]
    message: str

    def as_result(self) -> dict[str, Any]:
        """The form in which modules return it: ``oracle_error``."""
        return {"code": self.code, "codes": list(self.codes), "message": self.message}


class BackupError(Exception):
    """Base of all failures that are explained to the user.

    ``details`` are JSON-plain and end up in the module's result beside ``msg``.
    """

    def __init__(
        self,
        message: str,
        *,
        hint: str = "",
        oracle_error: OracleErrorInfo | None = None,
        details: dict[str, Any] | None = None,
    ) -> None:
        self.message = message
        self.hint = hint
        self.oracle_error = oracle_error
        self.details = details or {}
        super().__init__(f"{message} {hint}".strip())


class ConnectError(BackupError):
    """The database could not be reached or did not let us in."""


class OracleRefused(BackupError):
    """Oracle answered a statement with an error."""


class ConnectionLost(BackupError):
    """The session is gone; what became of its last statement must be read from the database."""


class PreconditionError(BackupError):
    """Something that must hold before we act does not. Nothing was changed."""


class WaitTimeout(BackupError):
    """A condition was not reached in time. ``details["last_observation"]`` says how far it was."""


class VerificationError(BackupError):
    """Bytes, digests, headers or a manifest are not what they must be."""


class LeaseHeld(BackupError):
    """Another live run owns this database."""


class Cancelled(BackupError):
    """The work was asked to stop."""
