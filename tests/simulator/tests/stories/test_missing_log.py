# Copyright (c) 2026 hotbackup contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Recovery of everything while one archived log cannot be found."""

from __future__ import annotations

from .dba import Dba


def test_recovery_asks_for_a_missing_log_until_it_is_given(dba: Dba) -> None:
    for step in (Dba.start_load, Dba.rolling_windows, Dba.archive_log_current, Dba.keep_archived_logs):
        step(dba)
    spare = dba.kept / "spare"
    (dba.kept / "redo").rename(spare)
    (dba.kept / "redo").mkdir()
    for step in (Dba.three_more_switches, Dba.lose_an_archived_log, Dba.crash):
        step(dba)
    for step in (Dba.lose_datafiles, Dba.put_datafiles_back, Dba.start_mounted):
        step(dba)
    assert dba.refusal("ALTER DATABASE RECOVER AUTOMATIC DATABASE")[0] == 279
    for _again in range(2):
        assert {279, 308} <= set(dba.refusal("ALTER DATABASE RECOVER CONTINUE DEFAULT"))
    assert 308 in dba.refusal("ALTER DATABASE RECOVER LOGFILE '/nonexistent/1_1.arc'")
    for log in sorted(spare.iterdir()):
        if not (dba.database.home.archive_folder / log.name).exists():
            missing = log
    codes = dba.refusal(f"ALTER DATABASE RECOVER LOGFILE '{missing}'")
    while codes:
        assert codes[0] == 279, codes
        codes = dba.refusal("ALTER DATABASE RECOVER CONTINUE DEFAULT")
    dba.open()
    assert not dba.load.lost(dba.rows())
