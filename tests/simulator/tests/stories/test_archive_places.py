# Copyright (c) 2026 hotbackup contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Archive destinations and the fast recovery area as a client sees them: where logs are, what a full place stops."""

from __future__ import annotations

import contextlib
import shutil
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import oracledb
import pytest

from oracle_simulator.testing import SimulatedDatabase

from .dba import Dba, wait_until

SPEC = {
    "archive_destinations": [
        {"location": "archive/A", "mandatory": True, "reopen": 1},
        {"location": "archive/B", "reopen": 1},
        {"location": "archive/C", "state": "defer"},
    ]
}
STATUS = "SELECT status, error, fail_sequence FROM v$archive_dest WHERE dest_id = {}"


def dba_of(folder: Path, spec: dict[str, Any]) -> Dba:
    database = SimulatedDatabase(folder / "database", spec=spec)
    database.start()
    return Dba(database, folder / "kept")


@pytest.fixture(scope="module")
def dba(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Dba]:
    """A database that archives to two places, the first of them mandatory."""
    at_work = dba_of(tmp_path_factory.mktemp("places"), SPEC)
    yield at_work
    at_work.database.destroy()


@pytest.fixture(scope="module")
def crowded(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Dba]:
    """A database that archives to a recovery area for which a single log is too much."""
    at_work = dba_of(tmp_path_factory.mktemp("area"), {"recovery_area": {"location": "fra", "size": "20000"}})
    yield at_work
    at_work.database.destroy()


def copies(dba: Dba, sequence: int) -> dict[int, str]:
    """DEST_ID and name of every copy of a log; each is whole on disk."""
    rows = dba.query(
        "SELECT dest_id, name, blocks, block_size FROM v$archived_log"
        f" WHERE sequence# = {sequence} AND archived = 'YES' AND deleted = 'NO' AND status = 'A'"
    )
    for _dest_id, name, blocks, block_size in rows:
        assert Path(name).stat().st_size == (blocks + 1) * block_size
    assert len({dest_id for dest_id, *_rest in rows}) == len(rows)
    return {dest_id: name for dest_id, name, *_rest in rows}


def switch(dba: Dba) -> int:
    """SWITCH LOGFILE; returns the sequence that ended."""
    ((sequence,),) = dba.query("SELECT sequence# FROM v$log WHERE status = 'CURRENT'")
    dba.execute("ALTER SYSTEM SWITCH LOGFILE")
    return int(sequence)


@contextlib.contextmanager
def redo_used_up(dba: Dba) -> Iterator[None]:
    """All groups wait for the archiver, and so does a session that wants one more switch."""
    connection = dba.database.connect("SYS")

    def work() -> None:
        with contextlib.suppress(oracledb.Error), connection.cursor() as cursor:
            for _switch in range(4):
                cursor.execute("ALTER SYSTEM SWITCH LOGFILE")

    thread = threading.Thread(target=work, daemon=True)
    thread.start()
    waiting = [("FAILED", "ARCHIVE LOG")]
    wait_until(lambda: dba.query("SELECT archiver, log_switch_wait FROM v$instance") == waiting, "not stuck")
    try:
        yield
    finally:
        thread.join(30)
        assert not thread.is_alive()
        connection.close()


def alert_log(dba: Dba) -> str:
    ((folder,),) = dba.query("SELECT value FROM v$diag_info WHERE name = 'Diag Trace'")
    return Path(folder, f"alert_{dba.database.sid}.log").read_text(encoding="utf-8")


def test_every_destination_has_a_row_and_a_file(dba: Dba) -> None:
    shown = dba.query("SELECT dest_id, status, binding, reopen_secs FROM v$archive_dest WHERE dest_id <= 4")
    assert shown == [
        (1, "VALID", "MANDATORY", 1),
        (2, "VALID", "OPTIONAL", 1),
        (3, "DEFERRED", "OPTIONAL", 300),
        (4, "INACTIVE", "OPTIONAL", 0),
    ]
    sequence = switch(dba)
    wait_until(lambda: set(copies(dba, sequence)) == {1, 2}, "not archived")
    names = {dest_id: Path(name) for dest_id, name in copies(dba, sequence).items()}
    assert [names[1].parent.name, names[2].parent.name] == ["A", "B"]
    assert names[1].read_bytes() == names[2].read_bytes()
    dba.execute("ALTER SYSTEM SET log_archive_dest_state_3 = ENABLE")
    sequence = switch(dba)
    wait_until(lambda: set(copies(dba, sequence)) == {1, 2, 3}, "not archived")
    dba.execute("ALTER SYSTEM SET log_archive_dest_state_3 = 'defer'")
    assert dba.query(STATUS.format(3))[0][0] == "DEFERRED"
    assert dba.query("SELECT COUNT(*) FROM v$archive_dest") == [(31,)]
    active = "SELECT COUNT(*) FROM v$archive_processes WHERE status = 'ACTIVE'"
    assert dba.query(active) == [(4,)]


def test_an_optional_destination_that_fails_is_named_and_misses_the_log(dba: Dba) -> None:
    place = dba.database.home.root / "archive" / "B"
    hidden = place.with_name("hidden")
    place.rename(hidden)
    sequence = switch(dba)
    wait_until(lambda: dba.query(STATUS.format(2))[0][0] == "ERROR", "no error")
    _status, error, failed = dba.query(STATUS.format(2))[0]
    assert (error.split(":")[0], failed) == ("ORA-19504", sequence)
    wait_until(lambda: set(copies(dba, sequence)) == {1}, "not archived")
    hidden.rename(place)

    def copied_again() -> bool:
        later = switch(dba)
        wait_until(lambda: 1 in copies(dba, later), "not archived")
        return dba.query(STATUS.format(2))[0][:2] == ("VALID", None)

    wait_until(copied_again, "not opened again")
    assert set(copies(dba, sequence)) == {1}


@pytest.mark.covers(
    "2.7/needs-people/ORA-00257",
    "2.7/needs-people/ORA-16038",
    "4.1/archiver-stuck/ORA-00257",
    "4.1/archiver-stuck/ORA-00270",
    "4.1/archiver-stuck/ORA-16038",
    "4.1/archiver-stuck/ORA-16014",
)
def test_a_mandatory_destination_that_fails_keeps_users_out_and_administrators_in(dba: Dba) -> None:
    place = dba.database.home.root / "archive" / "A"
    dba.execute(f"ALTER SYSTEM SET log_archive_dest_1 = 'LOCATION={place} MANDATORY REOPEN=3600'")
    shutil.rmtree(place)
    with redo_used_up(dba):
        with pytest.raises(oracledb.DatabaseError, match="ORA-00257: Archiver error"):
            dba.database.connect("APP")
        assert dba.query(STATUS.format(1))[0][0] == "ERROR"
        # Until REOPEN has passed no destination is even tried.
        assert dba.refusal("ALTER SYSTEM ARCHIVE LOG ALL") == (16014, 312)
        place.mkdir()
        dba.execute("ALTER SYSTEM SET log_archive_dest_state_1 = ENABLE")
    dba.database.connect("APP").close()
    wait_until(lambda: dba.query("SELECT archiver FROM v$instance") == [("STARTED",)], "still failed")
    text = alert_log(dba)
    for line in (
        "ORA-00270 ",
        "ORA-16038: log ",
        "ORA-19504: failed to create file",
        "ORA-00312: online log ",
    ):
        assert line in text


@pytest.mark.covers("4.1/archiver-stuck/ORA-00272")
def test_a_destination_that_fills_up_while_a_log_is_written(dba: Dba) -> None:
    place = dba.database.home.root / "archive" / "B"
    dba.execute(f"ALTER SYSTEM SET log_archive_dest_2 = 'LOCATION={place} OPTIONAL REOPEN=1'")
    dba.database.fault(io="full", on=f"{place}/*")
    sequence = switch(dba)
    wait_until(lambda: dba.query(STATUS.format(2))[0][0] == "ERROR", "no error")
    assert dba.query(STATUS.format(2))[0][1].startswith("ORA-19502: write error on file")
    wait_until(lambda: set(copies(dba, sequence)) == {1}, "not archived")
    assert f"ORA-00272: error writing archive log {place}" in alert_log(dba)
    dba.database.fault(repair=f"{place}/*")


def test_logs_are_archived_by_hand(dba: Dba) -> None:
    dba.execute("ALTER SYSTEM SET log_archive_dest_state_2 = ENABLE")  # whatever went wrong there before
    unarchived = "SELECT group# FROM v$log WHERE archived = 'NO' AND status <> 'CURRENT'"
    wait_until(lambda: not dba.query(unarchived), "logs wait for the archiver")
    assert dba.refusal("ALTER SYSTEM ARCHIVE LOG ALL") == (271,)
    assert dba.refusal("ALTER SYSTEM ARCHIVE LOG NEXT") == (271,)
    ((group, sequence),) = dba.query("SELECT group#, sequence# FROM v$log WHERE status = 'CURRENT'")
    assert dba.refusal(f"ALTER SYSTEM ARCHIVE LOG GROUP {group}") == (259,)
    assert dba.refusal(f"ALTER SYSTEM ARCHIVE LOG SEQUENCE {sequence + 9}") == (260,)
    assert dba.refusal(f"ALTER SYSTEM ARCHIVE LOG SEQUENCE {sequence - 1}") == (16013,)
    assert dba.refusal("ALTER SYSTEM ARCHIVE LOG LOGFILE '/no/such/log'") == (268,)
    dba.database.fault(archiver_stopped=True)
    switch(dba)
    other = dba.database.home.root / "other"
    other.mkdir()
    dba.execute(f"ALTER SYSTEM ARCHIVE LOG GROUP {group} TO '{other}'")
    assert [Path(name).parent for name in copies(dba, sequence).values()] == [other]
    sequence = switch(dba)
    ((scn,),) = dba.query(f"SELECT first_change# FROM v$log WHERE sequence# = {sequence}")
    dba.execute(f"ALTER SYSTEM ARCHIVE LOG CHANGE {scn}")
    assert set(copies(dba, sequence)) == {1, 2}
    dba.database.fault(archiver_stopped=False)


def test_what_rman_deleted_is_no_longer_to_be_copied(dba: Dba) -> None:
    sequence = switch(dba)
    wait_until(lambda: set(copies(dba, sequence)) == {1, 2}, "not archived")
    kept = Path(copies(dba, sequence)[2])
    dba.database.rman(f"BACKUP ARCHIVELOG SEQUENCE {sequence} DELETE INPUT")
    rows = f"SELECT dest_id, name, deleted, status FROM v$archived_log WHERE sequence# = {sequence} ORDER BY dest_id"
    assert dba.query(rows) == [(1, None, "YES", "D"), (2, str(kept), "NO", "A")]
    kept.unlink()
    assert dba.query(rows)[1] == (2, str(kept), "NO", "A")  # nobody notices
    dba.database.rman("CROSSCHECK ARCHIVELOG ALL")
    assert dba.query(rows)[1] == (2, str(kept), "NO", "X")


@pytest.mark.covers(
    "2.7/needs-people/ORA-19809",
    "4.1/archiver-stuck/ORA-19809",
    "4.1/archiver-stuck/ORA-19804",
    "4.1/archiver-stuck/ORA-19815",
)
def test_a_full_recovery_area_stops_everything_until_there_is_room(crowded: Dba) -> None:
    books = "SELECT space_limit, space_used, space_reclaimable, number_of_files FROM v$recovery_file_dest"
    crowded.execute("ALTER SYSTEM SET db_recovery_file_dest_size = 1M")
    sequence = switch(crowded)
    wait_until(lambda: copies(crowded, sequence), "not archived")
    ((name, in_area),) = crowded.query("SELECT name, is_recovery_dest_file FROM v$archived_log")
    assert in_area == "YES" and Path(name).name.startswith(f"o1_mf_1_{sequence}_")
    size = Path(name).stat().st_size
    assert crowded.query(books) == [(1 << 20, size, 0, 1)]
    crowded.execute(f"ALTER SYSTEM SET db_recovery_file_dest_size = {size + 100}")
    with redo_used_up(crowded):
        assert crowded.refusal("ALTER SYSTEM ARCHIVE LOG NEXT")[:1] in {(16014,), (16038,)}
        assert crowded.query(STATUS.format(1))[0][1] == "ORA-19809: limit exceeded for recovery files"
        with pytest.raises(oracledb.DatabaseError, match="ORA-00257"):
            crowded.database.connect("APP")
        Path(name).unlink()
        assert crowded.query(books)[0][1] == size
        assert "RMAN-06207" in crowded.database.rman("DELETE NOPROMPT ARCHIVELOG ALL")
        crowded.database.rman("CROSSCHECK ARCHIVELOG ALL", "DELETE NOPROMPT EXPIRED ARCHIVELOG ALL")
        crowded.execute("ALTER SYSTEM SET db_recovery_file_dest_size = 4M")
    wait_until(lambda: crowded.query("SELECT archiver FROM v$instance") == [("STARTED",)], "still failed")
    text = alert_log(crowded)
    for line in (
        "ORA-19809: limit exceeded for recovery files",
        "ORA-19804: cannot reclaim ",
        "ORA-19815: WARNING: db_recovery_file_dest_size of ",
        "DELETE EXPIRED",
    ):
        assert line in text
    usage = "SELECT file_type, number_of_files FROM v$recovery_area_usage WHERE number_of_files > 0"
    wait_until(
        lambda: not crowded.query("SELECT 1 FROM v$log WHERE archived='NO' AND status<>'CURRENT'"), "rest"
    )
    ((count,),) = crowded.query("SELECT COUNT(*) FROM v$archived_log WHERE deleted = 'NO'")
    assert crowded.query(usage) == [("ARCHIVED LOG", count)]
