"""Where things lie in the checkout, and the environment that commands run in."""

import os
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
STATE = ROOT / ".dev"
LOGS = STATE / "logs"
RESULTS = STATE / "results"
TRANSLATIONS = ROOT / "lms" / "translations"
DEFAULT_DATA = ROOT / "data"
BREW_PREFIXES = (Path("/opt/homebrew"), Path("/usr/local"), Path("/home/linuxbrew/.linuxbrew"))


def venv() -> Path:
    """The virtual environment: .venv in the checkout, or where LMS_VENV says."""
    return Path(os.path.abspath(ROOT / os.environ.get("LMS_VENV", ".venv")))


def venv_program(name: str) -> str:
    """The path of a program in the virtual environment."""
    return str(venv() / "bin" / name)


def data_folder() -> Path:
    """Where Puente keeps its data: LMS_DATA_DIR, or data/ in the checkout."""
    return Path(os.environ.get("LMS_DATA_DIR") or DEFAULT_DATA).expanduser().absolute()


def environment() -> dict[str, str]:
    """The variables for a program that runs inside the virtual environment."""
    env = dict(os.environ)
    env["VIRTUAL_ENV"] = str(venv())
    env["PATH"] = os.pathsep.join([str(venv() / "bin"), env.get("PATH", os.defpath)])
    env["LMS_DATA_DIR"] = str(data_folder())
    env.pop("PYTHONHOME", None)
    # each of the many processes that tests start would else compile the whole house anew
    env.pop("PYTHONDONTWRITEBYTECODE", None)
    if sys.platform == "darwin":
        # Python finds Homebrew's Pango only where this variable points to it
        libraries = [str(prefix / "lib") for prefix in BREW_PREFIXES if (prefix / "lib").is_dir()]
        fallback = env.get("DYLD_FALLBACK_LIBRARY_PATH")
        env["DYLD_FALLBACK_LIBRARY_PATH"] = ":".join(
            [*libraries, *([fallback] if fallback else [])]
        )
    return env
