#!/usr/bin/env python3
"""Every command for working with Puente: `python3 dev.py --help` lists them.

Needs nothing but Python 3.11 and the standard library. What it does not find it sets up:
the virtual environment, the packages, the front-end files, the compiled translations.
The work itself is done by the modules in tools/.
"""

import os
import shutil
import subprocess
import sys

OLDEST_PYTHON = (3, 11)


def use_a_new_enough_python() -> None:
    """Start again under a newer Python if there is one; otherwise say what is needed."""
    if sys.version_info >= OLDEST_PYTHON:
        return
    for name in ("python3.14", "python3.13", "python3.12", "python3.11"):
        newer = shutil.which(name)
        # a version manager's stand-in may be there without the Python behind it
        if newer and subprocess.call([newer, "-c", ""], stderr=subprocess.DEVNULL) == 0:
            os.execv(newer, [newer, *sys.argv])
    sys.exit(
        f"Puente needs Python 3.11 or newer; this is Python {sys.version.split()[0]}.\n"
        "Install a newer one (Debian and Ubuntu: sudo apt-get install python3.11, "
        "macOS: brew install python) and start this command with it."
    )


if __name__ == "__main__":
    if os.name == "nt":
        sys.exit("Puente runs on Linux and macOS. On Windows, use it inside WSL.")
    use_a_new_enough_python()

    from tools.commands import main

    sys.exit(main(sys.argv[1:]))
