# Copyright (c) 2026 hotbackup contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Nothing that arrives on the wire kills the instance, leaves something behind, or runs as half a statement."""

from __future__ import annotations

import datetime
import random
import re
import socket
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import oracledb
import pytest

from oracle_simulator.testing import SimulatedDatabase

from .traffic import MARKERS, Tap, framed, mutation, say_and_listen, truncations, with_packet_length

_ROWS = 50
_WHERE = "DELETE FROM keep WHERE n = 1 AND t = 'what no row has'"
"""Every beginning of it that is a statement deletes rows."""
_WHOLE = "INSERT INTO work (n) VALUES (424242)"


@pytest.fixture(scope="module")
def database(tmp_path_factory: pytest.TempPathFactory) -> Iterator[SimulatedDatabase]:
    made = SimulatedDatabase(tmp_path_factory.mktemp("wire"))
    try:
        made.start()
        with made.connect() as connection:
            cursor = connection.cursor()
            cursor.execute("CREATE TABLE keep (n NUMBER, t VARCHAR2(100))")
            cursor.executemany("INSERT INTO keep VALUES (:1, :2)", [(1, f"row {n}") for n in range(_ROWS)])
            cursor.execute("CREATE TABLE work (n NUMBER, t VARCHAR2(100), d DATE, r RAW(100))")
            connection.commit()
        yield made
    finally:
        made.destroy()


def connect(database: SimulatedDatabase) -> tuple[Tap, Any]:
    tap = Tap(database.port)
    address = f"127.0.0.1:{tap.tap_port}/{database.sid}"
    return tap, oracledb.connect(user="APP", password=database.passwords["APP"], dsn=address)


def record(database: SimulatedDatabase, work: Callable[[Any], None]) -> tuple[list[bytes], list[bytes]]:
    """What a driver sends to log on, and what it then sends for ``work``."""
    tap, connection = connect(database)
    logon = len(tap.sent)
    work(connection)
    sent = list(tap.sent)
    connection.rollback()
    connection.close()
    tap.close()
    return sent[:logon], sent[logon:]


def ordinary_work(connection: Any) -> None:
    """A bit of everything a driver can send."""
    connection.module = "work"
    cursor = connection.cursor()
    cursor.execute("SELECT n, t FROM keep WHERE n > :1", [0])
    cursor.fetchmany(3)
    moment = datetime.datetime(2024, 2, 29, 23, 59, 58)
    cursor.execute("INSERT INTO work VALUES (:n, :t, :d, :r)", n=-12.5, t="text", d=moment, r=b"\0\xff")
    cursor.execute("INSERT INTO work VALUES (:n, :t, :d, :r)", n=7, t="again", d=None, r=b"r")
    cursor.executemany("INSERT INTO work (n, t) VALUES (:1, :2)", [(n, "x" * n) for n in range(40)])
    cursor.execute("BEGIN DBMS_APPLICATION_INFO.SET_ACTION(:1); END;", ["act"])
    cursor.execute("UPDATE work SET t = :1 WHERE n = :2", ["y", 7])
    lob = connection.createlob(oracledb.DB_TYPE_CLOB)
    lob.write("z" * 300)
    lob.read()
    connection.ping()


def logged_on(database: SimulatedDatabase) -> Any:
    """A connection to the database that a driver has logged on, for a test to go on with."""
    tap, _connection = connect(database)
    return tap.take_over()


class Watch:
    """What an instance looks like from outside, before and after."""

    def __init__(self, database: SimulatedDatabase) -> None:
        self.database = database
        self.pid = int(database.home.pid_file.read_text(encoding="ascii"))
        self.before = min(self.at_rest() for _turn in range(5))

    def status(self, name: str) -> int:
        for line in Path(f"/proc/{self.pid}/status").read_text(encoding="ascii").splitlines():
            if line.startswith(f"{name}:"):
                return int(line.split()[1])
        raise AssertionError(name)

    def at_rest(self) -> tuple[int, int]:
        """Threads, and sessions of users."""
        (sessions,) = self.database.sql("SELECT COUNT(*) FROM v$session WHERE username = 'APP'")[0]
        return self.status("Threads"), int(sessions)

    def require_nothing_left(self) -> None:
        """The same process, as many threads and sessions as before, no lock, no memory, and all rows."""
        end = time.monotonic() + 60
        while (now := self.at_rest()) > self.before and time.monotonic() < end:
            time.sleep(0.05)
        assert now <= self.before
        with self.database.connect() as connection:
            cursor = connection.cursor()
            cursor.execute("UPDATE keep SET n = n")
            assert cursor.rowcount == _ROWS
            cursor.execute("UPDATE work SET n = n")
            connection.rollback()
        assert self.status("VmRSS") < 600 * 1024, "kibibytes"


@pytest.fixture
def watch(database: SimulatedDatabase) -> Watch:
    return Watch(database)


def alert_log(database: SimulatedDatabase) -> str:
    return database.home.alert_log.read_text(encoding="utf-8")


def require_no_internal_error(database: SimulatedDatabase) -> None:
    """The instance itself was never surprised: no traceback in its alert log."""
    found = re.findall(r"internal error\n(Traceback.*?\n\S*Error.*?)\n", alert_log(database), re.DOTALL)
    assert not found, "\n".join(found)


def test_a_statement_that_did_not_arrive_whole_is_not_run(database: SimulatedDatabase, watch: Watch) -> None:
    _logon, (delete,) = record(database, lambda connection: connection.cursor().execute(_WHERE))
    commit = record(database, lambda connection: connection.commit())[1]
    # cut off on the wire; or complete as a packet, and shorter inside; or with a smaller length in front
    start = delete.index(_WHERE.encode())
    cut = [[piece] for piece in truncations(delete, 40, seed=1)]
    shorter = [[with_packet_length(piece), *commit] for piece in truncations(delete, 60, seed=2)]
    claimed = [
        [delete[: start - 1] + bytes((length,)) + delete[start:], *commit]
        for length in range(1, len(_WHERE), 3)
    ]
    for pieces in cut + shorter + claimed:
        say_and_listen(logged_on(database), *pieces)
    watch.require_nothing_left()
    assert "ORA-03137" in alert_log(database)
    # what arrives whole is run: the recording is good
    _logon, (whole,) = record(database, lambda connection: connection.cursor().execute(_WHOLE))
    say_and_listen(logged_on(database), whole, *commit)
    assert database.sql("SELECT COUNT(*) FROM app.work WHERE n = 424242") == [[1]]


def test_mutated_requests_cost_only_their_own_session(database: SimulatedDatabase, watch: Watch) -> None:
    _logon, requests = record(database, ordinary_work)
    dice = random.Random(20240229)
    for _turn in range(250):
        number = dice.randrange(len(requests))
        wrong = mutation(requests[number], dice)
        say_and_listen(logged_on(database), *requests[:number], wrong, *requests[number + 1 :])
    watch.require_nothing_left()
    require_no_internal_error(database)


def test_requests_out_of_order_cost_only_their_own_session(database: SimulatedDatabase, watch: Watch) -> None:
    logon, requests = record(database, ordinary_work)
    dice = random.Random(11)
    everything = [*requests, *logon, *MARKERS, framed(6, b"\0\x40"), framed(11, b"")]
    for _turn in range(60):
        say_and_listen(logged_on(database), *dice.sample(everything, 8))
    watch.require_nothing_left()
    require_no_internal_error(database)


def test_a_mutated_logon_gets_no_session(database: SimulatedDatabase, watch: Watch) -> None:
    logon, _requests = record(database, lambda connection: None)
    whole = b"".join(logon)
    dice = random.Random(5)
    for wrong in (*truncations(whole, 60, seed=3), *(mutation(whole, dice) for _turn in range(60))):
        say_and_listen(socket.create_connection(("127.0.0.1", database.port)), wrong)
    watch.require_nothing_left()
    require_no_internal_error(database)
