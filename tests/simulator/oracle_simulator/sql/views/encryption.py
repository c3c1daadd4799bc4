# Copyright (c) 2026 hotbackup contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Views of the keystore and of encrypted tablespaces."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from oracle_simulator.instance.control_file.control import DatafileRecord, TablespaceRecord
from oracle_simulator.instance.instance import Instance
from oracle_simulator.sql.views.definition import (
    MULTITENANT,
    Needs,
    View,
    ViewContext,
    container,
    number,
    text,
)

DEFAULT_ALGORITHM = "AES256"


def _wallets(context: ViewContext) -> list[Instance]:
    if not context.instance.readings.wallet_view_in_nomount:
        context.instance.require_mounted()
    return [context.instance]


ENCRYPTION_WALLET = View(
    "V$ENCRYPTION_WALLET",
    Needs.INSTANCE,
    _wallets,
    [
        text("WRL_TYPE", 20, lambda i: "FILE"),
        text("WRL_PARAMETER", 4000, lambda i: f"{i.keystore.folder}/"),
        text("STATUS", 30, lambda i: i.keystore.status),
        text("WALLET_TYPE", 20, lambda i: i.keystore.wallet_type, since=MULTITENANT),
        text("WALLET_ORDER", 9, lambda i: "SINGLE", since=MULTITENANT),
        text("KEYSTORE_MODE", 8, lambda i: "NONE", since=(18,)),
        text("FULLY_BACKED_UP", 9, lambda i: "UNDEFINED", since=MULTITENANT),
        container(),
    ],
)


@dataclass(frozen=True)
class _Encrypted:
    tablespace: TablespaceRecord
    file: DatafileRecord


def _encrypted(context: ViewContext) -> list[_Encrypted]:
    control = context.instance.control
    found = []
    for tablespace in control.tablespaces:
        file = next(iter(control.files_of(tablespace)), None)
        if file is not None and file.encryption_key:
            found.append(_Encrypted(tablespace, file))
    return found


ENCRYPTED_TABLESPACES = View(
    "V$ENCRYPTED_TABLESPACES",
    Needs.CONTROL_FILE,
    _encrypted,
    [
        number("TS#", lambda e: e.tablespace.number),
        text("ENCRYPTIONALG", 7, lambda e: e.tablespace.encryption or DEFAULT_ALGORITHM),
        text("ENCRYPTEDTS", 3, lambda e: "YES"),
        text("MASTERKEYID", 32, lambda e: e.file.encryption_key.upper()),
        text("STATUS", 10, lambda e: "NORMAL", since=MULTITENANT),
        container(lambda e: e.tablespace.con_id),
    ],
)

VIEWS: tuple[View[Any], ...] = (ENCRYPTION_WALLET, ENCRYPTED_TABLESPACES)
