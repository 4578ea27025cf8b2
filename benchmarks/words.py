"""Texts of ordinary length for the generated site, in English and Spanish."""

from __future__ import annotations

from random import Random


def _words(text: str) -> list[str]:
    return text.split()


_ENGLISH = _words(
    "the council of each neighbourhood meets before the season to plan water roads and markets "
    "together with people who know the place a map of actors shows who decides who pays and who "
    "is missing we compare three ways to listen and write down what was agreed in plain "
    "language so that anybody can check it later budget indicators schedule minutes proposal "
    "evidence"
)
_SPANISH = _words(
    "el concejo de cada barrio se reúne antes de la temporada para planificar agua caminos y "
    "mercados junto con quienes conocen el lugar un mapa de actores muestra quién decide quién "
    "paga y quién falta comparamos tres maneras de escuchar y anotamos lo acordado en lenguaje "
    "sencillo para que cualquiera pueda comprobarlo presupuesto indicadores calendario actas"
)
_FIRST = ("Rosa", "Juan", "María", "Luis", "Inés", "Carlos", "Ana", "Pedro", "Marie", "João")
_LAST = ("Quispe", "Mamani", "Rojas", "Tremblay", "Silva", "Condori", "Pérez", "Flores", "Gagnon")


def sentence(random: Random, count: int, source: list[str] = _ENGLISH) -> str:
    """A sentence of `count` words."""
    text = " ".join(random.choices(source, k=count))
    return f"{text[0].upper()}{text[1:]}."


def by_language(random: Random, count: int) -> dict[str, str]:
    """`count` words in two languages."""
    return {"en": sentence(random, count), "es": sentence(random, count, _SPANISH)}


def title(random: Random, number: int) -> dict[str, str]:
    """The title of a course."""
    english, spanish = random.choices(_ENGLISH, k=3), random.choices(_SPANISH, k=3)
    return {
        "en": f"Course {number}: {' '.join(english)}",
        "es": f"Curso {number}: {' '.join(spanish)}",
    }


def person(random: Random) -> str:
    """A name."""
    return f"{random.choice(_FIRST)} {random.choice(_LAST)} {random.choice(_LAST)}"


def paragraphs(random: Random, count: int, length: int, source: list[str] = _ENGLISH) -> str:
    """Paragraphs of `length` words each, with some emphasis."""
    parts = []
    for _ in range(count):
        words = random.choices(source, k=length)
        words[3] = f"*{words[3]}*"
        words[7] = f"**{words[7]}**"
        parts.append(" ".join(words) + ".")
    return "\n\n".join(parts)


def document(random: Random, number: int, sections: int) -> dict[str, str]:
    """A reading in Markdown of about 60 words a section, in two languages."""
    texts = {}
    for code, source, head in (("en", _ENGLISH, "Part"), ("es", _SPANISH, "Parte")):
        parts = [f"{head} {number}.\n"]
        for section in range(sections):
            items = "\n".join(f"- {sentence(random, 6, source)}" for _ in range(3))
            parts += [f"## {sentence(random, 4, source)}", paragraphs(random, 1, 45, source), items]
            if section == 1:
                parts.append("| A | B |\n| --- | ---: |\n| one | 1 |\n| two | 2 |\n")
        texts[code] = "\n\n".join(parts)
    return texts
