"""Which lines of a resume moved its score: each part is left out once and the rest scored again.

Leave-one-out occlusion (Zeiler and Fergus 2014, section 4.2; for text Li, Monroe and Jurafsky 2016,
"Understanding Neural Networks through Representation Erasure"): real forward passes, not the model's own
words about itself. All parts go in together, so that the job's state is computed once and they share passes.
"""

import asyncio
import dataclasses
import re
from heapq import heapify, heappop, heappush
from itertools import accumulate, pairwise

from services.contracts.engine import PairScorer
from services.contracts.errors import InvalidInput
from services.contracts.scoring import LineInfluence, PairRequest, PairScore

#: More parts say more exactly where, and cost a pass each.
MAX_PARTS = 12
_BLANK_LINE = re.compile(r"\n[ \t]*\n")


async def attribute_score(scorer: PairScorer, request: PairRequest, score: PairScore) -> list[LineInfluence]:
    """Returns every part's influence, the greatest in size first; empty for a resume of a single part.

    Two parts that say the same hide each other: without the one the other still counts.

    Raises:
        the same as ``PairScorer.score``.
    """
    lines = request.resume.split("\n")
    parts = split_parts(request.resume)
    if len(parts) < 2:
        return []

    async def influence(first: int, last: int) -> LineInfluence | None:
        rest = "\n".join(lines[: first - 1] + lines[last:])
        try:
            without = await scorer.score(dataclasses.replace(request, resume=rest))
        except InvalidInput:  # nothing readable is left
            return None
        return LineInfluence(first, last, score.score - without.score)

    try:
        async with asyncio.TaskGroup() as group:
            tasks = [group.create_task(influence(*part)) for part in parts]
    except BaseExceptionGroup as failures:
        raise failures.exceptions[0] from failures
    found = [result for task in tasks if (result := task.result()) is not None]
    return sorted(found, key=lambda part: -abs(part.points))


def split_parts(resume: str, max_parts: int = MAX_PARTS) -> list[tuple[int, int]]:
    """Returns first and last line of each part, from 1: sections where there are some, else single lines.

    Args:
        max_parts: neighbours are joined, the shortest first, until there are no more than these.
    """
    lines = resume.split("\n")
    has_sections = len(_BLANK_LINE.findall(resume.strip())) >= 2
    parts: list[tuple[int, int]] = []
    for number, line in enumerate(lines, 1):
        if not line.strip():
            continue
        begins = not parts or not has_sections or not lines[number - 2].strip()
        if begins:
            parts.append((number, number))
        else:
            parts[-1] = (parts[-1][0], number)
    return _join_shortest(lines, parts, max_parts)


def _join_shortest(lines: list[str], parts: list[tuple[int, int]], max_parts: int) -> list[tuple[int, int]]:
    """Joins the two neighbours that are shortest together until few enough are left."""
    ends = [0, *accumulate(map(len, lines))]
    # By index of a part's first line: where it ends, and which parts stand beside it.
    last = dict(parts)
    firsts = [first for first, _ in parts]
    after, before = dict(pairwise(firsts)), {right: left for left, right in pairwise(firsts)}

    def entry(left: int) -> tuple[int, int, int, int]:
        right = after[left]
        size = ends[last[left]] - ends[left - 1] + ends[last[right]] - ends[right - 1]
        return size, left, right, last[right]

    waiting = [entry(left) for left in after]
    heapify(waiting)
    while len(last) > max_parts:
        _, left, right, end = heappop(waiting)
        if after.get(left) != right or last.get(right) != end:
            continue  # one of the two was joined meanwhile
        last[left] = last.pop(right)
        beyond = after.pop(right, None)
        before.pop(right)
        if beyond is None:
            after.pop(left)
        else:
            after[left], before[beyond] = beyond, left
            heappush(waiting, entry(left))
        if left in before:
            heappush(waiting, entry(before[left]))
    return sorted(last.items())
