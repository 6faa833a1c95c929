"""``resume-scorer audit-injection``: what attacks in resumes do to this model's scores.

It scores with the settings, adapter and engine of the services: what it measures is what they answer.
"""

import asyncio
import dataclasses
import json
from pathlib import Path

import click
from rich.table import Table

from services.cli.command_settings import adapter_settings
from services.cli.progress import progress
from services.contracts.scoring import PairRequest, PairScore
from services.devkit import out, say
from services.process.settings import Settings
from services.scoring.engine import running_engine, score_pairs
from training.attacks.audit import InjectionFigures, count_false_flags, measure
from training.attacks.suite import build_suite
from training.pairs.dataset import read_pairs


@click.command("audit-injection")
@click.option(
    "--adapter",
    type=click.Path(file_okay=False, exists=True, path_type=Path),
    help="A LoRA adapter, instead of the one in the settings.",
)
@click.option(
    "--clean",
    type=click.Path(dir_okay=False, exists=True, path_type=Path),
    help="JSON lines of honest pairs, to count false flags on too; nothing of them is scored.",
)
@click.option("--json", "as_json", is_flag=True, help="The figures as one JSON object.")
def audit_injection(adapter: Path | None, clean: Path | None, as_json: bool) -> None:
    """Scores pairs of honest and attacked resumes; shows the rise, what is flagged, and false flags."""
    false_flags = count_false_flags(read_pairs(clean)) if clean else None
    figures, origin = measure_injection(adapter_settings(adapter))
    if as_json:
        given = {"false_flags_on_given": dataclasses.asdict(false_flags)} if false_flags else {}
        print(json.dumps({**dataclasses.asdict(figures), **given, **origin}))
        return
    print_injection(figures)
    if false_flags:
        out.print(f"{clean}: {false_flags.num_flagged} of {false_flags.num_resumes} resumes flagged")


def measure_injection(settings: Settings) -> tuple[InjectionFigures, dict[str, str]]:
    """Scores the suite of attacks; returns its figures, and what computed them."""
    suite = build_suite()
    # Several attacks share an honest pair, which is scored once.
    texts = dict.fromkeys(
        (pair.job_description, resume) for pair in suite for resume in (pair.clean, pair.attacked)
    )
    requests = [PairRequest(f"pair {number}", *given) for number, given in enumerate(texts)]
    scores = _score(settings, requests)
    score_of = dict(zip(texts, scores, strict=True))
    figures = measure(
        suite,
        [score_of[pair.job_description, pair.clean] for pair in suite],
        [score_of[pair.job_description, pair.attacked] for pair in suite],
    )
    names = ("base_model", "adapter_digest", "prompt_version")
    return figures, {name: str(getattr(scores[0], name)) for name in names}


def _score(settings: Settings, requests: list[PairRequest]) -> list[PairScore]:
    with (
        running_engine(settings, settings.drain_seconds, say) as engine,
        progress("scoring", len(requests)) as advance,
    ):
        return asyncio.run(score_pairs(engine, requests, lambda index, outcome: advance(1))).scores


def print_injection(figures: InjectionFigures) -> None:
    """Prints the table of a suite of attacks."""
    table = Table("attack", "pairs", "mean rise", "95th pct", "largest", "flagged", title="points and shares")
    for each in (figures.all, figures.held_out, *figures.kinds):
        table.add_row(
            each.name,
            str(each.num_pairs),
            f"{each.mean_rise:+.1f}",
            f"{each.percentile_95_rise:+.1f}",
            f"{each.largest_rise:+.1f}",
            f"{each.flagged_share:.0%}",
        )
    out.print(table)
    out.print(f"{figures.num_clean_flagged} of {figures.num_clean} honest resumes of the suite flagged")
