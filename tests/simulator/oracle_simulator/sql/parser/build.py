# Copyright (c) 2026 hotbackup contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""From the parse tree of ``grammar.lark`` to the values of ``statements``: one method per grammar rule."""

from __future__ import annotations

from lark import Token, Tree
from lark.exceptions import VisitError

from oracle_simulator.errors import OracleError
from oracle_simulator.sql.parser import statements as st
from oracle_simulator.sql.parser.build_objects import ObjectRules


class StatementBuilder:
    """Builds the statement of one text."""

    def __init__(self, text: str) -> None:
        self._text = text

    def build(self, tree: Tree[Token]) -> st.Statement:
        try:
            result: st.Statement = ObjectRules(self._text).transform(tree)
        except VisitError as problem:
            if isinstance(problem.orig_exc, OracleError):
                raise problem.orig_exc from None
            raise
        return result
