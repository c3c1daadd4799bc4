# Copyright (c) 2026 hotbackup contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What the redo at hand means for a set: what is missing, and what can be reached. Pure.

Private to this collection: not an interface for other collections.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable

from ansible_collections.hotbackup.oracle.plugins.module_utils._backup.chain import (
    RedoSpan,
    ScnInterval,
    prove_chain,
    reachable_interval,
)
from ansible_collections.hotbackup.oracle.plugins.module_utils._backup.departure import Departure
from ansible_collections.hotbackup.oracle.plugins.module_utils._backup.manifest import Manifest
from ansible_collections.hotbackup.oracle.plugins.module_utils._backup.verdict import Finding, Severity


def assess_chain(
    logs: Collection[RedoSpan], *, resetlogs_id: int, threads: Iterable[int], begin_scn: int, end_scn: int
) -> list[Finding]:
    """Say what redo is missing between the first copy's begin and the last one's end."""
    chain = prove_chain(
        logs, resetlogs_id=resetlogs_id, threads=threads, begin_scn=begin_scn, end_scn=end_scn
    )
    return [
        Finding(Severity.PREVENTS, "redo_missing", f"thread {gap.thread}", f"Redo is missing: {gap}.")
        for gap in chain.gaps
    ]


def assess_departure(manifest: Manifest, departure: Departure | None) -> list[Finding]:
    """Say what of the set's history was given up: all of it, which a restore refuses, or what came after an SCN."""
    if departure is None:
        return []
    began = f"since RESETLOGS at SCN {departure.scn} (incarnation {departure.resetlogs_id})"
    if departure.scn <= manifest.end_scn:
        message = f"The set is complete only from SCN {manifest.end_scn} on, and that was given up {began}."
        return [Finding(Severity.PREVENTS, "given_up", manifest.set_id, message)]
    message = f"The set can be recovered through SCN {departure.scn - 1} at most: what followed was given up {began}."
    return [Finding(Severity.NOTICE, "given_up", manifest.set_id, message)]


def reachable(manifest: Manifest, logs: Collection[RedoSpan]) -> ScnInterval | None:
    """Return the SCNs to which the set can be recovered with ``logs``, None if redo is missing."""
    return reachable_interval(
        logs,
        resetlogs_id=manifest.database.resetlogs_id,
        threads=manifest.database.threads,
        begin_scn=manifest.begin_scn,
        end_scn=manifest.end_scn,
    )
