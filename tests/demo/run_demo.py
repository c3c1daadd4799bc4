# Copyright (c) 2026 hotbackup contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The demonstration: back up a live fleet, destroy databases, bring them back, prove it.

    python -m demo.run_demo --folder .demo [--databases 3] [--keep] | --stop

Exit status 0 only if every database was backed up, every restore succeeded, no acknowledged commit was
lost and nothing unexpected appeared.
"""

from __future__ import annotations

import argparse
import sys
import time
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import oracledb

from demo.fleet import APPLICATION, DemoDatabase, Fleet
from demo.plays import PlayFailed, Plays
from demo.report import DatabaseReport, last_line, table
from oracle_simulator.program import processes
from witness.check import Verdict, check_database
from witness.process import WorkloadClient, start_all

RESOURCE_BUSY = 54


@dataclass
class Demo:
    """The story and what it has found so far."""

    fleet: Fleet
    plays: Plays
    clients: dict[str, WorkloadClient] = field(default_factory=dict)
    reports: dict[str, DatabaseReport] = field(default_factory=dict)
    started: float = field(default_factory=time.monotonic)

    def say(self, text: str) -> None:
        """One line of the story, with the time since the beginning."""
        print(f"[{time.monotonic() - self.started:5.0f} s] {text}", flush=True)

    def chapter(self, text: str) -> None:
        """A headline."""
        print(f"\n== {text}\n", flush=True)

    # -- the chapters -------------------------------------------------------------------------------

    def create_databases(self) -> None:
        """Chapter 1."""
        count = len(self.fleet.databases)
        self.chapter(
            f"{count} simulated Oracle databases, each a process with real files and a real listener"
        )
        for database in self.fleet.databases:
            database.create()
            files = database.datafiles()
            megabytes = sum(path.stat().st_size for path in files) / 1e6
            self.say(
                f"{database.sid}: open on 127.0.0.1:{database.port}, {len(files)} datafiles,"
                f" {megabytes:.0f} MB, ORACLE_HOME {database.home.root}"
            )
            self.reports[database.sid] = DatabaseReport(database.sid)

    def start_workloads(self) -> None:
        """Chapter 2."""
        self.chapter("One workload client per database: inserts, updates, deletes, commits without a pause")
        self.clients = {database.sid: database.client() for database in self.fleet.databases}
        start_all(list(self.clients.values()))
        for database in self.fleet.databases:
            database.slow_down_archiver()
            rows = sum(item.rows for item in database.workload_tables)
            tables = ", ".join(f"{item.name} in {item.tablespace}" for item in database.workload_tables)
            self.say(f"{database.sid}: {rows:,} rows loaded ({tables}); working, every commit in the ledger")

    def back_up_fleet(self, headline: str, *, plan_first: bool = False) -> None:
        """Chapters 3 and 4: the same play; --check shows its plan and touches nothing."""
        self.chapter(headline)
        if plan_first:
            self.plays.run("hotbackup.oracle.hot_backup", check=True)
        outcome = self.plays.run("hotbackup.oracle.hot_backup")
        for database in self.fleet.databases:
            if outcome.succeeded(database.host):
                self.reports[database.sid].backups += 1
        if outcome.status != 0:
            raise PlayFailed("not every database was backed up")

    def change_structure(self, database: DemoDatabase) -> None:
        """A new tablespace and a new datafile, by plain SQL; no script, inventory or variable is touched."""
        self.chapter(f"The structure of {database.sid} changes; nothing in the play does")
        folder = database.datafiles()[0].parent
        statements = (
            f"CREATE TABLESPACE NEWS DATAFILE '{folder}/news01.dbf' SIZE 8M",
            f"ALTER TABLESPACE USERS ADD DATAFILE '{folder}/users02.dbf' SIZE 8M",
        )
        with database.connect_as_sysdba() as connection, connection.cursor() as cursor:
            for statement in statements:
                cursor.execute(statement)
                self.say(f"{database.sid}: {statement}")

    def lose_everything_but_redo(self, database: DemoDatabase) -> None:
        """Disaster one."""
        self.chapter(f"Disaster one: {database.sid} is killed; its datafiles and control files are deleted")
        victims = [*database.datafiles(), *database.control_files()]
        client = self.clients[database.sid]
        client.wait_for_commits(200)
        processes.crash(database.home)
        for victim in victims:
            victim.unlink()
        client.wait_until_ended()
        self.say(
            f"{database.sid}: SIGKILL; {len(victims)} files deleted; the client says: {client.last_words()}"
        )
        self._restore(database)
        verdict = self._judge(database, None)
        if self._incarnations(database) > 1:
            self.say(f"{database.sid}: complete recovery, but with a new incarnation")
        else:
            self.say(f"{database.sid}: complete recovery without RESETLOGS: the old backups stay valid")
        self._resume(database, verdict)

    def drop_tables(self, database: DemoDatabase) -> None:
        """Disaster two."""
        self.chapter(f"Disaster two: somebody drops the tables of {database.sid}; the others keep working")
        client = self.clients[database.sid]
        client.wait_for_commits(200)
        target = self._drop_after_noting_scn(database)
        client.wait_until_ended()
        self.say(f"{database.sid}: the client says: {client.last_words()}")
        self.say(f"{database.sid}: the last SCN before the drop is {target}")
        self._restore(database, until_scn=target)
        verdict = self._judge(database, target)
        self._resume(database, verdict)

    # -- their parts --------------------------------------------------------------------------------

    def _drop_after_noting_scn(self, database: DemoDatabase) -> int:
        with database.connect_as_sysdba() as connection, connection.cursor() as cursor:
            cursor.execute("SELECT current_scn FROM v$database")
            target = int(cursor.fetchone()[0])
            for spec in database.workload_tables:
                insist(cursor, f"DROP TABLE {APPLICATION}.{spec.name} PURGE")
                self.say(f"{database.sid}: DROP TABLE {APPLICATION}.{spec.name} PURGE")
        return target

    def _restore(self, database: DemoDatabase, until_scn: int | None = None) -> None:
        wishes: dict[str, str | int] = {"restore_confirm": f"{database.sid}@{database.host}"}
        if until_scn is not None:
            wishes["restore_until_scn"] = until_scn
        started = time.monotonic()
        outcome = self.plays.run(
            "hotbackup.oracle.restore", limit=database.host, extra={"restore_hosts": database.host, **wishes}
        )
        if outcome.status != 0:
            raise PlayFailed(f"{database.sid} was not restored")
        self.reports[database.sid].restored = True
        database.slow_down_archiver()
        self.say(f"{database.sid}: restored, recovered and open after {time.monotonic() - started:.0f} s")

    def _judge(self, database: DemoDatabase, target_scn: int | None) -> Verdict:
        ledger = self.clients[database.sid].ledger()
        with database.connect(APPLICATION) as connection:
            verdict = check_database(connection, ledger, target_scn)
        self.reports[database.sid].add(verdict)
        self.say(
            f"{database.sid}: {verdict.checked} acknowledged commits had to be there, lost {verdict.lost},"
            f" unexpected {verdict.unexpected}, undecided {verdict.undecided};"
            f" {verdict.rows_compared:,} rows compared"
        )
        for finding in verdict.findings:
            self.say(f"{database.sid}: {finding}")
        return verdict

    def _resume(self, database: DemoDatabase, verdict: Verdict) -> None:
        client = self.clients[database.sid]
        client.start(resume=True)
        client.wait_for_commits(10)
        self.say(f"{database.sid}: the client works again, after its transaction {verdict.last_transaction}")

    def _incarnations(self, database: DemoDatabase) -> int:
        with database.connect_as_sysdba() as connection, connection.cursor() as cursor:
            cursor.execute("SELECT COUNT(*) FROM v$database_incarnation")
            return int(cursor.fetchone()[0])

    def finish(self, untouched: Sequence[DemoDatabase]) -> None:
        """Stop the clients and look at what the undisturbed ones saw."""
        self.chapter("Result")
        for client in self.clients.values():
            if client.running:
                client.stop()
        for database in self.fleet.databases:
            ledger = self.clients[database.sid].ledger()
            report = self.reports[database.sid]
            report.commits = len(ledger.acknowledged)
            report.longest_gap_seconds = ledger.longest_gap_seconds
            report.errors = len(ledger.errors)
            report.reconnects = ledger.connects - 1
            report.left_alone = database in untouched
            if report.left_alone:
                # never restored, so every acknowledged commit must simply be there
                self._judge(database, None)


def insist(cursor: Any, statement: str, timeout_seconds: float = 30.0) -> None:
    """Execute DDL on a table in use: again and again while a transaction holds it (ORA-00054)."""
    deadline = time.monotonic() + timeout_seconds
    while True:
        try:
            cursor.execute(statement)
            return
        except oracledb.DatabaseError as error:
            if error.args[0].code != RESOURCE_BUSY or time.monotonic() > deadline:
                raise


def parse(arguments: Sequence[str] | None) -> argparse.Namespace:
    """The command line."""
    parser = argparse.ArgumentParser(description="hot backup and restore of live simulated Oracle databases")
    parser.add_argument("--folder", type=Path, required=True, help="everything the demo makes goes here")
    parser.add_argument("--databases", type=int, default=3)
    parser.add_argument("--keep", action="store_true", help="leave the databases running")
    parser.add_argument("--stop", action="store_true", help="end the databases an earlier demo left running")
    return parser.parse_args(arguments)


def main(arguments: Sequence[str] | None = None) -> int:
    """The program."""
    options = parse(arguments)
    folder = options.folder.resolve()
    if options.stop:
        Fleet.load(folder).stop()
        print(f"the demo's databases are stopped; its files are in {folder}")
        return 0
    if options.databases < 2:
        print("the demo needs at least two databases: one for each disaster")
        return 2
    fleet = Fleet.new(folder, options.databases)
    demo = Demo(fleet, Plays(fleet))
    first, second, *others = fleet.databases
    failure = ""
    try:
        demo.create_databases()
        demo.start_workloads()
        demo.back_up_fleet("First backup of the fleet, under load: the plan, then the run", plan_first=True)
        demo.change_structure(first)
        demo.back_up_fleet("Second backup: the same play, nothing changed in it")
        demo.plays.prove_new_files_are_in_set(first, ("news01.dbf", "users02.dbf"), demo.say)
        demo.lose_everything_but_redo(first)
        demo.drop_tables(second)
        demo.finish(others)
    except PlayFailed as error:
        failure = str(error)
    finally:
        for client in demo.clients.values():
            if client.running:
                client.stop()
        if not options.keep:
            fleet.stop()
    reports = list(demo.reports.values())
    print(table(reports))
    if failure:
        print(f"\ndemo: stopped: {failure}")
    if options.keep:
        demo.plays.say_how_to_look_around()
    verdict, good = last_line(reports, restores_wanted=2)
    print(f"\n{verdict}")
    return 0 if good and not failure else 1


if __name__ == "__main__":
    sys.exit(main())
