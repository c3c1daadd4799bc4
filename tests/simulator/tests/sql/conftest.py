# Copyright (c) 2026 hotbackup contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A tiny database, its instance and sessions on it, in one process and without a network."""

from __future__ import annotations

import re
import shutil
import threading
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path
from typing import Any

import pytest

from oracle_simulator.data.create import create_database
from oracle_simulator.data.definition import (
    DatabaseDefinition,
    FileDefinition,
    RedoThreadDefinition,
    TablespaceDefinition,
    UserDefinition,
)
from oracle_simulator.errors import OracleError
from oracle_simulator.instance.home import Home
from oracle_simulator.instance.instance import Instance
from oracle_simulator.instance.parameters import Parameters
from oracle_simulator.net.backend import AdminMode, Bind, ClientInfo, DataType, Result
from oracle_simulator.sql.engine import Database
from oracle_simulator.sql.session import DatabaseSession

MIB = 1 << 20
WAIT = 20.0


def bind_of(value: Any) -> Bind:
    """The bind a driver would declare for a value."""
    if isinstance(value, datetime):
        return Bind(DataType.DATE, 7)
    if isinstance(value, bytes):
        return Bind(DataType.RAW, max(1, len(value)))
    if isinstance(value, str) or value is None:
        return Bind(DataType.VARCHAR2, max(1, len(value or "")))
    return Bind(DataType.NUMBER, 22)


@dataclass
class Client:
    """One session with a friendlier face."""

    session: DatabaseSession

    def run(self, sql: str, *values: Any) -> Result:
        """Execute once, with positional bind values."""
        rows = [list(values)] if values else []
        return self.session.execute(sql, [bind_of(value) for value in values], rows)

    def run_many(self, sql: str, rows: Sequence[Sequence[Any]]) -> Result:
        return self.session.execute(sql, [bind_of(value) for value in rows[0]], rows)

    def rows(self, sql: str, *values: Any) -> list[tuple[Any, ...]]:
        return [tuple(row) for row in self.run(sql, *values).rows]

    def value(self, sql: str, *values: Any) -> Any:
        ((value,),) = self.rows(sql, *values)
        return value

    def refused(self, sql: str, *values: Any) -> OracleError:
        """The error a statement raises."""
        with pytest.raises(OracleError) as caught:
            list(self.run(sql, *values).rows)
        return caught.value

    def commit(self) -> None:
        self.session.commit()

    def rollback(self) -> None:
        self.session.rollback()


@dataclass
class Bench:
    """One database and the instance that runs it."""

    home: Home
    database: Database = field(init=False)

    def __post_init__(self) -> None:
        self.nomount()

    def nomount(self) -> None:
        self.database = Database(Instance(self.home, Parameters.read(self.home.parameter_file)))
        self.database.instance.startup()

    @property
    def instance(self) -> Instance:
        return self.database.instance

    def open(self) -> None:
        self.instance.mount()
        self.instance.open()

    def restart(self) -> None:
        self.database.shutdown("immediate")
        self.nomount()
        self.open()

    def connect(
        self,
        user: str = "APP",
        mode: AdminMode = AdminMode.NORMAL,
        program: str = "test",
        service: str = "",
    ) -> Client:
        client = ClientInfo(
            program=program,
            machine="host",
            os_user="tester",
            address="127.0.0.1:1",
            service_name=service,
        )
        return Client(self.database.open_session(user, mode, client))

    @property
    def sys(self) -> Client:
        return self.connect("SYS", AdminMode.SYSDBA)

    def close(self) -> None:
        if not self.instance.terminated.is_set():
            self.database.shutdown("abort")


@pytest.fixture(scope="session")
def template(tmp_path_factory: pytest.TempPathFactory) -> Home:
    """A closed database to be copied: quicker than creating one per test."""
    home = Home(tmp_path_factory.mktemp("template") / "home", "LAB")
    small = (FileDefinition(2 * MIB),)
    tablespaces = tuple(TablespaceDefinition(name, small) for name in ("SYSAUX", "USERS", "DATA"))
    undo = TablespaceDefinition("UNDOTBS1", small, contents="UNDO")
    temp = TablespaceDefinition("TEMP", small, contents="TEMPORARY")
    create_database(
        home,
        DatabaseDefinition(
            "LAB",
            tablespaces=(
                TablespaceDefinition("SYSTEM", (FileDefinition(4 * MIB),)),
                *tablespaces,
                undo,
                temp,
            ),
            redo_threads=(RedoThreadDefinition(size_bytes=4 * MIB),),
            users=(UserDefinition("APP", "app"), UserDefinition("OTHER", "other")),
            verifier_rounds=16,
        ),
    )
    return home


def relocated(template: Home, root: Path) -> Home:
    """A copy of the closed database in another place, with its files renamed as an administrator would."""
    home = Home(root, template.sid)
    shutil.copytree(template.root, home.root)
    text = home.parameter_file.read_text(encoding="utf-8")
    home.parameter_file.write_text(text.replace(str(template.root), str(home.root)), encoding="utf-8")
    database = Database(Instance(home, Parameters.read(home.parameter_file)))
    instance = database.instance
    instance.startup()
    instance.mount()
    sys = Client(database.open_session("SYS", AdminMode.SYSDBA, ClientInfo()))
    names = sys.rows(
        "SELECT name FROM v$datafile UNION ALL SELECT name FROM v$tempfile UNION ALL SELECT member FROM v$logfile"
    )
    for (name,) in names:
        new = str(name).replace(str(template.root), str(home.root))
        sys.run(f"ALTER DATABASE RENAME FILE '{name}' TO '{new}'")
    database.shutdown("immediate")
    return home


@pytest.fixture
def closed_home(template: Home, tmp_path: Path) -> Home:
    """A home of its own for a test, its database cleanly closed."""
    return relocated(template, tmp_path / "home")


@pytest.fixture
def idle(closed_home: Home) -> Iterator[Bench]:
    """An instance in NOMOUNT."""
    bench = Bench(closed_home)
    yield bench
    bench.close()


@pytest.fixture
def bench(idle: Bench) -> Bench:
    """An open database."""
    idle.open()
    return idle


@pytest.fixture
def app(bench: Bench) -> Client:
    """A session of an ordinary user, with a table of three rows."""
    return table_of_three(bench.connect())


def table_of_three(client: Client) -> Client:
    client.run("CREATE TABLE t (id NUMBER(10) PRIMARY KEY, name VARCHAR2(20), amount NUMBER(8,2), made DATE)")
    made = datetime(2024, 1, 31, 12, 30, 15)
    client.run_many(
        "INSERT INTO t VALUES (:1, :2, :3, :4)",
        [[1, "one", 1.5, made], [2, "two", 2, made], [3, "three", -3, made]],
    )
    client.commit()
    return client


class Background:
    """A statement running in a thread of its own."""

    def __init__(self, action: Callable[[], Any]) -> None:
        self.error: OracleError | None = None
        self.result: Any = None
        self._action = action
        self._thread = threading.Thread(target=self._run, daemon=True)
        self._thread.start()

    def _run(self) -> None:
        try:
            self.result = self._action()
        except OracleError as error:
            self.error = error

    @property
    def finished(self) -> bool:
        return not self._thread.is_alive()

    def join(self) -> None:
        self._thread.join(WAIT)
        assert self.finished, "the statement did not come back"


def wait_until(condition: Callable[[], bool]) -> None:
    """Wait for a condition, not for a time."""
    pause = threading.Event()
    for _ignored in range(int(WAIT * 200)):
        if condition():
            return
        pause.wait(0.005)
    raise AssertionError("condition not reached")


def needed_sequence(error: OracleError) -> int:
    """The log a recovery asks for (ORA-00280)."""
    found = re.search(r"ORA-00280: change \d+ for thread \d+ is in sequence #(\d+)", error.message)
    assert found is not None
    return int(found[1])


@pytest.fixture(scope="module")
def shared(template: Home, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Client]:
    """A session with the table of ``app`` that a whole module only reads."""
    bench = Bench(relocated(template, tmp_path_factory.mktemp("shared") / "home"))
    bench.open()
    yield table_of_three(bench.connect())
    bench.close()
