# Copyright (c) 2026 hotbackup contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Values as JSON can carry them."""

from __future__ import annotations

import json
from datetime import datetime, timedelta, timezone
from decimal import Decimal
from typing import Any

import pytest
from ansible_collections.hotbackup.oracle.plugins.module_utils._backup.describe import (
    database_result,
    tablespace_result,
)
from ansible_collections.hotbackup.oracle.plugins.module_utils._backup.errors import VerificationError
from ansible_collections.hotbackup.oracle.plugins.module_utils._backup.model import BackupMethod, BackupStatus
from ansible_collections.hotbackup.oracle.plugins.module_utils._backup.plain import parse_integer, plain

from unit.backup.samples import active, database, datafile, tablespace


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        (2**53, 2**53),
        (2**53 + 1, str(2**53 + 1)),
        (True, True),
        (BackupMethod.SKIP, "skip"),
        (Decimal("3"), 3),
        (Decimal("0.5"), 0.5),
        ({1: (2, 3)}, {"1": [2, 3]}),
        ({3, 1}, [1, 3]),
        (BackupStatus("ACTIVE", 5, None), {"status": "ACTIVE", "scn": 5, "time": None}),
        (datetime(2026, 1, 1, 2, tzinfo=timezone(timedelta(hours=2))), "2026-01-01T00:00:00Z"),
        (datetime(2026, 1, 1, 2), "2026-01-01T02:00:00"),
    ],
)
def test_values(value: Any, expected: Any) -> None:
    found = plain(value)
    assert found == expected and type(found) is type(expected)


def test_what_has_no_json_form_is_refused() -> None:
    with pytest.raises(TypeError):
        plain({"x": b"secret"})


def test_results_are_json() -> None:
    result = tablespace_result(tablespace("USERS", active(datafile(4, checkpoint_scn=2**60), 2**60)))
    assert json.loads(json.dumps(result)) == result
    assert result["datafiles"][0]["checkpoint_scn"] == str(2**60)
    assert result["in_backup_mode"] and result["datafiles"][0]["in_backup_mode"]
    assert database_result(database(parameters=(("a", "b"),)))["parameters"] == {"a": "b"}


@pytest.mark.parametrize("value", [None, True, 1.0, "-1", "1x", "", -1, [1]])
def test_what_is_no_integer_is_refused(value: Any) -> None:
    with pytest.raises(VerificationError, match="the SCN"):
        parse_integer(value, "the SCN")
