# Copyright (c) 2026 hotbackup contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Requests: function calls, and the piggybacks that come before them in the same request.

Parsing reads and changes nothing: a request counts only once it was read whole. What it needs from the
session, the binds of a known cursor, it asks the table of cursors for.
"""

from __future__ import annotations

import enum
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from oracle_simulator.errors import OracleError
from oracle_simulator.net.binds import BindLayout, ColumnDefinition, empty_rows, read_definition
from oracle_simulator.net.cursors import CursorTable
from oracle_simulator.net.lobs import LOCATOR_SIZE
from oracle_simulator.net.statements import Statement, StatementKind, analyze
from oracle_simulator.net.wire import ProtocolError, Reader

MESSAGE_PROTOCOL, MESSAGE_DATA_TYPES, MESSAGE_FUNCTION, MESSAGE_PIGGYBACK = 1, 2, 3, 17


class Option(enum.IntFlag):
    """Options of an execute."""

    PARSE = 0x01
    BIND = 0x08
    DEFINE = 0x10
    EXECUTE = 0x20
    FETCH = 0x40
    COMMIT = 0x100
    DESCRIBE = 0x20000
    BATCH_ERRORS = 0x80000


_FLAG_SCROLLABLE, _FLAG_ROW_COUNTS = 0x02, 0x4000
_REEXECUTE_COMMIT = 0x01
_MAX_BINDS = 65535
_CLEAR_CONTEXT = 0x02


class LobOperation(enum.IntEnum):
    LENGTH = 0x01
    READ = 0x02
    TRIM = 0x20
    WRITE = 0x40
    CHUNK_SIZE = 0x4000
    OPEN = 0x8000
    CLOSE = 0x10000
    IS_OPEN = 0x11000
    CREATE_TEMPORARY = 0x110
    FREE_TEMPORARY = 0x111


_LOB_ARRAY = 0x80000


class SimpleCall(enum.IntEnum):
    """Functions without a body."""

    LOGOFF = 9
    COMMIT = 14
    ROLLBACK = 15
    PING = 147


@dataclass(frozen=True)
class Authenticate:
    """Phase one (function 118) or two (115) of a logon, or a new password (115 within a session); ``mode``
    as the client's bits. ``context`` holds namespace, attribute and value of each entry of an application context."""

    phase: int
    user: str
    mode: int
    entries: dict[str, str]
    context: tuple[tuple[str, str, str], ...] = ()


@dataclass(frozen=True)
class Execute:
    """``cursor_id`` 0 asks for a new cursor; ``statement`` is None when the cursor's own goes on.
    ``row_limit`` rows at most may be returned."""

    cursor_id: int
    statement: Statement | None
    options: Option
    row_limit: int
    layout: BindLayout | None
    rows: list[list[Any]]
    defines: tuple[ColumnDefinition, ...] = ()
    wants_row_counts: bool = False
    scroll: Scroll | None = None


@dataclass(frozen=True)
class Scroll:
    """Where a scrollable cursor is to be fetched from (``scrolling.Orientation``)."""

    orientation: int
    position: int


@dataclass(frozen=True)
class Fetch:
    cursor_id: int
    row_limit: int


@dataclass(frozen=True)
class LobCall:
    operation: int
    locator: bytes
    offset: int
    destination: int
    amount: int | None
    data: bytes


@dataclass(frozen=True)
class CloseCursors:
    cursor_ids: tuple[int, ...]


@dataclass(frozen=True)
class CancelCursors:
    """The rest of these cursors' rows is not wanted; they stay open."""

    cursor_ids: tuple[int, ...]


@dataclass(frozen=True)
class SetContext:
    """Attributes of an application context."""

    namespace: str
    values: dict[str, str]
    clear: bool


@dataclass(frozen=True)
class SetAttributes:
    attributes: dict[str, str]


@dataclass(frozen=True)
class SetCurrentSchema:
    name: str


@dataclass(frozen=True)
class FreeLobs:
    locators: tuple[bytes, ...]


Call = Authenticate | Execute | Fetch | LobCall | SimpleCall
Piggyback = CloseCursors | CancelCursors | SetAttributes | SetContext | SetCurrentSchema | FreeLobs


@dataclass(frozen=True)
class Request:
    piggybacks: tuple[Piggyback, ...]
    call: Call


def read_request(reader: Reader, cursors: CursorTable) -> Request:
    """Piggybacks and one function. ``OracleError`` when the client asks for what this server cannot read
    to its end: the rest of the request has then to be discarded. ``ProtocolError`` for garbage."""
    piggybacks = []
    while (kind := reader.u8()) == MESSAGE_PIGGYBACK:
        function = reader.u8()
        reader.skip(1)  # sequence number
        read = _PIGGYBACKS.get(function)
        if read is None:
            raise ProtocolError(f"piggyback {function}, whose length is unknown")
        piggybacks.append(read(reader))
    if kind != MESSAGE_FUNCTION:
        raise ProtocolError(f"message type {kind} instead of a function call")
    function = reader.u8()
    reader.skip(1)
    return Request(tuple(piggybacks), _read_call(reader, cursors, function))


def _read_call(reader: Reader, cursors: CursorTable, function: int) -> Call:
    if function == 94:
        return _read_execute(reader, cursors)
    if function in (4, 78):
        return _read_reexecute(reader, cursors, and_fetch=function == 78)
    if function == 5:
        return Fetch(reader.ub(), reader.ub())
    if function == 96:
        return _read_lob_call(reader)
    if function in (118, 115):
        return _read_authenticate(reader, phase=1 if function == 118 else 2)
    try:
        return SimpleCall(function)
    except ValueError:
        raise OracleError(3001, f"unimplemented feature: function {function}") from None


def skip_protocol(reader: Reader) -> None:
    """PROTOCOL: a version, a zero, and the driver's name up to another zero."""
    reader.skip(2)
    while reader.u8():
        pass


def skip_data_types(reader: Reader) -> None:
    """DATA TYPES: the client's capabilities and a list of conversions, none of which is needed."""
    reader.skip(5)
    reader.bytes1()
    reader.bytes1()
    while reader.u16be():
        if reader.u16be():
            reader.skip(4)


def _read_authenticate(reader: Reader, phase: int) -> Authenticate:
    has_user = reader.u8()
    reader.skip_ub(1)
    mode = reader.ub()
    reader.skip(1)
    count = reader.ub()
    reader.skip(2)
    user = (reader.bytes1() or b"").decode() if has_user else ""
    entries = {}
    context: list[str] = []
    for _ignored in range(count):
        key = reader.str2().rstrip("\0")
        value = reader.str2().rstrip("\0")
        reader.skip_ub(1)
        if key in _CONTEXT_KEYS:
            context.append(value)
        else:
            entries[key] = value
    return Authenticate(
        phase, user, mode, entries, tuple(zip(context[::3], context[1::3], context[2::3], strict=True))
    )


_CONTEXT_KEYS = ("AUTH_APPCTX_NSPACE", "AUTH_APPCTX_ATTR", "AUTH_APPCTX_VALUE")
"""They come in this order, once for each entry."""


def _read_execute(reader: Reader, cursors: CursorTable) -> Execute:
    options = Option(reader.ub())
    cursor_id = reader.ub()
    has_text = reader.u8()
    text_length = reader.ub()
    reader.skip(1)
    reader.skip_ub(1)
    reader.skip(2)
    reader.skip_ub(1)
    row_limit = reader.ub()
    reader.skip_ub(1)
    reader.skip(1)
    bind_count = _count(reader)
    reader.skip(5)
    reader.skip(1)
    define_count = _count(reader)
    reader.skip_ub(1)
    reader.skip(3)
    reader.skip_ub(1)
    reader.skip(1)
    reader.skip_ub(2)
    for trailing in (1, 0, 1, 0):  # row counts of array DML, SQL signature, SQL id, chunk ids
        reader.skip(1)
        reader.skip_ub(1)
        reader.skip(trailing)
    sent = (reader.bytes1() or b"") if has_text else b""
    if has_text and len(sent) != text_length:
        raise ProtocolError(f"a statement of {text_length} bytes came with {len(sent)}")
    text = sent.decode()
    vector = [reader.ub() for _ignored in range(13)]
    executions, is_query, flags = vector[1], vector[7], vector[9]
    scroll = Scroll(vector[10], vector[11]) if flags & _FLAG_SCROLLABLE else None
    statement = analyze(text) if has_text else cursors.get(cursor_id).statement
    defines: tuple[ColumnDefinition, ...] = ()
    layout = None
    rows: list[list[Any]] = []
    if define_count:
        defines = tuple(read_definition(reader) for _ignored in range(define_count))
    elif bind_count:
        layout = BindLayout(statement, [read_definition(reader) for _ignored in range(bind_count)])
        # Scrolling announces the binds of the query again, but does not give them values.
        given = 0 if scroll is not None and not options & Option.BIND else 1 if is_query else executions
        rows = layout.read_rows(reader, given)
    elif executions > 1 and not is_query:
        rows = empty_rows(executions, 0)
    text_sent = statement if has_text else None
    counts = bool(flags & _FLAG_ROW_COUNTS)
    return Execute(cursor_id, text_sent, options, row_limit, layout, rows, defines, counts, scroll)


def _count(reader: Reader) -> int:
    """A number of binds or defines."""
    count = reader.ub()
    if count > _MAX_BINDS:
        raise ProtocolError(f"{count} binds or defines")
    return count


def _read_reexecute(reader: Reader, cursors: CursorTable, and_fetch: bool) -> Execute:
    cursor = cursors.get(reader.ub())
    number = reader.ub()
    reader.skip_ub(1)
    commit = Option.COMMIT if reader.ub() & _REEXECUTE_COMMIT else Option(0)
    is_query = cursor.statement.kind is StatementKind.QUERY
    executions = 1 if is_query else number
    rows: list[list[Any]] = []
    if cursor.layout.definitions:
        rows = cursor.layout.read_rows(reader, executions)
    elif executions > 1:
        rows = empty_rows(executions, 0)
    options = Option.EXECUTE | commit | (Option.FETCH if and_fetch else Option(0))
    return Execute(cursor.id, None, options, number if and_fetch else 0, cursor.layout, rows)


def _read_lob_call(reader: Reader) -> LobCall:
    reader.skip(1)
    locator_length = reader.ub()
    reader.skip(1)
    reader.skip_ub(3)  # destination length, two short offsets
    reader.skip(3)
    operation = reader.ub()
    reader.skip(2)
    offset, destination = reader.ub(), reader.ub()
    has_amount = reader.u8()
    reader.skip(6)
    locator = reader.raw(locator_length)
    if operation == LobOperation.CREATE_TEMPORARY:
        reader.skip_ub(1)  # the character set, which the form tells, too
    data = b""
    if operation == LobOperation.WRITE:
        reader.skip(1)
        data = reader.bytes1() or b""
    amount = reader.ub() if has_amount else None
    return LobCall(operation, locator, offset, destination, amount, data)


def _read_close_cursors(reader: Reader) -> CloseCursors:
    reader.skip(1)
    return CloseCursors(tuple(reader.ub() for _ignored in range(reader.ub())))


def _read_cancel_cursors(reader: Reader) -> CancelCursors:
    return CancelCursors(_read_close_cursors(reader).cursor_ids)


def _read_attributes(reader: Reader) -> SetAttributes:
    reader.skip(2)
    reader.skip_ub(1)
    announced = {}
    for name in (
        "client_identifier",
        "module",
        "action",
        "ecid",
        None,
        "client_info",
        None,
        None,
        "db_operation",
    ):
        present, length = reader.u8(), reader.ub()
        if present and name:
            announced[name] = length
    return SetAttributes(
        {name: (reader.bytes1() or b"").decode() if length else "" for name, length in announced.items()}
    )


def _read_current_schema(reader: Reader) -> SetCurrentSchema:
    reader.skip(1)
    return SetCurrentSchema(reader.str2())


def _read_free_lobs(reader: Reader) -> FreeLobs:
    reader.skip(1)
    total = reader.ub()
    reader.skip(1)
    reader.skip_ub(3)
    reader.skip(3)
    operation = reader.ub()
    if operation != LobOperation.FREE_TEMPORARY | _LOB_ARRAY:
        raise ProtocolError(f"LOB operation {operation:#x} in a piggyback")
    reader.skip(1)
    reader.skip_ub(3)
    reader.skip(1)
    for _ignored in range(3):
        reader.skip(1)
        reader.skip_ub(1)
    joined = reader.raw(total)
    return FreeLobs(tuple(joined[at : at + LOCATOR_SIZE] for at in range(0, total, LOCATOR_SIZE)))


def _read_application_context(reader: Reader) -> SetContext:
    reader.skip(1)
    reader.skip_ub(1)
    reader.skip(1)
    entries = reader.ub()
    flags = reader.ub()
    reader.skip(1)
    namespace = (reader.bytes1() or b"").decode()
    values = {}
    for _ignored in range(entries):
        attribute = reader.str2()
        values[attribute] = reader.str2()
        reader.skip_ub(1)
    return SetContext(namespace, values, bool(flags & _CLEAR_CONTEXT))


_PIGGYBACKS: dict[int, Callable[[Reader], Piggyback]] = {
    96: _read_free_lobs,
    105: _read_close_cursors,
    135: _read_attributes,
    152: _read_current_schema,
    120: _read_cancel_cursors,
    154: _read_application_context,
}
