from __future__ import annotations

import pytest

from lms.accounts import queries
from lms.accounts.commands import user_group
from lms.accounts.errors import AddressTaken, LastAdministrator, WeakPassword
from lms.accounts.passwords import is_password
from tests.factories.accounts import PASSWORD, make_user


@pytest.fixture
def lms(app):
    def run(*arguments: str, stdin: str = ""):
        return app.test_cli_runner().invoke(user_group, arguments, input=stdin)

    return run


def test_adding_a_person(lms):
    result = lms(
        "add", "Ana@Example.org", "--name", "Ana Quispe", "--language", "es", "--country", "bo",
        "--admin", "--password-stdin", stdin=PASSWORD + "\n",
    )  # fmt: skip

    assert result.exit_code == 0, result.output
    user = queries.find_user("ana@example.org")
    assert (user.name, user.language, user.country) == ("Ana Quispe", "es", "BO")
    assert user.is_confirmed
    assert user.is_administrator
    assert is_password(user.password_hash, PASSWORD)


def test_the_password_is_prompted_for_twice(lms):
    result = lms("add", "a@example.org", "--name", "A", stdin=f"{PASSWORD}\n{PASSWORD}\n")

    assert result.exit_code == 0, result.output
    assert PASSWORD not in result.output


def test_what_cannot_be_added(lms):
    make_user(email="ana@example.org")
    add = ("add", "--name", "A", "--password-stdin")

    assert lms(*add, "no address", stdin=PASSWORD).exit_code == 2
    taken = lms(*add, "ANA@example.org", stdin=PASSWORD)
    assert isinstance(taken.exception, AddressTaken)
    weak = lms(*add, "b@example.org", stdin="short")
    assert isinstance(weak.exception, WeakPassword)
    assert queries.find_user("b@example.org") is None


def test_password_admin_deactivate_and_list(lms, mails):
    make_user(email="ana@example.org", name="Ana Núñez")

    assert lms("password", "ana@example.org", "--password-stdin", stdin=PASSWORD).exit_code == 0
    assert [mail["Subject"] for mail in mails()] == ["Your password was changed"]
    assert lms("admin", "ana@example.org").exit_code == 0
    assert "administrator" in lms("list", "nunez").output
    assert "ana@example.org" in lms("list", "--admins").output
    assert isinstance(lms("admin", "ana@example.org", "--remove").exception, LastAdministrator)
    assert isinstance(lms("deactivate", "ana@example.org").exception, LastAdministrator)
    make_user(email="second@example.org", is_administrator=True)
    assert lms("deactivate", "ana@example.org").exit_code == 0
    assert queries.find_user("ana@example.org").deactivated_at is not None
    assert lms("deactivate", "ana@example.org", "--undo").exit_code == 0
    assert queries.find_user("ana@example.org").is_active
    assert lms("admin", "nobody@example.org").exit_code == 1
