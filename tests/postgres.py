"""A throw-away PostgreSQL server for the tests; also as root, where initdb refuses to run."""

from __future__ import annotations

import os
import shutil
import subprocess
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any


def find_program(name: str) -> str | None:
    """A PostgreSQL program on the path or where Debian and Homebrew put it."""
    places = [
        *sorted(Path("/usr/lib/postgresql").glob("*/bin"), reverse=True),
        *sorted(Path("/opt/homebrew/opt").glob("postgresql@*/bin"), reverse=True),
    ]
    for place in places:
        if (place / name).exists():
            return str(place / name)
    return shutil.which(name)


@contextmanager
def postgres_server(*, is_durable: bool = False) -> Iterator[str]:
    """Start a server in a folder of its own; gives its SQLAlchemy address, stops it at the end.

    is_durable: writes reach the disk as in production, which tests have no time for.
    """
    initdb, pg_ctl = find_program("initdb"), find_program("pg_ctl")
    if not initdb or not pg_ctl:
        raise FileNotFoundError("PostgreSQL is not installed")
    folder = tempfile.mkdtemp(prefix="puente-pg-")
    runner: list[str] = []
    if os.geteuid() == 0:
        shutil.chown(folder, "postgres", "postgres")
        runner = ["runuser", "-u", "postgres", "--"]
    data = f"{folder}/data"
    quiet: Any = {"stdout": subprocess.DEVNULL, "stderr": subprocess.STDOUT}
    options = f"-k {folder} -c listen_addresses='' -c max_connections=100"
    if not is_durable:
        options += " -c fsync=off -c full_page_writes=off -c synchronous_commit=off"
    subprocess.run(
        [*runner, initdb, "-D", data, "-A", "trust", "-U", "puente", "--no-sync", "-E", "UTF8",
         "--locale=C.UTF-8"],
        check=True, cwd=folder, **quiet,
    )  # fmt: skip
    subprocess.run(
        [*runner, pg_ctl, "-D", data, "-w", "-l", f"{folder}/log", "-o", options, "start"],
        check=True, cwd=folder, **quiet,
    )  # fmt: skip
    try:
        yield f"postgresql+psycopg://puente@/postgres?host={folder}"
    finally:
        subprocess.run(
            [*runner, pg_ctl, "-D", data, "-m", "immediate", "stop"],
            check=False, cwd=folder, **quiet,
        )  # fmt: skip
        shutil.rmtree(folder, ignore_errors=True)
