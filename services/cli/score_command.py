"""``resume-scorer score``: one job, some resumes, no service needed."""

import asyncio
import json
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from services.cli.command_settings import load_command_settings
from services.cli.console import out, say
from services.contracts.errors import FieldViolation, InvalidInput
from services.contracts.scoring import PairRequest, PairScore

if TYPE_CHECKING:
    from services.scoring.engine import ScoringEngine

_EXPLANATION_TOKENS = 128
_text_file = click.Path(exists=True, dir_okay=False, path_type=Path)


@click.command()
@click.option("--job", required=True, type=_text_file, help="The job description, as a text file.")
@click.option(
    "--resume",
    "resumes",
    required=True,
    multiple=True,
    type=_text_file,
    help="A resume, as a text file; may be repeated.",
)
@click.option("--explain", is_flag=True, help="Let the model say why, after each score.")
@click.option(
    "--json", "as_json", is_flag=True, help="One JSON object a line, one line a resume, best first."
)
def score(job: Path, resumes: tuple[Path, ...], explain: bool, as_json: bool) -> None:
    """Scores resumes against a job, best first."""
    from services.cli.offline_scoring import open_engine

    job_description = _read(job)
    requests = [PairRequest(str(path), job_description, _read(path)) for path in resumes]
    settings = load_command_settings()
    engine = open_engine(settings, (lambda line: None) if as_json else say)
    try:
        asyncio.run(_score(engine, requests, explain=explain, as_json=as_json))
    finally:
        engine.close(settings.drain_seconds)


def _read(path: Path) -> str:
    try:
        return path.read_text("utf-8")
    except (OSError, UnicodeDecodeError) as error:
        raise InvalidInput(
            "unreadable_file", [FieldViolation(str(path), "must be a readable text file in UTF-8")]
        ) from error


async def _score(
    engine: "ScoringEngine", requests: list[PairRequest], *, explain: bool, as_json: bool
) -> None:
    from services.cli.offline_scoring import score_pairs

    run = await score_pairs(engine, requests, lambda _: None)
    ranked = sorted(zip(requests, run.scores, strict=True), key=lambda entry: -entry[1].score)
    for request, result in ranked:
        if as_json:
            explanation = "".join([p async for p in _explain(engine, request, result)]) if explain else None
            print(json.dumps(_as_json(result, explanation)), flush=True)
        else:
            _print_line(result)
            if explain:
                async for piece in _explain(engine, request, result):
                    out.print(piece, end="", markup=False)
                out.print()


def _explain(engine: "ScoringEngine", request: PairRequest, result: PairScore) -> Any:
    return engine.explain(request, result, _EXPLANATION_TOKENS)


def _print_line(result: PairScore) -> None:
    distribution = result.distribution
    low, high = distribution.percentile(10), distribution.percentile(90)
    notes = f"  [{', '.join(result.flags)}]" if result.flags else ""
    out.print(
        f"{result.score:6.1f}  {result.category:<9}  10-90 %: {low:3d}-{high:<3d}  "
        f"{result.request_id}{notes}",
        markup=False,
    )


def _as_json(result: PairScore, explanation: str | None) -> dict[str, Any]:
    distribution = result.distribution
    fields: dict[str, Any] = {
        "resume": result.request_id,
        "score": result.score,
        "category": result.category,
        "median": distribution.median,
        "standard_deviation": distribution.standard_deviation,
        "percentile_10": distribution.percentile(10),
        "percentile_90": distribution.percentile(90),
        "distribution": distribution.probabilities,
        "base_model": result.base_model,
        "adapter_digest": result.adapter_digest,
        "adapter_version": result.adapter_version,
        "prompt_version": result.prompt_version,
        "prompt_tokens": result.num_prompt_tokens,
        "truncated_tokens": result.num_truncated_tokens,
        "flags": list(result.flags),
        "identity_masked": result.is_identity_masked,
    }
    return fields if explanation is None else {**fields, "explanation": explanation}
