# Copyright (c) 2026 hotbackup contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The views of SYS: V$, GV$ and the dictionary. A view is only filled when a query names it."""

from __future__ import annotations

import functools
from typing import Any

from oracle_simulator.instance.release import DEFAULT_RELEASE, Release
from oracle_simulator.sql.views import (
    archiving,
    containers,
    control_file,
    database,
    dictionary,
    encryption,
    files,
    parameters,
    recovery_area,
    redo,
    release,
    sessions,
    statistics,
)
from oracle_simulator.sql.views.definition import Needs, View, ViewContext

__all__ = ["Needs", "View", "ViewContext", "find_view", "view_names"]


_MODULES = (
    archiving,
    containers,
    control_file,
    database,
    dictionary,
    encryption,
    files,
    parameters,
    recovery_area,
    redo,
    release,
    sessions,
    statistics,
)


@functools.cache
def _all_views(version: Release) -> dict[str, View[Any]]:
    found: dict[str, View[Any]] = {}
    for module in _MODULES:
        for every in module.VIEWS:
            view = every.in_release(version)
            if view is None:
                continue
            found[view.name] = view
            if view.name.startswith("V$"):
                found[f"G{view.name}"] = view.global_view()
    return found


def find_view(name: str, version: Release = DEFAULT_RELEASE) -> View[Any] | None:
    """A view of a release by its public name (``V$DATAFILE``), or that of its object (``V_$DATAFILE``)."""
    return _all_views(version).get(name.replace("V_$", "V$", 1))


def view_names(version: Release = DEFAULT_RELEASE) -> list[str]:
    """All views of a release by their public names."""
    return sorted(_all_views(version))
