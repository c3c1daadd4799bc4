# Copyright (c) 2026 hotbackup contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The parser that ``grammar.lark`` describes, kept beside the compiled modules: building it takes longer than
everything else a start does."""

from __future__ import annotations

import contextlib
import functools
import hashlib
import io
import os
import re
import sys
from importlib.metadata import version
from pathlib import Path

from lark import Lark

_GRAMMAR = Path(__file__).with_name("grammar.lark")
_DEFINED = frozenset(
    ["NAME", "QUOTED", "STRING", "INT", "SIZE", "SIGNED", "DECIMAL", "OTHER", "WS", "SIZE_KW", "NAME_KW"]
)


@functools.lru_cache(maxsize=1)
def parser() -> Lark:
    """The parser, from the file an earlier process left when it is of this very grammar."""
    grammar = _GRAMMAR.read_text(encoding="utf-8")
    kept = _GRAMMAR.parent / "__pycache__" / f"grammar-{_fingerprint(grammar)}"
    with contextlib.suppress(FileNotFoundError), kept.open("rb") as stream:
        return Lark.load(stream)
    built = _build(grammar)
    # whoever may not write here builds it every time, as Python does with its modules
    with contextlib.suppress(OSError):
        _keep(built, kept)
    return built


def _fingerprint(grammar: str) -> str:
    parts = (grammar, Path(__file__).read_text(encoding="utf-8"), sys.version, version("lark"))
    return hashlib.sha256("\0".join(parts).encode()).hexdigest()[:16]


def _build(grammar: str) -> Lark:
    """The grammar with its keywords: every capitalised word it uses and does not define is one."""
    rules = "\n".join(
        line for line in grammar.splitlines() if not re.match(r"\s*(//|%|(\w+)(\.-?\d+)?: [/\"])", line)
    )
    words = set(re.findall(r"(?<![\w-])[A-Z][A-Z_]*(?![\w\"])", rules)) - _DEFINED
    keywords = "\n".join(f"{word}: /{word}(?![A-Za-z0-9_$#])/i" for word in sorted(words))
    return Lark(
        grammar + "\n" + keywords,
        parser="lalr",
        lexer="contextual",
        propagate_positions=True,
        maybe_placeholders=False,
    )


def _keep(built: Lark, path: Path) -> None:
    content = io.BytesIO()
    built.save(content)
    path.parent.mkdir(exist_ok=True)
    unfinished = path.with_name(f"{path.name}.{os.getpid()}")
    unfinished.write_bytes(content.getvalue())
    unfinished.replace(path)
