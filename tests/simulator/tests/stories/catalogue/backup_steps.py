# Copyright (c) 2026 hotbackup contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Steps of a backup, and what others may do to the database meanwhile."""

from __future__ import annotations

import shutil
from pathlib import Path

from oracle_simulator.testing import SimulatedDatabase

from ..dba import BLOCK_SIZE, PATIENCE_SECONDS, wait_until
from .orchestration import Step
from .scene import Scene, flip_a_bit

READ_WRITE = ("SYSTEM", "SYSAUX", "UNDOTBS1", "USERS")
READ_ONLY = "OLD"


def statement(text: str) -> Step:
    """Any statement of the operator's; ``{names}`` in it are the scene's words."""
    return Step(text, lambda scene: scene.execute(text.format_map(scene.words)))


def by_somebody_else(step: Step) -> Step:
    """Another tool, or another run, does it."""
    return Step(f"somebody else: {step.name}", step.do, step.at_rest)


def work(batch: str, tablespace: str = "USERS") -> Step:
    """The application commits."""
    return Step(f"work: {batch}", lambda scene: scene.work(batch, tablespace))


def begin(tablespace: str) -> Step:
    return statement(f"ALTER TABLESPACE {tablespace} BEGIN BACKUP")


def end(tablespace: str) -> Step:
    return statement(f"ALTER TABLESPACE {tablespace} END BACKUP")


def copy(tablespace: str) -> Step:
    """A plain copy of the datafile, by luck without a fractured block."""

    def do(scene: Scene) -> None:
        path = scene.path_of(tablespace)
        shutil.copyfile(path, scene.copy_of(path))

    return Step(f"copy {tablespace}", do)


def copy_torn(tablespace: str) -> Step:
    """A plain copy of the datafile while the database writer is in the middle of a block."""
    return Step(f"copy {tablespace}, a block fractured", lambda scene: scene.copy_torn(tablespace))


def copy_begun(tablespace: str) -> Step:
    """The first blocks of the file, with its header; the rest comes later."""

    def do(scene: Scene) -> None:
        path = scene.path_of(tablespace)
        with path.open("rb") as source, scene.copy_of(path).open("wb") as target:
            target.write(source.read(2 * BLOCK_SIZE))

    return Step(f"begin to copy {tablespace}", do)


def copy_finished_torn(tablespace: str) -> Step:
    """The rest of the file, while the database writer is in the middle of a block."""

    def do(scene: Scene) -> None:
        first = scene.copy_of(scene.path_of(tablespace)).read_bytes()
        scene.copy_torn(tablespace)
        with scene.copy_of(scene.path_of(tablespace)).open("r+b") as target:
            target.write(first)

    return Step(f"copy the rest of {tablespace}, a block fractured", do)


def _note_the_end(scene: Scene) -> None:
    scene.memory.notes["begin"] = scene.number("SELECT MAX(change#) FROM v$backup")
    # UNTIL CHANGE excludes the SCN it names
    scene.memory.notes["end"] = scene.number("SELECT current_scn FROM v$database") + 1


def archive(when: str) -> Step:
    """The barrier: what was committed before is in archived logs after."""
    return Step(
        f"ALTER SYSTEM ARCHIVE LOG CURRENT, {when}",
        lambda scene: scene.execute("ALTER SYSTEM ARCHIVE LOG CURRENT"),
    )


def keep_logs(when: str) -> Step:
    """Every archived log that was not kept yet."""

    def do(scene: Scene) -> None:
        for (name,) in scene.query(
            "SELECT name FROM v$archived_log WHERE archived = 'YES' AND name IS NOT NULL"
        ):
            kept = scene.kept_logs / Path(name).name
            if not kept.exists():
                shutil.copyfile(name, kept)

    return Step(f"keep archived logs, {when}", do)


def backup_control_file(name: str = "control.ctl") -> Step:
    return Step(
        f"BACKUP CONTROLFILE TO {name}",
        lambda scene: scene.execute(f"ALTER DATABASE BACKUP CONTROLFILE TO '{scene.kept / name}' REUSE"),
    )


def _keep_half_written_log(scene: Scene) -> None:
    """SWITCH LOGFILE, and what lies there at once: the way of scripts that do not wait."""
    scene.database.fault(archiver_delay=PATIENCE_SECONDS)
    scene.execute("ALTER SYSTEM SWITCH LOGFILE")
    known = {name for (name,) in scene.query("SELECT name FROM v$archived_log WHERE archived = 'YES'")}

    def unfinished() -> list[Path]:
        return [log for log in scene.database.home.archive_folder.iterdir() if str(log) not in known]

    (log,) = wait_until(unfinished, "the archiver did not begin")
    wait_until(lambda: log.stat().st_size >= 1024, "no header in the archived log")
    shutil.copyfile(log, scene.kept_logs / log.name)
    scene.database.fault(archiver_delay=0)


def _copy_online_log(scene: Scene) -> None:
    """The current online log, under the name it would have as an archived log."""
    ((member, sequence),) = scene.query(
        "SELECT f.member, l.sequence# FROM v$log l JOIN v$logfile f ON f.group# = l.group# WHERE l.status = 'CURRENT'"
    )
    (known,) = {name for (name,) in scene.query("SELECT MAX(name) FROM v$archived_log")}
    ((archived,),) = scene.query(f"SELECT sequence# FROM v$archived_log WHERE name = '{known}'")
    name = Path(known).name.replace(f"_{archived}_", f"_{sequence}_")
    shutil.copyfile(member, scene.kept_logs / name)


def _kept_log_of(scene: Scene, moment: str) -> tuple[Path, Path]:
    """The kept copy of the log with a noted SCN, and the log itself."""
    scn = scene.memory.notes[moment]
    ((name,),) = scene.query(
        f"SELECT name FROM v$archived_log WHERE first_change# <= {scn} AND next_change# > {scn}"
    )
    return scene.kept_logs / Path(name).name, Path(name)


def lose_log_of(moment: str) -> Step:
    """The log is lost in the archive, and was not kept."""

    def do(scene: Scene) -> None:
        for path in _kept_log_of(scene, moment):
            path.unlink()

    return Step(f"lose the log with the SCN of {moment}", do)


def cut_log_of(moment: str) -> Step:
    """The kept copy lacks its last two blocks."""

    def do(scene: Scene) -> None:
        kept, _original = _kept_log_of(scene, moment)
        with kept.open("r+b") as stream:
            stream.truncate(kept.stat().st_size - 1024)

    return Step(f"cut the log with the SCN of {moment}", do)


def flip_in_log_of(moment: str) -> Step:
    """A bit of the kept copy turns over."""
    return Step(
        f"a bit flips in the log with the SCN of {moment}",
        lambda scene: flip_a_bit(_kept_log_of(scene, moment)[0], at=8 * 512 + 256),
    )


def _another_database(scene: Scene) -> SimulatedDatabase:
    return SimulatedDatabase(scene.folder / "another", scene.database.sid)


def log_of_another_database(moment: str) -> Step:
    """A log of a database of the same name is kept for one of this."""

    def do(scene: Scene) -> None:
        log = next(_another_database(scene).home.redo_folder.iterdir())
        shutil.copyfile(log, _kept_log_of(scene, moment)[0])

    return Step(f"a log of another database for the one with the SCN of {moment}", do)


def note(name: str) -> Step:
    """The operator writes down CURRENT_SCN."""

    def do(scene: Scene) -> None:
        scene.memory.notes[name] = scene.number("SELECT current_scn FROM v$database")

    return Step(f"note the SCN of {name}", do)


def flip_in_header(tablespace: str) -> Step:
    """A bit of the copy's header turns over."""
    return Step(
        f"a bit flips in the header of the copy of {tablespace}",
        lambda scene: flip_a_bit(scene.copy_of(scene.path_of(tablespace)), at=BLOCK_SIZE + 200),
    )


def flip_in_row(tablespace: str) -> Step:
    """A bit of the copy turns over where the application has its rows."""

    def do(scene: Scene) -> None:
        copied = scene.copy_of(scene.path_of(tablespace))
        flip_a_bit(copied, at=copied.read_bytes().index(b"x" * 80))

    return Step(f"a bit flips in a row of the copy of {tablespace}", do)


def _cut_copy(scene: Scene) -> None:
    copied = scene.copy_of(scene.path_of("USERS"))
    with copied.open("r+b") as stream:
        stream.truncate(copied.stat().st_size - 16 * BLOCK_SIZE)


def _cp_control_file(scene: Scene) -> None:
    shutil.copyfile(scene.database.home.control_files[0], scene.control_copy)


def _use_another_name(scene: Scene) -> None:
    shutil.copyfile(scene.copy_of(scene.path_of("SYSAUX")), scene.copy_of(scene.path_of("USERS")))


def _copy_of_another_database(scene: Scene) -> None:
    shutil.copyfile(_another_database(scene).datafile("USERS"), scene.copy_of(scene.path_of("USERS")))


def _use_older_copy(scene: Scene) -> None:
    shutil.copyfile(scene.kept / "older.dbf", scene.copy_of(scene.path_of("USERS")))


def _put_aside(scene: Scene) -> None:
    scene.copy_of(scene.path_of("USERS")).rename(scene.kept / "older.dbf")


note_the_end = Step("note V$BACKUP.CHANGE# and CURRENT_SCN", _note_the_end)
keep_half_written_log = Step("switch, and keep the log at once", _keep_half_written_log)
copy_online_log = Step("copy the current online log", _copy_online_log)
cut_copy = Step("the copy of USERS is cut short", _cut_copy)
copy_under_another_name = Step("the copy of SYSAUX is kept as that of USERS", _use_another_name)
copy_of_another_database = Step("USERS of another database is kept", _copy_of_another_database)
cp_control_file = Step("cp the control file", _cp_control_file)
flip_in_control_copy = Step(
    "a bit flips in the copy of the control file",
    lambda scene: flip_a_bit(scene.control_copy, at=16384 + 500),
)
older_set = (
    statement("ALTER TABLESPACE users BEGIN BACKUP"),
    work("in the older window"),
    Step("copy USERS into the older set", copy("USERS").do),
    statement("ALTER TABLESPACE users END BACKUP"),
    Step("put the older copy aside", _put_aside),
    note("older set"),
    archive("of the older set"),
)


def _keep_online_logs(scene: Scene) -> None:
    (scene.kept / "online").mkdir()
    for log in scene.database.home.redo_folder.iterdir():
        shutil.copyfile(log, scene.kept / "online" / log.name)


def _swap_files(scene: Scene) -> None:
    first, second = (scene.database.home.datafile_folder / f"two0{number}.dbf" for number in (1, 2))
    contents = first.read_bytes()
    shutil.copyfile(second, first)
    second.write_bytes(contents)


keep_online_logs = Step("copy the online logs as if they were datafiles", _keep_online_logs)
swap_files_of_two = Step("the files of TWO are put back under each other's names", _swap_files)
use_older_copy = Step("USERS of the older set for that of this", _use_older_copy)
load_unlogged = (
    Step(
        "make a table NOLOGGING",
        lambda scene: scene.execute("CREATE TABLE quick (id NUMBER) NOLOGGING", "APP"),
    ),
    Step("load it", lambda scene: scene.load("INSERT /*+ APPEND */ INTO quick SELECT id FROM t")),
)
create_fresh = (
    statement("CREATE TABLESPACE fresh DATAFILE '{datafiles}/fresh01.dbf' SIZE 2M"),
    Step("create a table in FRESH", lambda scene: scene.create_table("FRESH")),
    work("in the new file", "FRESH"),
)
