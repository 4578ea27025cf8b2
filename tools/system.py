"""Programs and libraries that come from the operating system, not from Python.

Each is looked for by what it does (the library loads, the program is there), so that it counts
wherever it came from. What is missing is installed where that is possible without asking: on
Debian and its relatives, as root or with sudo. Elsewhere the command to type is shown.
"""

import contextlib
import ctypes
import importlib.util
import json
import os
import shutil
import sys
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from tools.console import Problem, answer, run_step, say
from tools.places import BREW_PREFIXES, environment, venv_program

CHROMIUM_NAMES = (
    "chromium-headless-shell",  # the same without windows: it needs a third less processor time
    "chromium",
    "chromium-browser",
    "google-chrome",
    "google-chrome-stable",
    "/Applications/Chromium.app/Contents/MacOS/Chromium",
    "/Applications/Google Chrome.app/Contents/MacOS/Google Chrome",
)


def has_library(*names: str) -> bool:
    """Whether one of these shared libraries loads, Homebrew's folders included."""
    folders = ["", *(f"{prefix}/lib/" for prefix in BREW_PREFIXES)]
    for name in names:
        for folder in folders:
            try:
                ctypes.CDLL(folder + name)
            except OSError:
                continue
            return True
    return False


def has_fonts() -> bool:
    """Whether any font is installed that a certificate can be set in."""
    return sys.platform == "darwin" or has_font_file("*.[ot]tf")


def has_font_file(pattern: str) -> bool:
    """Whether a font file of this name lies where systems keep them."""
    folders = [Path("/usr/share/fonts"), Path("/usr/local/share/fonts"), Path.home() / ".fonts"]
    folders.append(Path.home() / ".local/share/fonts")
    return any(next(folder.rglob(pattern), None) for folder in folders if folder.is_dir())


def find_chromium() -> str | None:
    """The path of a browser of the Chromium family; LMS_TEST_CHROMIUM goes before."""
    for name in (os.environ.get("LMS_TEST_CHROMIUM", ""), *CHROMIUM_NAMES):
        # Ubuntu's chromium-browser may be a script that only asks to install the snap
        if (found := shutil.which(name)) and not is_snap_stub(Path(found)):
            return found
    return None


def is_ubuntu() -> bool:
    """Whether this is Ubuntu or one of its relatives."""
    try:
        return "ubuntu" in Path("/etc/os-release").read_text(encoding="utf-8").lower()
    except OSError:
        return False


def is_snap_stub(program: Path) -> bool:
    """Whether a program is a script that only asks to install a snap."""
    with program.open("rb") as file:
        start = file.read(4096)
    return start.startswith(b"#!") and b"snap install chromium" in start


def find_postgresql(roots: Iterable[Path] | None = None) -> Path | None:
    """The newest folder that holds PostgreSQL's initdb and pg_ctl.

    roots: where to look besides PATH; Debian's and Homebrew's folders unless told.
    """
    initdb = shutil.which("initdb")
    if initdb and shutil.which("pg_ctl"):
        return Path(initdb).parent
    if roots is None:
        roots = [
            Path("/usr/lib/postgresql"),
            *(prefix / "opt" for prefix in BREW_PREFIXES),
            Path("/Applications/Postgres.app/Contents/Versions"),
        ]
    found = [
        folder
        for root in roots
        if root.is_dir()
        for folder in [*root.glob("*/bin"), *root.glob("postgresql*/bin")]
        if (folder / "initdb").exists() and (folder / "pg_ctl").exists()
    ]
    return max(found, key=lambda folder: version_in(folder.parent.name), default=None)


def version_in(name: str) -> float:
    """The version in a folder's name: 15 in "15" and in "postgresql@15", 0 without one."""
    digits = name.rpartition("@")[2]
    try:
        return float(digits)
    except ValueError:
        return 0.0


@dataclass(frozen=True)
class Need:
    """One thing that the operating system has to bring."""

    name: str
    purpose: str
    is_there: Callable[[], bool]
    debian: tuple[str, ...]
    brew: tuple[str, ...] = ()
    is_optional: bool = False


VENV = Need(
    "venv",
    "to create the virtual environment",
    lambda: importlib.util.find_spec("ensurepip") is not None,
    (f"python3.{sys.version_info.minor}-venv",),
    ("python",),
)
FOR_DEMO = (
    VENV,
    Need(
        "pango",
        "to write certificates and receipts as PDF",
        lambda: has_library("libpangoft2-1.0.so.0", "libpangoft2-1.0-0", "libpangoft2-1.0.dylib"),
        ("libpangoft2-1.0-0",),
        ("pango",),
    ),
    Need(
        "harfbuzz-subset",
        "to keep these PDF small",
        lambda: has_library("libharfbuzz-subset.so.0", "libharfbuzz-subset.dylib"),
        ("libharfbuzz-subset0",),
        ("harfbuzz",),
        is_optional=True,
    ),
    Need("fonts", "to set the text of certificates", has_fonts, ("fonts-dejavu-core",)),
    Need(
        "palatino",
        "to set certificates in the Palatino that Puente is designed with",
        lambda: sys.platform == "darwin" or has_font_file("P052*"),
        ("fonts-urw-base35",),
        is_optional=True,
    ),
)
FOR_TESTS = (
    Need(
        "chromium",
        "for the browser journeys",
        lambda: find_chromium() is not None,
        () if is_ubuntu() else ("chromium-headless-shell",),  # Ubuntu's asks for a snap
    ),
    Need(
        "postgresql",
        "to run the tests on PostgreSQL too",
        lambda: find_postgresql() is not None,
        ("postgresql",),
        ("postgresql",),
    ),
    Need(
        "redis",
        "to test several servers and workers together",
        lambda: shutil.which("redis-server") is not None,
        ("redis-server",),
        ("redis",),
    ),
    Need(
        "poppler",
        "to read what is written in a PDF",
        lambda: all(shutil.which(name) for name in ("pdftotext", "pdfinfo", "pdftoppm", "pdfsig")),
        ("poppler-utils",),
        ("poppler",),
    ),
)


def missing(needs: Sequence[Need]) -> list[Need]:
    """The needs that are not met."""
    return [need for need in needs if not need.is_there()]


def provide(needs: Sequence[Need]) -> list[Need]:
    """Install what is missing where that is possible; return what is missing still."""
    wanted = missing(needs)
    prefix = install_prefix()
    if not wanted or prefix is None:
        return wanted
    packages = [package for need in wanted for package in need.debian]
    if not packages:
        return wanted
    apt = [*prefix, "env", "DEBIAN_FRONTEND=noninteractive", "apt-get"]
    say(f"Missing: {', '.join(f'{need.name} ({need.purpose})' for need in wanted)}.")
    try:
        run_step("Reading the list of system packages", [*apt, "update"], log="apt-update")
    except Problem as problem:
        say(str(problem))  # an old list may still serve
    try:
        apt_install(apt, packages)
    except Problem as problem:
        say(str(problem))
        # one package that this system does not know must not keep the others out
        for need in wanted if len(wanted) > 1 else []:
            with contextlib.suppress(Problem):
                apt_install(apt, need.debian)
    importlib.invalidate_caches()
    return missing(wanted)


def apt_install(apt: Sequence[str], packages: Sequence[str]) -> None:
    """Install packages with Debian's package manager."""
    command = [*apt, "install", "-y", "--no-install-recommends", *packages]
    run_step(f"Installing system packages {' '.join(packages)}", command, log="apt-install")


def install_prefix() -> list[str] | None:
    """What to put before apt-get; None where packages cannot be installed from here."""
    if not shutil.which("apt-get"):
        return None
    if os.geteuid() == 0:
        return []
    if not shutil.which("sudo"):
        return None
    return ["sudo"] if sys.stdin.isatty() else ["sudo", "-n"]


def how_to_install(needs: Sequence[Need]) -> str:
    """The command to type for these needs on this machine."""
    if sys.platform == "darwin":
        lines = [f"brew install {name}" for need in needs for name in need.brew]
        return "\n".join(f"    {line}" for line in lines)
    packages = " ".join(package for need in needs for package in need.debian)
    if shutil.which("apt-get") and packages:
        return f"    sudo apt-get install {packages}"
    names = ", ".join(need.name for need in needs)
    return f"    with your system's package manager: {names} (on Debian: {packages})"


def require_for_demo() -> None:
    """Have all that the product itself needs, or stop with what to install."""
    left = [need for need in provide(FOR_DEMO) if not need.is_optional]
    if left:
        reasons = "\n".join(f"  - {need.name}: {need.purpose}" for need in left)
        raise Problem(
            f"Puente needs from the operating system:\n{reasons}\nInstall it, then run the same "
            f"command again:\n{how_to_install(left)}"
        )


def provide_playwright_chromium() -> str | None:
    """The Chromium that Playwright brings, downloaded if need be; for systems without a package."""
    code = (
        "from playwright.sync_api import sync_playwright as start\n"
        "with start() as playwright: print(playwright.chromium.executable_path)"
    )
    python = venv_program("python")
    path = answer([python, "-c", code])
    if path and not Path(path).exists():
        command = [python, "-m", "playwright", "install", "chromium"]
        if install_prefix() is not None:
            command.append("--with-deps")
        try:
            run_step("Downloading Chromium", command, log="chromium", env=environment())
        except Problem as problem:
            say(str(problem))
    return path if path and Path(path).exists() else None


def without_settings(env: Mapping[str, str]) -> dict[str, str]:
    """The variables without Puente's settings: tests never see the data or keys of the user."""
    return {
        name: value
        for name, value in env.items()
        if not name.startswith("LMS_") or name.startswith("LMS_TEST_")
    }


def test_environment(chromium: str | None, skips: Mapping[str, str]) -> dict[str, str]:
    """Variables that tell the tests where PostgreSQL and Chromium are, and what is not there.

    skips: what is missing -> why; the tests read it as JSON from LMS_TEST_SKIPS.
    """
    env = without_settings(environment())
    env["LMS_TEST_DATABASE"] = "sqlite"
    env["LMS_TEST_SKIPS"] = json.dumps(dict(skips))
    if chromium:
        env["LMS_TEST_CHROMIUM"] = chromium
    if (postgresql := find_postgresql()) and not shutil.which("initdb"):
        env["PATH"] = os.pathsep.join([env["PATH"], str(postgresql)])
    return env
