from __future__ import annotations

import pytest
from flask_babel import force_locale
from sqlalchemy import text
from sqlalchemy.exc import DatabaseError

from lms.config import ConfigurationError, load_settings
from lms.core.db import db
from lms.core.limits import waiting_time
from lms.core.templating import zone_city
from lms.core.text import fold, in_language, search_words, slugify
from lms.core.web import safe_next


@pytest.mark.parametrize(
    ("target", "expected"),
    [
        ("/courses?q=a", "/courses?q=a"),
        ("https://evil.example/", "/"),
        ("//evil.example", "/"),
        ("/\\evil.example", "/"),
        ("javascript:alert(1)", "/"),
        ("/a\r\nSet-Cookie: x=1", "/"),
        ("", "/"),
    ],
)
def test_nobody_is_sent_to_another_site_after_signing_in(app, target, expected):
    with app.test_request_context("/", query_string={"next": target}):
        assert safe_next("/") == expected


def test_pages_carry_the_security_headers(client):
    answer = client.get("/empty")

    policy = answer.headers["Content-Security-Policy"]
    assert "default-src 'none'" in policy
    assert "unsafe-inline" not in policy
    assert answer.headers["X-Content-Type-Options"] == "nosniff"
    assert answer.headers["X-Frame-Options"] == "DENY"


@pytest.mark.parametrize("language", ["en", "es", "fr", "pt"])
def test_the_browsers_language_is_spoken(client, language):
    answer = client.get("/empty", headers={"Accept-Language": language})

    assert f'<html lang="{language}"' in answer.text


def test_a_chosen_language_stays(client):
    answer = client.post("/language", data={"language": "pt", "next": "/empty"})

    assert answer.headers["Location"] == "/empty"
    assert '<html lang="pt"' in client.get("/empty").text


def test_an_unknown_page_says_what_to_do(client):
    answer = client.get("/no/such/page")

    assert answer.status_code == 404
    assert "does not exist" in answer.text


def test_programs_get_errors_as_json(client):
    answer = client.get("/no/such/page", headers={"Accept": "application/json"})

    assert answer.json["error"]["status"] == 404


def test_health_says_what_works(client):
    assert client.get("/healthz").json == {"status": "ok"}
    assert client.get("/readyz").json["database"] == "ok"


def test_metrics_are_for_this_machine_only(client):
    assert b"puente_requests" in client.get("/metrics").data
    far = client.get("/metrics", environ_base={"REMOTE_ADDR": "203.0.113.9"})
    assert far.status_code == 404


def test_invented_methods_do_not_fill_the_metrics(client):
    client.open("/", method="BREW")

    shown = client.get("/metrics").text
    assert 'method="other"' in shown
    assert "BREW" not in shown


def test_errors_of_the_database_name_no_values(app):
    with pytest.raises(DatabaseError) as caught:
        db.session.execute(text("SELECT :name FROM nowhere"), {"name": "Ana Quispe"})

    assert "Ana Quispe" not in str(caught.value)
    db.session.rollback()


def test_search_ignores_accents_and_case():
    assert fold("Gestión Pública") == "gestion publica"
    assert search_words("  Água & Município! ") == ["agua", "municipio"]
    assert slugify("Participación social: ¡ya!") == "participacion-social-ya"


def test_a_text_falls_back_to_a_language_it_has():
    assert in_language({"es": "Hola"}, "fr") == "Hola"
    assert in_language({"en": "Hello", "es": "Hola"}, "fr") == "Hello"
    assert in_language({}, "fr") == ""


@pytest.mark.parametrize(
    ("variable", "value", "words"),
    [
        ("LMS_BASE_URL", "puente.example", "http"),
        ("LMS_CURRENCIES", '["CAD", "XXZ"]', "XXZ"),
        ("LMS_DEFAULT_TIME_ZONE", "La Paz", "IANA"),
        ("LMS_SERVER_WORKERS", "many", "LMS_SERVER_WORKERS"),
        ("LMS_STRIPE_SECRET_KEY", "sk_test_x", "LMS_STRIPE_WEBHOOK_SECRET"),
    ],
)
def test_a_wrong_setting_stops_the_start_with_a_clear_line(monkeypatch, variable, value, words):
    monkeypatch.setenv(variable, value)

    with pytest.raises(ConfigurationError) as refusal:
        load_settings()

    assert words in str(refusal.value)


def test_the_signing_key_is_made_once(tmp_path):
    first = load_settings(data_dir=tmp_path).secret()

    assert load_settings(data_dir=tmp_path).secret() == first
    assert (tmp_path / "secret_key").stat().st_mode & 0o077 == 0


def test_pages_are_compressed_for_slow_lines(client):
    plain = client.get("/empty")
    small = client.get("/empty", headers={"Accept-Encoding": "br, gzip"})

    assert small.headers["Content-Encoding"] == "br"
    assert len(small.data) < len(plain.data) / 2


def test_scripts_that_accept_anything_get_errors_as_json(client):
    fetched = client.put("/no/such/page", json={}, headers={"Accept": "*/*"})
    posted = client.post("/no/such/page", json={}, headers={"Accept": "*/*"})
    visited = client.get("/no/such/page", headers={"Accept": "text/html,*/*;q=0.8"})

    assert (fetched.json["error"]["status"], posted.json["error"]["status"]) == (404, 404)
    assert visited.content_type.startswith("text/html")


@pytest.mark.parametrize(
    ("seconds", "words"),
    [(1, "1 second"), (60, "60 seconds"), (61, "2 minutes"), (3599, "60 minutes")],
)
def test_waiting_times_are_rounded_up(app, seconds, words):
    with app.test_request_context("/"):
        assert waiting_time(seconds) == words


@pytest.mark.parametrize(
    ("zone", "language", "city"),
    [
        ("America/Sao_Paulo", "pt", "São Paulo"),
        ("America/Bogota", "es", "Bogotá"),
        ("America/La_Paz", "fr", "La Paz"),
        ("UTC", "en", "UTC"),
        ("Etc/GMT+5", "es", "GMT+5"),
    ],
)
def test_a_time_zone_is_named_as_its_people_write_it(app, zone, language, city):
    with app.test_request_context(), force_locale(language):
        assert zone_city(zone) == city
