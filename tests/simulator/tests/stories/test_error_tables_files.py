# Copyright (c) 2026 hotbackup contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Files that are missing, too old, too new, or of another life of the database: who notices, and how."""

from __future__ import annotations

import re
import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest

from ..storage.independent import datafile_header
from .catalogue.backup_steps import (
    archive,
    backup_control_file,
    begin,
    cp_control_file,
    end,
    keep_logs,
    work,
)
from .catalogue.orchestration import Orchestration, Step, Steps
from .catalogue.restore_steps import (
    checkpoint_ends_instance,
    crash,
    mount,
    open_resetlogs,
    recovering,
    shut_down,
)
from .catalogue.right import BACKUP, FROM_THE_BACKUP, read_only_online
from .catalogue.scene import Scene
from .catalogue.shelf import Shelf
from .catalogue.wrong_copies import WRONG
from .dba import Refused
from .refusals import header_of, lines_of, refusal, standing

CANCELED = "ORA-00283: recovery session canceled due to errors"
NOT_VERIFIED = "ORA-01122: database file {} failed verification check"


@pytest.fixture(scope="module")
def shelf(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Shelf]:
    made = Shelf(tmp_path_factory.mktemp("files"))
    yield made
    made.close()


def copy_of_users(name: str) -> Step:
    """A hot copy of USERS under a name of its own."""

    def do(scene: Scene) -> None:
        shutil.copyfile(scene.path_of("USERS"), scene.kept / name)

    return Step(f"copy USERS to {name}", do)


def put(scene: Scene, name: str) -> None:
    """One of these copies where USERS is."""
    shutil.copyfile(scene.kept / name, scene.path_of("USERS"))


def named_users(scene: Scene) -> str:
    return f"ORA-01110: data file 4: '{scene.path_of('USERS')}'"


WITH_COPIES_OF_CONTROL_FILES: Steps = (
    *BACKUP,
    cp_control_file,
    archive("the third time"),
    backup_control_file("current.ctl"),
    crash,
)


@pytest.mark.covers("4.1/control-file-mix/ORA-00214", "4.1/control-file-mix/ORA-00205")
@pytest.mark.covers("4.1/old-control-file/ORA-01207", "4.1/datafile-missing/ORA-01157")
@pytest.mark.covers("4.1/datafile-missing/ORA-01116")
def test_files_that_are_missing_or_do_not_belong_together(shelf: Shelf) -> None:
    scene = shelf.do(WITH_COPIES_OF_CONTROL_FILES)
    first, second = scene.database.home.control_files
    current = first.read_bytes()
    scene.database.start("nomount")

    shutil.copyfile(scene.control_copy, second)
    (line,) = refusal(scene, "ALTER DATABASE MOUNT")
    one = r"file '(.+)' version (\d+)"
    found = re.fullmatch(f"ORA-00214: control {one} inconsistent with {one}", line)
    assert found is not None, line
    assert {found[1], found[3]} == {str(first), str(second)}
    assert int(found[2]) > int(found[4])
    second.unlink()
    unreadable = "ORA-00205: error in identifying control file, check alert log for more info"
    assert refusal(scene, "ALTER DATABASE MOUNT") == (unreadable,)
    alert = scene.database.home.alert_log.read_text(encoding="utf-8")
    assert f"ORA-00202: control file: '{second}'" in alert
    assert scene.query("SELECT status FROM v$instance") == [("STARTED",)]

    for path in (first, second):
        shutil.copyfile(scene.control_copy, path)
    scene.execute("ALTER DATABASE MOUNT")
    before = standing(scene)
    assert refusal(scene, "ALTER DATABASE OPEN") == (
        NOT_VERIFIED.format(1),
        f"ORA-01110: data file 1: '{scene.path_of('SYSTEM')}'",
        "ORA-01207: file is more recent than control file - old control file",
    )
    assert standing(scene) == before
    assert scene.query("SELECT error FROM v$datafile_header WHERE file# = 1") == [("OLD CONTROLFILE",)]
    crash.do(scene)

    for path in (first, second):
        path.write_bytes(current)
    users = scene.path_of("USERS")
    users.rename(users.with_suffix(".gone"))
    mount.do(scene)
    missing = ("ORA-01157: cannot identify/lock data file 4 - see DBWR trace file", named_users(scene))
    assert refusal(scene, "ALTER DATABASE OPEN") == missing
    assert scene.query("SELECT file#, error FROM v$recover_file") == [(4, "FILE NOT FOUND")]
    assert scene.query("SELECT open_mode FROM v$database") == [("MOUNTED",)]
    scene.execute("ALTER DATABASE DATAFILE 4 OFFLINE")
    scene.execute("ALTER DATABASE OPEN")
    assert refusal(scene, "ALTER DATABASE DATAFILE 4 ONLINE") == missing
    users.with_suffix(".gone").rename(users)
    scene.execute("ALTER DATABASE RECOVER AUTOMATIC DATAFILE 4")
    scene.execute("ALTER DATABASE DATAFILE 4 ONLINE")

    users.rename(users.with_suffix(".gone"))
    with pytest.raises(Refused) as unreadable_rows:
        scene.read_all("t")
    assert lines_of(unreadable_rows.value) == (
        "ORA-01116: error in opening database file 4",
        named_users(scene),
        "ORA-27041: unable to open file",
        "Linux-x86_64 Error: 2: No such file or directory",
    )
    assert scene.query("SELECT status, error FROM v$datafile_header WHERE file# = 4") == [
        ("ONLINE", "FILE NOT FOUND")
    ]
    users.with_suffix(".gone").rename(users)
    assert scene.gone() == set()


def _note_after_inside(scene: Scene) -> None:
    # UNTIL CHANGE excludes the SCN it names
    scene.memory.notes["after_inside"] = scene.number("SELECT current_scn FROM v$database") + 1


# The database ends at a point inside the first of two more windows of USERS, and lives on from there.
ANOTHER_LIFE: Steps = (
    *BACKUP,
    begin("USERS"),
    copy_of_users("straddling.dbf"),
    work("inside"),
    Step("note the SCN after what is inside", _note_after_inside),
    work("cut off"),
    end("USERS"),
    begin("USERS"),
    copy_of_users("orphan.dbf"),
    end("USERS"),
    archive("the third time"),
    keep_logs("the third time"),
    *FROM_THE_BACKUP.steps[len(BACKUP) : FROM_THE_BACKUP.steps.index(open_resetlogs) - 1],
    recovering("ALTER DATABASE RECOVER DATABASE UNTIL CHANGE {after_inside} USING BACKUP CONTROLFILE"),
    open_resetlogs,
    read_only_online,
    work("after"),
    archive("in the other life"),
    keep_logs("in the other life"),
    shut_down,
)


@pytest.mark.covers("4.1/incarnation/ORA-01190", "4.1/incarnation/ORA-19909", "4.1/incarnation/ORA-19911")
@pytest.mark.covers("2.5/ORA-19904")
def test_a_file_of_an_earlier_life_is_known_by_its_resetlogs(shelf: Shelf) -> None:
    scene = shelf.do(ANOTHER_LIFE, keep=True)
    shutil.copyfile(scene.copy_of(scene.path_of("USERS")), scene.path_of("USERS"))
    mount.do(scene)
    before = standing(scene)
    assert header_of(scene, "USERS").resetlogs != header_of(scene, "SYSTEM").resetlogs
    assert refusal(scene, "ALTER DATABASE OPEN") == (
        "ORA-01190: control file or data file 4 is from before the last RESETLOGS",
        named_users(scene),
    )
    assert scene.query("SELECT error FROM v$datafile_header WHERE file# = 4") == [("WRONG RESETLOGS",)]
    assert refusal(scene, "ALTER DATABASE RECOVER DATAFILE 4 TEST") == (
        CANCELED,
        "ORA-19904: test recovery not allowed for datafile 4",
        named_users(scene),
    )
    assert standing(scene) == before

    put(scene, "orphan.dbf")
    assert (header_of(scene, "USERS").checkpoint or 0) > (header_of(scene, "SYSTEM").resetlogs or 0)
    before = standing(scene)
    assert refusal(scene, "ALTER DATABASE RECOVER DATAFILE 4") == (
        CANCELED,
        "ORA-19909: datafile 4 belongs to an orphan incarnation",
        named_users(scene),
    )
    assert standing(scene) == before

    put(scene, "straddling.dbf")
    with pytest.raises(Refused) as future:
        scene.feed("ALTER DATABASE RECOVER DATAFILE 4")
    assert lines_of(future.value) == (
        CANCELED,
        "ORA-19911: datafile 4 contains future changes at the incarnation boundary",
        named_users(scene),
    )
    assert header_of(scene, "USERS").in_backup

    shutil.copyfile(scene.copy_of(scene.path_of("USERS")), scene.path_of("USERS"))
    scene.feed("ALTER DATABASE RECOVER DATAFILE 4")
    assert header_of(scene, "USERS").resetlogs == header_of(scene, "SYSTEM").resetlogs
    scene.execute("ALTER DATABASE OPEN")
    assert scene.gone() == {"cut off"}


@pytest.mark.covers("4.1/incarnation/ORA-01189")
def test_a_control_file_is_not_made_for_files_of_two_lives(shelf: Shelf) -> None:
    scene = shelf.do(ANOTHER_LIFE, keep=True)
    scene.database.start("mount")
    script = scene.folder / "create.sql"
    scene.execute(f"ALTER DATABASE BACKUP CONTROLFILE TO TRACE AS '{script}' NORESETLOGS")
    scene.forget_sessions()
    scene.database.shutdown()
    shutil.copyfile(scene.copy_of(scene.path_of("USERS")), scene.path_of("USERS"))
    text = script.read_text(encoding="utf-8")
    scene.database.start("nomount")
    before = scene.database.home.control_files[0].read_bytes()
    assert refusal(scene, text[text.index("CREATE CONTROLFILE") : text.index("\n;\n")]) == (
        "ORA-01503: CREATE CONTROLFILE failed",
        "ORA-01189: file is from a different RESETLOGS than previous files",
        named_users(scene),
    )
    assert scene.query("SELECT status FROM v$instance") == [("STARTED",)]
    assert scene.database.home.control_files[0].read_bytes() == before


@pytest.mark.covers("4.1/restored-over/ORA-01208", "4.1/incarnation/ORA-01209")
@pytest.mark.parametrize(
    ("steps", "reason"),
    [
        ((*BACKUP,), "ORA-01208: data file is an old version - not accessing current version"),
        (ANOTHER_LIFE, "ORA-01209: data file is from before the last RESETLOGS"),
    ],
    ids=["the same life", "an earlier life"],
)
def test_a_copy_put_over_an_online_file_ends_the_instance(shelf: Shelf, steps: Steps, reason: str) -> None:
    scene = shelf.do(steps, keep=steps is ANOTHER_LIFE)
    if not scene.database.running:
        scene.database.start()
    scene.execute("ALTER SYSTEM CHECKPOINT")  # no other one meets the file half copied
    shutil.copyfile(scene.copy_of(scene.path_of("USERS")), scene.path_of("USERS"))
    restored = datafile_header(scene.path_of("USERS"))
    checkpoint_ends_instance.do(scene)
    alert = scene.database.home.alert_log.read_text(encoding="utf-8").splitlines()
    place = alert.index(reason)
    assert alert[place - 2 : place] == [NOT_VERIFIED.format(4), named_users(scene)]
    assert datafile_header(scene.path_of("USERS")) == restored


def named(name: str) -> Orchestration:
    """An orchestration of the catalogue."""
    return next(one for one in WRONG if one.name.startswith(name))


def until_refused(shelf: Shelf, wrong: Orchestration) -> tuple[Scene, tuple[str, ...]]:
    """Do an orchestration of the catalogue; the lines in which it is refused."""
    done = shelf.go_to(wrong.steps)
    with pytest.raises(Refused) as refused:
        for step in wrong.steps[len(done) :]:
            step.do(shelf.scene)
    return shelf.scene, lines_of(refused.value)


@pytest.mark.covers("2.5/ORA-01152")
def test_recovery_does_not_go_back(shelf: Shelf) -> None:
    scene, lines = until_refused(shelf, named("one file not restored"))
    assert lines == (
        "ORA-01547: warning: RECOVER succeeded but OPEN RESETLOGS would get error below",
        "ORA-01152: file 4 was not restored from a sufficiently old backup",
        named_users(scene),
    )
    assert (header_of(scene, "USERS").checkpoint or 0) > (header_of(scene, "SYSTEM").checkpoint or 0)
    assert refusal(scene, "ALTER DATABASE OPEN RESETLOGS")[0] == lines[1]


@pytest.mark.covers("2.5/ORA-01244")
def test_recovery_meets_a_file_the_control_file_does_not_know(shelf: Shelf) -> None:
    scene, lines = until_refused(shelf, named("datafile added after the control file"))
    fresh = Path(str(scene.words["datafiles"])) / "fresh01.dbf"
    assert lines == (
        CANCELED,
        "ORA-01244: unnamed datafile(s) added to control file by media recovery",
        f"ORA-01110: data file 6: '{fresh}'",
    )
    ((unnamed,),) = scene.query("SELECT name FROM v$datafile WHERE file# = 6")
    assert Path(unnamed).name == "UNNAMED00006"
    assert refusal(scene, "ALTER DATABASE RECOVER CANCEL") == ("ORA-01112: media recovery not started",)
    scene.execute(f"ALTER DATABASE CREATE DATAFILE '{unnamed}' AS '{fresh}'")
    scene.feed("ALTER DATABASE RECOVER DATABASE UNTIL CANCEL USING BACKUP CONTROLFILE")
    scene.execute("ALTER DATABASE OPEN RESETLOGS")
    assert scene.gone() == set()
