# Copyright (c) 2026 hotbackup contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What may be asked for in compression, and what not."""

from __future__ import annotations

from typing import Any

import pytest
from ansible_collections.hotbackup.oracle.plugins.module_utils._backup.compression import Compression
from ansible_collections.hotbackup.oracle.plugins.module_utils._backup.errors import PreconditionError
from ansible_collections.hotbackup.oracle.plugins.module_utils._backup.plan import BackupPolicy


def asked(**options: Any) -> Compression:
    defaults = {"compression": "none", "compression_level": 3, "compression_threads": 0, "reflink": False}
    return Compression.from_options({**defaults, **options})


def test_nothing_is_compressed_unless_asked_for() -> None:
    assert asked() == Compression() == Compression("none", 3, 0)
    assert asked(reflink=True) == Compression()


@pytest.mark.parametrize(("level", "threads"), [(1, 0), (3, 0), (19, 64)])
def test_levels_and_threads_that_zstd_has_are_taken(level: int, threads: int) -> None:
    wanted = asked(compression="zstd", compression_level=level, compression_threads=threads)
    assert wanted == Compression("zstd", level, threads)


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"compression_level": 9}, "but compression is none"),
        ({"compression_threads": 2}, "but compression is none"),
        ({"compression": "zstd", "reflink": True}, "reflink cannot be combined with compression zstd"),
    ],
)
def test_what_cannot_be_is_refused(options: dict[str, Any], message: str) -> None:
    with pytest.raises(PreconditionError, match=message):
        asked(**options)


def test_compression_is_not_what_makes_it_another_set() -> None:
    assert BackupPolicy(compression=Compression("zstd", 9)).identity() == BackupPolicy().identity()
