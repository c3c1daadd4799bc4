# Copyright (c) 2026 hotbackup contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What may be asked of a copy that shares the machine with others."""

from __future__ import annotations

from typing import Any

import pytest
from ansible_collections.hotbackup.oracle.plugins.module_utils._backup.tuning import CopyTuning

DEFAULTS = {
    "streams": 4,
    "buffer_bytes": 2097152,
    "max_bytes_per_second": 0,
    "nice": 0,
    "io_class": None,
    "reflink": False,
}


def asked(**options: Any) -> CopyTuning:
    return CopyTuning.from_options({**DEFAULTS, **options})


def test_the_defaults_of_the_options_are_those_of_a_copy_nobody_tuned() -> None:
    assert asked() == CopyTuning()


@pytest.mark.parametrize(
    "options",
    [
        {"streams": 1},
        {"buffer_bytes": 65536},
        {"buffer_bytes": 67108864},
        {"max_bytes_per_second": 1},
        {"nice": 19},
        {"io_class": "idle", "reflink": True},
    ],
    ids=str,
)
def test_the_outermost_values_are_taken_as_they_are(options: dict[str, Any]) -> None:
    assert asked(**options) == CopyTuning(**{**DEFAULTS, **options})
