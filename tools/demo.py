"""The demo: is the port free, is this a data folder, start afresh."""

import errno
import os
import shutil
import socket
import subprocess
from pathlib import Path

from tools.console import Problem, say
from tools.places import ROOT, data_folder, environment, venv_program

# any of these tells that Puente made the folder
MARKS = ("puente.sqlite3", "secret_key", "demo.json")
# what holds people, courses and work to do; the signing key stays
DATABASES = ("puente.sqlite3", "queue.sqlite3", "limits.sqlite3")
CONTENTS = ("files", "mails", "demo.json")


def check_port(host: str, port: int) -> None:
    """Stop with a suggestion if nothing can listen at this address."""
    fault = port_fault(host, port)
    if fault == errno.EADDRINUSE:
        free = next((p for p in range(port + 1, port + 50) if not port_fault(host, p)), port + 50)
        raise Problem(
            f"Port {port} is taken by another program. Stop that program, or choose another port:\n"
            f"    python3 dev.py demo --port {free}"
        )
    if fault == errno.EACCES:
        raise Problem(f"Port {port} is kept for the administrator. Choose one above 1023.")
    if fault:
        raise Problem(
            f"Cannot listen at {host}:{port} ({os.strerror(fault)}). Is {host} an address of this "
            "machine? 127.0.0.1 serves this machine alone, 0.0.0.0 the network too."
        )


def port_fault(host: str, port: int) -> int:
    """The error number that listening at this address meets; 0 if it is free."""
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    with socket.socket(family) as listener:
        listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            listener.bind((host, port))
            listener.listen(1)
        except socket.gaierror:
            return errno.EADDRNOTAVAIL
        except OSError as error:
            return error.errno or errno.EINVAL
    return 0


def forget(folder: Path) -> None:
    """Delete database, files and queue of a data folder, after making sure that it is one."""
    if not folder.exists() or not any(folder.iterdir()):
        return
    if not any((folder / name).is_file() for name in MARKS):
        raise Problem(
            f"{folder} does not look like a data folder of Puente, so nothing was deleted. Is "
            "LMS_DATA_DIR right?"
        )
    for name in DATABASES:
        for suffix in ("", "-wal", "-shm", "-journal"):
            (folder / f"{name}{suffix}").unlink(missing_ok=True)
    for name in CONTENTS:
        path = folder / name
        if path.is_dir() and not path.is_symlink():
            shutil.rmtree(path)
        else:
            path.unlink(missing_ok=True)
    say(f"Starting afresh in {folder}.")


def start(host: str, port: int, *, reset: bool, has_worker: bool) -> None:
    """Load the demo and become its server, until Ctrl-C. Does not return."""
    folder = data_folder()
    if reset and os.environ.get("LMS_DATABASE_URL"):
        raise Problem(
            "--reset starts the built-in database afresh, but LMS_DATABASE_URL names another one. "
            "Empty that one yourself, or unset the variable."
        )
    if reset:
        forget(folder)
    env = demo_environment(host, port)
    lms = venv_program("lms")
    for command in (["init"], ["demo"]):
        if subprocess.run([lms, *command], cwd=ROOT, env=env, check=False).returncode:
            raise Problem(
                f"`lms {' '.join(command)}` failed; the lines above say why. "
                "`python3 dev.py demo --reset` starts with empty data."
            )
    check_port(host, port)
    arguments = ["run", "--host", host, "--port", str(port)]
    arguments += [] if has_worker else ["--no-worker"]
    os.chdir(ROOT)
    os.execve(lms, [lms, *arguments], env)


def demo_environment(host: str, port: int) -> dict[str, str]:
    """The variables of a demo; what the user set himself goes before."""
    shown = "127.0.0.1" if host in ("0.0.0.0", "::", "") else host
    address = f"[{shown}]" if ":" in shown else shown
    return {"LMS_DEMO": "true", "LMS_BASE_URL": f"http://{address}:{port}", **environment()}
