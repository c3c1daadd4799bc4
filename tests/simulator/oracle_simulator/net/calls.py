# Copyright (c) 2026 hotbackup contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What each call does to the session, and the messages that answer it."""

from __future__ import annotations

import struct
from collections.abc import Sequence
from typing import Any

from oracle_simulator.errors import OracleError
from oracle_simulator.net import messages
from oracle_simulator.net.backend import Bind, DataType, Result, Session
from oracle_simulator.net.binds import CursorReference, LobReference
from oracle_simulator.net.cursors import Cursor, CursorTable, ValueEncoders
from oracle_simulator.net.data_types import ENCODERS, LOB_TYPES, NATIONAL_ENCODERS, NULL
from oracle_simulator.net.lobs import CHUNK_SIZE, LobStore
from oracle_simulator.net.logon import Logon
from oracle_simulator.net.messages import Outcome
from oracle_simulator.net.requests import (
    Authenticate,
    Call,
    CancelCursors,
    CloseCursors,
    Execute,
    Fetch,
    FreeLobs,
    LobCall,
    LobOperation,
    Option,
    Piggyback,
    Request,
    SetAttributes,
    SetContext,
    SetCurrentSchema,
    SimpleCall,
)
from oracle_simulator.net.statements import Statement, StatementKind
from oracle_simulator.net.wire import sb, ub

_ROW_MARK = bytes((messages.ROW_DATA,))
_NO_DATA_FOUND = OracleError(1403, "no data found")
_NOT_TRUNCATED = sb(0)
_IS_NULL = sb(-1)


class Calls:
    """The calls of one session, one at a time. Everything raises ``OracleError``."""

    def __init__(self, session: Session, cursors: CursorTable, logon: Logon) -> None:
        self._session = session
        self._logon = logon
        self._cursors = cursors
        self._lobs = LobStore(session.write_lob)
        self._values = ValueEncoders(self._lobs, self._open_cursor)

    def in_transaction(self) -> bool:
        """For the status of every answer, also that of a session which can't answer any more."""
        try:
            return self._session.in_transaction
        except OracleError:
            return False

    def perform(self, request: Request) -> bytes:
        """The whole response to a request."""
        statistics = self._session.statistics
        statistics.round_trips += 1
        try:
            for piggyback in request.piggybacks:
                self._take_along(piggyback)
            return self._answer(request.call)
        finally:
            statistics.open_cursors = len(self._cursors)

    def _answer(self, call: Call) -> bytes:
        if isinstance(call, Execute):
            return self._execute(call)
        if isinstance(call, Fetch):
            out = bytearray()
            return self._end_of_fetch(self._cursors.get(call.cursor_id), call.row_limit, out)
        if isinstance(call, LobCall):
            return self._lob(call)
        if isinstance(call, Authenticate):
            return self._logon.change_password(self._session, call)
        if call is SimpleCall.COMMIT:
            self._session.statistics.commits += 1
            self._session.commit()
        elif call is SimpleCall.ROLLBACK:
            self._session.statistics.rollbacks += 1
            self._session.rollback()
        elif call is SimpleCall.PING:
            self._session.ping()
        return messages.status(self.in_transaction())

    def _take_along(self, piggyback: Piggyback) -> None:
        if isinstance(piggyback, CloseCursors):
            for cursor_id in piggyback.cursor_ids:
                self._cursors.close(cursor_id)
        elif isinstance(piggyback, CancelCursors):
            for cursor_id in piggyback.cursor_ids:
                self._cursors.cancel(cursor_id)
        elif isinstance(piggyback, SetContext):
            self._session.set_context(piggyback.namespace, piggyback.values, piggyback.clear)
        elif isinstance(piggyback, SetAttributes):
            self._session.set_attributes(piggyback.attributes)
        elif isinstance(piggyback, SetCurrentSchema):
            self._session.set_current_schema(piggyback.name)
        elif isinstance(piggyback, FreeLobs):
            for locator in piggyback.locators:
                self._lobs.free(locator)

    # Execute and fetch

    def _execute(self, call: Execute) -> bytes:
        statistics = self._session.statistics
        statistics.parses += call.statement is not None
        statistics.executions += bool(call.options & Option.EXECUTE)
        cursor = self._cursor(call)
        try:
            return self._run(cursor, call)
        except OracleError as error:
            if not call.cursor_id:
                # The client learns of a cursor by the number in the answer, and an error carries none.
                self._cursors.close(cursor.id)
            if call.wants_row_counts:
                counts = messages.row_counts(error.row_counts)
                return counts + messages.end_of_call(self.in_transaction(), error=error)
            raise

    def _cursor(self, call: Execute) -> Cursor:
        if not call.cursor_id:
            return self._cursors.open(call.statement or Statement("", StatementKind.OTHER))
        cursor = self._cursors.get(call.cursor_id)
        if call.statement is not None:
            cursor.parse(call.statement)
        return cursor

    def _run(self, cursor: Cursor, call: Execute) -> bytes:
        out = bytearray()
        if call.layout is not None:
            cursor.layout = call.layout
        if call.options & Option.DESCRIBE:
            self._describe(cursor, out)
            return self._end(out, cursor, Result())
        if call.defines:
            wanted = [(definition.data_type(), definition.form) for definition in call.defines]
            cursor.define(wanted, self._values)
        result = Result()
        if call.options & Option.EXECUTE and cursor.statement.text:
            result = self._start(cursor, call, out)
            if call.scroll is not None and cursor.rows is not None:
                cursor.make_scrollable()
                cursor.scroll(call.scroll.orientation, call.scroll.position)
            if cursor.statement.kind is StatementKind.OTHER:
                self._cursors.close(cursor.id)
                return self._end(out, None, result)
        elif call.scroll is not None and cursor.scrollable is not None:
            cursor.scroll(call.scroll.orientation, call.scroll.position)
        # A REF CURSOR has no text, and every execute of it is a fetch, whether the client says so or not.
        wants_rows = call.options & Option.FETCH or not cursor.statement.text
        if cursor.columns is None or not wants_rows or not cursor.is_defined:
            return self._end(out, cursor, result)
        return self._end_of_fetch(cursor, call.row_limit, out)

    def _describe(self, cursor: Cursor, out: bytearray) -> None:
        if cursor.statement.kind is StatementKind.QUERY:
            columns = self._session.describe(cursor.statement.text)
            cursor.show(columns, self._values)
            out += messages.describe(columns)

    def _start(self, cursor: Cursor, call: Execute, out: bytearray) -> Result:
        """Execute; what has to be said before the rows goes to ``out``."""
        binds = cursor.layout.binds()
        rows = [self._resolved(row) for row in call.rows] if cursor.layout.has_references else call.rows
        collect = bool(call.options & Option.BATCH_ERRORS)
        result = self._session.execute(cursor.statement.text, binds, rows, collect_errors=collect)
        if call.options & Option.COMMIT and self._session.in_transaction:
            self._session.commit()
        if result.columns is not None:
            if cursor.show(result.columns, self._values):
                out += messages.describe(result.columns)
            cursor.start(result.rows)
        elif cursor.statement.return_binds:
            self._returned_values(cursor.statement, binds, rows, result, out)
        elif cursor.statement.kind is StatementKind.PLSQL and binds:
            self._out_values(binds, result, len(rows), out)
        if result.implicit_results:
            cursors = [self._described_cursor(each) for each in result.implicit_results]
            out += messages.implicit_results(cursors)
        if result.current_schema is not None:
            out += messages.current_schema(result.current_schema)
        if call.wants_row_counts:
            out += messages.row_counts(result.row_counts)
        return result

    def _resolved(self, row: Sequence[Any]) -> list[Any]:
        return [self._dereferenced(value) for value in row]

    def _dereferenced(self, value: Any) -> Any:
        if isinstance(value, LobReference):
            return self._lobs.value(value.locator)
        if not isinstance(value, CursorReference):
            return value
        if not value.cursor_id:
            return None
        cursor = self._cursors.get(value.cursor_id)
        return Result(columns=cursor.columns, rows=cursor.rows or iter(()))

    def _open_cursor(self, result: Result) -> bytes:
        """A REF CURSOR as a value: behind its length, its description and number."""
        return b"\x01" + self._described_cursor(result)

    def _described_cursor(self, result: Result) -> bytes:
        """The description of a result and the number of a new cursor to fetch it from."""
        columns = result.columns or ()
        cursor = self._cursors.open(Statement("", StatementKind.QUERY))
        cursor.show(columns, self._values)
        cursor.start(result.rows)
        return messages.described_columns(columns) + ub(cursor.id)

    def _out_values(self, binds: Sequence[Bind], result: Result, executions: int, out: bytearray) -> None:
        # A bind with a value is always declared IN OUT: the client leaves pure OUT binds out of later
        # executions, and whether a block also reads a variable is nothing a Result tells.
        values = result.out_values
        out += messages.io_vector(
            messages.BIND_IN_OUT if place in values else messages.BIND_IN for place in range(len(binds))
        )
        if not values:
            return
        for execution in range(max(executions, 1)):
            out += _ROW_MARK
            for place in sorted(values):
                value = values[place][execution] if executions > 1 else values[place]
                out += self._out_value(binds[place], value)

    def _out_value(self, bind: Bind, value: Any) -> bytes:
        """ORA-06502 for a value that the client's variable cannot take."""
        try:
            return self._encoded_value(bind, value)
        except (ArithmeticError, AttributeError, TypeError, ValueError, struct.error):
            raise OracleError(6502, "PL/SQL: numeric or value error") from None

    def _encoded_value(self, bind: Bind, value: Any) -> bytes:
        if bind.is_array:
            return ub(len(value)) + b"".join(self._out_scalar(bind, item) for item in value)
        return self._out_scalar(bind, value)

    def _out_scalar(self, bind: Bind, value: Any) -> bytes:
        data_type = bind.type
        if data_type is DataType.CURSOR:
            return self._open_cursor(value or Result(columns=())) + _NOT_TRUNCATED
        if value is None:
            return NULL + (_IS_NULL if data_type is DataType.BOOLEAN else _NOT_TRUNCATED)
        if data_type in LOB_TYPES:
            return self._lobs.encode(value) + _NOT_TRUNCATED
        if data_type in (DataType.LONG, DataType.ROWID, DataType.UROWID):
            data_type = DataType.VARCHAR2
        elif data_type is DataType.LONG_RAW:
            data_type = DataType.RAW
        encoders = NATIONAL_ENCODERS if bind.national else ENCODERS
        encode = encoders[data_type]
        if isinstance(value, (str, bytes)) and len(value) > bind.size > 0:
            # The client reports how long the value was that its variable is too small for.
            return encode(value[: bind.size]) + sb(len(value))
        return encode(value) + _NOT_TRUNCATED

    def _returned_values(
        self,
        statement: Statement,
        binds: Sequence[Bind],
        rows: Sequence[Sequence[Any]],
        result: Result,
        out: bytearray,
    ) -> None:
        """RETURNING ... INTO: one ROW DATA per execution with a list of values for each bind.
        ``out_values`` of a bind holds that list, or one list per execution for array DML."""
        executions = max(len(rows), 1)
        for execution in range(executions):
            out += _ROW_MARK
            for place in range(len(binds) - statement.return_binds, len(binds)):
                values = result.out_values.get(place, [])
                if executions > 1:
                    values = values[execution] if values else []
                out += ub(len(values))
                out += b"".join(self._out_scalar(binds[place], value) for value in values)

    def _end_of_fetch(self, cursor: Cursor, row_limit: int, out: bytearray) -> bytes:
        """Rows and the end of the call. Never more rows than asked for: the client has room for no more."""
        before = len(out)
        out += messages.row_header(len(cursor.columns or ()), row_limit)
        start = len(out)
        exhausted = cursor.fetch(row_limit, out, _ROW_MARK)
        if len(out) == start:
            del out[before:]
        fetched = Result(row_count=cursor.fetched)
        return self._end(out, cursor, fetched, _NO_DATA_FOUND if exhausted else None)

    def _end(
        self, out: bytearray, cursor: Cursor | None, result: Result, error: OracleError | None = None
    ) -> bytes:
        outcome = Outcome(
            cursor.id if cursor else 0,
            result.row_count,
            result.last_rowid,
            result.batch_errors,
            result.has_errors,
        )
        out += messages.end_of_call(self.in_transaction(), outcome, error)
        return bytes(out)

    # Large objects

    def _lob(self, call: LobCall) -> bytes:
        before, outcome = self._lob_outcome(call)
        return before + outcome + messages.status(self.in_transaction())

    def _lob_outcome(self, call: LobCall) -> tuple[bytes, bytes]:
        """The message with content, if the operation has one, and its outcome."""
        locator, lobs = call.locator, self._lobs
        amount = call.amount or 0
        if call.operation == LobOperation.READ:
            data, amount = lobs.read(locator, call.offset, amount)
            return messages.lob_content(data) if data else b"", messages.lob_outcome(locator, sb(amount))
        if call.operation == LobOperation.CREATE_TEMPORARY:
            is_text = call.destination == DataType.CLOB
            locator = lobs.add("" if is_text else b"", temporary=True)
            return b"", messages.lob_outcome(locator, ub(messages.CHARSET_UTF8) + b"\0")
        if call.operation == LobOperation.LENGTH:
            amount = lobs.length(locator)
        elif call.operation == LobOperation.CHUNK_SIZE:
            amount = CHUNK_SIZE
        elif call.operation == LobOperation.WRITE:
            amount = lobs.write(locator, call.offset, call.data)
        elif call.operation == LobOperation.TRIM:
            lobs.trim(locator, amount)
        elif call.operation == LobOperation.FREE_TEMPORARY:
            lobs.free(locator)
        elif call.operation == LobOperation.OPEN:
            lobs.open(locator)
        elif call.operation == LobOperation.CLOSE:
            lobs.close(locator)
        elif call.operation == LobOperation.IS_OPEN:
            return b"", messages.lob_outcome(locator, bytes((lobs.is_open(locator),)))
        else:
            raise OracleError(3001, f"unimplemented feature: LOB operation {call.operation:#x}")
        return b"", messages.lob_outcome(locator, sb(amount) if call.amount is not None else b"")
