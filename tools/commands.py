"""The commands of dev.py, and how their arguments are read."""

import argparse
import os
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Sequence
from pathlib import Path

from tools import demo, peers, setup, system
from tools.console import Problem, run_step, say, warn
from tools.places import LOGS, RESULTS, ROOT, environment, venv_program
from tools.stages import Runner, Stage, summary

UNIT = "not browser and not postgres"
# Rooms that no other needs, and where else there are tests that need them.
OPTIONAL_ROOMS: dict[str, tuple[str, ...]] = {
    "assessments": (),
    "pricing": (),
    "scholarships": (),
    "payments": ("tests/reports",),
    "forums": (),
    "ledger": (),
    "invoicing": (),
    "certificates": ("tests/reports",),
    "partners": (),
    "recognition": (),
    "recovery": (),
}
# Which of them a room needs.
STANDS_ON: dict[str, frozenset[str]] = {
    "scholarships": frozenset({"ledger", "pricing"}),
    "payments": frozenset({"ledger", "invoicing", "pricing", "scholarships"}),
    "partners": frozenset({"payments", "ledger", "invoicing", "pricing", "scholarships"}),
    "recognition": frozenset({"certificates"}),
    "recovery": frozenset(
        {"certificates", "payments", "ledger", "invoicing", "pricing", "scholarships"}
    ),
}
QUICK = "not browser and not postgres and not slow"
SHELL = """
from lms.app import create_app
from lms.core.db import db
app = create_app()
app.app_context().push()
print("At hand: app, db. Changes are kept only after db.session.commit().")
"""
WHAT_IS_LOST = {
    "chromium": "the browser journeys",
    "postgresql": "the tests on PostgreSQL",
    "redis": "the tests with several servers and workers",
    "poppler": "the tests that read a PDF",
}


def parser() -> argparse.ArgumentParser:
    """The command line. Arguments that a command hands on are not listed here."""
    top = argparse.ArgumentParser(
        prog="python3 dev.py", description="Set up, start, test and build Puente."
    )
    commands = top.add_subparsers(dest="command", required=True, metavar="COMMAND")

    def add(name: str, text: str) -> argparse.ArgumentParser:
        return commands.add_parser(name, help=text, description=text, allow_abbrev=False)

    start = add("demo", "Start Puente with starter courses and demo people.")
    start.add_argument("--port", type=port_number, default=8000, help="default: 8000")
    start.add_argument("--host", default="127.0.0.1", help="default: 127.0.0.1")
    start.add_argument("--reset", action="store_true", help="forget what was done, start afresh")
    start.add_argument("--no-worker", action="store_true", help="only the server")
    test = add("test", "Run all checks and tests; other arguments go to pytest, without checks.")
    test.add_argument("--quick", action="store_true", help="unit tests on SQLite, nothing else")
    add("lint", "Style, types, import contracts, templates, translations.")
    add("bench", "Measure pages, or `bench store`; arguments go to the benchmark.")
    add("lms", "Run the lms command, with its arguments.")
    add("shell", "Open a Python prompt inside Puente.")
    add("build", "Build the wheel into dist/.")
    words = add("translations", "Look after the message catalogues.")
    words.add_argument("action", choices=("extract", "update", "compile", "check"))
    migration = add("migration", "Write a migration from what changed in the models.")
    migration.add_argument("message", help='what changes, as in "Add a seal to credentials"')
    add("setup", "Set up everything that demo and test need, and stop.")
    add("clean", "Remove what the set-up made; data/ stays.")
    return top


def port_number(text: str) -> int:
    """A port from the command line."""
    port = int(text) if text.isdecimal() else 0
    if not 0 < port < 65536:
        raise argparse.ArgumentTypeError(f"{text} is not a port; take one from 1024 to 65535")
    return port


HANDS_ON = ("test", "bench")


def main(arguments: Sequence[str]) -> int:
    """Run one command; its exit code."""
    signal.signal(signal.SIGTERM, signal.default_int_handler)  # end what runs, then stop
    try:
        if arguments and arguments[0] == "lms":
            return run_lms(arguments[1:])
        options, rest = parser().parse_known_args(arguments)
        if rest and options.command not in HANDS_ON:
            parser().error(f"unrecognised arguments: {' '.join(rest)}")
        return run(options, rest)
    except Problem as problem:
        print(f"\n{problem}", file=sys.stderr, flush=True)
        return 1
    except KeyboardInterrupt:
        print("\nStopped.", file=sys.stderr)
        return 130


def run(options: argparse.Namespace, rest: Sequence[str]) -> int:
    """Do what one command asks for."""
    match options.command:
        case "demo":
            demo.check_port(options.host, options.port)
            set_up_product()
            demo.start(
                options.host, options.port, reset=options.reset, has_worker=not options.no_worker
            )
        case "test":
            return run_tests(quick=options.quick, chosen=rest)
        case "lint":
            set_up_tests()
            return finish(checks(environment()))
        case "bench":
            set_up_tests()
            of_store = rest[:1] == ["store"]
            module = "benchmarks.store" if of_store else "benchmarks"
            become([venv_program("python"), "-m", module, *rest[of_store:]])
        case "shell":
            set_up_product()
            become([venv_program("python"), "-i", "-c", SHELL])
        case "build":
            return build()
        case "translations":
            return look_after_translations(options.action)
        case "migration":
            return write_migration(options.message)
        case "setup":
            provide_for_tests()
            say("Ready: python3 dev.py demo, python3 dev.py test")
        case "clean":
            setup.clean()
    return 0


def set_up_product() -> None:
    """Have all that Puente needs to run."""
    system.require_for_demo()
    setup.set_up(setup.DEMO_EXTRAS)


def set_up_tests() -> None:
    """Have all that the checks and tests need from Python."""
    system.require_for_demo()
    setup.set_up(setup.TEST_EXTRAS)


def become(command: Sequence[str | Path], env: dict[str, str] | None = None) -> None:
    """Go on as another program, so that signals and the terminal are its own."""
    os.chdir(ROOT)
    sys.stdout.flush()
    os.execve(command[0], [str(part) for part in command], env or environment())


def run_lms(arguments: Sequence[str]) -> int:
    """Become the lms command."""
    set_up_product()
    become([venv_program("lms"), *arguments])
    return 0


# Tests


def in_ci() -> bool:
    """Whether this is a run of continuous integration."""
    return os.environ.get("CI", "").lower() not in ("", "0", "false", "no")


def provide_for_tests() -> tuple[str | None, dict[str, str]]:
    """Set up all that the tests need.

    Returns the path of Chromium, and what is missing still -> why.
    """
    left = system.provide(system.FOR_TESTS)
    set_up_tests()
    chromium = system.find_chromium() or system.provide_playwright_chromium()
    if chromium:
        left = [need for need in left if need.name != "chromium"]
    skips = {need.name: f"{need.name} is not installed" for need in left}
    if skips:
        lost = "\n".join(f"  - {WHAT_IS_LOST[name]}: {why}" for name, why in skips.items())
        text = f"These tests cannot run here:\n{lost}\nTo have them:\n{system.how_to_install(left)}"
        if in_ci():
            raise Problem(f"{text}\nIn CI (the variable CI is set) nothing may be skipped.")
        warn(text)
    return chromium, skips


def run_tests(*, quick: bool, chosen: Sequence[str]) -> int:
    """All checks and tests, or what was asked for. 0 only if all of it passed."""
    started = time.monotonic()
    if quick:
        set_up_tests()
        return run_quick(system.test_environment(None, {}), chosen, started)
    chromium, skips = provide_for_tests()
    env = system.test_environment(chromium, skips) | peers.provide_peers()
    stages = [
        stage_of_tests(
            "unit-postgresql",
            "Unit tests on PostgreSQL",
            "not browser and not sqlite",
            {**env, "LMS_TEST_DATABASE": "postgresql"},
            chosen,
            why_not=skips.get("postgresql", ""),
        ),
        stage_of_tests(
            "browser",
            "Browser journeys",
            "browser",
            env,
            chosen or ["tests/browser"],
            why_not=skips.get("chromium", ""),
        ),
    ]
    if chosen:
        stages.append(stage_of_tests("unit-sqlite", "Unit tests on SQLite", UNIT, env, chosen))
    else:
        stages += [*unit_tests_on_sqlite(env), *checks(env)]
    return finish(stages, started)


def stage_of_tests(
    name: str,
    title: str,
    marks: str,
    env: dict[str, str],
    chosen: Sequence[str],
    why_not: str = "",
) -> Stage:
    """One run of pytest over the tests with these marks."""
    return Stage(
        name,
        title,
        [venv_program("python"), "-m", "pytest", "-q", "-m", marks, *chosen],
        env,
        is_pytest=True,
        may_be_empty=bool(chosen),
        why_not=why_not,
    )


def unit_tests_on_sqlite(env: dict[str, str]) -> list[Stage]:
    """The house without any room that can be switched off, with one of them at a time, and whole.

    So each test runs once, in the emptiest house in which it must pass; PostgreSQL has them all in
    the whole house. The longest come first.
    """
    every = set(OPTIONAL_ROOMS)
    others = [f"--ignore=tests/{name}" for name in ("browser", *sorted(every))]
    rest = f"{UNIT} and (slow or needs)"
    runs: list[tuple[str, str, str, set[str], list[str]]] = [
        ("whole-house", "The whole house on SQLite", rest, set(), []),
        ("house-alone", "The house without its optional rooms", QUICK, every, others),
    ]
    runs += [
        (
            f"only-{room}",
            f"The house with {room} alone",
            QUICK,
            every - {room} - STANDS_ON.get(room, frozenset()),
            [f"tests/{room}", *more],
        )
        for room, more in OPTIONAL_ROOMS.items()
    ]
    return [
        stage_of_tests(
            name, title, marks, env | {"LMS_TEST_ROOMS_OFF": " ".join(sorted(off))}, chosen
        )
        for name, title, marks, off, chosen in runs
    ]


def run_quick(env: dict[str, str], chosen: Sequence[str], started: float) -> int:
    """Unit tests on SQLite, their output as it comes."""
    side_by_side = [] if chosen else ["-n", "2"]
    stage = stage_of_tests("quick", "Unit tests on SQLite", QUICK, env, [*side_by_side, *chosen])
    for folder in (LOGS, RESULTS):
        folder.mkdir(parents=True, exist_ok=True)
    stage.results.unlink(missing_ok=True)
    begun = time.monotonic()
    code = exit_code(stage.full_command(), dict(stage.env))
    stage.finish(code, time.monotonic() - begun)
    say(summary([stage], time.monotonic() - started))
    return 0 if stage.has_passed else 1


def exit_code(command: Sequence[str | Path], env: dict[str, str]) -> int:
    """Run a command in the checkout, its output as it comes."""
    return subprocess.run(command, cwd=ROOT, env=env, check=False).returncode


def checks(env: dict[str, str]) -> list[Stage]:
    """What is checked without running Puente."""
    python = venv_program("python")
    stages = [
        Stage("ruff", "Style", [python, "-m", "ruff", "check"], env),
        Stage("format", "Format", [python, "-m", "ruff", "format", "--check"], env),
        Stage("imports", "Import contracts", [venv_program("lint-imports")], env),
        Stage("types", "Types", [python, "-m", "mypy", "--strict", "lms"], env),
    ]
    if "[tool.djlint]" in (ROOT / "pyproject.toml").read_text(encoding="utf-8"):
        command = [python, "-m", "djlint", "lms", "--lint", "--quiet"]
        stages.append(Stage("templates", "Templates", command, env))
    command = [python, "tools/translations.py", "check"]
    stages.append(Stage("catalogues", "Translations", command, env))
    return stages


def finish(stages: Sequence[Stage], started: float | None = None) -> int:
    """Run the stages and print the summary; 0 if all passed and CI skipped nothing."""
    started = time.monotonic() if started is None else started
    has_passed = Runner().run(stages)
    skipped = sum(stage.counts.skipped for stage in stages)
    if skipped and in_ci():
        warn("Tests were skipped (see the summary), and in CI nothing may be skipped.")
        has_passed = False
    say(summary(stages, time.monotonic() - started))
    return 0 if has_passed else 1


# The other commands


def build() -> int:
    """Build the wheel, front-end files included."""
    set_up_product()
    command = [
        venv_program("python"),
        *("-m", "pip", "wheel", "--disable-pip-version-check", "--no-deps"),
        *("--no-build-isolation", "-w", "dist", "."),
    ]
    # the set-up has just built the front-end files and the catalogues
    env = {**environment(), "LMS_SKIP_ASSETS": "1"}
    run_step("Building the wheel", command, log="build", env=env)
    newest = max((ROOT / "dist").glob("*.whl"), key=lambda wheel: wheel.stat().st_mtime)
    say(str(newest.relative_to(ROOT)))
    return 0


def look_after_translations(action: str) -> int:
    """Extract, update, compile or check the message catalogues."""
    set_up_tests()
    if action == "compile":  # the set-up has done it
        return 0
    command = [venv_program("python"), "tools/translations.py", action]
    return exit_code(command, environment())


def write_migration(message: str) -> int:
    """Compare the models with a database that has every migration so far."""
    set_up_tests()
    with tempfile.TemporaryDirectory() as folder:
        env = {**environment(), "LMS_DATA_DIR": folder}
        env.pop("LMS_DATABASE_URL", None)
        for command in (["db", "upgrade"], ["db", "revision", message]):
            if code := exit_code([venv_program("lms"), *command], env):
                return code
    return 0
