# Copyright (c) 2026 hotbackup contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Steps that lose things, and steps that bring them back."""

from __future__ import annotations

import contextlib
import re
import shutil

from oracle_simulator.program.local_socket import LocalError, NoInstance

from ..dba import Refused, wait_until
from .backup_steps import READ_ONLY, READ_WRITE, statement
from .orchestration import Step
from .scene import Scene


def _crash(scene: Scene) -> None:
    scene.forget_sessions()
    scene.database.crash()


def _shut_down(scene: Scene) -> None:
    scene.forget_sessions()
    try:
        scene.database.shutdown()
    except LocalError as error:
        raise Refused(
            tuple(int(code) for code in re.findall(r"ORA-(\d{5})", str(error))), str(error)
        ) from None


def _lose(*tablespaces: str) -> Step:
    def do(scene: Scene) -> None:
        for tablespace in tablespaces:
            scene.path_of(tablespace).unlink()

    return Step(f"lose {', '.join(tablespaces)}", do, at_rest=True)


def _lose_control_files(scene: Scene) -> None:
    for path in scene.database.home.control_files:
        path.unlink()


def _lose_redo(scene: Scene) -> None:
    for path in scene.database.home.redo_folder.iterdir():
        path.unlink()


def _lose_archived_logs(scene: Scene) -> None:
    for path in scene.database.home.archive_folder.iterdir():
        path.unlink()


def put_back(*tablespaces: str) -> Step:
    """Copies of datafiles to where the files were."""

    def do(scene: Scene) -> None:
        for tablespace in tablespaces:
            path = scene.path_of(tablespace)
            shutil.copyfile(scene.copy_of(path), path)

    return Step(f"put {', '.join(tablespaces)} back", do)


def put_control_file_back(*names: str) -> Step:
    """The control file's copy to every path of control_files; with two names, one to each."""

    def do(scene: Scene) -> None:
        paths = scene.database.home.control_files
        for number, path in enumerate(paths):
            shutil.copyfile(scene.kept / names[number % len(names)], path)

    return Step(f"put {' and '.join(names)} back", do)


def _put_logs_back(scene: Scene) -> None:
    for log in scene.kept_logs.iterdir():
        shutil.copyfile(log, scene.database.home.archive_folder / log.name)


def _put_online_logs_back(scene: Scene) -> None:
    for log in (scene.kept / "online").iterdir():
        shutil.copyfile(log, scene.database.home.redo_folder / log.name)


def recovering(text: str) -> Step:
    """A recovery statement; requests for logs are answered from the backup, with CANCEL where it has none."""
    return Step(text, lambda scene: scene.feed(text.format_map(scene.words)))


def _mount(scene: Scene) -> None:
    scene.database.start("nomount")
    scene.execute("ALTER DATABASE MOUNT")


def _checkpoint_ends_instance(scene: Scene) -> None:
    """The checkpoint finds another file than it left, says so in the alert log, and the instance is gone."""
    with contextlib.suppress(LocalError, NoInstance):
        scene.database.sql("ALTER SYSTEM CHECKPOINT")
    wait_until(lambda: not scene.database.running, "the instance lives")
    assert "ORA-01122" in scene.database.home.alert_log.read_text(encoding="utf-8")
    scene.forget_sessions()


def _feed_next_log(scene: Scene) -> None:
    """The last log of the backup, whatever is asked for, once the others are applied."""
    try:
        scene.feed("ALTER DATABASE RECOVER DATABASE USING BACKUP CONTROLFILE", cancels=False)
    except Refused as refused:
        assert refused.codes[0] == 279, str(refused)
    last = max(scene.kept_logs.iterdir(), key=lambda log: log.stat().st_mtime_ns)
    scene.execute(f"ALTER DATABASE RECOVER LOGFILE '{last}'")


crash = Step("crash", _crash, at_rest=True)
shut_down = Step("SHUTDOWN IMMEDIATE", _shut_down, at_rest=True)
lose_datafiles = _lose(*READ_WRITE)
lose_users = _lose("USERS")
lose_read_only = _lose(READ_ONLY)
lose_control_files = Step("lose the control files", _lose_control_files)
lose_redo = Step("lose the online redo", _lose_redo)
lose_archived_logs = Step("lose the archived logs", _lose_archived_logs)
put_datafiles_back = put_back(*READ_WRITE)
put_read_only_back = put_back(READ_ONLY)
put_control_back = put_control_file_back("control.ctl")
put_logs_back = Step("put archived logs back", _put_logs_back)
put_online_logs_back = Step("put online logs back", _put_online_logs_back)
mount = Step("STARTUP MOUNT", _mount)
checkpoint_ends_instance = Step("a checkpoint, which ends the instance", _checkpoint_ends_instance)
feed_next_log = Step("RECOVER, and the last log for the missing one", _feed_next_log)
read_quick_rows = Step("read the rows of the load", lambda scene: scene.read_all("quick"))
read_old_rows = Step("read the rows in OLD", lambda scene: scene.read_all("o"))
lose_others = _lose(*(name for name in READ_WRITE if name != "USERS"))
lose_fresh = _lose("FRESH")
instance_dies = Step("the instance dies", _crash)
recover_database = statement("ALTER DATABASE RECOVER AUTOMATIC DATABASE")
recover_until_cancel = recovering("ALTER DATABASE RECOVER DATABASE UNTIL CANCEL USING BACKUP CONTROLFILE")
end_backup = statement("ALTER DATABASE END BACKUP")
open_database = statement("ALTER DATABASE OPEN")
open_resetlogs = statement("ALTER DATABASE OPEN RESETLOGS")
