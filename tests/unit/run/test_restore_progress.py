# Copyright (c) 2026 hotbackup contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What can be seen of a restore while it works, and how it ended."""

from __future__ import annotations

import json
import threading
from pathlib import Path
from typing import Any

import pytest
from ansible_collections.hotbackup.oracle.plugins.module_utils._backup.errors import PreconditionError
from ansible_collections.hotbackup.oracle.plugins.module_utils._run.progress import Progress
from ansible_collections.hotbackup.oracle.plugins.module_utils._run.restore_progress import (
    COPY,
    RestoreProgress,
    restore_progress,
)
from ansible_collections.hotbackup.oracle.plugins.module_utils._run.state_folder import StateFolder

from unit.run.host import SET_ID


@pytest.fixture
def folder(tmp_path: Path) -> StateFolder:
    return StateFolder(tmp_path)


def seen(folder: StateFolder) -> dict[str, Any]:
    found: dict[str, Any] = json.loads((folder.root / "restore_status.json").read_text())
    return found


def test_the_file_tells_the_phase_at_once_and_in_the_end_every_byte(folder: StateFolder) -> None:
    with restore_progress(folder, SET_ID) as progress:
        assert (seen(folder)["state"], seen(folder)["set_id"]) == ("running", SET_ID)
        progress.begin(COPY, "writing", 2, 4000)
        assert (seen(folder)["phase"], seen(folder)["message"]) == ("copy", "writing")
        streams = [
            threading.Thread(target=lambda: [progress.add_bytes(10) for _piece in range(100)])
            for _stream in range(4)
        ]
        for stream in streams:
            stream.start()
        for stream in streams:
            stream.join()
        progress.file_done()
    end = seen(folder)
    assert (end["state"], end["bytes_done"], end["bytes_total"]) == ("succeeded", 4000, 4000)
    assert (end["files_done"], end["files_total"]) == (1, 2)


def test_bytes_that_came_while_another_stream_was_telling_are_told_with_the_file(
    folder: StateFolder, monkeypatch: pytest.MonkeyPatch
) -> None:
    tick = Progress.tick
    late = [7]

    def tick_while_bytes_come(counted: Progress) -> None:
        tick(counted)
        if late:
            progress.add_bytes(late.pop())

    monkeypatch.setattr(Progress, "tick", tick_while_bytes_come)
    with restore_progress(folder, SET_ID) as progress:
        progress.begin(COPY, "writing", 1, 17)
        progress.add_bytes(10)
        progress.file_done()
    assert seen(folder)["bytes_done"] == 17


def test_the_last_word_of_a_restore_that_failed_is_why(folder: StateFolder) -> None:
    with pytest.raises(PreconditionError), restore_progress(folder, SET_ID):
        raise PreconditionError("Database ORCL is open.")
    assert (seen(folder)["state"], seen(folder)["message"]) == ("failed", "Database ORCL is open.")


def test_without_a_writer_nothing_is_told(folder: StateFolder) -> None:
    untold = RestoreProgress()
    untold.begin(COPY, "writing", 1, 10)
    untold.add_bytes(10)
    untold.file_done()
    assert list(folder.root.iterdir()) == []
