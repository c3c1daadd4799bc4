# Copyright (c) 2026 hotbackup contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Which block sizes have buffers: DB_CACHE_SIZE for the standard one, DB_nK_CACHE_SIZE for the others.

A tablespace of a block size without buffers can neither be created, nor read, nor recovered (Administrator's
Guide, Specifying Nonstandard Block Sizes). A restored parameter file that lacks the parameter shows it.
"""

from __future__ import annotations

from oracle_simulator.errors import OracleError
from oracle_simulator.instance.parameters import Parameters

BLOCK_SIZES = (2048, 4096, 8192, 16384, 32768)
"""Block sizes of databases and tablespaces, in bytes."""


def pool_parameter(block_size: int) -> str:
    """The parameter that gives a nonstandard block size its buffers."""
    return f"db_{block_size // 1024}k_cache_size"


def pool_bytes(parameters: Parameters, block_size: int) -> int:
    """Memory for buffers of a block size, 0 when there are none."""
    if block_size == parameters.db_block_size:
        return parameters.integer("db_cache_size")
    return parameters.integer(pool_parameter(block_size)) if block_size in BLOCK_SIZES else 0


def buffer_count(parameters: Parameters) -> int:
    """How many blocks the buffer cache may hold, those of all sizes together."""
    return sum(pool_bytes(parameters, size) // size for size in BLOCK_SIZES)


def require_pool(parameters: Parameters, block_size: int) -> None:
    """Raises ORA-00379 when blocks of this size cannot be brought into memory."""
    if not pool_bytes(parameters, block_size):
        size = f"{block_size // 1024}K"
        raise OracleError(379, f"no free buffers available in buffer pool DEFAULT for block size {size}")


def check_pools(parameters: Parameters) -> None:
    """Raises ORA-00380 when the standard block size is given a pool of its own kind twice."""
    standard = parameters.db_block_size
    if standard in BLOCK_SIZES and parameters.integer(pool_parameter(standard)):
        size = f"{standard // 1024}K"
        text = f"cannot specify {pool_parameter(standard)} since {size} is the standard block size"
        raise OracleError(380, text)
