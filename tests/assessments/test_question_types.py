from __future__ import annotations

import math
from random import Random

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from werkzeug.datastructures import MultiDict

from lms.assessments.question_types.base import Shown, question_types
from lms.assessments.question_types.multiple_choice import MultipleChoice
from lms.assessments.question_types.numbers import number_text, read_number
from lms.assessments.question_types.numerical import Numerical
from lms.assessments.question_types.short_text import ShortText
from lms.assessments.question_types.true_false import TrueFalse
from lms.courses.errors import PackageError
from tests.factories.assessments import RIGHT, SETTINGS, WRONG

KINDS = {kind.name: kind for kind in (MultipleChoice(), TrueFalse(), Numerical(), ShortText())}
JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=20),
    lambda inner: (
        st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=5), inner, max_size=3)
    ),
    max_leaves=6,
)
relaxed = settings(suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None)


def choice_settings(correct: set[str], wrong: set[str], single: bool = False):
    return {
        "single": single,
        "choices": [
            {"id": id_, "text": {"en": id_}, **({"correct": True} if id_ in correct else {})}
            for id_ in sorted(correct | wrong)
        ],
    }


IDS = st.sets(st.sampled_from("abcdefgh"))


@given(correct=IDS.filter(bool), others=IDS, chosen=IDS)
def test_multiple_choice_needs_all_right_and_none_wrong(correct, others, chosen):
    question = choice_settings(correct, others - correct)

    grade = KINDS["multiple_choice"].grade(question, sorted(chosen))

    assert grade == (1.0 if chosen == correct else 0.0)


@given(values=st.lists(st.text(max_size=3) | st.sampled_from("abc"), max_size=6))
def test_only_choices_that_exist_are_read(values):
    question = choice_settings({"a"}, {"b", "c"})

    chosen = KINDS["multiple_choice"].read(
        question, MultiDict([("q", v) for v in values]), "q", "en"
    )

    assert set(chosen or ()) == set(values) & {"a", "b", "c"}


@given(
    value=st.decimals(-1000, 1000, places=3),
    tolerance=st.decimals(0, 10, places=3),
    answer=st.decimals(-1000, 1000, places=3),
)
def test_a_number_is_right_exactly_within_its_tolerance(value, tolerance, answer):
    question = {"value": float(value), "tolerance": float(tolerance)}
    response = {"text": str(answer), "value": float(answer)}

    grade = KINDS["numerical"].grade(question, response)

    assert grade == (1.0 if abs(answer - value) <= tolerance else 0.0)


@given(
    value=st.integers(-(10**12), 10**12) | st.decimals(-(10**6), 10**6, places=4).map(float),
    language=st.sampled_from(["en", "es", "fr", "pt"]),
)
def test_a_number_written_in_a_language_reads_back(value, language):
    assert read_number(number_text(value, language), language) == value


@given(st.text(max_size=60), st.sampled_from(["en", "es", "fr", "pt"]))
def test_any_text_is_a_finite_number_or_none(text, language):
    value = read_number(text, language)

    assert value is None or (math.isfinite(value) and abs(value) <= 1e15)


@pytest.mark.parametrize(
    ("typed", "language", "value"),
    [
        ("12.5", "en", 12.5),
        ("12,5", "en", 12.5),
        ("12,5", "es", 12.5),
        ("12.5", "es", 12.5),
        ("1,250", "en", 1250),
        ("1,250", "es", 1.25),
        ("1.250", "es", 1250),
        ("0.125", "es", 0.125),
        ("37 000", "fr", 37000),
        ("37 000,5", "fr", 37000.5),
        ("1.234.567,8", "pt", 1234567.8),
        ("1,234,567.8", "pt", 1234567.8),
        ("−3", "en", -3),
        ("+4", "en", 4),
        (".5", "en", 0.5),
        ("5.", "en", 5),
        ("1,2,3", "en", None),
        ("1.2.3,4", "es", None),
        ("1,234.5,6", "en", None),
        ("12 people", "en", None),
        ("1e3", "en", None),
        ("nan", "en", None),
        ("inf", "en", None),
        (",", "en", None),
        ("-", "en", None),
        ("", "en", None),
    ],
)
def test_numbers_are_read_as_the_readers_write_them(typed, language, value):
    assert read_number(typed, language) == value


@pytest.mark.parametrize(
    ("typed", "grade"),
    [
        ("stakeholder map", 1),
        ("  Stakeholder   MAP ", 1),
        ("mapa de actores", 1),
        ("Mápa dé actóres", 1),
        ("map", 0),
        ("stakeholder mapping", 0),
    ],
)
def test_short_text_takes_any_language_and_folds_case_and_accents(typed, grade):
    kind = KINDS["short_text"]
    response = kind.read(SETTINGS["short_text"], MultiDict({"q": typed}), "q", "en")

    assert kind.grade(SETTINGS["short_text"], response) == grade


def test_short_text_can_be_strict():
    kind = KINDS["short_text"]
    strict = {"accept": {"es": ["Perú"]}, "case_sensitive": True}

    assert [kind.grade(strict, text) for text in ("Perú", "Peru\u0301", "perú", "Peru")] == [
        1,
        1,
        0,
        0,
    ]


@pytest.mark.parametrize("name", KINDS)
@relaxed
@given(response=JSON)
def test_grading_whatever_was_stored_gives_a_share_and_never_fails(name, response):
    share = KINDS[name].grade(SETTINGS[name], response)

    assert 0.0 <= share <= 1.0


@pytest.mark.parametrize("name", KINDS)
@relaxed
@given(values=st.lists(st.text(max_size=700), max_size=3))
def test_whatever_is_sent_is_read_graded_and_described(app, name, values):
    kind, question = KINDS[name], SETTINGS[name]
    response = kind.read(question, MultiDict([("q", v) for v in values]), "q", "en")
    if response is not None:
        assert 0.0 <= kind.grade(question, response) <= 1.0
        assert isinstance(kind.describe_response(question, response), str)
        assert isinstance(kind.xapi_response(question, response), str)


@pytest.mark.parametrize("name", KINDS)
def test_right_and_wrong_answers_and_both_forms(app, name):
    kind, question = question_types[name], SETTINGS[name]

    assert kind.grade(question, RIGHT[name]) == 1.0
    assert kind.grade(question, WRONG[name]) == 0.0
    assert kind.describe_response(question, RIGHT[name])
    assert kind.describe_key(question)
    with app.test_request_context():
        asked = kind.render(question, None, Shown("q1"))
        assert 'name="q1"' in asked
        shown = Shown("q1", is_result=True, with_key=True, score=0.0)
        result = kind.render(question, WRONG[name], shown)
        assert 'name="q1"' not in result
        assert "is-incorrect" in result
        hidden = kind.render(question, WRONG[name], Shown("q1", is_result=True, score=0.0))
        assert "is-correct" not in hidden
        assert "is-incorrect" not in hidden


@pytest.mark.parametrize("name", KINDS)
def test_settings_survive_the_package_and_the_authors_form(app, name):
    kind = question_types[name]
    kept = kind.check(kind.document(SETTINGS[name]), "here")
    assert kept == SETTINGS[name]
    with app.test_request_context():
        form = kind.form(["en", "es"])(data=kind.form_data(kept))
        assert kind.check(kind.form_document(form), "here") == kept


def test_shuffled_choices_are_all_there():
    kind = KINDS["multiple_choice"]
    order = kind.order(SETTINGS["multiple_choice"], Random(4))

    assert sorted(order) == ["a", "b", "c"]
    assert [c["id"] for c in kind.ordered(SETTINGS["multiple_choice"], order)] == order


@pytest.mark.parametrize(
    ("name", "document"),
    [
        ("multiple_choice", {}),
        ("multiple_choice", {"choices": [{"id": "a", "text": {"en": "x"}, "correct": True}]}),
        ("multiple_choice", choice_settings(set(), {"a", "b"})),
        ("multiple_choice", choice_settings({"a", "b"}, set(), single=True)),
        ("multiple_choice", choice_settings({"a"}, {"b"}) | {"single": "yes"}),
        ("multiple_choice", {"choices": [{"id": "a b", "text": {"en": "x"}}] * 2}),
        ("multiple_choice", {"choices": [{"id": "a", "text": {"en": "x"}, "correct": True}] * 2}),
        ("multiple_choice", {"choices": ["a", "b"]}),
        ("multiple_choice", choice_settings({"a"}, {"b"}) | {"choice": []}),
        ("true_false", {}),
        ("true_false", {"correct": "true"}),
        ("numerical", {"tolerance": 1}),
        ("numerical", {"value": float("nan")}),
        ("numerical", {"value": float("inf")}),
        ("numerical", {"value": True}),
        ("numerical", {"value": "12"}),
        ("numerical", {"value": 1, "tolerance": -1}),
        ("numerical", {"value": 10**300}),
        ("short_text", {"accept": {}}),
        ("short_text", {"accept": {"en": [" "]}}),
        ("short_text", {"accept": ["map"]}),
        ("short_text", {"accept": {"en": "map"}}),
    ],
)
def test_a_wrong_key_is_refused_with_its_place(app, name, document):
    with pytest.raises(PackageError) as refused:
        question_types[name].check(document, "quiz.yaml, questions.3")
    assert refused.value.where.startswith("quiz.yaml, questions.3")


@pytest.mark.parametrize(
    ("name", "definition", "response"),
    [
        ("multiple_choice", ["a"], "a"),
        ("true_false", ["false"], "false"),
        ("numerical", ["12[:]13"], "12.5"),
        (
            "short_text",
            ["{case_matters=false}stakeholder map", "{case_matters=false}mapa de actores"],
            "stakeholder map",
        ),
    ],
)
def test_xapi_forms(name, definition, response):
    kind = KINDS[name]

    assert kind.xapi_definition(SETTINGS[name])["correctResponsesPattern"] == definition
    assert kind.xapi_response(SETTINGS[name], RIGHT[name]) == response
