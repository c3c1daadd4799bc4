# Copyright (c) 2026 hotbackup contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The redo threads of a described database: the part of a spec that becomes log groups and instances."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from oracle_simulator.data.definition import RedoThreadDefinition

_KNOWN = {"groups", "size", "members", "enabled", "open"}
_ENABLED = {"PUBLIC", "PRIVATE", "DISABLED"}


def redo_threads(
    spec: Mapping[str, Any], size_bytes: Callable[[str | int], int]
) -> tuple[RedoThreadDefinition, ...]:
    """The threads that ``threads`` lists; one without that key. ``redo`` says what each has by default.

    Raises ValueError for what makes no sense.
    """
    return tuple(
        RedoThreadDefinition(
            groups=item.get("groups", 3),
            size_bytes=size_bytes(item.get("size", "4M")),
            members=item.get("members", 1),
            enabled=item.get("enabled", "public").upper(),
        )
        for item in _threads(spec)
    )


def cluster_parameters(spec: Mapping[str, Any]) -> dict[str, str]:
    """The parameters of a database with several instances; none without ``threads``.

    A thread with ``open: false`` gets no instance when the database starts: only the last ones can.
    """
    if "threads" not in spec:
        return {}
    starting = [item.get("open", True) and item.get("enabled") != "disabled" for item in _threads(spec)]
    count = sum(starting)
    if not count or not all(starting[:count]):
        raise ValueError("threads without an instance must be the last ones, and one needs an instance")
    return {"cluster_database": "TRUE", "cluster_database_instances": str(count)}


def _threads(spec: Mapping[str, Any]) -> list[dict[str, Any]]:
    common = spec.get("redo", {})
    items = [{**common, **(item or {})} for item in spec.get("threads", [{}])]
    for item in items:
        unknown = sorted(set(item) - _KNOWN)
        if unknown:
            raise ValueError(f"unknown key {unknown[0]!r} of a redo thread; known are {sorted(_KNOWN)}")
        if item.get("enabled", "public").upper() not in _ENABLED:
            raise ValueError(f"{item['enabled']!r}: a redo thread is public, private or disabled")
    return items
