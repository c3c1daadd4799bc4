# Copyright (c) 2026 hotbackup contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The release of the Oracle software an instance presents itself as: its face.

The physics are those of one release. What differs is what a client sees of it: columns and views that are
there or not, widths, banners, and statements a release does not know. The wire stays one version.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from oracle_simulator.instance.parameters import Parameters

Release = tuple[int, int, int, int, int]

RELEASE = "_simulator_release"
"""Parameter: the release. On a real host that is a property of the software in ORACLE_HOME."""
DEFAULT_RELEASE: Release = (19, 22, 0, 0, 0)
FIRST_CDB_ONLY: tuple[int, ...] = (20,)
"""From here on every database is a CDB."""

_COMPATIBLE = {11: "11.2.0.4.0", 12: "12.1.0.2.0", 18: "18.0.0", 19: "19.0.0", 21: "21.0.0", 23: "23.0.0"}
_NAMES = {11: "11g", 12: "12c", 18: "18c", 19: "19c", 21: "21c", 23: "23ai"}


def parse_release(text: str) -> Release:
    """``11.2.0.4`` as five numbers. Raises ValueError for what is no release that can be presented."""
    numbers = [int(part) for part in text.split(".")]
    if numbers[0] not in _NAMES or len(numbers) > 5 or (numbers[0] == 11 and numbers[1:2] != [2]):
        raise ValueError(f"{text!r} is not a release such as 11.2.0.4, 12.1.0.2, 19.22 or 23.4")
    major, minor, third, fourth, fifth = (*numbers, 0, 0, 0, 0)[:5]
    return (major, minor, third, fourth, fifth)


def release_of(parameters: Parameters) -> Release:
    """The release an instance with these parameters presents. Raises ValueError."""
    text = parameters.get(RELEASE)
    return parse_release(text) if text else DEFAULT_RELEASE


def full_text(release: Release) -> str:
    """V$INSTANCE.VERSION_FULL: ``19.22.0.0.0``."""
    return ".".join(map(str, release))


def base_text(release: Release) -> str:
    """V$INSTANCE.VERSION: from 18c on only the first number counts (``19.0.0.0.0``)."""
    return full_text(release) if release < (18,) else f"{release[0]}.0.0.0.0"


def product(release: Release) -> str:
    """``Oracle Database 19c Enterprise Edition``."""
    return f"Oracle Database {_NAMES[release[0]]} Enterprise Edition"


def banner(release: Release) -> str:
    """V$VERSION.BANNER."""
    bits = "64bit " if release < (18,) else ""
    return f"{product(release)} Release {base_text(release)} - {bits}Production"


def compatible_numbers(text: str) -> tuple[int, ...]:
    """A value of COMPATIBLE to be compared: as many numbers as it has but for zeros at its end."""
    numbers = [int(part) for part in text.split(".")]
    while numbers and not numbers[-1]:
        numbers.pop()
    return tuple(numbers)


def compatible_default(release: Release) -> str:
    """The COMPATIBLE a new database of this release gets."""
    return "12.2.0" if (12, 2) <= release < (18,) else _COMPATIBLE[release[0]]
