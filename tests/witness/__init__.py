# Copyright (c) 2026 hotbackup contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The witness: a client whose commits are known one by one, so that a restore can be judged.

``model`` says which rows must exist after a given transaction, ``ledger`` keeps on the client's own
disk what was attempted and what was acknowledged, ``client`` is the program that works on a live
database, ``check`` compares a restored database with the ledger. Nothing here knows how backups are made.
"""
