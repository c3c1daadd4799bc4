# Copyright (c) 2026 hotbackup contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Campaigns: many rounds of planned misfortune against the simulated instance, with seeds to repeat any of them.

    python -m campaigns [--runs N] [--seed N]

kills a database under load again and again (``make campaign-crash``). The clients' own notes say which commits were
acknowledged; exactly these must be there when the database is open again.
"""
