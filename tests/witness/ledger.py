# Copyright (c) 2026 hotbackup contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What the client attempted and what the database acknowledged, on the client's own disk.

One JSON document per line. An *intent* is on disk before the first statement of its transaction; an
*acknowledgement* is written after COMMIT returned. Both are fsynced, so a line that exists is true
whatever happens to client or database.
"""

from __future__ import annotations

import json
import os
from collections.abc import Iterator
from dataclasses import asdict, dataclass, field
from pathlib import Path
from types import TracebackType
from typing import Any

from .model import Model, Operation, TableSpec


@dataclass
class Attempt:
    """One transaction: the SCN read before it, and after its acknowledgement (None: none came)."""

    number: int
    scn_before: int
    operations: tuple[Operation, ...]
    scn_after: int | None = None


@dataclass
class Ledger:
    """A ledger as read back."""

    tables: tuple[TableSpec, ...]
    attempts: list[Attempt] = field(default_factory=list)
    errors: list[str] = field(default_factory=list)
    connects: int = 0
    longest_gap_seconds: float = 0.0

    @property
    def acknowledged(self) -> list[Attempt]:
        """Transactions whose COMMIT returned."""
        return [attempt for attempt in self.attempts if attempt.scn_after is not None]

    def model_after(self, transaction: int) -> Model:
        """The contents expected when exactly the transactions up to this number are in the database."""
        model = Model.loaded(self.tables)
        for attempt in self.attempts:
            if attempt.number <= transaction:
                model.apply(attempt.number, attempt.operations)
        return model


class LedgerWriter:
    """Appends to a ledger. Each public method returns when its line is on disk."""

    def __init__(self, path: Path) -> None:
        self._file = os.open(path, os.O_WRONLY | os.O_APPEND | os.O_CREAT, 0o600)
        self._pending: list[str] = []

    def tables(self, tables: tuple[TableSpec, ...]) -> None:
        """The tables as they were loaded."""
        self._add({"tables": [asdict(table) for table in tables]})
        self._flush()

    def connected(self) -> None:
        """A connection to the database was made."""
        self._add({"connected": True})
        self._flush()

    def intent(self, number: int, scn_before: int, operations: tuple[Operation, ...]) -> None:
        """A transaction is about to be tried (flushes a pending acknowledgement with it)."""
        changes = [[item.kind, item.table, item.row_id, item.amount] for item in operations]
        self._add({"try": number, "before": scn_before, "ops": changes})
        self._flush()

    def acknowledged(self, number: int, scn_after: int, gap_seconds: float) -> None:
        """COMMIT returned. Reaches the disk with the next line, or with :meth:`close`."""
        self._add({"ack": number, "after": scn_after, "gap": round(gap_seconds, 4)})

    def resumed(self, transaction: int) -> None:
        """The database turned out to hold the transactions up to this number; later ones are void."""
        self._add({"resume": transaction})
        self._flush()

    def error(self, text: str) -> None:
        """The client saw an error."""
        self._add({"error": text})
        self._flush()

    def close(self) -> None:
        """Write what is pending."""
        self._flush()
        os.close(self._file)

    def __enter__(self) -> LedgerWriter:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, value: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def _add(self, entry: dict[str, Any]) -> None:
        self._pending.append(json.dumps(entry, separators=(",", ":")))

    def _flush(self) -> None:
        if self._pending:
            os.write(self._file, ("\n".join(self._pending) + "\n").encode())
            os.fsync(self._file)
            self._pending.clear()


def _entries(path: Path) -> Iterator[dict[str, Any]]:
    lines = path.read_bytes().split(b"\n")
    for line in lines[:-1]:  # what stands behind the last newline was torn off by a kill and says nothing
        yield json.loads(line)


def read_ledger(path: Path) -> Ledger:
    """Read a ledger; a torn last line is ignored."""
    ledger = Ledger(tables=())
    for entry in _entries(path):
        if "tables" in entry:
            ledger.tables = tuple(TableSpec(**table) for table in entry["tables"])
        elif "try" in entry:
            operations = tuple(Operation(*change) for change in entry["ops"])
            ledger.attempts.append(Attempt(entry["try"], entry["before"], operations))
        elif "ack" in entry:
            ledger.attempts[-1].scn_after = entry["after"]
            ledger.longest_gap_seconds = max(ledger.longest_gap_seconds, entry["gap"])
        elif "resume" in entry:
            ledger.attempts = [item for item in ledger.attempts if item.number <= entry["resume"]]
        elif "connected" in entry:
            ledger.connects += 1
        elif "error" in entry:
            ledger.errors.append(entry["error"])
    return ledger
