# Copyright (c) 2026 hotbackup contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Tables, tablespaces, users and transactions: the logical layer on the blocks of the instance.

All of it lives in blocks: what is in memory here is only an index into them, rebuilt when the database
opens. Changes are planned under the latch of the instance as a :class:`~oracle_simulator.data.plan.ChangePlan`
and written as one atomic piece of redo. Blocks never hold uncommitted rows: a transaction keeps its
changes to itself until it commits (we have no undo).
"""
