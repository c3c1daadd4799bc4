# Copyright (c) 2026 hotbackup contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Oracle's files as bytes: envelopes as Oracle writes them, bodies that are our own.

Nothing here knows an instance, a transaction or SQL. Every module turns values into bytes and back; the
classes that hold a file descriptor only read and write whole blocks. Damage is reported by exceptions of
this package (``RedoCorrupt``, ``ControlFileCorrupt``...) or by ``OSError``; saying "ORA-" is the
business of whoever asked.
"""
