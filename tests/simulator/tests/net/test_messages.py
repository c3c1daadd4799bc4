# Copyright (c) 2026 hotbackup contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Packets and messages, byte for byte."""

from __future__ import annotations

import contextlib
import hashlib

import pytest
from cryptography.hazmat.primitives.ciphers import Cipher, algorithms, modes
from hypothesis import given
from hypothesis import strategies as st

from oracle_simulator.errors import OracleError
from oracle_simulator.net import messages, packets
from oracle_simulator.net.backend import Verifier
from oracle_simulator.net.cursors import CursorTable
from oracle_simulator.net.logon import version_number
from oracle_simulator.net.requests import Execute, Option, SimpleCall, read_request
from oracle_simulator.net.statements import StatementKind, analyze
from oracle_simulator.net.verifier import Challenge, make_verifier
from oracle_simulator.net.wire import NeedMore, ProtocolError, Reader

FIRST_EXECUTE = (
    bytes.fromhex(
        "03 5e 03 028061 00 010112 01010d 000000 0102 047fffffff 0000 0000000000 0000 00 000100 00 0000 00"
        " 000000 0000000000 0000"
    )
    + b"\x12select * from lobs"
    + bytes.fromhex("0101 0000 0000 0000 0101 0002 8000 0000 00")
)


def test_accept_grants_the_packet_size_twice() -> None:
    expected = "013d00012000200001000000002d0c0c" + "00" * 8 + "000020000000200000"
    assert packets.accept_body(8192).hex() == expected


def test_a_refusal_carries_its_error_number() -> None:
    body = packets.refuse_body(12514)
    assert body[:2] == b"\x22\x00"
    assert int.from_bytes(body[2:4], "big") == len(body) - 4
    assert b"(ERR=12514)" in body


def test_success_of_cursor_one_in_a_transaction() -> None:
    told = messages.end_of_call(True, messages.Outcome(1)).hex()
    assert told == "040102" + "00" * 5 + "0101" + "00" + "00" * 20 + "0000"


def test_an_error_carries_its_offset_number_and_whole_stack() -> None:
    error = OracleError(1113, "file 4 needs media recovery", (1110, "data file 4: '/u01/x.dbf'"), offset=7)
    encoded = messages.end_of_call(False, error=error)
    text = b"ORA-01113: file 4 needs media recovery\nORA-01110: data file 4: '/u01/x.dbf'\n"
    assert encoded.startswith(bytes.fromhex("0400" + "00" * 5 + "00" + "0107" + "00" * 20 + "020459" + "00"))
    assert encoded.endswith(bytes((len(text),)) + text)


def test_the_current_schema_is_told_as_a_keyword() -> None:
    assert messages.current_schema("HR").hex() == "080000010101020248520001a800"


def test_the_version_number_has_the_modern_layout() -> None:
    assert version_number((19, 22, 0, 0, 0)) == 320208896


def test_the_first_execute_of_a_query_is_understood() -> None:
    request = read_request(Reader(FIRST_EXECUTE), CursorTable())
    call = request.call
    assert isinstance(call, Execute)
    assert call.statement is not None
    assert (call.statement.text, call.statement.kind) == ("select * from lobs", StatementKind.QUERY)
    assert call.options & ~Option(0x8000) == Option.PARSE | Option.EXECUTE | Option.FETCH
    assert (call.cursor_id, call.row_limit, call.rows) == (0, 2, [])


def test_a_request_that_is_cut_anywhere_asks_for_more() -> None:
    for end in range(len(FIRST_EXECUTE)):
        with pytest.raises(NeedMore):
            read_request(Reader(FIRST_EXECUTE[:end]), CursorTable())


def test_a_request_may_be_split_at_any_byte() -> None:
    for cut in range(len(FIRST_EXECUTE) + 1):
        pieces = iter([FIRST_EXECUTE[:cut], FIRST_EXECUTE[cut:]])
        request = read_request(Reader(refill=lambda pieces=pieces: next(pieces)), CursorTable())  # type: ignore[misc] # bound as a default
        assert isinstance(request.call, Execute)


def test_piggybacks_come_with_the_call_they_precede() -> None:
    data = bytes.fromhex("11690101010201030104") + bytes.fromhex("039302")
    request = read_request(Reader(data), CursorTable())
    assert len(request.piggybacks) == 1
    assert request.call is SimpleCall.PING


@given(st.binary(max_size=200))
def test_garbage_never_does_worse_than_a_protocol_error(data: bytes) -> None:
    with contextlib.suppress(NeedMore, ProtocolError, OracleError, ValueError):
        read_request(Reader(b"\x03" + data), CursorTable())


@pytest.mark.parametrize(
    ("text", "kind", "returned"),
    [
        ("  /* with */ -- select\n (select 1 from dual)", StatementKind.QUERY, 0),
        ("with a as (select 1 x from dual) select * from a", StatementKind.QUERY, 0),
        ("Begin null; end;", StatementKind.PLSQL, 0),
        ("alter database open", StatementKind.OTHER, 0),
        ("insert into t (a) values (:a)", StatementKind.DML, 0),
        ("insert into t values (:1) returning id, note into :2, :3", StatementKind.DML, 2),
        ("update t set a = 'returning x into :b' where c = :d", StatementKind.DML, 0),
        ("", StatementKind.OTHER, 0),
    ],
)
def test_statements_are_told_apart_as_clients_do(text: str, kind: StatementKind, returned: int) -> None:
    statement = analyze(text)
    assert (statement.kind, statement.return_binds) == (kind, returned)


SALT = bytes(range(16))
PASSWORD_KEY = (
    "1742245fd3b95193051dcb26b3ed24214ea5e7907cc96ee0b6b1db92d9094541"
    "1a9ac20d6aba716c861500711bfbb826df4b4bf77405d1061eb28f228af03373"
)
CLIENT_SESSION_KEY = "f530030ccb936aad2b4a37a7e4b0c9af67e845b0f0565cb3869cf099f17d50eb"
SESSION_KEY = "82ec78bce3816655a089f84ec01ece29cfe07c855f04f97b222e048763bfc496"
ENCRYPTED_PASSWORD = "4FD566AC5D8D47E56C897B469DE61431D2A9940210F2BDF621D23F1EE8A3BCF9"


def challenge_of_the_vectors(password: str = "tiger") -> Challenge:
    return Challenge(make_verifier(password, salt=SALT), bytes(range(32)), bytes(16))


def test_the_verifier_is_derived_as_in_the_vectors() -> None:
    assert make_verifier("tiger", salt=SALT) == Verifier(SALT, bytes.fromhex(PASSWORD_KEY), 4096)


def test_the_challenge_is_that_of_the_vectors() -> None:
    entries = {key: value for key, value, _ignored in challenge_of_the_vectors().entries()}
    assert entries["AUTH_SESSKEY"] == "FD84F1E4351AA1507974681DDC1ED8C9CE37E7AB2FF7F4FE859422FD201E74DD"
    assert entries["AUTH_VFR_DATA"] == SALT.hex().upper()


def test_the_right_password_gets_proof_of_the_server() -> None:
    proof = challenge_of_the_vectors().accept(CLIENT_SESSION_KEY, ENCRYPTED_PASSWORD)
    assert proof is not None
    decryptor = Cipher(algorithms.AES(bytes.fromhex(SESSION_KEY)), modes.CBC(bytes(16))).decryptor()
    assert decryptor.update(bytes.fromhex(proof))[16:32] == b"SERVER_TO_CLIENT"


def test_a_wrong_password_gets_none() -> None:
    assert challenge_of_the_vectors("lion").accept(CLIENT_SESSION_KEY, ENCRYPTED_PASSWORD) is None
    other = hashlib.sha256(b"other").hexdigest()
    assert challenge_of_the_vectors().accept(other, ENCRYPTED_PASSWORD) is None


@pytest.mark.parametrize(("key", "password"), [("xyz", "00"), ("", ""), ("00" * 32, "00" * 5)])
def test_malformed_keys_do_not_pass(key: str, password: str) -> None:
    with contextlib.suppress(ValueError):
        assert challenge_of_the_vectors().accept(key, password) is None
