# Copyright (c) 2026 hotbackup contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""PL/SQL: anonymous blocks and stored program units, interpreted.

``tokens`` and ``parser`` make a ``tree`` of a block; ``interpreter`` runs its statements. Expressions stay tokens:
``expressions`` puts the values of variables and of calls in their place and leaves the rest to the SQL engine, so that
operators and functions mean the same in both languages.
"""
