# Copyright (c) 2026 hotbackup contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The crash campaign: one round is load, a kill at a planned moment, a new start, and a look at what is there."""

from __future__ import annotations

import contextlib
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from random import Random
from typing import Any

from oracle_simulator.instance.faults import Step
from oracle_simulator.program.local_socket import LocalError, NoInstance
from oracle_simulator.testing import SimulatedDatabase

from .administrator import Administrator
from .sound_files import archived_log_problems, datafile_problems
from .workload import CLIENTS, TABLES, Client, Rows, create_tables

ROUNDS_PER_DATABASE = 10
_ROUNDS_PER_CLOSE = 2
_LONGEST_LOAD_SECONDS = 1.2
_IN_BACKUP = 10873
_NEEDS_RECOVERY = 1113
_STEPS_UNDER_LOAD = [step for step in Step if not step.startswith(("resetlogs", "crash_recovery"))]
_STEPS_AT_START = [
    Step.CRASH_RECOVERY, Step.DATAFILE_BLOCK, Step.DATAFILE_BETWEEN_PIECES, Step.CONTROL_FILE_WRITE,
    Step.LOG_SWITCH_NEW_LOG, Step.LOG_SWITCH_CONTROL_FILE,
]  # fmt: skip
_SPEC = {
    "redo": {"groups": 4, "size": "1M", "members": 2},
    "tablespaces": [
        {"name": "SYSTEM", "size": "3M", "autoextend": "1M"},
        {"name": "SYSAUX", "size": "2M"},
        {"name": "UNDOTBS1", "size": "2M", "contents": "undo"},
        {"name": "TEMP", "size": "2M", "contents": "temporary"},
        {"name": "USERS", "size": "3M", "autoextend": "1M"},
        {"name": "DATA", "files": [{"size": "2M"}, {"size": "2M", "autoextend": "512K"}]},
        {"name": "QUIET", "size": "2M"},
    ],
}


@dataclass(frozen=True)
class Plan:
    """A round, all of it from its seed. ``faults`` are requests as program/fault_desk.py takes them."""

    seed: int
    delay: float
    fault: dict[str, Any]
    fault_at_start: dict[str, Any]
    power_loss: bool
    power_seed: int | None

    @classmethod
    def of(cls, seed: int) -> Plan:
        chance = Random(seed)
        delay = chance.uniform(0.02, 0.5)
        kind = chance.random()
        fault: dict[str, Any] = {}
        if kind < 0.45:
            step = chance.choice(_STEPS_UNDER_LOAD)
            busy = step in (
                Step.REDO_WRITE,
                Step.REDO_SYNC,
                Step.DATAFILE_BLOCK,
                Step.DATAFILE_BETWEEN_PIECES,
            )
            nth = chance.randint(1, 40 if busy else 4)
            fault = {"kill_at": str(step), "when": chance.choice(("before", "after")), "nth": nth}
        elif kind < 0.65:
            files, most = chance.choice((("redo", 60), ("control", 40), ("archive", 10), ("*.dbf", 60)))
            kept = 512 * chance.randint(0, 16)
            fault = {"io": "kill", "on": files, "nth": chance.randint(1, most), "kept_bytes": kept}
        at_start: dict[str, Any] = {}
        if chance.random() < 0.25:
            step = chance.choice(_STEPS_AT_START)
            at_start = {
                "kill_at": str(step),
                "when": chance.choice(("before", "after")),
                "nth": chance.randint(1, 3),
            }
        # Every second seed loses power; of those one half loses everything that was not synced.
        power_loss = seed % 2 == 1
        power_seed = chance.randrange(1 << 30) if power_loss and chance.random() < 0.5 else None
        return cls(seed, delay, fault, at_start, power_loss, power_seed)

    def __str__(self) -> str:
        when = (
            ", ".join(f"{name} {value}" for name, value in self.fault.items())
            or f"kill after {self.delay:.2f} s"
        )
        again = f", again at start: {self.fault_at_start['kill_at']}" if self.fault_at_start else ""
        power = ""
        if self.power_loss:
            power = ", all unsynced writes lost" if self.power_seed is None else ", some unsynced writes lost"
        return when + power + again


@dataclass
class Outcome:
    """What a round found: acknowledged commits that are lost, and everything else that should not be."""

    commits: int = 0
    lost: int = 0
    unexpected: list[str] = field(default_factory=list)


class Victim:
    """A database with its clients, for several rounds. ``volatile``: it can lose power."""

    def __init__(self, folder: Path, seed: int, volatile: bool) -> None:
        self._seed = seed
        self._database = SimulatedDatabase(folder, "VICTIM", {**_SPEC, "volatile_writes": volatile})
        self._clients = [Client(seed, number) for number in range(CLIENTS)]
        self.rounds = 0
        self._database.start()
        with self._database.connect() as connection:
            create_tables(connection)

    def end(self, keep: bool = False) -> None:
        """Kill it, and delete it unless its files are to be looked at."""
        if keep:
            self._database.crash()
        else:
            self._database.destroy()

    def round(self, plan: Plan) -> Outcome:
        """Load, kill, start, look; now and then close the database in order, look at its files, open it again."""
        self.rounds += 1
        outcome = Outcome()
        before = sum(client.acknowledged for client in self._clients)
        dba = self._load(plan)
        outcome.commits = sum(client.acknowledged for client in self._clients) - before
        for problems in (dba.problems, *(client.problems for client in self._clients)):
            outcome.unexpected += problems
            problems.clear()
        self._lose_power(plan)
        try:
            self._start(plan)
            self._judge(outcome)
            if self.rounds % _ROUNDS_PER_CLOSE == 0:
                # A file that a killed CREATE TABLESPACE was making belongs to nobody.
                names = [Path(name) for (name,) in self._database.sql("SELECT name FROM v$datafile")]
                self._database.shutdown()
                outcome.unexpected += self._unsound_files(names)
                self._open_again(outcome)
        except (LocalError, NoInstance, OSError) as error:
            outcome.unexpected.append(f"{type(error).__name__}: {error}")
        return outcome

    # ------------------------------------------------------------ load and kill

    def _load(self, plan: Plan) -> Administrator:
        database = self._database
        dba = Administrator(Random(plan.seed))
        for client in self._clients:
            client.start(database.connect())
        dba.start(database.connect("SYS"))
        time.sleep(plan.delay)
        if plan.fault:
            with contextlib.suppress(NoInstance):  # the kill may be quicker than the answer
                database.fault(**plan.fault)
            end = time.monotonic() + _LONGEST_LOAD_SECONDS
            while database.running and time.monotonic() < end:
                time.sleep(0.01)
        database.crash()
        for client in self._clients:
            client.join()
        dba.join()
        return dba

    def _lose_power(self, plan: Plan) -> None:
        if plan.power_loss:
            self._database.lose_power(plan.power_seed)

    # ------------------------------------------------------------ the start after it

    def _start(self, plan: Plan) -> None:
        if plan.fault_at_start:
            self._database.start("mount")
            try:
                self._database.fault(**plan.fault_at_start)
                self._open(plan)
            except NoInstance:
                self._database.crash()
                self._lose_power(plan)
            else:
                return
        self._database.start("mount")
        self._open(plan)

    def _open(self, plan: Plan) -> None:
        """OPEN; files left in backup mode are taken out of it, or recovered, as the manual says."""
        try:
            self._database.sql("ALTER DATABASE OPEN")
        except LocalError as error:
            recover = Random(plan.seed).random() < 0.5
            # A recovery that the second kill broke off is to be finished.
            broken_off = error.code == _NEEDS_RECOVERY and recover and bool(plan.fault_at_start)
            if error.code != _IN_BACKUP and not broken_off:
                raise
            remedy = "ALTER DATABASE RECOVER DATABASE" if recover else "ALTER DATABASE END BACKUP"
            self._database.sql(remedy, "ALTER DATABASE OPEN")

    def _open_again(self, outcome: Outcome) -> None:
        """After an orderly close nothing needs recovery."""
        log = self._database.home.alert_log
        length = log.stat().st_size
        self._database.start()
        with log.open("rb") as stream:
            stream.seek(length)
            if b"crash recovery" in stream.read():
                outcome.unexpected.append("crash recovery after an orderly close")

    # ------------------------------------------------------------ the look

    def _judge(self, outcome: Outcome) -> None:
        progress, rows = self._contents()
        for client in self._clients:
            lost, wrong = client.judge(progress[client.number], rows[client.number])
            outcome.lost += lost
            outcome.unexpected += wrong
        for number, problem in self._database.sql(
            "SELECT file#, error FROM v$recover_file WHERE error IS NULL OR error <> 'OFFLINE NORMAL'"
        ):
            outcome.unexpected.append(f"file {number} needs recovery: {problem}")

    def _contents(self) -> tuple[dict[int, int], list[Rows]]:
        rows: list[Rows] = [{} for _number in range(CLIENTS)]
        with self._database.connect() as connection, connection.cursor() as cursor:
            cursor.execute("SELECT client, last FROM progress")
            progress = {int(client): int(last) for client, last in cursor}
            for table in TABLES:
                cursor.execute(f"SELECT client, txn, n, payload FROM {table}")
                for client, transaction, number, payload in cursor:
                    rows[int(client)][table, int(transaction), int(number)] = payload
        return progress, rows

    def _unsound_files(self, datafiles: list[Path]) -> list[str]:
        found = [problem for path in datafiles for problem in datafile_problems(path)]
        for path in sorted(self._database.home.archive_folder.iterdir()):
            blocks = path.stat().st_size // 512 - 1
            found += archived_log_problems(path, blocks)
            path.unlink()  # looked at once is enough
        return found


def campaign(
    runs: int, seed: int, folder: Path, say: Callable[[str], None] = print, keep: bool = False
) -> Outcome:
    """Rounds with the seeds ``seed``, ``seed`` + 1, ... in ``folder``; tells each, returns the sum.

    A database that a round found wrong gets no further round; ``keep`` leaves its files where they are.
    """
    total = Outcome()
    made: dict[bool, Victim] = {}
    try:
        for number in range(runs):
            plan = Plan.of(seed + number)
            victim = made.get(plan.power_loss)
            if victim is None:
                victim = made[plan.power_loss] = Victim(folder / f"{plan.seed}", plan.seed, plan.power_loss)
            outcome = victim.round(plan)
            say(
                f"round {number + 1}: seed {plan.seed}, {plan}: {outcome.commits} commits, lost {outcome.lost}"
            )
            for line in outcome.unexpected:
                say(f"  unexpected: {line}")
            total.commits += outcome.commits
            total.lost += outcome.lost
            total.unexpected += outcome.unexpected
            failed = bool(outcome.unexpected or outcome.lost)
            if failed or victim.rounds == ROUNDS_PER_DATABASE:
                del made[plan.power_loss]
                victim.end(keep=keep and failed)
    finally:
        for victim in made.values():
            victim.end()
    return total
