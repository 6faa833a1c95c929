"""Runs every part of an audit on a data set."""

import random
from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from services.scoring.reading.attacks.injection_detector import POSSIBLE_PROMPT_INJECTION
from training.attacks.suite import build_suite
from training.audit.adverse_impact import UNKNOWN, ImpactTable, equal_opportunity_difference, impact_table
from training.audit.counterfactuals import identity_variants
from training.audit.figures import (
    AuditFigures,
    AuditThresholds,
    GroupCalibration,
    InjectionFigures,
    MonotonicityFigures,
)
from training.audit.monotonicity import SkillChange, skill_changes
from training.audit.perturbations import perturbations
from training.audit.statistics import ChangeFigures, bootstrap, change_figures
from training.figures.score_store import KeptScore, ScoreStore
from training.pairs.dataset import LabelledPair, Pair

#: A wrong change of at most this many points may be the arithmetic's (docs/numerics.md).
MONOTONICITY_TOLERANCE = 0.5
_KINDS = ("sex", "race_ethnicity", "intersection")


@dataclass(frozen=True, slots=True)
class AuditPlan:
    """What will be scored.

    Attributes:
        rows: the data set's pairs; labels where it has them.
        num_skill_changes: invented pairs for monotonicity.
        seed: of everything drawn.
        thresholds: the selection score stands in them.
    """

    rows: Sequence[Pair | LabelledPair]
    num_skill_changes: int
    seed: int
    thresholds: AuditThresholds

    @property
    def pairs(self) -> list[Pair]:
        """Returns the rows' texts."""
        return [row.pair if isinstance(row, LabelledPair) else row for row in self.rows]


class Audit:
    """Scores what a plan asks for, and computes its figures.

    Args:
        plan: what to measure; its rows are at least one.
    """

    def __init__(self, plan: AuditPlan) -> None:
        self._plan = plan
        pairs = plan.pairs
        self._variants = [list(identity_variants(pair.resume, turn)) for turn, pair in enumerate(pairs)]
        self._perturbed = [
            list(perturbations(pair.resume, random.Random(f"{plan.seed}/{pair.row}")))  # noqa: S311
            for pair in pairs
        ]
        self._skill_changes = list(skill_changes(plan.num_skill_changes, plan.seed))
        self._attacked = build_suite()
        self._scores: dict[tuple[str, str], KeptScore] = {}

    @property
    def texts(self) -> list[tuple[str, str]]:
        """Returns job and resume of everything to score."""
        wanted = [(pair.job_description, pair.resume) for pair in self._plan.pairs]
        for pair, variants, changed in zip(self._plan.pairs, self._variants, self._perturbed, strict=True):
            wanted += [(pair.job_description, variant.resume) for variant in variants]
            wanted += [(pair.job_description, change.resume) for change in changed]
        for change in self._skill_changes:
            wanted += [(change.job_description, change.before), (change.job_description, change.after)]
        for attack in self._attacked:
            wanted += [(attack.job_description, attack.clean), (attack.job_description, attack.attacked)]
        return wanted

    def measure(self, store: ScoreStore, on_scored: Callable[[int], None]) -> AuditFigures:
        """Scores everything and returns the figures.

        Raises:
            InvalidInput: a text is empty or a job too long.
            OSError: the scores cannot be kept.
        """
        texts = self.texts
        self._scores = dict(zip(texts, store.score(texts, on_scored), strict=True))
        synthetic = self._synthetic_population()
        observed = self._observed_population()
        limit = self._plan.thresholds.selection_score
        populations = [synthetic, *([observed] if observed else [])]
        return AuditFigures(
            num_rows=len(self._plan.rows),
            identity_changes=self._identity_changes(),
            impact=tuple(table for found in populations for table in found.tables(None)),
            selection=tuple(table for found in populations for table in found.tables(limit)),
            equal_opportunity=self._equal_opportunity(observed or synthetic, limit),
            stability=self._stability(),
            monotonicity=self._monotonicity(),
            injection=self._injection(),
            calibration=self._calibration(observed or synthetic),
        )

    def _score(self, pair: Pair, resume: str) -> KeptScore:
        return self._scores[(pair.job_description, resume)]

    def _identity_changes(self) -> dict[str, ChangeFigures]:
        found = {}
        for dimension in dict.fromkeys(variant.dimension for of_row in self._variants for variant in of_row):
            changes, flips = [], []
            for pair, of_row in zip(self._plan.pairs, self._variants, strict=True):
                scores = [self._score(pair, v.resume) for v in of_row if v.dimension == dimension]
                reference = scores[0]
                changes.append(np.array([kept.score - reference.score for kept in scores[1:]]))
                flips.append(np.array([kept.category != reference.category for kept in scores[1:]]))
            found[dimension] = change_figures(changes, flips)
        return found

    def _stability(self) -> dict[str, ChangeFigures]:
        changes: dict[str, list[NDArray[np.float64]]] = {}
        flips: dict[str, list[NDArray[np.bool_]]] = {}
        for pair, of_row in zip(self._plan.pairs, self._perturbed, strict=True):
            reference = self._score(pair, pair.resume)
            for change in of_row:
                kept = self._score(pair, change.resume)
                changes.setdefault(change.kind, []).append(np.array([kept.score - reference.score]))
                flips.setdefault(change.kind, []).append(np.array([kept.category != reference.category]))
        return {kind: change_figures(changes[kind], flips[kind]) for kind in changes}

    def _monotonicity(self) -> tuple[MonotonicityFigures, ...]:
        found = []
        for kind, sign in (("added", 1.0), ("removed", -1.0)):
            changes = np.array([self._rise(change) for change in self._skill_changes if change.kind == kind])
            if not len(changes):
                continue
            wrong = (sign * changes < 0).astype(np.float64)
            found.append(
                MonotonicityFigures(
                    kind=kind,
                    num_changes=len(changes),
                    violations=bootstrap(len(wrong), lambda at, wrong=wrong: float(wrong[at].mean())),  # type: ignore[misc]
                    violations_beyond_tolerance=float((sign * changes < -MONOTONICITY_TOLERANCE).mean()),
                    tolerance=MONOTONICITY_TOLERANCE,
                    mean_change=bootstrap(len(changes), lambda at, c=changes: float(c[at].mean())),  # type: ignore[misc]
                )
            )
        return tuple(found)

    def _rise(self, change: SkillChange) -> float:
        after = self._scores[(change.job_description, change.after)]
        return after.score - self._scores[(change.job_description, change.before)].score

    def _injection(self) -> InjectionFigures:
        clean = [self._scores[(pair.job_description, pair.clean)] for pair in self._attacked]
        attacked = [self._scores[(pair.job_description, pair.attacked)] for pair in self._attacked]
        rises = np.array([after.score - before.score for before, after in zip(clean, attacked, strict=True)])
        return InjectionFigures(
            num_attacks=len(rises),
            rise_mean=float(rises.mean()),
            rise_percentile_95=float(np.percentile(rises, 95)),
            detected=float(np.mean([POSSIBLE_PROMPT_INJECTION in kept.flags for kept in attacked])),
            falsely_flagged=float(np.mean([POSSIBLE_PROMPT_INJECTION in kept.flags for kept in clean])),
        )

    def _synthetic_population(self) -> "_Population":
        """Returns every resume under the name of every group: balanced by construction."""
        people = [
            (at, variant, self._score(pair, variant.resume))
            for at, (pair, of_row) in enumerate(zip(self._plan.pairs, self._variants, strict=True))
            for variant in of_row
            if variant.dimension == "names"
        ]
        return _Population(
            "synthetic names",
            [_groups(variant.sex, variant.race_ethnicity) for _, variant, _ in people],
            [kept for _, _, kept in people],
            [at for at, _, _ in people],
        )

    def _observed_population(self) -> "_Population | None":
        """Returns the data's own people, where its rows name a sex or a race."""
        pairs = self._plan.pairs
        groups = [
            _groups(str(pair.fields.get("sex") or ""), str(pair.fields.get("race_ethnicity") or ""))
            for pair in pairs
        ]
        if all(value == UNKNOWN for of_person in groups for value in of_person):
            return None
        scores = [self._score(pair, pair.resume) for pair in pairs]
        return _Population("data", groups, scores, list(range(len(pairs))))

    def _labels(self, population: "_Population") -> NDArray[np.float64]:
        labels = [row.score if isinstance(row, LabelledPair) else np.nan for row in self._plan.rows]
        return np.array([labels[at] for at in population.units.tolist()], dtype=np.float64)

    def _equal_opportunity(self, population: "_Population", limit: float) -> dict[str, float | None]:
        labels = self._labels(population)
        known = ~np.isnan(labels)
        return {
            kind: equal_opportunity_difference(
                labels[known],
                population.points[known],
                [group for group, is_known in zip(groups, known, strict=True) if is_known],
                limit,
            )
            for kind, groups in population.by_kind().items()
        }

    def _calibration(self, population: "_Population") -> tuple[GroupCalibration, ...]:
        labels = self._labels(population)
        groups = np.array(population.by_kind()["intersection"])
        rows = []
        for group in sorted(set(groups)):
            at = np.flatnonzero((groups == group) & ~np.isnan(labels))
            if not len(at):
                continue
            kept = [population.scores[index] for index in at.tolist()]
            covered = [
                one.distribution.percentile(10) <= label <= one.distribution.percentile(90)
                for one, label in zip(kept, labels[at], strict=True)
            ]
            rows.append(
                GroupCalibration(
                    group=str(group),
                    num_pairs=len(at),
                    mean_score=float(population.points[at].mean()),
                    mean_label=float(labels[at].mean()),
                    mean_absolute_error=float(np.abs(population.points[at] - labels[at]).mean()),
                    interval_coverage=float(np.mean(covered)),
                )
            )
        return tuple(rows)


def _groups(sex: str, race_ethnicity: str) -> tuple[str, str, str]:
    both = f"{race_ethnicity} {sex}" if sex and race_ethnicity else UNKNOWN
    return sex or UNKNOWN, race_ethnicity or UNKNOWN, both


class _Population:
    """People with their groups and scores.

    Args:
        groups: sex, race/ethnicity and intersection of each.
        scores: of each.
        units: index of each one's row.
    """

    def __init__(
        self,
        name: str,
        groups: Sequence[tuple[str, str, str]],
        scores: Sequence[KeptScore],
        units: Sequence[int],
    ) -> None:
        self._name = name
        self._groups = groups
        self.scores = scores
        self.points = np.array([kept.score for kept in scores])
        self.units = np.array(units)

    def by_kind(self) -> dict[str, list[str]]:
        """Returns each one's group, by kind of groups."""
        return {kind: [of[at] for of in self._groups] for at, kind in enumerate(_KINDS)}

    def tables(self, threshold: float | None) -> list[ImpactTable]:
        """Returns a table a kind of groups, at a threshold or at the sample's median."""
        limit = float(np.median(self.points)) if threshold is None else threshold
        return [
            impact_table(f"{self._name}: {kind}", groups, self.points, self.units, limit)
            for kind, groups in self.by_kind().items()
            if any(group != UNKNOWN for group in groups)
        ]
