"""Throw-away databases for the tests; PostgreSQL also as root, where initdb refuses to run."""

from __future__ import annotations

import os
import shutil
import subprocess
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from sqlalchemy import create_engine, text

from lms.config import Settings
from tools.system import find_postgresql


@contextmanager
def postgres_server(*, is_durable: bool = False) -> Iterator[str]:
    """Start a server in a folder of its own; gives its SQLAlchemy address, stops it at the end.

    is_durable: writes reach the disk as in production, which tests have no time for.
    """
    programs = find_postgresql()
    if programs is None:
        raise FileNotFoundError("PostgreSQL is not installed")
    initdb, pg_ctl = programs / "initdb", programs / "pg_ctl"
    folder = tempfile.mkdtemp(prefix="puente-pg-")
    runner: list[str] = []
    if os.geteuid() == 0:
        shutil.chown(folder, "postgres", "postgres")
        runner = ["runuser", "-u", "postgres", "--"]
    data = f"{folder}/data"
    quiet: Any = {"stdout": subprocess.DEVNULL, "stderr": subprocess.STDOUT}
    options = f"-k {folder} -c listen_addresses='' -c max_connections=100 -c jit=off"
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


@contextmanager
def own_database(settings: Settings, folder: Path, name: str, **changes: Any) -> Iterator[Settings]:
    """Settings of a fresh database on the same kind of server, with `changes`.

    For what cannot lie in the transaction that other tests are rolled back in.
    """
    values = settings.model_dump() | {"data_dir": folder} | changes
    if settings.is_sqlite:
        yield Settings(**values)
        return
    engine = create_engine(settings.sqlalchemy_url, isolation_level="AUTOCOMMIT")
    with engine.connect() as connection:
        connection.execute(text(f"CREATE DATABASE {name}"))
    assert settings.database_url is not None
    url = settings.database_url.replace("/postgres?", f"/{name}?")
    yield Settings(**(values | {"database_url": url}))
    with engine.connect() as connection:
        connection.execute(text(f"DROP DATABASE {name} WITH (FORCE)"))
    engine.dispose()
