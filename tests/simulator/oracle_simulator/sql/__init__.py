# Copyright (c) 2026 hotbackup contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The SQL face of the simulated database: statements, queries, DML, sessions and views.

Nothing here keeps data: tables live in the blocks (``data``), state in the control file and the
instance (``instance``). The embedded SQL engine only looks at rows taken from there.
"""
