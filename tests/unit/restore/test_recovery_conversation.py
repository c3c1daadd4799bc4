# Copyright (c) 2026 hotbackup contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The recovery conversation against scripted answers, worded as Oracle words them."""

from __future__ import annotations

from typing import Any

import pytest
from ansible_collections.hotbackup.oracle.plugins.module_utils._backup.errors import (
    OracleErrorInfo,
    OracleRefused,
    PreconditionError,
    VerificationError,
)
from ansible_collections.hotbackup.oracle.plugins.module_utils._oracle.gateway import oracle_error
from ansible_collections.hotbackup.oracle.plugins.module_utils._oracle.recovery import (
    Recovery,
    RecoveryTarget,
    recover_statement,
)
from ansible_collections.hotbackup.oracle.plugins.module_utils._oracle.recovery_answer import (
    DataFileNamed,
    LogRequest,
    Meaning,
    understand,
)


def needs(sequence: int, scn: int, *more: str) -> str:
    return "\n".join(
        [
            f"ORA-00279: change {scn} generated at 01/15/2026 02:00:00 needed for thread 1",
            f"ORA-00289: suggestion : /arch/1_{sequence}_99.dbf",
            f"ORA-00280: change {scn} for thread 1 is in sequence #{sequence}",
            *more,
        ]
    )


WRONG = "ORA-00310: archived log contains sequence 7; sequence 8 required\nORA-00334: archived log: '/a/7'"
GONE = "ORA-00308: cannot open archived log '/a/8'\nORA-27037: unable to obtain file status"
FUZZY = (
    "ORA-01547: warning: RECOVER succeeded but OPEN RESETLOGS would get error below\n"
    "ORA-01195: online backup of file 1 needs more recovery to be consistent\n"
    "ORA-01110: data file 1: '/u/system01.dbf'"
)
UNKNOWN = (
    "ORA-00283: recovery session canceled due to errors\n"
    "ORA-01244: unnamed datafile(s) added to control file by media recovery\n"
    "ORA-01110: data file 6: '/u/users02.dbf'"
)
NO_SESSION = "ORA-01112: media recovery not started"


class ScriptedGateway:
    """Answers each statement with the next of the script: a stack, or None for success."""

    def __init__(self, *script: str | None) -> None:
        self._script = list(script)
        self.statements: list[str] = []

    def execute(self, sql: str) -> None:
        self.statements.append(sql)
        stack = self._script.pop(0)
        if stack is not None:
            raise OracleRefused(stack, oracle_error=oracle_error(stack))


def recovery(
    gateway: Any, logs: dict[int, list[str]], target: RecoveryTarget | None = None, **more: Any
) -> Recovery:
    def find(request: LogRequest) -> list[str]:
        return logs.get(request.sequence or 0, [])

    def ignore(data_file: DataFileNamed) -> None:
        raise AssertionError(f"nothing was to be done about {data_file}")

    add, take_offline = more.pop("add", ignore), more.pop("take_offline", ignore)
    return Recovery(gateway, target or RecoveryTarget(), find, add, take_offline, **more)


def test_logs_are_given_by_name_until_recovery_is_complete() -> None:
    gateway = ScriptedGateway(
        needs(7, 100), needs(8, 200, "ORA-00278: log file '/a/7' no longer needed"), None
    )
    report = recovery(gateway, {7: ["/a/7"], 8: ["/a/8"]}).run()
    assert gateway.statements == [
        "ALTER DATABASE RECOVER DATABASE",
        "ALTER DATABASE RECOVER LOGFILE '/a/7'",
        "ALTER DATABASE RECOVER LOGFILE '/a/8'",
    ]
    assert report.applied_logs == ["/a/7", "/a/8"]


def test_a_log_that_oracle_refuses_is_not_offered_again_and_a_lost_session_is_begun_anew() -> None:
    gateway = ScriptedGateway(needs(8, 200), WRONG, NO_SESSION, needs(8, 200), None)
    report = recovery(gateway, {8: ["/a/wrong", "/a/also_wrong", "/a/8"]}).run()
    assert gateway.statements[1:] == [
        "ALTER DATABASE RECOVER LOGFILE '/a/wrong'",
        "ALTER DATABASE RECOVER LOGFILE '/a/also_wrong'",
        "ALTER DATABASE RECOVER DATABASE",
        "ALTER DATABASE RECOVER LOGFILE '/a/8'",
    ]
    assert report.applied_logs == ["/a/8"]


def test_a_file_that_vanished_leads_to_the_next_candidate() -> None:
    gateway = ScriptedGateway(needs(8, 200), GONE, None)
    assert recovery(gateway, {8: ["/a/8", "/b/8"]}).run().applied_logs == ["/b/8"]


def test_missing_redo_ends_the_session_and_names_thread_and_sequence() -> None:
    gateway = ScriptedGateway(needs(8, 200), None)
    with pytest.raises(PreconditionError, match="thread 1, sequence 8, SCN 200") as caught:
        recovery(gateway, {}).run()
    assert gateway.statements[-1] == "ALTER DATABASE RECOVER CANCEL"
    assert caught.value.details["missing_log"] == {"thread": 1, "sequence": 8, "scn": 200}


def test_stopping_before_the_end_of_the_backup_is_an_error() -> None:
    gateway = ScriptedGateway(needs(8, 200), FUZZY)
    with pytest.raises(VerificationError, match="ORA-01195"):
        recovery(gateway, {8: ["/a/8"]}, RecoveryTarget(through_scn=210)).run()


def test_until_cancel_ends_when_no_more_redo_is_found() -> None:
    gateway = ScriptedGateway(needs(8, 200), None)
    report = recovery(gateway, {}, RecoveryTarget(until_cancel=True)).run()
    assert report.cancelled
    assert gateway.statements == [
        "ALTER DATABASE RECOVER DATABASE UNTIL CANCEL",
        "ALTER DATABASE RECOVER CANCEL",
    ]


def test_a_file_created_by_redo_gets_a_place_and_recovery_goes_on() -> None:
    placed: list[str] = []
    gateway = ScriptedGateway(needs(8, 200), UNKNOWN, needs(8, 200), None)
    report = recovery(gateway, {8: ["/a/8"]}, add=lambda data_file: placed.append(data_file.path)).run()
    assert placed == ["/u/users02.dbf"]
    assert gateway.statements[2] == "ALTER DATABASE RECOVER DATABASE"
    assert report.created_files == placed


def test_an_older_control_file_is_noticed_and_named_in_the_statement() -> None:
    stack = (
        "ORA-00283: recovery session canceled due to errors\n"
        "ORA-01610: recovery using the BACKUP CONTROLFILE option must be done"
    )
    gateway = ScriptedGateway(stack, None)
    assert recovery(gateway, {}).run().using_backup_control_file
    assert gateway.statements[-1] == "ALTER DATABASE RECOVER DATABASE USING BACKUP CONTROLFILE"


def test_read_only_files_are_set_aside_for_a_backup_control_file() -> None:
    stack = (
        "ORA-00283: recovery session canceled due to errors\n"
        "ORA-01233: file 7 is read only - cannot recover using backup control file\n"
        "ORA-01110: data file 7: '/u/old01.dbf'"
    )
    aside: list[int] = []
    gateway = ScriptedGateway(stack, None)
    recovery(
        gateway, {}, take_offline=lambda file: aside.append(file.file_number), using_backup_control_file=True
    ).run()
    assert aside == [7]
    assert gateway.statements == ["ALTER DATABASE RECOVER DATABASE USING BACKUP CONTROLFILE"] * 2


@pytest.mark.parametrize("code", [1233, 1244])
def test_a_file_that_is_not_named_ends_the_conversation(code: int) -> None:
    gateway = ScriptedGateway(
        f"ORA-00283: recovery session canceled due to errors\nORA-{code:05d}: a file", None
    )
    with pytest.raises(PreconditionError, match="did not name"):
        recovery(gateway, {}).run()
    assert len(gateway.statements) == 1


def test_nothing_to_recover_is_success() -> None:
    stack = "ORA-00283: recovery session canceled due to errors\nORA-00264: no recovery required"
    assert recovery(ScriptedGateway(stack), {}).run().nothing_to_do


def test_a_stuck_recovery_is_raised_as_oracle_said_it() -> None:
    stack = (
        "ORA-00283: recovery session canceled due to errors\nORA-10562: Error occurred while applying redo"
    )
    with pytest.raises(OracleRefused, match="ORA-10562"):
        recovery(ScriptedGateway(stack), {}).run()


def test_until_change_is_one_more_than_the_last_scn_wanted() -> None:
    statement = recover_statement(RecoveryTarget(through_scn=999), using_backup_control_file=True)
    assert statement == "ALTER DATABASE RECOVER DATABASE UNTIL CHANGE 1000 USING BACKUP CONTROLFILE"


def test_a_name_that_could_not_be_opened_does_not_look_like_an_applied_log() -> None:
    answer = understand(
        (279, 289, 280, 278, 308, 27037),
        needs(8, 200, "ORA-00278: log file '/a/8' no longer needed for this recovery", GONE),
    )
    assert answer.meaning is Meaning.NEEDS_LOG
    assert answer.request == LogRequest(200, 1, 8, "/arch/1_8_99.dbf")


@pytest.mark.parametrize("codes", [(283, 19909), (600,), (10562, 10564, 1110)])
def test_unknown_answers_are_failures(codes: tuple[int, ...]) -> None:
    info = OracleErrorInfo(codes[0], codes, "text")
    assert understand(info.codes, info.message).meaning is Meaning.FAILED
