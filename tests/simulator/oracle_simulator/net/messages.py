# Copyright (c) 2026 hotbackup contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The messages a server answers with, at the field version that is announced (19c).

The server fixes the field version by its compile capabilities; all layouts here belong to that one.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from oracle_simulator.errors import OracleError
from oracle_simulator.net.backend import BatchError, Column
from oracle_simulator.net.data_types import LOB_TYPES, TEXT_TYPES, buffer_size, rowid_fields, rowid_parts
from oracle_simulator.net.wire import bytes1, sb, str2, ub

CHARSET_UTF8 = 873
CHARSET_UTF16 = 2000
TRANSACTION_OPEN = 0x02
ROW_DATA = 7
LOB_DATA = 14
BIND_IN, BIND_IN_OUT = 32, 48

_FIELD_VERSION_19_1 = 12
_STRINGS_UP_TO_32767 = 0x04
_KEYWORD_CURRENT_SCHEMA = 168
_BANNER = b"Oracle simulated instance"


def protocol_response() -> bytes:
    """The answer to PROTOCOL: character sets and capabilities. The clients read bytes 7 and 40 of the
    compile capabilities without checking their number."""
    compile_capabilities = bytes((*bytes(7), _FIELD_VERSION_19_1, *bytes(33)))
    runtime_capabilities = bytes((*bytes(6), _STRINGS_UP_TO_32767))
    national_charset = bytes(9) + b"\x07\xd0"
    return b"".join(
        (
            b"\x01\x06\x00",
            _BANNER + b"\0",
            CHARSET_UTF8.to_bytes(2, "little"),
            b"\x01\x00\x00",
            len(national_charset).to_bytes(2, "big"),
            national_charset,
            bytes1(compile_capabilities),
            bytes1(runtime_capabilities),
        )
    )


DATA_TYPES_RESPONSE = b"\x02\x00\x00"


def status(in_transaction: bool) -> bytes:
    return b"\x09\x01\x02\x00" if in_transaction else b"\x09\x00\x00"


@dataclass(frozen=True)
class Outcome:
    """What ERROR tells besides the error: ``cursor_id`` 0 leaves the client's as it is."""

    cursor_id: int = 0
    row_count: int = 0
    last_rowid: str | None = None
    batch_errors: Sequence[BatchError] = ()
    has_errors: bool = False


_NOTHING = Outcome()
_ARRAY_DML_ERRORS = OracleError(24381, "error(s) in array DML")
_NO_ROWID = bytes(5)
_NO_BATCH_ERRORS = bytes(3)


def end_of_call(in_transaction: bool, outcome: Outcome = _NOTHING, error: OracleError | None = None) -> bytes:
    """ERROR, which in spite of its name also ends every successful execute and fetch."""
    if outcome.batch_errors and error is None:
        error = _ARRAY_DML_ERRORS
    code = error.code if error else 0
    offset = error.offset if error and 0 < error.offset < 32768 else 0
    return b"".join(
        (
            b"\x04\x01\x02" if in_transaction else b"\x04\x00",
            b"\0\0\0\0\0",  # call number, row, short error number, two array errors
            ub(outcome.cursor_id),
            sb(offset),
            bytes(5),  # statement details
            b"\x20" if outcome.has_errors else b"\0",
            rowid_fields(rowid_parts(outcome.last_rowid)) if outcome.last_rowid else _NO_ROWID,
            bytes(6),  # operating system error, call numbers, successful rows, logical rowid
            _batch_errors(outcome.batch_errors) if outcome.batch_errors else _NO_BATCH_ERRORS,
            ub(code),
            ub(outcome.row_count or (sum(error.row_counts) if error else 0)),
            bytes1((error.message + "\n").encode()) if error else b"",
        )
    )


def _batch_errors(errors: Sequence[BatchError]) -> bytes:
    """Three arrays: the codes, the numbers of the rows, the messages."""
    count = ub(len(errors))
    return b"".join(
        (
            count + b"\0",
            *(ub(found.error.code) for found in errors),
            count + b"\0",
            *(ub(found.row) for found in errors),
            count + b"\0",
            *(
                ub(len(found.error.message)) + bytes1(found.error.message.encode()) + b"\0\0"
                for found in errors
            ),
        )
    )


def implicit_results(cursors: Sequence[bytes]) -> bytes:
    """IMPLICIT RESULTSET: cursors that a block has returned without binds, each described and numbered."""
    return b"\x1b" + ub(len(cursors)) + b"".join(b"\0" + cursor for cursor in cursors)


def row_counts(counts: Sequence[int]) -> bytes:
    """PARAMETER of an execute of array DML: the rows that each execution changed."""
    return b"\x08\0\0\0\0" + ub(len(counts)) + b"".join(map(ub, counts))


def parameters(entries: Sequence[tuple[str, str, int]]) -> bytes:
    """PARAMETER of the logon: key, value and flags of each entry."""
    body = b"".join(str2(key) + str2(value) + ub(flags) for key, value, flags in entries)
    return b"\x08" + ub(len(entries)) + body


def current_schema(name: str) -> bytes:
    """PARAMETER of an execute: the client keeps the name for its ``current_schema``."""
    text = name.encode()
    return (
        b"\x08\x00\x00\x01\x01" + ub(len(text)) + bytes1(text) + b"\0" + ub(_KEYWORD_CURRENT_SCHEMA) + b"\0"
    )


def describe(columns: Sequence[Column]) -> bytes:
    """DESCRIBE: the columns of a query."""
    return b"\x10\x00" + described_columns(columns)


def described_columns(columns: Sequence[Column]) -> bytes:
    """The body of DESCRIBE, which also leads a REF CURSOR."""
    described = b"".join(_column(column, place) for place, column in enumerate(columns, 1))
    row_size = sum(buffer_size(column.type, column.size) for column in columns)
    head = ub(row_size) + ub(len(columns)) + (b"\0" if columns else b"")
    return head + described + b"\0" + b"\0\0\0\0" + b"\0"


def _column(column: Column, place: int) -> bytes:
    is_text = column.type in TEXT_TYPES
    size = buffer_size(column.type, column.size)
    characters = size if is_text and column.type not in LOB_TYPES else 0
    if column.national:
        characters //= 2
    charset = CHARSET_UTF16 if column.national else CHARSET_UTF8
    return b"".join(
        (
            bytes((column.type, 0, column.precision & 0xFF, column.scale & 0xFF)),
            ub(size),
            b"\0\0\0\0",  # array elements, continuation flags, object type id, its version
            ub(charset if is_text else 0),
            (b"\x02" if column.national else b"\x01") if is_text else b"\0",
            ub(characters),
            b"\0",
            b"\x01" if column.nullable else b"\0",
            bytes((min(len(column.name.encode()), 255),)),
            str2(column.name),
            b"\0\0",  # schema and name of an object type
            ub(place),
            b"\0",
        )
    )


def row_header(columns: int, rows: int) -> bytes:
    return b"\x06\x00" + ub(columns) + b"\0" + ub(rows) + b"\0\0\0"


def io_vector(directions: Iterable[int]) -> bytes:
    """IO VECTOR: the direction of each bind variable of a PL/SQL block."""
    listed = bytes(directions)
    high, low = divmod(len(listed), 256)
    return b"\x0b\x00" + ub(low) + ub(high) + b"\0\0\0\0" + listed


def lob_content(data: bytes) -> bytes:
    return bytes((LOB_DATA,)) + bytes1(data)


def lob_outcome(locator: bytes, trailer: bytes = b"") -> bytes:
    """PARAMETER of a LOB operation: the locator comes back, then what the operation has to say."""
    return b"\x08" + locator + trailer
