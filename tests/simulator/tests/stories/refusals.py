# Copyright (c) 2026 hotbackup contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Statements that Oracle refuses: the whole error stack in Oracle's words, and nothing changed afterwards."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import pytest

from ..storage.independent import HeaderSeen, datafile_header
from .catalogue.scene import Scene
from .dba import Refused


@dataclass(frozen=True)
class Case:
    """A statement and its refusal.

    ``stack``: the lines of the error, ``{names}`` are the scene's words. ``given`` is done before, ``finally_``
    after it. ``rows`` are the rows of Oracle's tables this proves.
    """

    rows: tuple[str, ...]
    statement: str
    stack: tuple[str, ...]
    given: tuple[str, ...] = ()
    finally_: tuple[str, ...] = ()


def parameters(cases: tuple[Case, ...]) -> list[Any]:
    """For pytest.mark.parametrize: each case with its mark."""
    return [
        pytest.param(
            case,
            id=f"{case.stack[0].partition(':')[0]} {case.statement}",
            marks=pytest.mark.covers(*case.rows),
        )
        for case in cases
    ]


def lines_of(refused: Refused) -> tuple[str, ...]:
    """The error stack without the line that the driver adds."""
    return tuple(line for line in str(refused).splitlines() if not line.startswith("Help: "))


def refusal(scene: Scene, statement: str, user: str = "SYS") -> tuple[str, ...]:
    """The lines with which a statement is refused. Fails when it is not."""
    with pytest.raises(Refused) as caught:
        scene.execute(statement.format_map(scene.words), user)
    return lines_of(caught.value)


def header_of(scene: Scene, tablespace: str) -> HeaderSeen:
    """The header of a tablespace's first datafile, read from the file."""
    return datafile_header(scene.path_of(tablespace))


def standing(scene: Scene) -> list[object]:
    """All that a refused statement may not change: backup mode, states of files, and their headers on disk."""
    files = scene.query(
        "SELECT file#, name, status, enabled, creation_change# FROM v$datafile ORDER BY file#"
    )
    headers = [datafile_header(name) for name in scene.datafiles() if name.exists()]
    return [
        scene.query("SELECT file#, status, change# FROM v$backup ORDER BY file#"),
        files,
        [(header.in_backup, header.begin_backup, header.resetlogs) for header in headers],
        [header.checkpoint for header in headers if header.in_backup],
        scene.query("SELECT open_mode, log_mode, open_resetlogs FROM v$database"),
    ]


def check(scene: Scene, case: Case) -> None:
    """The statement is refused in exactly these words, and has done nothing."""
    for statement in case.given:
        scene.execute(statement.format_map(scene.words))
    before = standing(scene)
    assert refusal(scene, case.statement) == tuple(line.format_map(scene.words) for line in case.stack)
    assert standing(scene) == before
    for statement in case.finally_:
        scene.execute(statement.format_map(scene.words))
