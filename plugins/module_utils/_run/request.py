# Copyright (c) 2026 hotbackup contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What a module hands to the runner, and the runner to its guardian. Private to the collection.

Contains the connection's secrets: it travels through a pipe only and is never written to a file.
"""

from __future__ import annotations

from dataclasses import asdict, dataclass, field
from typing import Any

from ansible_collections.hotbackup.oracle.plugins.module_utils._backup.compression import Compression
from ansible_collections.hotbackup.oracle.plugins.module_utils._backup.plan import BackupPolicy
from ansible_collections.hotbackup.oracle.plugins.module_utils._backup.tuning import CopyTuning


@dataclass(frozen=True)
class RunRequest:
    """One run. ``connection`` is the JSON form of the connection settings. ``max_window_seconds`` 0: no
    bound.
    """

    connection: str = field(repr=False)
    destination: str
    db_unique_name: str
    dbid: int
    set_id: str
    run_id: str
    policy: BackupPolicy
    max_window_seconds: int
    state_dir: str

    def to_plain(self) -> dict[str, Any]:
        return asdict(self)

    @classmethod
    def from_plain(cls, fields: dict[str, Any]) -> RunRequest:
        """Raises TypeError or KeyError when ``fields`` are not a request."""
        policy = fields["policy"]
        return cls(
            **{
                **fields,
                "policy": BackupPolicy(
                    tablespaces=tuple(policy["tablespaces"]),
                    exclude=tuple(policy["exclude"]),
                    query=policy["query"],
                    tuning=CopyTuning(**policy["tuning"]),
                    compression=Compression(**policy["compression"]),
                ),
            }
        )


@dataclass(frozen=True)
class GuardianRequest:
    """What a guardian must know to act alone."""

    connection: str = field(repr=False)
    journal_path: str
    set_id: str
    run_id: str
    state_dir: str
    lease_descriptor: int

    def to_plain(self) -> dict[str, Any]:
        return asdict(self)

    @classmethod
    def from_plain(cls, fields: dict[str, Any]) -> GuardianRequest:
        """Raises TypeError when ``fields`` are not a request."""
        return cls(**fields)
