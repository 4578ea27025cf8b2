"""The form of each of Puente's own statements (xAPI Profiles 1.0, 8: statement templates).

Verbs and activity types are those of published vocabularies. Results follow cmi5 (Quartz, 9.5): a
score stands on passed and failed and where nothing else is said than a score, never on completed.
cmi5's category is not claimed: it belongs to sessions of launched content (9.6.2, 9.6.3).
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

from lms.core.db import ByLanguage

MASTERY_SCORE = "https://w3id.org/xapi/cmi5/context/extensions/masteryscore"


@dataclass(frozen=True)
class Rule:
    """What a statement has at a place (JSONPath): included, excluded, or only these values."""

    location: str
    presence: str = "included"
    all: tuple[Any, ...] = ()


@dataclass(frozen=True)
class Template:
    """One kind of statement. Types are names in `vocabulary.TYPES`."""

    name: str
    verb: str
    label: ByLanguage
    definition: str
    object_type: str | None = None
    parent: tuple[str, ...] = ()
    grouping: tuple[str, ...] = ("run",)
    rules: tuple[Rule, ...] = field(default=())


_ALWAYS = (
    Rule("$.actor.account.name"),
    Rule("$.actor.name", "excluded"),
    Rule("$.actor.mbox", "excluded"),
    Rule("$.context.platform"),
)
_ENROLLED = (Rule("$.context.registration"),)
_NO_RESULT = (Rule("$.result", "excluded"),)
_COMPLETION = (Rule("$.result.completion", all=(True,)), Rule("$.result.score", "excluded"))
_SCORE = (Rule("$.result.score.scaled"),)
_MASTERY = (*_SCORE, Rule("$.result.duration"), Rule(f"$.context.extensions['{MASTERY_SCORE}']"))

TEMPLATES = (
    Template(
        "registered",
        "registered",
        {
            "en": "Registered for a course",
            "es": "Inscripción en un curso",
            "fr": "Inscription à un cours",
            "pt": "Inscrição num curso",
        },
        "A person has a place in a course run; the enrolment is the registration from here on.",
        "course",
        rules=(*_ENROLLED, *_NO_RESULT),
    ),
    Template(
        "launched",
        "launched",
        {
            "en": "Opened a course",
            "es": "Apertura de un curso",
            "fr": "Ouverture d’un cours",
            "pt": "Abertura de um curso",
        },
        "A learner opened the study pages of a course run for the first time.",
        "course",
        rules=(*_ENROLLED, *_NO_RESULT),
    ),
    Template(
        "initialized",
        "initialized",
        {
            "en": "Started an activity",
            "es": "Comienzo de una actividad",
            "fr": "Début d’une activité",
            "pt": "Início de uma atividade",
        },
        "A learner opened an activity for the first time; or, with the category of the video"
        " profile, played its film in this session.",
        parent=("module",),
        grouping=("run", "course"),
        rules=(*_ENROLLED, *_NO_RESULT),
    ),
    Template(
        "completed-activity",
        "completed",
        {
            "en": "Completed an activity",
            "es": "Actividad completada",
            "fr": "Activité terminée",
            "pt": "Atividade concluída",
        },
        "The completion rule of an activity is met for the first time; or, with the category of the"
        " video profile, its film was watched.",
        parent=("module",),
        grouping=("run", "course"),
        rules=(*_ENROLLED, *_COMPLETION),
    ),
    Template(
        "waived-activity",
        "waived",
        {
            "en": "Was exempted from an activity",
            "es": "Exención de una actividad",
            "fr": "Dispense d’une activité",
            "pt": "Dispensa de uma atividade",
        },
        "An activity counts without being done: what it teaches was recognised as prior learning.",
        parent=("module",),
        grouping=("run", "course"),
        rules=(*_ENROLLED, *_NO_RESULT),
    ),
    Template(
        "completed-course",
        "completed",
        {
            "en": "Completed a course",
            "es": "Curso completado",
            "fr": "Cours terminé",
            "pt": "Curso concluído",
        },
        "All that the course asks for is done for the first time.",
        "course",
        rules=(*_ENROLLED, *_COMPLETION),
    ),
    Template(
        "graded-course",
        "scored",
        {
            "en": "Grade of a course",
            "es": "Nota de un curso",
            "fr": "Note d’un cours",
            "pt": "Nota de um curso",
        },
        "The grade with which a course was completed.",
        "course",
        rules=(*_ENROLLED, *_SCORE, Rule("$.result.completion", "excluded")),
    ),
    Template(
        "answered",
        "answered",
        {
            "en": "Answered a question",
            "es": "Respuesta a una pregunta",
            "fr": "Réponse à une question",
            "pt": "Resposta a uma pergunta",
        },
        "One answer of an attempt that was handed in, with the question's own definition.",
        "question",
        parent=("assessment",),
        grouping=("run", "course"),
        rules=(
            *_ENROLLED,
            *_SCORE,
            Rule("$.result.response"),
            Rule("$.result.success", all=(True, False)),
            Rule("$.object.definition.interactionType"),
        ),
    ),
    Template(
        "passed",
        "passed",
        {
            "en": "Passed a quiz",
            "es": "Cuestionario aprobado",
            "fr": "Quiz réussi",
            "pt": "Questionário aprovado",
        },
        "The first attempt that reached the score needed to pass.",
        "assessment",
        parent=("module",),
        grouping=("run", "course"),
        rules=(*_ENROLLED, *_MASTERY, Rule("$.result.success", all=(True,))),
    ),
    Template(
        "failed",
        "failed",
        {
            "en": "Did not pass a quiz",
            "es": "Cuestionario no aprobado",
            "fr": "Quiz non réussi",
            "pt": "Questionário não aprovado",
        },
        "An attempt, before any that passed, that did not reach the score needed to pass.",
        "assessment",
        parent=("module",),
        grouping=("run", "course"),
        rules=(*_ENROLLED, *_MASTERY, Rule("$.result.success", all=(False,))),
    ),
    Template(
        "scored-attempt",
        "scored",
        {
            "en": "Further attempt at a quiz",
            "es": "Otro intento de un cuestionario",
            "fr": "Nouvel essai d’un quiz",
            "pt": "Nova tentativa de um questionário",
        },
        "An attempt after one that passed: cmi5 wants neither passed nor failed any more (9.3.6).",
        "assessment",
        parent=("module",),
        grouping=("run", "course"),
        rules=(*_ENROLLED, *_SCORE, Rule("$.result.success", "excluded")),
    ),
    Template(
        "commented",
        "commented",
        {
            "en": "Wrote in a forum",
            "es": "Mensaje en un foro",
            "fr": "Message dans un forum",
            "pt": "Mensagem num fórum",
        },
        "A post in a discussion; its beginning is the response.",
        "discussion",
        parent=("discussion",),
        grouping=("run", "course"),
        rules=(Rule("$.result.response"), Rule("$.result.score", "excluded")),
    ),
    Template(
        "earned",
        "earned",
        {
            "en": "Earned a certificate",
            "es": "Certificado obtenido",
            "fr": "Certificat obtenu",
            "pt": "Certificado obtido",
        },
        "A certificate was issued; it is named without the code that opens it.",
        "certificate",
        parent=("run",),
        grouping=("course",),
        rules=(*_ENROLLED, *_NO_RESULT),
    ),
    Template(
        "played",
        "played",
        {
            "en": "Played a film",
            "es": "Reproducción de un video",
            "fr": "Lecture d’une vidéo",
            "pt": "Reprodução de um vídeo",
        },
        "A learner began to watch, or went on. It follows the video profile as well.",
        "video",
        parent=("module",),
        grouping=("run", "course"),
        rules=_ENROLLED,
    ),
    Template(
        "paused",
        "paused",
        {
            "en": "Paused a film",
            "es": "Pausa de un video",
            "fr": "Pause d’une vidéo",
            "pt": "Pausa de um vídeo",
        },
        "A learner stopped watching for now; it tells what was watched until then.",
        "video",
        parent=("module",),
        grouping=("run", "course"),
        rules=_ENROLLED,
    ),
    Template(
        "seeked",
        "seeked",
        {
            "en": "Moved within a film",
            "es": "Cambio de posición en un video",
            "fr": "Déplacement dans une vidéo",
            "pt": "Mudança de posição num vídeo",
        },
        "A learner went to another place of a film.",
        "video",
        parent=("module",),
        grouping=("run", "course"),
        rules=_ENROLLED,
    ),
    Template(
        "terminated",
        "terminated",
        {
            "en": "Left a film",
            "es": "Salida de un video",
            "fr": "Sortie d’une vidéo",
            "pt": "Saída de um vídeo",
        },
        "A learner left the page on which a film was played.",
        "video",
        parent=("module",),
        grouping=("run", "course"),
        rules=_ENROLLED,
    ),
    Template(
        "unregistered",
        "unregistered",
        {
            "en": "Left a course",
            "es": "Salida de un curso",
            "fr": "Départ d’un cours",
            "pt": "Saída de um curso",
        },
        "A person gave up the place in a course run, or lost it.",
        "course",
        rules=(*_ENROLLED, *_NO_RESULT),
    ),
)


def rules_of(template: Template) -> tuple[Rule, ...]:
    """Its own rules and those of all statements."""
    return (*_ALWAYS, *template.rules)
