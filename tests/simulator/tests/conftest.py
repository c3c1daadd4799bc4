# Copyright (c) 2026 hotbackup contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Running databases for every test of the simulated instance."""

from __future__ import annotations

from oracle_simulator.testing import database, make_database

__all__ = ["database", "make_database"]
