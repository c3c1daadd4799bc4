# Copyright (c) 2026 hotbackup contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""One in-memory database of the embedded engine, with Oracle's functions in it.

A connection is used by one thread at a time (its owner has the lock). It holds no truth: tables are copies
of rows read from blocks, and views are filled anew for each query.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Iterable, Sequence
from typing import Any

from oracle_simulator.errors import OracleError
from oracle_simulator.sql.query import aggregates, arithmetic
from oracle_simulator.sql.query.function_support import Function, FunctionContext
from oracle_simulator.sql.query.functions import all_functions
from oracle_simulator.sql.query.types import EngineValue

_STATEMENTS_KEPT = 1024


class EngineConnection:
    """A database of the embedded engine."""

    def __init__(self) -> None:
        self._connection = sqlite3.connect(
            ":memory:", isolation_level=None, check_same_thread=False, cached_statements=_STATEMENTS_KEPT
        )
        self._context: FunctionContext | None = None
        self._raised: Exception | None = None
        self._connection.execute("PRAGMA case_sensitive_like=ON")
        self._connection.execute("PRAGMA temp_store=MEMORY")
        self._connection.execute('CREATE TABLE "DUAL" ("DUMMY")')
        self._connection.execute("INSERT INTO \"DUAL\" VALUES ('X')")
        for name, function in all_functions().items():
            self._register(name, function)
        connection = self._connection
        connection.create_collation("ORA_NUMBER", arithmetic.collate)
        connection.create_window_function("ORA_SUM", 1, aggregates.Sum)
        connection.create_window_function("ORA_AVG", 1, aggregates.Average)
        for name, parameters, aggregate in (
            ("ORA_MIN", 1, aggregates.Least),
            ("ORA_MAX", 1, aggregates.Greatest),
            ("ORA_LISTAGG", 4, aggregates.ListAggregate),
        ):
            connection.create_aggregate(
                name,
                parameters,
                aggregate,  # type: ignore[arg-type]  # the stub wants step(*args)
            )

    def _register(self, name: str, function: Function) -> None:
        implementation, context, nulls = function.implementation, function.context, function.nulls

        def call(*arguments: EngineValue) -> EngineValue:
            if not nulls and None in arguments:
                return None
            try:
                result: EngineValue = (
                    implementation(self._context, *arguments) if context else implementation(*arguments)
                )
            except Exception as problem:
                # The engine would only say "user-defined function raised exception".
                self._raised = problem
                raise
            return None if result == "" and not function.gives_empty else result

        self._connection.create_function("ORA_" + name.replace(".", "_"), -1, call, deterministic=True)

    def query(
        self, sql: str, values: Sequence[EngineValue], context: FunctionContext
    ) -> list[tuple[EngineValue, ...]]:
        """All rows of a query. Raises OracleError: 1722, 1476, 1427, 1013 ..."""
        self._context = context
        self._raised = None
        try:
            return self._connection.execute(sql, values).fetchall()
        except sqlite3.Error as problem:
            raise self._translate(problem) from None
        finally:
            self._context = None

    def _translate(self, problem: sqlite3.Error) -> OracleError:
        raised, self._raised = self._raised, None
        if isinstance(raised, OracleError):
            return raised
        message = str(problem)
        if raised is not None:
            return OracleError(1722, "invalid number")
        if "interrupted" in message:
            return OracleError(1013, "user requested cancel of current operation")
        if "same number of result columns" in message:
            return OracleError(1789, "query block has incorrect number of result columns")
        if "misuse of aggregate" in message:
            return OracleError(934, "group function is not allowed here")
        if "ambiguous column" in message:
            return OracleError(918, "column ambiguously defined")
        if "integer overflow" in message:
            return OracleError(1426, "numeric overflow")
        if "syntax error" in message or "incomplete input" in message:
            return OracleError(933, "SQL command not properly ended")
        return OracleError(3001, f"unimplemented feature ({message})")

    def run(self, sql: str, values: Sequence[EngineValue] = ()) -> None:
        """Run a statement of our own."""
        self._connection.execute(sql, values)

    def run_many(self, sql: str, rows: Iterable[Sequence[Any]]) -> None:
        """Run a statement of our own once per row, in one transaction."""
        self._connection.execute("BEGIN")
        self._connection.executemany(sql, rows)
        self._connection.execute("COMMIT")

    def interrupt(self) -> None:
        """Make a running query fail with ORA-01013; from any thread."""
        self._connection.interrupt()

    def close(self) -> None:
        self._connection.close()
