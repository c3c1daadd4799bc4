# Copyright (c) 2026 hotbackup contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The views of SYS: V$, GV$ and the dictionary. A view is only filled when a query names it."""

from __future__ import annotations

import functools
from typing import Any

from oracle_simulator.sql.views import archiving, containers, database, dictionary, files, redo, sessions
from oracle_simulator.sql.views.definition import Needs, View, ViewContext

__all__ = ["Needs", "View", "ViewContext", "find_view", "view_names"]


@functools.lru_cache(maxsize=1)
def _all_views() -> dict[str, View[Any]]:
    found: dict[str, View[Any]] = {}
    for module in (archiving, containers, database, dictionary, files, redo, sessions):
        for view in module.VIEWS:
            found[view.name] = view
            if view.name.startswith("V$"):
                found[f"G{view.name}"] = view.global_view()
    return found


def find_view(name: str) -> View[Any] | None:
    """A view by its public name (``V$DATAFILE``) or by that of the object behind it (``V_$DATAFILE``)."""
    return _all_views().get(name.replace("V_$", "V$", 1))


def view_names() -> list[str]:
    """All views by their public names."""
    return sorted(_all_views())
