"""Imitations of Stripe that others wrote, as independent judges of the payment tests.

They are no dependencies of Puente: each is installed apart, below .dev/, and only for the tests.
"""

import os
import sys
from pathlib import Path

from tools.console import Problem, run_step, warn
from tools.places import STATE
from tools.setup import node_programs

FOLDER = STATE / "peers"
LOCALSTRIPE = "localstripe==1.15.10"
EMULATE = "emulate@0.12.2"


def provide_peers() -> dict[str, str]:
    """Install what is missing; gives the variables that lead the tests to the peers."""
    found: dict[str, str] = {}
    for name, provide in (
        ("LMS_PEER_LOCALSTRIPE", provide_localstripe),
        ("LMS_PEER_EMULATE", provide_emulate),
    ):
        try:
            found[name] = str(provide())
        except Problem as problem:
            warn(f"{problem}\nThe payment tests against this peer are skipped.")
    return found


def provide_localstripe() -> Path:
    """A Python of its own that has localstripe."""
    python = FOLDER / "localstripe" / "bin" / "python"
    mark = FOLDER / "localstripe" / LOCALSTRIPE
    if not mark.exists():
        run_step(
            "Making an environment for localstripe",
            [sys.executable, "-m", "venv", "--clear", python.parent.parent],
            log="peer-venv",
        )
        run_step(
            "Installing localstripe, for the payment tests",
            [python, "-m", "pip", "install", "--quiet", LOCALSTRIPE],
            log="peer-localstripe",
        )
        mark.touch()
    return python


def provide_emulate() -> Path:
    """A program that starts emulate with the Node of Puente's environment."""
    folder = FOLDER / "emulate"
    program = folder / "emulate"
    mark = folder / EMULATE
    if not mark.exists():
        node, npm, env = node_programs()
        folder.mkdir(parents=True, exist_ok=True)
        (folder / "package.json").write_text('{"private": true}\n', encoding="utf-8")
        run_step(
            "Installing emulate, for the payment tests",
            [node, npm, "install", "--prefix", folder, "--no-audit", "--no-fund", EMULATE],
            log="peer-emulate",
            env=env,
        )
        start = folder / "node_modules" / ".bin" / "emulate"
        path = f"{Path(node).parent}{os.pathsep}$PATH"
        program.write_text(f'#!/bin/sh\nPATH="{path}" exec "{start}" "$@"\n', encoding="utf-8")
        program.chmod(0o755)
        mark.touch()
    return program
