# Copyright (c) 2026 hotbackup contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The conversation of ALTER DATABASE RECOVER: each answer in Oracle's words, and what is true after it."""

from __future__ import annotations

import re
from collections.abc import Iterator
from datetime import datetime, timedelta
from pathlib import Path

import pytest

from ..storage.independent import datafile_header
from .catalogue.backup_steps import begin, copy, end, work
from .catalogue.orchestration import Step, Steps, up_to, without
from .catalogue.restore_steps import (
    crash,
    lose_archived_logs,
    lose_datafiles,
    mount,
    put_control_back,
    put_datafiles_back,
)
from .catalogue.right import END_OF_REDO, FROM_THE_BACKUP, read_only_offline
from .catalogue.scene import Scene
from .catalogue.shelf import Shelf
from .catalogue.wrong_redo import NO_LONGER_ONLINE
from .dba import Refused, damage
from .refusals import header_of, lines_of, refusal, standing

RECOVER = "ALTER DATABASE RECOVER "
LOST = (*NO_LONGER_ONLINE(up_to(crash, END_OF_REDO)), lose_datafiles, put_datafiles_back, lose_archived_logs)
ALL_LOST = up_to(put_control_back, FROM_THE_BACKUP)
NEEDED = (
    r"ORA-00279: change (\d+) generated at \d\d/\d\d/\d{4} \d\d:\d\d:\d\d needed for thread 1",
    r"ORA-00289: suggestion : (\S+)",
    r"ORA-00280: change (\d+) for thread 1 is in sequence #(\d+)",
)
NO_SUCH_FILE = ("ORA-27037: unable to obtain file status", "Linux-x86_64 Error: 2: No such file or directory")


@pytest.fixture(scope="module")
def shelf(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Shelf]:
    made = Shelf(tmp_path_factory.mktemp("recovery"))
    yield made
    made.close()


@pytest.fixture
def restored(shelf: Shelf) -> Scene:
    """Mounted: all read-write files restored, no log where it was; the copies of the logs are kept elsewhere."""
    scene = shelf.do(LOST, keep=True)
    mount.do(scene)
    return scene


@pytest.fixture
def from_backup(shelf: Shelf) -> Scene:
    """Mounted: everything restored from the backup, the control file too."""
    scene = shelf.do(ALL_LOST, keep=True)
    mount.do(scene)
    return scene


def asked_for(lines: tuple[str, ...]) -> tuple[int, Path, int]:
    """Change, suggested name and sequence of a request for a log."""
    found = [re.fullmatch(pattern, line) for pattern, line in zip(NEEDED, lines, strict=False)]
    assert all(found), lines
    first, second, third = found
    assert first and second and third and first[1] == third[1]
    return int(first[1]), Path(second[1]), int(third[2])


def checkpoints(scene: Scene) -> dict[str, int | None]:
    """Checkpoint of each file on disk, by its name."""
    return {path.name: datafile_header(path).checkpoint for path in scene.datafiles()}


def kept(scene: Scene, suggested: Path) -> Path:
    """The kept copy of a log."""
    return scene.kept_logs / suggested.name


@pytest.mark.covers("2.5/ORA-01112")
def test_without_a_session_there_is_nothing_to_go_on_with(restored: Scene) -> None:
    for wish in ("CANCEL", "CONTINUE", "CONTINUE DEFAULT", "LOGFILE '/tmp/any.arc'"):
        before = standing(restored)
        assert refusal(restored, RECOVER + wish) == ("ORA-01112: media recovery not started",)
        assert standing(restored) == before


@pytest.mark.covers(
    "2.5/ORA-00279", "2.5/ORA-00275", "2.5/ORA-01153", "2.5/recovery-log-view", "2.5/ORA-00308-named"
)
@pytest.mark.covers("2.5/ORA-00308-default", "2.5/ORA-00310", "2.5/ORA-00284", "6.11/restored")
@pytest.mark.covers("6.11/partly-recovered", "4.1/recovery-broken-off/ORA-01113", "2.5/ORA-01113")
@pytest.mark.covers(
    *(f"2.7/conversation/ORA-{code:05d}" for code in (278, 279, 280, 284, 289, 308, 310) if code != 284)
)
def test_a_missing_log_is_asked_for_until_it_is_given(restored: Scene) -> None:
    begun = {path.name: datafile_header(path).begin_backup for path in restored.datafiles()}
    assert header_of(restored, "USERS").in_backup
    assert checkpoints(restored)["users01.dbf"] == begun["users01.dbf"]
    row = f"SELECT fuzzy, checkpoint_change# FROM v$datafile_header WHERE file# = {restored.file_number('USERS')}"
    assert restored.query(row) == [("YES", begun["users01.dbf"])]

    # a name that is not there
    lines = refusal(restored, RECOVER + "DATABASE")
    change, suggested, sequence = asked_for(lines)
    assert len(lines) == 3
    assert change == begun["system01.dbf"]
    assert suggested.parent == restored.database.home.archive_folder
    waiting = restored.query("SELECT thread#, sequence# FROM v$recovery_log ORDER BY sequence#")
    assert waiting[0] == (1, sequence)
    with restored.database.connect("SYS") as other, other.cursor() as cursor:
        assert cursor.execute("SELECT * FROM v$recovery_log").fetchall() == []
        with pytest.raises(Exception, match="ORA-01153: an incompatible media recovery is active"):
            cursor.execute(RECOVER + "DATABASE")
    assert refusal(restored, RECOVER + "DATABASE") == ("ORA-00275: media recovery has already been started",)
    missing = "/nonexistent/1_1.arc"
    assert refusal(restored, f"{RECOVER}LOGFILE '{missing}'") == (
        f"ORA-00308: cannot open archived log '{missing}'",
        *NO_SUCH_FILE,
    )
    lines = refusal(restored, RECOVER + "CONTINUE DEFAULT")
    assert asked_for(lines) == (change, suggested, sequence)
    assert lines[3:] == (
        f"ORA-00278: log file '{suggested}' no longer needed for this recovery",
        f"ORA-00308: cannot open archived log '{suggested}'",
        *NO_SUCH_FILE,
    )

    # the wrong one
    wrong = kept(restored, Path(str(suggested).replace(f"_{sequence}_", f"_{sequence + 1}_")))
    refused = (
        f"ORA-00310: archived log contains sequence {sequence + 1}; sequence {sequence} required",
        f"ORA-00334: archived log: '{wrong}'",
    )
    assert refusal(restored, f"{RECOVER}LOGFILE '{wrong}'") == refused
    restored.database.readings(minor_errors_have_a_heading=True)
    heading = "ORA-00284: recovery session still in progress"
    assert refusal(restored, f"{RECOVER}LOGFILE '{wrong}'") == (heading, *refused)
    assert checkpoints(restored)["users01.dbf"] == begun["users01.dbf"]

    # the right one, and a break
    given = kept(restored, suggested)
    lines = refusal(restored, f"{RECOVER}LOGFILE '{given}'")
    change, suggested, following = asked_for(lines)
    assert following == sequence + 1
    assert lines[3:] == (f"ORA-00278: log file '{given}' no longer needed for this recovery",)
    header = header_of(restored, "USERS")
    assert (header.checkpoint or 0) == change > (begun["users01.dbf"] or 0)
    assert restored.query(row)[0][1] == change
    restored.execute(RECOVER + "CANCEL")
    assert refusal(restored, "ALTER DATABASE OPEN") == (
        "ORA-01113: file 1 needs media recovery",
        f"ORA-01110: data file 1: '{restored.path_of('SYSTEM')}'",
    )
    assert restored.query("SELECT open_mode FROM v$database") == [("MOUNTED",)]


@pytest.mark.covers("2.5/ORA-00310")
def test_a_wrong_log_may_end_the_session(restored: Scene) -> None:
    restored.database.readings(wrong_log_ends_recovery=True)
    _change, suggested, sequence = asked_for(refusal(restored, RECOVER + "DATABASE"))
    wrong = kept(restored, Path(str(suggested).replace(f"_{sequence}_", f"_{sequence + 1}_")))
    assert refusal(restored, f"{RECOVER}LOGFILE '{wrong}'")[0].startswith("ORA-00310")
    ended = ("ORA-01112: media recovery not started",)
    assert refusal(restored, f"{RECOVER}LOGFILE '{kept(restored, suggested)}'") == ended
    assert asked_for(refusal(restored, RECOVER + "DATABASE")) == (_change, suggested, sequence)


@pytest.mark.covers("2.5/no-error/complete", "2.5/ORA-00288", "2.7/conversation/ORA-00288", "6.11/consistent")
@pytest.mark.covers(
    "2.5/ORA-00264", "2.7/already-done/ORA-00264", "2.5/ORA-00283", "2.5/ORA-01124", "2.5/ORA-00285"
)
def test_recovery_is_complete_once(restored: Scene) -> None:
    restored.database.readings(recovery_pauses_at_its_end=True)
    with pytest.raises(Refused) as paused:
        restored.feed(RECOVER + "DATABASE")
    assert lines_of(paused.value) == ("ORA-00288: to continue recovery type ALTER DATABASE RECOVER CONTINUE",)
    restored.execute(RECOVER + "CONTINUE")
    headers = [datafile_header(restored.path_of(name)) for name in ("SYSTEM", "SYSAUX", "UNDOTBS1", "USERS")]
    assert not any(header.fuzzy for header in headers)
    assert len({header.checkpoint for header in headers}) == 1
    assert restored.query("SELECT DISTINCT fuzzy FROM v$datafile_header") == [("NO",)]
    assert restored.query("SELECT * FROM v$recover_file") == []
    assert refusal(restored, RECOVER + "DATABASE") == (
        "ORA-00283: recovery session canceled due to errors",
        "ORA-00264: no recovery required",
    )
    assert refusal(restored, RECOVER + "CANCEL") == ("ORA-01112: media recovery not started",)
    restored.execute("ALTER DATABASE OPEN")
    assert restored.gone() == set()
    before = standing(restored)
    assert refusal(restored, RECOVER + "DATAFILE 4") == (
        "ORA-00283: recovery session canceled due to errors",
        "ORA-01124: cannot recover data file 4 - file is in use or recovery",
        f"ORA-01110: data file 4: '{restored.path_of('USERS')}'",
    )
    assert refusal(restored, RECOVER + "DATABASE UNTIL TIME SYSDATE") == (
        "ORA-00285: TIME not given as a string constant",
    )
    assert standing(restored) == before


@pytest.mark.covers("2.5/ORA-01113")
def test_a_file_taken_offline_needs_recovery_before_it_comes_online(restored: Scene) -> None:
    restored.feed(RECOVER + "DATABASE")
    restored.execute("ALTER DATABASE OPEN")
    restored.execute("ALTER DATABASE DATAFILE 4 OFFLINE")
    assert refusal(restored, "ALTER DATABASE DATAFILE 4 ONLINE") == (
        "ORA-01113: file 4 needs media recovery",
        f"ORA-01110: data file 4: '{restored.path_of('USERS')}'",
    )
    assert restored.query("SELECT file#, online_status FROM v$recover_file") == [(4, "OFFLINE")]
    restored.execute(RECOVER + "AUTOMATIC DATAFILE 4")
    restored.execute("ALTER DATABASE DATAFILE 4 ONLINE")
    assert restored.gone() == set()


@pytest.mark.covers("2.5/ORA-01610", "2.5/ORA-01233", "2.5/ORA-01195", "2.5/no-error/cancel")
@pytest.mark.covers("6.11/backup-control-file", "6.11/resetlogs-required", "6.11/opened", "6.11/tempfiles")
def test_a_backup_control_file_says_what_it_is(from_backup: Scene) -> None:
    scene = from_backup
    state = (
        "SELECT controlfile_type, open_resetlogs, resetlogs_change#, prior_resetlogs_change# FROM v$database"
    )
    ((kind, resetlogs, incarnation, _prior),) = scene.query(state)
    assert (kind, resetlogs) == ("BACKUP", "REQUIRED")
    before = standing(scene)
    assert refusal(scene, RECOVER + "DATABASE") == (
        "ORA-00283: recovery session canceled due to errors",
        "ORA-01610: recovery using the BACKUP CONTROLFILE option must be done",
    )
    assert refusal(scene, RECOVER + "DATABASE UNTIL CANCEL USING BACKUP CONTROLFILE") == (
        "ORA-00283: recovery session canceled due to errors",
        "ORA-01233: file 5 is read only - cannot recover using backup control file",
        f"ORA-01110: data file 5: '{scene.path_of('OLD')}'",
    )
    assert standing(scene) == before
    read_only_offline.do(scene)
    with pytest.raises(Refused) as early:
        scene.feed(f"{RECOVER}DATABASE UNTIL CHANGE {scene.memory.notes['begin']} USING BACKUP CONTROLFILE")
    assert lines_of(early.value) == (
        "ORA-01547: warning: RECOVER succeeded but OPEN RESETLOGS would get error below",
        "ORA-01195: online backup of file 4 needs more recovery to be consistent",
        f"ORA-01110: data file 4: '{scene.path_of('USERS')}'",
    )
    assert header_of(scene, "USERS").in_backup
    assert refusal(scene, RECOVER + "CANCEL") == ("ORA-01112: media recovery not started",)
    scene.feed(RECOVER + "DATABASE UNTIL CANCEL USING BACKUP CONTROLFILE")
    stopped = header_of(scene, "USERS").checkpoint
    assert not header_of(scene, "USERS").fuzzy
    assert refusal(scene, "ALTER DATABASE OPEN") == (
        "ORA-01589: must use RESETLOGS or NORESETLOGS option for database open",
    )
    scene.execute("ALTER DATABASE OPEN RESETLOGS")
    ((kind, resetlogs, now, prior),) = scene.query(state)
    assert (kind, resetlogs, now, prior) == ("CURRENT", "NOT ALLOWED", (stopped or 0) + 1, incarnation)
    assert header_of(scene, "USERS").resetlogs == now
    assert len(scene.query("SELECT name FROM v$tempfile")) == 1


@pytest.mark.covers("2.5/ORA-19839", "2.5/ORA-19840", "2.5/ORA-01194")
def test_a_snapshot_without_backup_mode_needs_its_time(shelf: Shelf) -> None:
    taken: dict[str, datetime] = {}

    def moment(name: str) -> Step:
        """A second of its own: redo before it is of an earlier one, redo after it of a later one."""

        def do(scene: Scene) -> None:
            taken[name] = datetime.now().replace(microsecond=0)
            while datetime.now() < taken[name] + timedelta(seconds=1):
                pass

        return Step(f"wait for the second after {name}", do)

    steps: Steps = (
        work("before the snapshot"),
        *(copy(name) for name in ("SYSTEM", "SYSAUX", "UNDOTBS1", "USERS")),
        moment("the snapshot"),
        work("after the snapshot"),
        moment("the end"),
        work("too late"),
        crash,
        lose_datafiles,
        put_datafiles_back,
        mount,
    )
    scene = shelf.do(steps)
    oldest = scene.query("SELECT MIN(checkpoint_time) FROM v$datafile_header")[0][0]
    stop = taken["the end"] + timedelta(seconds=1)
    until = f"{RECOVER}AUTOMATIC DATABASE UNTIL TIME '{stop:%Y-%m-%d:%H:%M:%S}'"
    snapshot = f"{until} SNAPSHOT TIME '{taken['the snapshot']:%Y-%m-%d:%H:%M:%S}'"
    too_old = f"{until} SNAPSHOT TIME '{oldest - timedelta(days=1):%Y-%m-%d:%H:%M:%S}'"
    before = standing(scene)
    assert refusal(scene, too_old) == (
        "ORA-00283: recovery session canceled due to errors",
        "ORA-19839: snapshot datafile checkpoint time is greater than snapshot time",
        f"ORA-01110: data file 1: '{scene.path_of('SYSTEM')}'",
    )
    scene.database.readings(snapshot_time_is_enabled=False)
    assert refusal(scene, snapshot) == (
        "ORA-00283: recovery session canceled due to errors",
        "ORA-19840: SNAPSHOT TIME recovery is not enabled",
    )
    assert standing(scene) == before
    scene.database.readings(snapshot_time_is_enabled=True)
    assert refusal(scene, until) == (
        "ORA-01547: warning: RECOVER succeeded but OPEN RESETLOGS would get error below",
        "ORA-01194: file 1 needs more recovery to be consistent",
        f"ORA-01110: data file 1: '{scene.path_of('SYSTEM')}'",
    )
    assert header_of(scene, "SYSTEM").fuzzy
    put_datafiles_back.do(scene)
    scene.execute(snapshot)
    assert not header_of(scene, "SYSTEM").fuzzy
    scene.execute("ALTER DATABASE OPEN RESETLOGS")
    assert scene.gone() == {"too late"}


def test_a_trial_tells_what_it_found_and_changes_nothing(restored: Scene) -> None:
    content = {path: path.read_bytes() for path in restored.datafiles()}
    with pytest.raises(Refused) as tested:
        restored.feed(RECOVER + "DATABASE TEST")
    lines = lines_of(tested.value)
    assert lines[0] == "ORA-10574: Test recovery did not corrupt any data block"
    assert re.fullmatch(r"ORA-10573: Test recovery tested redo from change \d+ to \d+", lines[1])
    assert lines[2:] == ("ORA-10570: Test recovery complete",)
    assert {path: path.read_bytes() for path in content} == content
    restored.feed(RECOVER + "DATABASE")
    restored.execute("ALTER DATABASE OPEN")
    assert restored.gone() == set()


def test_until_consistent_stops_where_the_last_window_ends(from_backup: Scene) -> None:
    read_only_offline.do(from_backup)
    from_backup.feed(RECOVER + "DATABASE UNTIL CONSISTENT USING BACKUP CONTROLFILE")
    assert not header_of(from_backup, "USERS").fuzzy
    from_backup.execute("ALTER DATABASE OPEN RESETLOGS")
    assert from_backup.gone() == {"after the windows", "after the backup"}


@pytest.mark.covers("2.5/ORA-00600-10562", "2.7/needs-people/ORA-00600", "2.7/needs-people/ORA-10562..10567")
def test_a_stuck_recovery_goes_on_when_a_block_may_be_lost(shelf: Shelf) -> None:
    torn = without(begin("USERS"), end("USERS"))(up_to(put_datafiles_back, END_OF_REDO))
    scene = shelf.do((*torn, mount))
    block = next(number for number in range(1, 200) if damage(scene.path_of("USERS"), number))
    lines = refusal(scene, RECOVER + "AUTOMATIC DATABASE")
    assert lines[:2] == (
        "ORA-00283: recovery session canceled due to errors",
        f"ORA-10562: Error occurred while applying redo to data block (file# 4, block# {block})",
    )
    assert "ORA-10564: tablespace USERS" in lines
    assert f"ORA-01110: data file 4: '{scene.path_of('USERS')}'" in lines
    assert any(re.fullmatch(r"ORA-10561: block type '[A-Z ]+', data object# \d+", line) for line in lines)
    assert any(line.startswith("ORA-00600: internal error code, arguments: [3020], [4], ") for line in lines)
    assert header_of(scene, "USERS").fuzzy
    scene.execute(RECOVER + "AUTOMATIC DATABASE ALLOW 1 CORRUPTION")
    scene.execute("ALTER DATABASE OPEN")
    with pytest.raises(Refused) as unreadable:
        scene.read_all("t")
    assert lines_of(unreadable.value) == (
        f"ORA-01578: ORACLE data block corrupted (file # 4, block # {block})",
        f"ORA-01110: data file 4: '{scene.path_of('USERS')}'",
    )
