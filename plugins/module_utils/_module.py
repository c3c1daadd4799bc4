# Copyright (c) 2026 hotbackup contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Between Ansible and the rest: option specs that compose, one way out for results and for failures.

Private to this collection: not an interface for other collections.
"""

from __future__ import annotations

import traceback
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from types import TracebackType
from typing import Any

from ansible.module_utils.basic import AnsibleModule
from ansible_collections.hotbackup.oracle.plugins.module_utils._backup.compression import (
    COMPRESSIONS,
    DEFAULT_LEVEL,
    LEVEL,
    NONE,
    THREADS,
)
from ansible_collections.hotbackup.oracle.plugins.module_utils._backup.errors import BackupError
from ansible_collections.hotbackup.oracle.plugins.module_utils._backup.limits import (
    NO_LIMIT_AT_ZERO,
    NOT_NEGATIVE,
    PORT,
    POSITIVE,
    Limit,
)
from ansible_collections.hotbackup.oracle.plugins.module_utils._backup.plain import plain
from ansible_collections.hotbackup.oracle.plugins.module_utils._backup.tuning import (
    BUFFER_BYTES,
    BYTES_PER_SECOND,
    DEFAULT_BUFFER_BYTES,
    NICE,
    STREAMS,
)
from ansible_collections.hotbackup.oracle.plugins.module_utils._oracle.connection import (
    ConnectionSettings,
    open_connection,
)
from ansible_collections.hotbackup.oracle.plugins.module_utils._oracle.gateway import Gateway
from ansible_collections.hotbackup.oracle.plugins.module_utils._oracle.local_instance import LocalInstance
from ansible_collections.hotbackup.oracle.plugins.module_utils._run.jmespath_query import (
    search as jmespath_search,
)

__all__ = [
    "ModuleContext",
    "OptionSpec",
    "connection_spec",
    "jmespath_search",
    "local_instance",
    "run_module",
    "selection_spec",
    "set_spec",
    "wait_spec",
    "whole_number",
    "whole_numbers",
]

_LIMIT = "limit"
"""Ours among the rules of an option; Ansible's own have no ranges."""


@dataclass(frozen=True)
class OptionSpec:
    """Options with the rules among them. ``a + b`` has the options and rules of both."""

    options: Mapping[str, Mapping[str, Any]] = field(default_factory=dict)
    mutually_exclusive: tuple[tuple[str, ...], ...] = ()
    required_together: tuple[tuple[str, ...], ...] = ()
    required_one_of: tuple[tuple[str, ...], ...] = ()
    required_if: tuple[tuple[Any, ...], ...] = ()
    required_by: Mapping[str, tuple[str, ...]] = field(default_factory=dict)

    def __add__(self, other: OptionSpec) -> OptionSpec:
        twice = sorted(set(self.options) & set(other.options))
        if twice:
            raise ValueError(f"options defined twice: {', '.join(twice)}")
        return OptionSpec(
            options={**self.options, **other.options},
            mutually_exclusive=self.mutually_exclusive + other.mutually_exclusive,
            required_together=self.required_together + other.required_together,
            required_one_of=self.required_one_of + other.required_one_of,
            required_if=self.required_if + other.required_if,
            required_by={**self.required_by, **other.required_by},
        )

    def create_module(self, *, supports_check_mode: bool = True) -> AnsibleModule:
        """Return the module with validated options; ends the process with a failed result if they are not
        valid.
        """
        return AnsibleModule(
            argument_spec=_without_limits(self.options),
            mutually_exclusive=[list(names) for names in self.mutually_exclusive],
            required_together=[list(names) for names in self.required_together],
            required_one_of=[list(names) for names in self.required_one_of],
            required_if=[list(rule) for rule in self.required_if],
            required_by={name: list(others) for name, others in self.required_by.items()},
            supports_check_mode=supports_check_mode,
        )

    def require_possible(self, params: Mapping[str, Any]) -> None:
        """Raises PreconditionError for the first number beyond its limit, with what it may be."""
        _require_possible(self.options, params)


def whole_number(limit: Limit, **rules: Any) -> dict[str, Any]:
    """The rules of an option that is a number within ``limit``; ``rules`` are Ansible's further ones."""
    return {"type": "int", _LIMIT: limit, **rules}


def whole_numbers(limit: Limit, **rules: Any) -> dict[str, Any]:
    """The same for a list of them."""
    return {"type": "list", "elements": "int", _LIMIT: limit, **rules}


def _without_limits(options: Mapping[str, Mapping[str, Any]]) -> dict[str, dict[str, Any]]:
    return {
        name: {
            key: _without_limits(rule) if key == "options" else rule
            for key, rule in rules.items()
            if key != _LIMIT
        }
        for name, rules in options.items()
    }


def _require_possible(options: Mapping[str, Mapping[str, Any]], values: Mapping[str, Any]) -> None:
    for name, rules in options.items():
        value = values.get(name)
        for item in value if isinstance(value, list) else [value]:
            if item is None:
                continue
            if _LIMIT in rules:
                rules[_LIMIT].require(name, item)
            if "options" in rules:
                _require_possible(rules["options"], item)


def connection_spec() -> OptionSpec:
    """How to reach a database: the options of the doc fragment ``_connection``."""
    return OptionSpec(
        options={
            "login_host": {"type": "str", "default": "127.0.0.1"},
            "login_port": whole_number(PORT, default=1521),
            "login_service": {"type": "str"},
            "login_sid": {"type": "str"},
            "login_dsn": {"type": "str"},
            "login_user": {"type": "str"},
            "login_password": {"type": "str", "no_log": True},
            "login_mode": {
                "type": "str",
                "choices": ["normal", "sysdba", "sysbackup", "sysoper"],
                "default": "normal",
            },
            "login_driver": {"type": "str", "choices": ["thin", "thick"], "default": "thin"},
            "login_connect_timeout": whole_number(POSITIVE, default=30),
            "login_call_timeout": whole_number(NO_LIMIT_AT_ZERO, default=300),
            "oracle_home": {"type": "path"},
            "oracle_sid": {"type": "str"},
        },
        # Checked before defaults are filled in, so that only what the user wrote counts.
        mutually_exclusive=(
            ("login_service", "login_sid", "login_dsn"),
            ("login_host", "login_dsn"),
            ("login_port", "login_dsn"),
        ),
        required_if=(
            ("login_driver", "thin", ("login_service", "login_sid", "login_dsn"), True),
            ("login_driver", "thin", ("login_user", "login_password")),
        ),
        required_by={"login_user": ("login_password",), "login_password": ("login_user",)},
    )


def set_spec() -> OptionSpec:
    """Where a set is: the options of the doc fragment ``_set``."""
    return OptionSpec(
        options={
            "destination": {"type": "path", "required": True},
            "set_id": {"type": "str", "required": True},
        }
    )


def selection_spec() -> OptionSpec:
    """Which tablespaces are meant: the options that :func:`select_tablespaces` takes."""
    return OptionSpec(
        options={
            "tablespaces": {"type": "list", "elements": "str", "default": []},
            "exclude": {"type": "list", "elements": "str", "default": []},
            "query": {"type": "str", "default": ""},
        }
    )


def streams_spec() -> OptionSpec:
    """How files are copied: the options of the doc fragment ``_streams``, for :class:`CopyTuning`."""
    return OptionSpec(
        options={
            "streams": whole_number(STREAMS, default=4),
            "buffer_bytes": whole_number(BUFFER_BYTES, default=DEFAULT_BUFFER_BYTES),
            "max_bytes_per_second": whole_number(BYTES_PER_SECOND, default=0),
            "nice": whole_number(NICE, default=0),
            "io_class": {"type": "str", "choices": ["best_effort", "idle"]},
        }
    )


def reflink_spec() -> OptionSpec:
    """Whether copies may share blocks: the option of the doc fragment ``_streams.reflink``, for the same class."""
    return OptionSpec(options={"reflink": {"type": "bool", "default": False}})


def compression_spec() -> OptionSpec:
    """How copies are stored: the options that :class:`Compression` takes."""
    return OptionSpec(
        options={
            "compression": {"type": "str", "choices": list(COMPRESSIONS), "default": NONE},
            "compression_level": whole_number(LEVEL, default=DEFAULT_LEVEL),
            "compression_threads": whole_number(THREADS, default=0),
        }
    )


def wait_spec(timeout: int = 900, interval: int = 1) -> OptionSpec:
    """How long to wait: the options of the doc fragment ``_wait``; other defaults the module documents
    itself.
    """
    return OptionSpec(
        options={
            "wait": {"type": "bool", "default": True},
            "wait_timeout": whole_number(NOT_NEGATIVE, default=timeout),
            "wait_interval": whole_number(POSITIVE, default=interval),
        }
    )


class ModuleContext:
    """What a module's body gets: options, mode, connections, and the record of what was executed."""

    def __init__(self, module: AnsibleModule, name: str) -> None:
        self.module = module
        self.name = name
        self.statements: list[str] = []

    @property
    def params(self) -> dict[str, Any]:
        params: dict[str, Any] = self.module.params
        return params

    @property
    def check_mode(self) -> bool:
        return bool(self.module.check_mode)

    @property
    def connection_settings(self) -> ConnectionSettings:
        """The connection options as a value. Raises PreconditionError."""
        return ConnectionSettings.from_params(self.params)

    def warn(self, text: str) -> None:
        self.module.warn(text)

    def connect(self, action: str | None = None) -> Gateway:
        """Return a session whose statements are on this module's record, also if the module fails.

        ``action`` is what V$SESSION shows beside the collection's name, the module's name by default. Use as
        a context manager. Raises ConnectError.
        """
        gateway = open_connection(self.connection_settings, action=action or self.name)
        gateway.statements = self.statements
        return gateway


def local_instance(context: ModuleContext) -> LocalInstance:
    """The instance that O(oracle_home) and O(oracle_sid) name, driven through Ansible's own way to run
    programs.
    """

    def run_command(
        arguments: list[str], standard_input: str, environment: Mapping[str, str]
    ) -> tuple[int, str, str]:
        status, out, err = context.module.run_command(
            arguments, data=standard_input, environ_update=dict(environment)
        )
        return status, out, err

    return LocalInstance(context.params["oracle_home"], context.params["oracle_sid"], run_command)


Body = Callable[[ModuleContext], Mapping[str, Any]]


def run_module(name: str, spec: OptionSpec, body: Body, *, supports_check_mode: bool = True) -> None:
    """Run a module: options in, ``body``'s result or its failure out. Never returns normally under Ansible.

    A failure that is explained carries ``msg``, ``oracle_error`` (null without one), ``statements`` and the
    error's details; an unexpected one its traceback as ``exception``.
    """
    context = ModuleContext(spec.create_module(supports_check_mode=supports_check_mode), name)
    with _FailureBoundary(context):
        spec.require_possible(context.params)
        result = plain(body(context))
    context.module.exit_json(**result)


class _FailureBoundary:
    """The one place where an exception becomes a failed task; ``fail_json`` ends the process."""

    def __init__(self, context: ModuleContext) -> None:
        self._context = context

    def __enter__(self) -> None:
        return None

    def __exit__(
        self, kind: type[BaseException] | None, value: BaseException | None, trace: TracebackType | None
    ) -> None:
        if isinstance(value, BackupError):
            self._context.module.fail_json(msg=str(value), **self._outcome(value))
        elif isinstance(value, Exception):
            self._context.module.fail_json(
                msg=f"Unexpected failure of {self._context.name}: {type(value).__name__}: {value}",
                exception="".join(traceback.format_exception(kind, value, trace)),
                statements=list(self._context.statements),
            )

    def _outcome(self, error: BackupError) -> dict[str, Any]:
        details: dict[str, Any] = plain(error.details)
        details.pop("msg", None)
        return {
            **details,
            "oracle_error": error.oracle_error.as_result() if error.oracle_error else None,
            "statements": list(self._context.statements),
        }
