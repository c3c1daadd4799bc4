# Copyright (c) 2026 hotbackup contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Views of the software: its release, its components and its options."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from oracle_simulator.instance import release
from oracle_simulator.instance.release import Release
from oracle_simulator.sql.views.definition import Needs, View, ViewContext, container, text


@dataclass(frozen=True)
class _Component:
    """One line of V$VERSION: before 18c the database's parts had lines of their own."""

    banner: str
    release: Release


def _components(context: ViewContext) -> Iterator[_Component]:
    version = context.instance.version
    yield _Component(release.banner(version), version)
    if version < (18,):
        number = release.full_text(version)
        yield _Component(f"PL/SQL Release {number} - Production", version)
        yield _Component(f"CORE\t{number}\tProduction", version)
        yield _Component(f"TNS for Linux: Version {number} - Production", version)
        yield _Component(f"NLSRTL Version {number} - Production", version)


VERSION = View(
    "V$VERSION",
    Needs.INSTANCE,
    _components,
    [
        text("BANNER", 80, lambda c: c.banner),
        text(
            "BANNER_FULL", 160, lambda c: f"{c.banner}\nVersion {release.full_text(c.release)}", since=(18,)
        ),
        text("BANNER_LEGACY", 80, lambda c: c.banner, since=(18,)),
        container(),
    ],
)


@dataclass(frozen=True)
class _Product:
    name: str
    release: Release


def _products(context: ViewContext) -> Iterator[_Product]:
    version = context.instance.version
    if version < (18,):
        yield _Product("NLSRTL ", version)
    yield _Product(f"{release.product(version)} ", version)
    if version < (18,):
        yield _Product("PL/SQL ", version)
        yield _Product("TNS for Linux: ", version)


PRODUCT_COMPONENT_VERSION = View(
    "PRODUCT_COMPONENT_VERSION",
    Needs.INSTANCE,
    _products,
    [
        text("PRODUCT", 80, lambda p: p.name),
        text("VERSION", 80, lambda p: release.base_text(p.release)),
        text("VERSION_FULL", 80, lambda p: release.full_text(p.release), since=(18,)),
        text("STATUS", 80, lambda p: "Production" if p.release >= (18,) else "64bit Production"),
    ],
)

OPTION = View(
    "V$OPTION",
    Needs.INSTANCE,
    lambda _context: ("Partitioning", "Real Application Clusters", "Flashback Database"),
    [text("PARAMETER", 64, lambda o: o), text("VALUE", 64, lambda o: "FALSE"), container()],
)

VIEWS: tuple[View[Any], ...] = (VERSION, PRODUCT_COMPONENT_VERSION, OPTION)
