"""What was measured, judged by the targets, and written as tables."""

from __future__ import annotations

from dataclasses import dataclass, field
from statistics import quantiles

from benchmarks.certificates import Speeds
from benchmarks.load import Outcome
from benchmarks.pages import Page
from benchmarks.weights import Weight

READERS = (1, 8, 32)
MOST_QUERIES = 12
SPREAD = 3.0  # p95 at 8 readers, in p50s
REPORT_SECONDS = 1.0
PUBLIC_BYTES, STUDY_BYTES, SECOND_BYTES = 60_000, 80_000, 20_000


@dataclass
class Sample:
    """Slices of one page with as many readers, put together."""

    times: list[float] = field(default_factory=list)
    seconds: float = 0.0
    errors: int = 0
    first_error: str | None = None
    queries: int = 0
    processor: float | None = 0.0  # seconds of the server's processes
    database: float | None = 0.0  # seconds of the database server's processes

    def add(self, outcome: Outcome, processor: float | None, database: float | None) -> None:
        """Take in one slice."""
        self.times += outcome.times
        self.seconds += outcome.seconds
        self.errors += outcome.errors
        self.first_error = self.first_error or outcome.first_error
        self.queries = max(self.queries, outcome.queries)
        self.processor = _sum(self.processor, processor)
        self.database = _sum(self.database, database)

    @property
    def rate(self) -> float:
        """Answers in a second."""
        return len(self.times) / self.seconds if self.seconds else 0.0

    def percentile(self, percent: int) -> float:
        """So many seconds at most took so many per cent of the answers."""
        if len(self.times) < 2:
            return self.times[0] if self.times else 0.0
        return quantiles(self.times, n=100, method="inclusive")[percent - 1]

    def processor_ms(self) -> float | None:
        """Milliseconds of processor time of the server for one answer."""
        return _each(self.processor, len(self.times))

    def database_ms(self) -> float | None:
        """Milliseconds of processor time of the database server for one answer."""
        return _each(self.database, len(self.times))


def _sum(first: float | None, second: float | None) -> float | None:
    return None if first is None or second is None else first + second


def _each(seconds: float | None, count: int) -> float | None:
    return None if seconds is None or not count else seconds / count * 1000


@dataclass
class Measure:
    """A page with as many readers, and the constant answer in the pauses between its slices."""

    page: Page
    readers: int
    sample: Sample = field(default_factory=Sample)
    constant: Sample = field(default_factory=Sample)

    @property
    def ratio(self) -> float:
        """The page's rate as a share of the constant answer's."""
        return self.sample.rate / self.constant.rate if self.constant.rate else 0.0

    @property
    def processor_ratio(self) -> float | None:
        """The constant answer's processor time as a share of the page's."""
        mine, its = self.sample.processor_ms(), self.constant.processor_ms()
        return its / mine if mine and its else None


@dataclass
class Results:
    """Everything measured on one database."""

    database: str
    rows: dict[str, int]
    speeds: Speeds
    size: int  # bytes on disk
    measures: list[Measure] = field(default_factory=list)
    weights: dict[str, Weight] = field(default_factory=dict)

    def of(self, page: str, readers: int) -> Measure | None:
        """The measure of a page with so many readers."""
        found = (m for m in self.measures if m.page.name == page and m.readers == readers)
        return next(found, None)


@dataclass(frozen=True)
class Verdict:
    """One target: what it asks, what was found, whether it is met."""

    target: str
    found: str
    is_met: bool

    @property
    def word(self) -> str:
        """As printed."""
        return "PASS" if self.is_met else "MISS"


def judge(results: Results) -> list[Verdict]:
    """All targets that can be judged by what was measured."""
    verdicts = [*_errors(results), *_queries(results), *_ratios(results), *_spreads(results)]
    report = results.of("report", 1)
    if report is not None:
        slow = report.sample.percentile(95)
        verdicts.append(
            Verdict(
                "report in less than a second", f"p95 {slow * 1000:.0f} ms", slow < REPORT_SECONDS
            )
        )
    return verdicts + _weights(results)


def _errors(results: Results) -> list[Verdict]:
    wrong = [(m, m.sample) for m in results.measures] + [(m, m.constant) for m in results.measures]
    count = sum(sample.errors for _m, sample in wrong)
    first = next((f"{m.page.label}: {s.first_error}" for m, s in wrong if s.first_error), "none")
    return [Verdict("no errors", f"{count} ({first})" if count else "0", count == 0)]


def _queries(results: Results) -> list[Verdict]:
    most = {
        m.page.label: max(x.sample.queries for x in results.measures if x.page == m.page)
        for m in results.measures
        if m.page.is_page
    }
    if not most:
        return []
    worst = max(most, key=lambda label: most[label])
    over = [f"{label} {count}" for label, count in most.items() if count > MOST_QUERIES]
    found = ", ".join(over) or f"at most {most[worst]} ({worst})"
    return [Verdict(f"at most {MOST_QUERIES} queries a page", found, not over)]


def _ratios(results: Results) -> list[Verdict]:
    return [
        Verdict(
            f"{m.page.label}: at least {m.page.least:.2f} of the constant answer's rate",
            f"{m.ratio:.3f} with 8 readers",
            m.ratio >= m.page.least,
        )
        for m in results.measures
        if m.page.least is not None and m.readers == 8
    ]


def _spreads(results: Results) -> list[Verdict]:
    wide, widest, found = [], 0.0, False
    for m in results.measures:
        if m.readers != 8:
            continue
        found = True
        spread = m.sample.percentile(95) / (m.sample.percentile(50) or 1)
        widest = max(widest, spread)
        if spread >= SPREAD:
            wide.append(f"{m.page.label} {spread:.1f}")
    if not found:
        return []
    text = ", ".join(wide) or f"at most {widest:.1f} times"
    return [Verdict(f"p95 with 8 readers below {SPREAD:.0f} times p50", text, not wide)]


def _weights(results: Results) -> list[Verdict]:
    verdicts = []
    for name, weight in results.weights.items():
        page = next(m.page for m in results.measures if m.page.name == name)
        limit = PUBLIC_BYTES if page.is_public else STUDY_BYTES
        verdicts.append(
            Verdict(
                f"{page.label}: first visit at most {limit // 1000} kB, then "
                f"{SECOND_BYTES // 1000} kB",
                f"{weight.first_visit / 1000:.1f} kB, {weight.page / 1000:.1f} kB",
                weight.first_visit <= limit and weight.page <= SECOND_BYTES,
            )
        )
    return verdicts


# Tables


def _row(cells: list[str]) -> str:
    return "| " + " | ".join(cells) + " |"


def table(head: list[str], rows: list[list[str]]) -> str:
    """A table in Markdown; numbers stand right."""
    marks = ["---", *["---:"] * (len(head) - 1)]
    return "\n".join([_row(head), _row(marks), *map(_row, rows)])


def _ms(value: float | None) -> str:
    return "–" if value is None else f"{value:.1f}"


def _share(value: float | None) -> str:
    return "–" if value is None else f"{value:.3f}"


def describe(results: Results) -> str:
    """All tables of one database, in Markdown."""
    parts = [f"### {results.database}", _describe_data(results)]
    for readers in READERS:
        found = [m for m in results.measures if m.readers == readers]
        if found:
            parts += [f"#### {readers} {'reader' if readers == 1 else 'readers'}", _measures(found)]
    if results.weights:
        rows = [
            [
                next(m.page.label for m in results.measures if m.page.name == name),
                f"{weight.page / 1000:.1f}",
                f"{weight.first_visit / 1000:.1f}",
            ]
            for name, weight in results.weights.items()
        ]
        head = ["page (brotli, kB)", "the page itself", "first visit"]
        parts += ["#### Weight", table(head, rows)]
    targets = [[v.target, v.found, v.word] for v in judge(results)]
    parts += ["#### Targets", table(["target", "found", ""], targets)]
    return "\n\n".join(parts)


def _measures(found: list[Measure]) -> str:
    rows = [
        [
            m.page.label,
            f"{m.sample.rate:.0f}",
            f"{m.ratio:.3f}",
            _ms(m.sample.percentile(50) * 1000),
            _ms(m.sample.percentile(95) * 1000),
            _ms(m.sample.processor_ms()),
            _share(m.processor_ratio),
            _ms(m.sample.database_ms()),
            str(m.sample.queries),
            f"{m.constant.rate:.0f}",
        ]
        for m in found
    ]
    head = [
        "page",
        "requests/s",
        "of constant's rate",
        "p50 ms",
        "p95 ms",
        "CPU ms",
        "of constant's CPU",
        "database CPU ms",
        "queries",
        "constant/s beside",
    ]
    return table(head, rows)


def _describe_data(results: Results) -> str:
    shown = ("courses", "users", "enrolments", "progress", "orders", "posts", "quiz_attempts")
    counts = ", ".join(f"{results.rows[name]:,} {name.replace('_', ' ')}" for name in shown)
    statements = results.rows["xapi_statements"]
    speeds = results.speeds
    return "\n\n".join(
        (
            f"{counts}, {statements:,} statements, {results.rows['credentials']:,} certificates;"
            f" {results.size / 1e9:.2f} GB on disk.",
            table(
                ["in a second, one process", ""],
                [
                    ["certificates issued and signed, a transaction each", f"{speeds.issued:.0f}"],
                    [
                        "seconds of one core for 1,000 certificates, JSON and token (at most 30)",
                        f"{speeds.thousand:.1f}",
                    ],
                    ["certificates drawn as PDF and sealed", f"{speeds.drawn:.1f}"],
                ],
            ),
        )
    )
