# Copyright (c) 2026 hotbackup contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Users and what they are granted. Each change is one atomic, durable change of the dictionary.

Passwords never come here: the caller makes the verifier.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from oracle_simulator.data.dictionary import DEFAULT_PERMANENT, DEFAULT_TEMPORARY, Dictionary
from oracle_simulator.data.plan import Cancelled, ChangePlan, make_change
from oracle_simulator.data.system_tables import FIRST_USER_ID, PrivilegeRow, UserRow
from oracle_simulator.data.table_ddl import plan_drop
from oracle_simulator.errors import OracleError
from oracle_simulator.net.backend import Verifier

_RESERVED = ("SYS", "PUBLIC")


def create_user(
    dictionary: Dictionary,
    name: str,
    verifier: Verifier,
    default_tablespace: str | None = None,
    temporary_tablespace: str | None = None,
    locked: bool = False,
    cancelled: Cancelled | None = None,
    common: bool = False,
) -> None:
    """Create a user, in the root of a CDB a ``common`` one. Raises ORA-01920 (name in use), ORA-00959."""

    def planner(plan: ChangePlan) -> None:
        if name in _RESERVED or dictionary.find_user(name) is not None:
            raise OracleError(1920, f"user name '{name}' conflicts with another user or role name")
        default = default_tablespace or dictionary.property(DEFAULT_PERMANENT, "USERS")
        temporary = temporary_tablespace or dictionary.property(DEFAULT_TEMPORARY, "TEMP")
        for tablespace in (default, temporary):
            dictionary.find_tablespace(tablespace)
        user_id = max((user.user_id for user in dictionary.user_rows), default=FIRST_USER_ID - 1) + 1
        created = dictionary.instance.wall_clock.second()
        secret = (verifier.salt, verifier.pw_key, verifier.rounds)
        dictionary.user_rows.insert(
            plan, UserRow(user_id, name, *secret, default, temporary, locked, created, common)
        )

    make_change(dictionary.instance, planner, cancelled)


def alter_user(
    dictionary: Dictionary,
    name: str,
    verifier: Verifier | None = None,
    default_tablespace: str | None = None,
    temporary_tablespace: str | None = None,
    locked: bool | None = None,
    cancelled: Cancelled | None = None,
    container_data: str | None = None,
) -> None:
    """Change what is given of a user. Raises ORA-01918 (no such user), ORA-00959."""

    def planner(plan: ChangePlan) -> None:
        old = _existing(dictionary, name)
        new = old
        if verifier is not None:
            new = replace(new, salt=verifier.salt, pw_key=verifier.pw_key, rounds=verifier.rounds)
        if default_tablespace is not None:
            dictionary.find_tablespace(default_tablespace)
            new = replace(new, default_tablespace=default_tablespace)
        if temporary_tablespace is not None:
            dictionary.find_tablespace(temporary_tablespace)
            new = replace(new, temporary_tablespace=temporary_tablespace)
        if locked is not None:
            new = replace(new, locked=locked)
        if container_data is not None:
            new = replace(new, container_data=container_data)
        dictionary.user_rows.replace(plan, old, new)

    make_change(dictionary.instance, planner, cancelled)


def drop_user(
    dictionary: Dictionary, name: str, cascade: bool = False, cancelled: Cancelled | None = None
) -> None:
    """Drop a user, with ``cascade`` the tables too. Raises ORA-01918, ORA-01922 (tables are there), ORA-00054."""

    def planner(plan: ChangePlan) -> None:
        user = _existing(dictionary, name)
        tables = dictionary.tables(name)
        if tables and not cascade:
            raise OracleError(1922, f"CASCADE must be specified to drop '{name}'")
        for table in tables:
            if dictionary.in_use(table):
                raise OracleError(54, "resource busy and acquire with NOWAIT specified or timeout expired")
            plan_drop(dictionary, plan, table)
        for unit in dictionary.source_rows.where(owner=name):
            dictionary.source_rows.delete(plan, unit)
        for privilege in dictionary.privilege_rows.where(grantee=name):
            dictionary.privilege_rows.delete(plan, privilege)
        dictionary.user_rows.delete(plan, user)
        plan.on_success.append(dictionary.refresh)

    make_change(dictionary.instance, planner, cancelled)


def grant(
    dictionary: Dictionary,
    privileges: Sequence[str],
    grantees: Sequence[str],
    target: tuple[str, str] | None = None,
    cancelled: Cancelled | None = None,
    common: bool = False,
) -> None:
    """Grant system privileges and roles or, with ``target`` (owner, object), privileges on an object; in the root
    of a CDB with ``common`` for all containers.

    Raises ORA-01917 (no such user).
    """
    owner, name = target or (None, None)

    def planner(plan: ChangePlan) -> None:
        for grantee in grantees:
            _check_grantee(dictionary, grantee)
            for privilege in privileges:
                row = PrivilegeRow(grantee, privilege, owner, name, common)
                if row not in list(dictionary.privilege_rows):
                    dictionary.privilege_rows.insert(plan, row)

    make_change(dictionary.instance, planner, cancelled)


def revoke(
    dictionary: Dictionary,
    privileges: Sequence[str],
    grantees: Sequence[str],
    target: tuple[str, str] | None = None,
    cancelled: Cancelled | None = None,
    common: bool = False,
) -> None:
    """Take privileges back. Raises ORA-01917, ORA-01952 (not granted; ORA-01927 on an object)."""
    owner, name = target or (None, None)

    def planner(plan: ChangePlan) -> None:
        for grantee in grantees:
            _check_grantee(dictionary, grantee)
            for privilege in privileges:
                row = dictionary.privilege_rows.find(
                    grantee=grantee, privilege=privilege, owner=owner, object=name, common=common
                )
                if row is None and target is None:
                    raise OracleError(1952, f"system privileges not granted to '{grantee}'")
                if row is None:
                    raise OracleError(1927, "cannot REVOKE privileges you did not grant")
                dictionary.privilege_rows.delete(plan, row)

    make_change(dictionary.instance, planner, cancelled)


def _existing(dictionary: Dictionary, name: str) -> UserRow:
    user = dictionary.user_rows.find(name=name)
    if user is None:
        raise OracleError(1918, f"user '{name}' does not exist")
    return user


def _check_grantee(dictionary: Dictionary, name: str) -> None:
    if name not in _RESERVED and dictionary.find_user(name) is None:
        raise OracleError(1917, f"user or role '{name}' does not exist")
