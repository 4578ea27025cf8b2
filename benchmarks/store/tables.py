"""What was measured of the record store, as tables, beside what it has to reach."""

from __future__ import annotations

from statistics import median
from typing import TYPE_CHECKING

from benchmarks.results import Verdict, table

if TYPE_CHECKING:
    from benchmarks.store.__main__ import StoreResults

LEAST = {500: 0.25, 50: 0.20, 1: 0.15}  # of the floor
GROWTH = 3.0  # p95 in the large store, as a multiple of p95 in the small one
SAME = 1.25  # "as fast as"
FLAT = 16.0  # MB by which a process may grow while it exports


def judge(found: StoreResults) -> list[Verdict]:
    """The targets, and whether they are met."""
    verdicts = [
        Verdict(
            f"batches of {one.batch}: at least {LEAST[one.batch]:.2f} of the floor",
            f"{one.ratio:.3f}",
            one.ratio >= LEAST[one.batch],
        )
        for one in found.written
    ]
    failed = sum(one.failed for one in found.written)
    verdicts.append(
        Verdict(
            "no request failed, nothing acknowledged is missing",
            f"{failed} failed, {found.missing} missing",
            failed == found.missing == 0,
        )
    )
    growth = {name: one.p95 / found.small[name].p95 for name, one in found.large.items()}
    worst = max(growth, key=lambda name: growth[name])
    verdicts.append(
        Verdict(
            f"p95 of each question with {found.counts[1]:,} statements within {GROWTH:.0f} times"
            f" of that with {found.counts[0]:,}",
            f"at most {growth[worst]:.2f} times ({worst})",
            growth[worst] <= GROWTH,
        )
    )
    plain = found.large["activity"].p50
    related = found.large["activity, related_activities"].p50
    verdicts.append(
        Verdict(
            "related_activities as fast as activity (p50)",
            f"{related:.1f} and {plain:.1f} ms",
            related <= plain * SAME,
        )
    )
    exported = found.exported
    grown = exported.most - exported.early
    verdicts.append(
        Verdict(
            "memory flat while all statements are exported",
            exported.problem or f"{exported.statements:,} statements, {grown:+.1f} MB",
            exported.problem is None and exported.statements == found.counts[1] and grown <= FLAT,
        )
    )
    return verdicts


def describe(found: StoreResults) -> str:
    """All tables of one database."""
    exported = found.exported
    return "\n\n".join(
        (
            f"### Record store on {found.database}",
            f"Statements of {found.bytes_each:,.0f} bytes on average.",
            table(
                ["taken over HTTP, 4 connections", "a second", "floor", "of the floor",
                 "server's CPU, us each"],
                [
                    [
                        f"batches of {one.batch}" if one.batch > 1 else "one by one",
                        f"{median(one.store):,.0f}",
                        f"{median(one.floor):,.0f}",
                        f"{one.ratio:.3f}",
                        f"{median(one.processor):,.0f}" if one.processor else "–",
                    ]
                    for one in found.written
                ],
            ),
            table(
                [f"asked, 1 connection, limit 100 ({found.counts[0]:,} / {found.counts[1]:,})",
                 "p50 ms", "p95 ms", "p50 ms, large", "p95 ms, large", "p95, times"],
                [
                    [
                        name,
                        f"{one.p50:.1f}",
                        f"{one.p95:.1f}",
                        f"{found.large[name].p50:.1f}",
                        f"{found.large[name].p95:.1f}",
                        f"{found.large[name].p95 / one.p95:.2f}",
                    ]
                    for name, one in found.small.items()
                ],
            ),
            f"An export of {exported.statements:,} statements took {exported.seconds:.0f} s"
            f" ({exported.statements / (exported.seconds or 1):,.0f} a second). Memory of the"
            f" largest process: {exported.before:.0f} MB before, {exported.early:.0f} MB in the"
            f" first tenth of the time, {exported.most:.0f} MB at the most after it.",
            table(
                ["target", "found", ""], [[v.target, v.found, v.word] for v in judge(found)]
            ),
        )
    )  # fmt: skip
