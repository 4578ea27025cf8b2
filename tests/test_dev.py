"""What dev.py decides: when to install again, what is missing, what came of the tests."""

import errno
import gettext
import json
import os
import runpy
import socket
import subprocess
import sys
from pathlib import Path

import pytest
from babel.messages.catalog import Catalog

from lms.plugins import NEEDED, ROOMS, STANDS_ON
from tools import commands, demo, places, setup, stages, system, translations
from tools.console import Problem, duration, looks_like_no_network, without_secrets

ROOT = Path(__file__).resolve().parent.parent


@pytest.fixture
def checkout(tmp_path, monkeypatch):
    """A checkout with the few files that the set-up reads."""
    (tmp_path / "pyproject.toml").write_text(
        '[build-system]\nrequires = ["hatchling"]\n'
        '[project]\nname = "puente"\n[project.optional-dependencies]\ndev = []\nassets = []\n'
    )
    (tmp_path / "constraints.txt").write_text("flask==3.1.3\n")
    for module in (places, setup):
        monkeypatch.setattr(module, "ROOT", tmp_path)
    monkeypatch.setattr(setup, "STATE", tmp_path / ".dev")
    monkeypatch.setattr(setup, "TRANSLATIONS", tmp_path / "lms" / "translations")
    monkeypatch.setenv("LMS_VENV", str(tmp_path / "environment"))
    return tmp_path


# When the packages are installed again


def test_a_smaller_command_is_content_with_a_larger_installation(checkout):
    installed = setup.package_stamp({"dev", "assets"})

    assert setup.is_satisfied(installed, setup.package_stamp({"assets"}))
    assert not setup.is_satisfied(setup.package_stamp({"assets"}), installed)


@pytest.mark.parametrize("name", ["pyproject.toml", "constraints.txt"])
def test_a_change_of_requirements_asks_for_an_installation(checkout, name):
    installed = setup.package_stamp({"assets"})
    with (checkout / name).open("a") as file:
        file.write("# changed\n")

    assert not setup.is_satisfied(installed, setup.package_stamp({"assets"}))


def test_another_python_or_place_asks_for_an_installation(checkout):
    stamp = setup.package_stamp({"assets"})

    assert not setup.is_satisfied({**stamp, "python": "3.1"}, stamp)
    assert not setup.is_satisfied({**stamp, "checkout": "/elsewhere"}, stamp)
    assert not setup.is_satisfied({}, stamp)


def test_a_stamp_that_was_not_written_whole_counts_as_none(checkout):
    stamp = checkout / "stamp.json"
    setup.write_stamp(stamp, {"inputs": "a"})
    assert setup.read_stamp(stamp) == {"inputs": "a"}

    stamp.write_text('{"inputs": ')
    assert setup.read_stamp(stamp) == {}
    assert setup.read_stamp(checkout / "none.json") == {}


def test_the_hash_of_a_folder_follows_contents_and_names(checkout):
    folder = checkout / "assets"
    folder.mkdir()
    (folder / "a.css").write_text("p {}")
    first = setup.content_hash([folder])
    assert setup.content_hash([folder]) == first

    (folder / "a.css").write_text("p { }")
    second = setup.content_hash([folder])
    (folder / "a.css").rename(folder / "b.css")
    assert len({first, second, setup.content_hash([folder])}) == 3


@pytest.fixture
def installation(checkout, monkeypatch):
    """An environment in which installing only leaves a note of what was asked for."""
    calls = []

    def run_step(title, command, **_):
        if "venv" in command:
            (checkout / "environment").mkdir(exist_ok=True)
            (checkout / "environment" / "pyvenv.cfg").touch()
        calls.append(title if "pip" not in command else command[-1])

    monkeypatch.setattr(setup, "run_step", run_step)
    monkeypatch.setattr(setup, "python_works", lambda: bool(calls))
    monkeypatch.setattr(setup, "pip_works", lambda: bool(calls))
    return calls


def test_packages_are_installed_once(checkout, installation):
    setup.install_packages(frozenset({"assets"}))
    assert installation[-1] == ".[assets]"
    installation[:] = ["nothing since"]

    setup.install_packages(frozenset({"assets"}))
    assert installation == ["nothing since"]


def test_what_a_larger_command_installed_stays(checkout, installation):
    setup.install_packages(setup.TEST_EXTRAS)
    (checkout / "constraints.txt").write_text("flask==3.1.4\n")
    setup.install_packages(setup.DEMO_EXTRAS)

    assert installation[-1] == ".[assets,dev]"


def test_an_interrupted_installation_starts_afresh(checkout, installation, capsys):
    setup.install_packages(setup.DEMO_EXTRAS)
    (checkout / "environment" / "puente-installing").touch()

    setup.install_packages(setup.DEMO_EXTRAS)

    assert [line.split()[0] for line in installation] == ["Creating", "editables", ".[assets]"] * 2
    assert "interrupted" in capsys.readouterr().out
    assert not (checkout / "environment" / "puente-installing").exists()


def test_a_failed_installation_is_tried_again(checkout, installation, monkeypatch):
    def fail(title, command, **_):
        if "venv" in command:
            (checkout / "environment").mkdir()
            (checkout / "environment" / "pyvenv.cfg").touch()
        else:
            raise Problem("no network")

    with monkeypatch.context() as patch:
        patch.setattr(setup, "run_step", fail)
        with pytest.raises(Problem):
            setup.install_packages(setup.DEMO_EXTRAS)
    setup.install_packages(setup.DEMO_EXTRAS)

    assert installation[-1] == ".[assets]"


def test_a_folder_that_is_no_environment_is_left_alone(checkout):
    folder = checkout / "environment"
    folder.mkdir()
    (folder / "thesis.txt").write_text("years of work")

    with pytest.raises(Problem, match="not a virtual environment"):
        setup.create_venv()
    assert (folder / "thesis.txt").exists()


def test_only_catalogues_newer_than_their_compiled_form_are_stale(checkout):
    folder = checkout / "lms" / "translations" / "es" / "LC_MESSAGES"
    folder.mkdir(parents=True)
    catalogue, compiled = folder / "messages.po", folder / "messages.mo"
    catalogue.touch()
    assert setup.stale_catalogues() == [catalogue]

    compiled.touch()
    os.utime(catalogue, (1, 1))
    assert setup.stale_catalogues() == []


# What the system has


def test_what_was_compiled_is_kept_for_the_next_process(monkeypatch):
    monkeypatch.setenv("PYTHONDONTWRITEBYTECODE", "1")

    assert "PYTHONDONTWRITEBYTECODE" not in places.environment()


def test_a_missing_library_is_seen():
    assert system.has_library("libc.so.6", "libSystem.dylib")
    assert not system.has_library("libpuente-does-not-exist.so.1")


def test_postgresql_is_found_in_debians_and_homebrews_folders(tmp_path, monkeypatch):
    monkeypatch.setenv("PATH", str(tmp_path))
    debian, homebrew = tmp_path / "lib", tmp_path / "opt"
    for folder in (debian / "9" / "bin", debian / "15" / "bin", homebrew / "postgresql@17" / "bin"):
        folder.mkdir(parents=True)
        (folder / "initdb").touch()
        (folder / "pg_ctl").touch()
    (debian / "18" / "bin").mkdir(parents=True)

    assert system.find_postgresql([debian]) == debian / "15" / "bin"
    assert system.find_postgresql([debian, homebrew]) == homebrew / "postgresql@17" / "bin"
    assert system.find_postgresql([tmp_path / "none"]) is None


def test_a_script_that_asks_for_a_snap_is_no_browser(tmp_path):
    stub, browser = tmp_path / "stub", tmp_path / "browser"
    stub.write_text('#!/bin/sh\necho "Please run: snap install chromium"\n')
    browser.write_bytes(b"\x7fELF and more")

    assert system.is_snap_stub(stub)
    assert not system.is_snap_stub(browser)


def test_packages_are_installed_only_by_root_or_with_sudo(monkeypatch):
    programs = {"apt-get"}
    monkeypatch.setattr(system.shutil, "which", lambda name: name if name in programs else None)
    monkeypatch.setattr(system.os, "geteuid", lambda: 1000)
    assert system.install_prefix() is None

    programs.add("sudo")
    monkeypatch.setattr(system.sys.stdin, "isatty", lambda: False, raising=False)
    assert system.install_prefix() == ["sudo", "-n"]

    monkeypatch.setattr(system.os, "geteuid", lambda: 0)
    assert system.install_prefix() == []

    programs.clear()
    assert system.install_prefix() is None


def test_what_cannot_be_installed_is_said_with_the_command(monkeypatch):
    absent = system.Need("pango", "to write PDF", lambda: False, ("libpango",), ("pango",))
    monkeypatch.setattr(system, "FOR_DEMO", (absent,))
    monkeypatch.setattr(system, "install_prefix", lambda: None)

    with pytest.raises(Problem) as problem:
        system.require_for_demo()
    assert "pango: to write PDF" in str(problem.value)
    assert "libpango" in str(problem.value) or "brew install pango" in str(problem.value)


def test_one_unknown_package_does_not_keep_the_others_out(monkeypatch, capsys):
    there = set()
    needs = [
        system.Need(name, "for a test", lambda name=name: name in there, (name,))
        for name in ("known", "unknown")
    ]

    def run_step(title, command, **_):
        if "unknown" in command:
            raise Problem("E: Unable to locate package unknown")
        there.update(command)

    monkeypatch.setattr(system, "install_prefix", list)
    monkeypatch.setattr(system, "run_step", run_step)

    assert [need.name for need in system.provide(needs)] == ["unknown"]


def test_missing_things_are_told_to_the_tests_and_fail_in_ci(monkeypatch, capsys):
    absent = system.Need("redis", "for a test", lambda: False, ("redis-server",), ("redis",))
    monkeypatch.setattr(system, "provide", lambda needs: [absent])
    monkeypatch.setattr(system, "find_chromium", lambda: "/usr/bin/chromium")
    monkeypatch.setattr(commands, "set_up_tests", lambda: None)

    monkeypatch.setenv("CI", "")
    chromium, skips = commands.provide_for_tests()
    assert "!!!" in capsys.readouterr().out
    monkeypatch.setenv("LMS_STRIPE_SECRET_KEY", "sk_test_secret")
    env = system.test_environment(chromium, skips)
    assert json.loads(env["LMS_TEST_SKIPS"]) == {"redis": "redis is not installed"}
    assert env["LMS_TEST_CHROMIUM"] == "/usr/bin/chromium"
    assert "LMS_STRIPE_SECRET_KEY" not in env
    assert "LMS_DATA_DIR" not in env

    monkeypatch.setenv("CI", "true")
    with pytest.raises(Problem, match="nothing may be skipped"):
        commands.provide_for_tests()


# Arguments


def test_arguments_that_test_does_not_know_go_to_pytest(monkeypatch):
    seen = {}
    monkeypatch.setattr(commands, "run_tests", lambda **given: seen.update(given) or 0)

    assert commands.main(["test", "--quick", "tests/courses", "-k", "a or b", "-x"]) == 0
    assert seen == {"quick": True, "chosen": ["tests/courses", "-k", "a or b", "-x"]}


def test_lms_gets_all_its_arguments(monkeypatch):
    seen = []
    monkeypatch.setattr(commands, "run_lms", lambda arguments: seen.extend(arguments) or 0)

    assert commands.main(["lms", "--help", "--reset"]) == 0
    assert seen == ["--help", "--reset"]


@pytest.mark.parametrize(
    "arguments", [[], ["dance"], ["lint", "--fast"], ["demo", "--port", "0"], ["demo", "--port=x"]]
)
def test_a_wrong_command_line_is_refused(arguments, capsys):
    with pytest.raises(SystemExit) as stop:
        commands.main(arguments)
    assert stop.value.code == 2
    assert "usage: python3 dev.py" in capsys.readouterr().err


def test_help_lists_every_command():
    done = subprocess.run(
        [sys.executable, ROOT / "dev.py", "--help"], capture_output=True, text=True, check=True
    )
    for name in ("demo", "test", "lint", "bench", "lms", "shell", "build", "translations"):
        assert f"  {name}" in done.stdout


# The demo


def test_a_taken_port_is_named_with_a_free_one():
    with socket.socket() as other:
        other.bind(("127.0.0.1", 0))
        other.listen()
        port = other.getsockname()[1]

        with pytest.raises(Problem, match=f"Port {port} is taken") as problem:
            demo.check_port("127.0.0.1", port)

    suggested = int(str(problem.value).rpartition(" ")[2])
    assert suggested > port
    assert demo.port_fault("127.0.0.1", suggested) == 0


def test_an_address_of_another_machine_is_refused():
    assert demo.port_fault("192.0.2.1", 8000) == errno.EADDRNOTAVAIL
    with pytest.raises(Problem, match=r"192\.0\.2\.1"):
        demo.check_port("192.0.2.1", 8000)


@pytest.mark.parametrize(
    ("host", "address"),
    [
        ("127.0.0.1", "http://127.0.0.1:8123"),
        ("0.0.0.0", "http://127.0.0.1:8123"),
        ("::1", "http://[::1]:8123"),
    ],
)
def test_the_demo_knows_its_address(host, address, monkeypatch):
    monkeypatch.delenv("LMS_BASE_URL", raising=False)
    assert demo.demo_environment(host, 8123)["LMS_BASE_URL"] == address

    monkeypatch.setenv("LMS_BASE_URL", "https://demo.example.org")
    assert demo.demo_environment(host, 8123)["LMS_BASE_URL"] == "https://demo.example.org"


def test_reset_deletes_what_puente_made_and_nothing_else(tmp_path):
    for name in ("puente.sqlite3", "puente.sqlite3-wal", "demo.json", "secret_key", "notes.txt"):
        (tmp_path / name).touch()
    (tmp_path / "files").mkdir()
    (tmp_path / "files" / "picture.png").touch()

    demo.forget(tmp_path)

    assert {path.name for path in tmp_path.iterdir()} == {"secret_key", "notes.txt"}


def test_reset_refuses_a_folder_that_is_not_puentes(tmp_path):
    (tmp_path / "files").mkdir()
    (tmp_path / "files" / "picture.png").touch()

    with pytest.raises(Problem, match="nothing was deleted"):
        demo.forget(tmp_path)
    assert (tmp_path / "files" / "picture.png").exists()


# Stages


def stage(tmp_path, monkeypatch, name, code, **given):
    monkeypatch.setattr(stages, "LOGS", tmp_path)
    monkeypatch.setattr(stages, "RESULTS", tmp_path)
    return stages.Stage(name, name.title(), [sys.executable, "-c", code], {}, **given)


def test_stages_run_to_the_last_and_are_counted(tmp_path, monkeypatch, capsys):
    good = stage(tmp_path, monkeypatch, "good", "print('fine')")
    bad = stage(tmp_path, monkeypatch, "bad", "raise SystemExit('it is broken')")
    after = stage(tmp_path, monkeypatch, "after", "")
    absent = stage(tmp_path, monkeypatch, "absent", "", why_not="redis is not installed")

    assert not stages.Runner().run([good, bad, after, absent])

    output = capsys.readouterr().out
    assert "it is broken" in output
    assert "fine" not in output
    text = stages.summary([good, bad, after, absent], 65)
    assert text.splitlines()[-1] == "2 passed, 1 failed, 1 skipped"
    assert "Absent: NOT RUN, redis is not installed" in text
    assert "1 min 05 s" in text


def test_pytest_reports_are_summed(tmp_path, monkeypatch):
    ran = stage(tmp_path, monkeypatch, "ran", "", is_pytest=True)
    ran.results.write_text(
        "<testsuites><testsuite><testcase/><testcase/>"
        "<testcase><failure/></testcase><testcase><error/></testcase>"
        '<testcase><skipped type="pytest.skip" message="no peer"/></testcase>'
        '<testcase><skipped type="pytest.xfail" message="known"/></testcase>'
        "</testsuite></testsuites>"
    )
    ran.finish(1, 1.0)

    assert ran.counts == stages.Counts(passed=3, failed=2, skipped=1)
    assert ran.skip_reasons == ["no peer"]
    assert ran.headline() == "Ran: FAILED in 1.0 s (3 passed, 2 failed, 1 skipped)"


def test_a_run_that_breaks_down_is_a_failure_though_no_test_failed(tmp_path, monkeypatch):
    broken = stage(tmp_path, monkeypatch, "broken", "", is_pytest=True)
    broken.finish(4, 1.0)
    assert broken.counts == stages.Counts(failed=1)

    empty = stage(tmp_path, monkeypatch, "empty", "", is_pytest=True)
    empty.finish(stages.NOTHING_COLLECTED, 1.0)
    assert not empty.has_passed

    chosen = stage(tmp_path, monkeypatch, "chosen", "", is_pytest=True, may_be_empty=True)
    chosen.finish(stages.NOTHING_COLLECTED, 1.0)
    assert chosen.has_passed
    assert chosen.counts == stages.Counts()


def test_a_stage_that_hangs_is_ended_with_its_children(tmp_path, monkeypatch):
    monkeypatch.setattr(stages, "LONGEST_STAGE", 0.5)
    code = "import subprocess; subprocess.run(['sleep', '60'])"
    hanging = stage(tmp_path, monkeypatch, "hanging", code)

    assert not stages.Runner().run([hanging])
    assert "it hung" in hanging.log.read_text()


# Translations


def test_what_is_missing_in_a_catalogue_is_found():
    source, translated = Catalog(), Catalog(locale="es")
    texts = {
        "Good day": "Buenos días",
        "Welcome": "",
        "Hello, %(name)s": "Hola",
        "%(name)s writes": "%(nombre)s escribe",
        "Fuzzy": "Borroso",
        ("%(count)s day", "%(count)s days"): ("un día", "%(count)s días"),
        ("%(count)s week", "%(count)s weeks"): ("%(count)s semana", "semanas"),
        "New": None,
    }
    for text, translation in texts.items():
        source.add(text, locations=[("a.py", 1)])
        if translation is not None:
            flags = ["fuzzy"] if text == "Fuzzy" else []
            translated.add(text, translation, flags=[*flags, "python-format"])

    found = [line.split(": ")[0] for line in translations.findings(source, translated)]

    assert found == [
        "not translated",
        "without name",
        "without name",
        "unknown named placeholder 'nombre'",
        "fuzzy",
        "without count",
        "missing",
    ]


# Words


def test_secrets_in_addresses_are_not_shown():
    text = "Looking in indexes: https://user:secret@example.org/simple, https://example.net"
    assert "secret" not in without_secrets(text)
    assert "https://***@example.org/simple, https://example.net" in without_secrets(text)


def test_a_missing_network_is_recognised():
    assert looks_like_no_network("npm error code ENOTFOUND")
    assert looks_like_no_network("[Errno -3] Temporary failure in name resolution")
    assert not looks_like_no_network("SyntaxError: invalid syntax")


def test_durations_are_readable():
    assert [duration(seconds) for seconds in (0.21, 59.9, 185)] == ["0.2 s", "59.9 s", "3 min 05 s"]


# Rooms that can be switched off


def test_each_room_is_tested_with_the_optional_ones_switched_off():
    assert set(commands.OPTIONAL_ROOMS) == set(ROOMS) - NEEDED
    assert commands.STANDS_ON == STANDS_ON
    whole, alone, *with_one = commands.unit_tests_on_sqlite({})
    assert whole.env["LMS_TEST_ROOMS_OFF"] == ""
    assert alone.env["LMS_TEST_ROOMS_OFF"].split() == sorted(set(ROOMS) - NEEDED)
    for room, stage in zip(commands.OPTIONAL_ROOMS, with_one, strict=True):
        on = {room} | STANDS_ON.get(room, set())
        assert set(stage.env["LMS_TEST_ROOMS_OFF"].split()) == set(ROOMS) - NEEDED - on
        assert f"tests/{room}" in stage.command


def test_the_wheel_brings_compiled_translations(tmp_path, monkeypatch):
    hook = runpy.run_path(str(ROOT / "hatch_build.py"))["CustomBuildHook"]
    catalogue = tmp_path / "lms/translations/es/LC_MESSAGES/messages.po"
    catalogue.parent.mkdir(parents=True)
    catalogue.write_text('msgid ""\nmsgstr ""\n\nmsgid "Course"\nmsgstr "Curso"\n')
    monkeypatch.setenv("LMS_SKIP_ASSETS", "1")

    hook(str(tmp_path), {}, None, None, "", "wheel").initialize("standard", {})

    with catalogue.with_suffix(".mo").open("rb") as compiled:
        assert gettext.GNUTranslations(compiled).gettext("Course") == "Curso"
