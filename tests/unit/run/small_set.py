# Copyright (c) 2026 hotbackup contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Real files of a small set: datafiles, archived logs and a control file, with the journal that a run would leave."""

from __future__ import annotations

import itertools
from pathlib import Path

from ansible_collections.hotbackup.oracle.plugins.module_utils._backup.chain import LogKey
from ansible_collections.hotbackup.oracle.plugins.module_utils._backup.model import ArchivedLog
from ansible_collections.hotbackup.oracle.plugins.module_utils._backup.selection import Selection
from ansible_collections.hotbackup.oracle.plugins.module_utils._backup.tuning import CopyTuning
from ansible_collections.hotbackup.oracle.plugins.module_utils._files.digests import file_digest
from ansible_collections.hotbackup.oracle.plugins.module_utils._files.journal import Journal
from ansible_collections.hotbackup.oracle.plugins.module_utils._run.redo_intake import (
    RedoNotes,
    store_logs,
)
from ansible_collections.hotbackup.oracle.plugins.module_utils._run.sealing import Seen

from unit.files.oracle_file_writer import ControlFile, Datafile, RedoLog
from unit.run.fake_database import DBID, RESETLOGS_ID
from unit.run.host import SET_ID, Host

BEGIN_SCN = 2000
END_SCN = 2100
LOG_SCNS = (1900, 2050, 2200)
FIRST_SEQUENCE = 7


def write_log(
    folder: Path, sequence: int, first_scn: int, next_scn: int, thread: int = 1, **fields: int
) -> Path:
    log = RedoLog(
        sequence=sequence,
        thread=thread,
        dbid=DBID,
        resetlogs_id=fields.get("resetlogs_id", RESETLOGS_ID),
        first_scn=first_scn,
        next_scn=next_scn,
    )
    folder.mkdir(parents=True, exist_ok=True)
    return log.write(folder / f"{thread}_{sequence}.arc")


def archived(
    path: Path | None, sequence: int, first_scn: int, next_scn: int, dest_id: int = 1
) -> ArchivedLog:
    return ArchivedLog(
        resetlogs_id=RESETLOGS_ID,
        thread=1,
        sequence=sequence,
        first_scn=first_scn,
        next_scn=next_scn,
        dest_id=dest_id,
        path=None if path is None else str(path),
        blocks=9,
        block_size=512,
        available=path is not None,
        gone=path is None,
    )


def archive_logs(folder: Path) -> list[ArchivedLog]:
    """Two logs that carry the set's range, in one archive destination."""
    pairs = itertools.pairwise(LOG_SCNS)
    return [
        archived(write_log(folder, sequence, *scns), sequence, *scns)
        for sequence, scns in enumerate(pairs, start=FIRST_SEQUENCE)
    ]


def key(sequence: int) -> LogKey:
    return (RESETLOGS_ID, 1, sequence)


def write_datafile(host: Host, number: int, hot: bool = True) -> Path:
    """The stored copy of a file of the host's database."""
    path = host.layout.datafile_path(number, f"/oradata/a{number:02d}.dbf")
    path.parent.mkdir(parents=True, exist_ok=True)
    return (
        Datafile(
            number=number,
            relative=number,
            dbid=DBID,
            tablespace=b"A",
            tablespace_number=0,
            status=0x0005 if hot else 0x0000,
            creation_scn=number * 10,
            resetlogs_time=RESETLOGS_ID,
            checkpoint_scn=BEGIN_SCN if hot else 900,
            begin_backup_scn=BEGIN_SCN if hot else 0,
        )
        .fill(5)
        .write(path)
    )


def journal_file(host: Host, journal: Journal, number: int, path: Path, hot: bool, **fields: object) -> None:
    found = file_digest(path)
    name = host.database.files[number].lower()
    journal.append(
        "file_copied",
        run_id="run1",
        **{
            "file_number": number,
            "tablespace": host.database.files[number],
            "con_id": 0,
            "creation_scn": number * 10,
            "source": f"/oradata/{name}{number:02d}.dbf",
            "path": host.layout.relative(path),
            "size_bytes": found.size_bytes,
            "digest": found.digest,
            "chunk_digests": list(found.chunk_digests),
            "chunk_size_bytes": found.chunk_size_bytes,
            "begin_scn": BEGIN_SCN if hot else None,
            "checkpoint_scn": BEGIN_SCN if hot else 900,
            "method": "backup_mode" if hot else "plain_copy",
            **fields,
        },
    )


def make_copied_set(host: Host, closed_by: str = "runner", **fields: object) -> None:
    """Everything ``tablespace_backup`` does, for all files of tablespace A of the host's database."""
    numbers = [number for number, name in host.database.files.items() if name == "A"]
    paths = {number: write_datafile(host, number) for number in numbers}
    window = {"tablespace": "A", "con_id": 0, "files": {str(number): BEGIN_SCN for number in numbers}}
    with Journal.open(host.layout.journal_path) as journal:
        journal.append(
            "run_started",
            run_id="run1",
            set_id=SET_ID,
            dbid=DBID,
            db_unique_name="ORA1",
            resetlogs_id=RESETLOGS_ID,
            startup_times=[host.database.startup],
            policy={"tablespaces": [], "exclude": [], "query": ""},
        )
        journal.append("window_intent", run_id="run1", **{**window, "files": numbers})
        journal.append("window_opened", run_id="run1", **window)
        for number, path in paths.items():
            journal_file(host, journal, number, path, True, **fields)
        journal.append("window_closed", run_id="run1", **window, end_scn=2080, by=closed_by)
        journal.append("run_copied", run_id="run1", end_scn=END_SCN)


def add_redo(host: Host, archive: Path) -> None:
    required = {key(log.sequence): [log] for log in archive_logs(archive)}
    notes = RedoNotes(host.layout.journal_path, host.state)
    store_logs(host.layout.database, required, CopyTuning(), notes.note)


def add_control(host: Host, control_scn: int = END_SCN + 5, pfile: bool = True) -> None:
    folder = host.layout.control_folder
    folder.mkdir(parents=True, exist_ok=True)
    host.layout.parameters_folder.mkdir(parents=True, exist_ok=True)
    ControlFile(dbid=DBID).write(host.layout.control_copy)
    host.layout.noresetlogs_script.write_text("CREATE CONTROLFILE ... NORESETLOGS")
    host.layout.resetlogs_script.write_text("CREATE CONTROLFILE ... RESETLOGS")
    host.layout.pfile.write_text("db_name=ORA1")
    kinds = {
        "control_file": host.layout.control_copy,
        "noresetlogs_script": host.layout.noresetlogs_script,
        "resetlogs_script": host.layout.resetlogs_script,
        **({"pfile": host.layout.pfile} if pfile else {}),
    }
    files = []
    for kind, path in kinds.items():
        found = file_digest(path)
        files.append(
            {
                "kind": kind,
                "path": host.layout.relative(path),
                "size_bytes": found.size_bytes,
                "digest": found.digest,
            }
        )
    with Journal.open(host.layout.journal_path) as journal:
        journal.append("control_saved", run_id="c", files=files, control_scn=control_scn)


def seen_of(host: Host, threads: tuple[int, ...] = (1,)) -> Seen:
    database, tablespaces = host.database.discover()
    return Seen(database, Selection(tuple(tablespaces), ()), (), threads)
