# Copyright (c) 2026 hotbackup contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Where a described database archives to: the part of a spec that becomes LOG_ARCHIVE_DEST_n."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from oracle_simulator.instance.archiving.archive_destinations import RECOVERY_AREA
from oracle_simulator.instance.home import Home


def archive_parameters(home: Home, spec: Mapping[str, Any]) -> dict[str, str]:
    """The parameters for ``archive_destinations`` and ``recovery_area``; none when the spec has neither.

    Of a recovery area ``location`` and ``size`` are needed; without destinations it is the only one. Of a
    destination ``location`` is needed; ``mandatory``, ``reopen`` (seconds), ``max_failure``,
    ``alternate`` (the number of another) and ``state`` (enable, defer, alternate) are as in Oracle.
    """
    wanted = list(spec.get("archive_destinations", []))
    found: dict[str, str] = {}
    if area := spec.get("recovery_area"):
        found["db_recovery_file_dest"] = str(home.root / area["location"])
        found["db_recovery_file_dest_size"] = str(area["size"])
        wanted = wanted or [{"location": RECOVERY_AREA}]
    return found | dict(_destinations(home, wanted))


def _destinations(home: Home, wanted: list[Mapping[str, Any]]) -> Iterator[tuple[str, str]]:
    for number, item in enumerate(wanted, 1):
        location = item["location"]
        words = [f"LOCATION={location if location == RECOVERY_AREA else home.root / location}"]
        if item.get("mandatory"):
            words.append("MANDATORY")
        words += [f"{key.upper()}={item[key]}" for key in ("reopen", "max_failure") if key in item]
        if "alternate" in item:
            words.append(f"ALTERNATE=LOG_ARCHIVE_DEST_{item['alternate']}")
        yield f"log_archive_dest_{number}", " ".join(words)
        if "state" in item:
            yield f"log_archive_dest_state_{number}", item["state"]
