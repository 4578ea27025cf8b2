from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lms.courses.errors import PackageError
from lms.courses.packages.yaml_text import read_yaml, write_yaml

texts = st.text(
    st.characters(blacklist_categories=["Cs"], blacklist_characters="\0\r"), max_size=60
)
values = st.recursive(
    st.none()
    | st.booleans()
    | st.integers(-(10**15), 10**15)
    | st.floats(allow_nan=False, allow_infinity=False)
    | texts,
    lambda inner: (
        st.lists(inner, max_size=4)
        | st.dictionaries(st.from_regex(r"[a-z_]{1,8}", fullmatch=True), inner, max_size=4)
    ),
    max_leaves=20,
)


@given(st.dictionaries(st.from_regex(r"[a-z]{1,8}", fullmatch=True), values, max_size=5))
def test_what_is_written_is_read_again(value) -> None:
    assert read_yaml(write_yaml(value), "x.yaml").data == value


def refused(text: str | bytes) -> str:
    content = text.encode() if isinstance(text, str) else text
    with pytest.raises(PackageError) as caught:
        read_yaml(content, "course.yaml")
    return str(caught.value.text)


def test_a_key_that_stands_twice_is_refused_with_its_line(app) -> None:
    assert refused("title: a\nhours: 2\ntitle: b\n") == (
        "course.yaml, line 3: The key “title” stands here twice. Remove one."
    )


def test_words_that_other_readers_take_for_something_else_stay_text(app) -> None:
    document = read_yaml(b"a: no\nb: 2027-02-01\nc: on\nd: 1:30\nno: x\n", "x.yaml")
    assert document.data == {"a": "no", "b": "2027-02-01", "c": "on", "d": "1:30", "no": "x"}


def test_a_bomb_of_aliases_is_refused(app) -> None:
    lines = ["a0: &a0 [x, x, x, x, x, x, x, x, x, x]"]
    for i in range(1, 9):
        lines.append(f"a{i}: &a{i} [{', '.join([f'*a{i - 1}'] * 10)}]")
    assert "too many values" in refused("\n".join(lines))


def test_many_aliases_are_refused(app) -> None:
    lines = ["a: &a x", *[f"b{i}: *a" for i in range(200)]]
    assert "Too many aliases" in refused("\n".join(lines))


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("a: &a [*a]", "refers to itself"),
        ("a: " + "[" * 200 + "]" * 200, "nested too deeply"),
        ("a: !!python/object/apply:os.system [ls]", "is not allowed"),
        ("a: !secret x", "is not allowed"),
        ("? [a, b]\n: c", "must be a plain word"),
        ("title: one: two", "not valid YAML"),
        ("title: [a", "not valid YAML"),
        ("a: *missing", "not valid YAML"),
        (b"title: \xff\xfe", "not UTF-8"),
        (b"title: a\0b", "NUL"),
        ("a: 1\n---\nb: 2\n", "not valid YAML"),
    ],
)
def test_what_is_not_plain_yaml_is_refused(app, text, says) -> None:
    answer = refused(text)
    assert says in answer
    assert answer.startswith("course.yaml")


def test_a_document_knows_the_lines_of_its_values(app) -> None:
    document = read_yaml(b"title:\n  en: A\n  es: B\nlist:\n  - x\n  - k: v\n", "course.yaml")
    assert document.where(("title", "es")) == "course.yaml, line 3, title.es"
    assert document.where(("list", 1, "k")) == "course.yaml, line 6, list.1.k"
    assert document.where(("title", "fr")) == "course.yaml, line 1, title.fr"
