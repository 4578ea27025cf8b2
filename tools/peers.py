"""Programs that others wrote, as independent judges: imitations of Stripe, clients of
xAPI, verifiers of credentials.

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
CREDENTIALS = (
    "@digitalbazaar/vc@7.3.0",
    "@digitalbazaar/data-integrity@2.5.0",
    "@digitalbazaar/eddsa-rdfc-2022-cryptosuite@1.3.0",
    "@digitalbazaar/vc-bitstring-status-list@2.0.1",
    "@digitalbazaar/ed25519-multikey@1.3.1",
)
XAPI_CLIENTS = ("tincanjs@0.50.0", "@xapi/xapi@3.0.3")


def provide_peers() -> dict[str, str]:
    """Install what is missing; gives the variables that lead the tests to the peers."""
    found: dict[str, str] = {}
    for name, provide in (
        ("LMS_PEER_LOCALSTRIPE", provide_localstripe),
        ("LMS_PEER_EMULATE", provide_emulate),
        ("LMS_PEER_XAPI_CLIENTS", provide_xapi_clients),
        ("LMS_PEER_CREDENTIALS", provide_credentials),
    ):
        try:
            found[name] = str(provide())
        except Problem as problem:
            warn(f"{problem}\nThe tests against this peer are skipped.")
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
    folder, node_folder = _install("emulate", "emulate, for the payment tests", EMULATE)
    start = folder / "node_modules" / ".bin" / "emulate"
    path = f"{node_folder}{os.pathsep}$PATH"
    return _program(folder / "emulate", f'PATH="{path}" exec "{start}" "$@"')


def provide_xapi_clients() -> Path:
    """A program that runs a script with Node, which finds the packages by `require`."""
    folder, node_folder = _install("xapi-clients", "clients of xAPI, for its tests", *XAPI_CLIENTS)
    packages = folder / "node_modules"
    return _program(folder / "node", f'NODE_PATH="{packages}" exec "{node_folder / "node"}" "$@"')


def provide_credentials() -> Path:
    """A program that runs a script with Node, which finds the verifier of credentials."""
    what = "a verifier of credentials, for the tests of certificates"
    folder, node_folder = _install("credentials", what, *CREDENTIALS)
    packages = folder / "node_modules"
    return _program(folder / "node", f'NODE_PATH="{packages}" exec "{node_folder / "node"}" "$@"')


def _install(name: str, what: str, *packages: str) -> tuple[Path, Path]:
    """The folder with npm packages, and the folder of Node."""
    folder = FOLDER / name
    mark = folder / "+".join(package.replace("/", "-") for package in packages)
    node, npm, env = node_programs()
    if not mark.exists():
        folder.mkdir(parents=True, exist_ok=True)
        (folder / "package.json").write_text('{"private": true}\n', encoding="utf-8")
        run_step(
            f"Installing {what}",
            [node, npm, "install", "--prefix", folder, "--no-audit", "--no-fund", *packages],
            log=f"peer-{name}",
            env=env,
        )
        mark.touch()
    return folder, Path(node).parent


def _program(path: Path, command: str) -> Path:
    path.write_text(f"#!/bin/sh\n{command}\n", encoding="utf-8")
    path.chmod(0o755)
    return path
