# Copyright (c) 2026 hotbackup contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A run's session: reopened when it was lost, given up when nobody knows what it is doing."""

from __future__ import annotations

import pytest
from ansible_collections.hotbackup.oracle.plugins.module_utils._backup.errors import (
    ConnectionLost,
    WaitTimeout,
)
from ansible_collections.hotbackup.oracle.plugins.module_utils._run.database import RunDatabase


class Session:
    def __init__(self, number):
        self.number = number
        self.closed = False

    def close(self):
        self.closed = True


@pytest.fixture
def sessions():
    return []


@pytest.fixture
def database(sessions):
    def connect():
        sessions.append(Session(len(sessions) + 1))
        return sessions[-1]

    return RunDatabase(connect)


def failing_first(problem):
    def function(session):
        if session.number == 1:
            raise problem
        return session.number

    return function


def test_session_is_opened_at_first_use_and_kept(database, sessions):
    assert sessions == []
    assert [database.call(lambda session: session.number) for _ignored in range(3)] == [1, 1, 1]


def test_reading_is_repeated_on_a_new_session_when_the_idle_one_was_lost(database, sessions):
    assert database.read(failing_first(ConnectionLost("gone"))) == 2
    assert [session.closed for session in sessions] == [True, False]


@pytest.mark.parametrize("problem", [ConnectionLost("gone"), WaitTimeout("too long")])
def test_statement_with_unknown_outcome_is_not_repeated(database, sessions, problem):
    with pytest.raises(type(problem)):
        database.call(failing_first(problem))
    assert sessions[0].closed
    assert database.call(lambda session: session.number) == 2


def test_reading_that_fails_twice_fails(database):
    def lost(session):
        raise ConnectionLost("gone")

    with pytest.raises(ConnectionLost):
        database.read(lost)
