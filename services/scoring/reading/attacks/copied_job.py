"""Finds where a resume copies its job: whole or in part, in another order, with foreign words strewn in.

Windows of words are held against what honest resumes reach in 2,208 real pairs
(docs/measurements/reading.md): by the words that stand in the job's own order, four in a row once the words
that the job does not use are left out; where that finds nothing, by the words alone. A line that is copied in
part is judged by its own words.
"""

import re
import sys
from bisect import bisect_right
from collections.abc import Iterable, Iterator, Sequence, Set
from dataclasses import dataclass
from functools import lru_cache
from itertools import accumulate, groupby
from operator import sub

#: The resume holds passages of its own job; they were not read.
COPIED_JOB_TEXT = "copied_job_text"

_WORD = re.compile(r"\w+")
_LINE = re.compile(r"[^\n.!?;]+")
_RUN = 4


@dataclass(frozen=True, slots=True)
class _Measure:
    """So many of a window's words, and it is a copy."""

    window: int
    min_words: int


# In the job's order. Honest resumes have at most 10 of 30, those written for a job 13.
_IN_ORDER = _Measure(30, 15)
# In any order; of words that say something. Honest resumes have at most 25 of 30, lists of key words 27.
_IN_ANY_ORDER = _Measure(30, 28)
# Of a line's words that say something: found already, and the job's. What is paraphrased is copied, too.
_MIN_LINE_FOUND = 0.3
_MIN_LINE_SHARE = 0.65
# A shorter text is held to the same share, and to this many words.
_MIN_COPIED_WORDS = 16
# Fewer beside a copy are a phrase that both texts use.
_MIN_PASSAGE_WORDS = 8
# Copied words that stand so close to each other are one passage, with what was strewn between them.
_MAX_STREWN_WORDS = 6
# Shorter words, and these, say nothing about a trade.
_MIN_TELLING_LETTERS = 3
_TELLING_NOTHING = frozenset(
    word
    for line in (
        "the and for with from are will you your our that this their they its all any not have has can who",
        "which other such may must within into per than",
    )
    for word in line.split()
)
# A job's runs of words are asked for once an application.
_NUM_REMEMBERED_JOBS = 64


@dataclass(frozen=True, slots=True)
class _JobWords:
    all: frozenset[str]
    runs: frozenset[tuple[str, ...]]


def copied_spans(resume: str, job_description: str) -> list[tuple[int, int]]:
    """Returns the resume's passages out of its job, as (start, end) in characters, in their order."""
    job = _words_of_job(job_description)
    if not job.runs:
        return []
    words = [word.lower() for word in _WORD.findall(resume)]
    if not _may_copy(words, job):
        return []
    places = [(found.start(), found.end()) for found in _WORD.finditer(resume)]
    shared = [at for at, word in enumerate(words) if word in job.all]
    is_copied = [False] * len(words)
    for at, is_run in zip(shared, _in_order([words[at] for at in shared], job.runs), strict=True):
        is_copied[at] = is_run
    in_order = sorted(_in_full_windows(is_copied, _IN_ORDER))
    found = {at for first, last in _passages(in_order) for at in range(first, last + 1)}
    telling = [at for at, word in enumerate(words) if _tells(word)]
    left = [at for at in telling if at not in found]
    found.update(left[at] for at in _in_full_windows([words[at] in job.all for at in left], _IN_ANY_ORDER))
    if found:
        found |= _to_line_ends(found, resume, places, telling, [words[at] in job.all for at in telling])
    return [(places[first][0], places[last][1]) for first, last in _passages(sorted(found))]


def _may_copy(words: Sequence[str], job: _JobWords) -> bool:
    """Returns whether a closer look can find anything; what most resumes cost."""
    shared = [word for word in words if word in job.all]
    if len(shared) < _MIN_COPIED_WORDS:
        return False
    if sum(_in_order(shared, job.runs)) >= _IN_ORDER.min_words:
        return True
    marks = [
        word in job.all
        for word in words
        if len(word) >= _MIN_TELLING_LETTERS and word not in _TELLING_NOTHING
    ]
    if len(marks) <= _IN_ANY_ORDER.window:
        return True
    sums = [0, *accumulate(marks)]
    most: int = max(map(sub, sums[_IN_ANY_ORDER.window :], sums))
    return most >= _IN_ANY_ORDER.min_words


def _to_line_ends(
    found: Set[int],
    resume: str,
    places: Sequence[tuple[int, int]],
    telling: Sequence[int],
    is_shared: Sequence[bool],
) -> set[int]:
    """Returns the telling words of lines, copied in part, that say hardly more than the job does."""
    ends = [line.end() for line in _LINE.finditer(resume)]
    more: set[int] = set()
    marked = zip(telling, is_shared, strict=True)
    for _, group in groupby(marked, key=lambda each: bisect_right(ends, places[each[0]][0])):
        line = list(group)
        num_found, num_shared = sum(at in found for at, _ in line), sum(is_in for _, is_in in line)
        if num_found >= _MIN_LINE_FOUND * len(line) and num_shared >= _MIN_LINE_SHARE * len(line):
            more.update(at for at, _ in line)
    return more


@lru_cache(_NUM_REMEMBERED_JOBS)
def _words_of_job(job_description: str) -> _JobWords:
    words = [word.lower() for word in _WORD.findall(job_description)]
    runs = frozenset(tuple(words[at : at + _RUN]) for at in range(len(words) - _RUN + 1))
    return _JobWords(frozenset(words), runs)


def _tells(word: str) -> bool:
    return len(word) >= _MIN_TELLING_LETTERS and word not in _TELLING_NOTHING


def _in_order(words: Sequence[str], runs: frozenset[tuple[str, ...]]) -> list[bool]:
    """Returns for each word whether it stands in a run of the job."""
    found = [False] * len(words)
    for at in range(len(words) - _RUN + 1):
        if tuple(words[at : at + _RUN]) in runs:
            found[at : at + _RUN] = [True] * _RUN
    return found


def _in_full_windows(marks: Sequence[bool], measure: _Measure) -> set[int]:
    """Returns the places of the marks in windows that hold enough of them."""
    window, needed = measure.window, measure.min_words
    if len(marks) < window:
        needed = max(_MIN_COPIED_WORDS, needed * len(marks) // window)
        window = len(marks)
    sums = [0, *accumulate(marks)]
    places: set[int] = set()
    checked = 0
    for start in range(len(marks) - window + 1):
        if sums[start + window] - sums[start] >= needed:
            places.update(at for at in range(max(start, checked), start + window) if marks[at])
            checked = start + window
    return places


def _passages(places: Iterable[int]) -> Iterator[tuple[int, int]]:
    """Yields the first and last word of each passage."""
    passage: list[int] = []
    for at in [*places, sys.maxsize]:
        if passage and at - passage[-1] > _MAX_STREWN_WORDS:
            if len(passage) >= _MIN_PASSAGE_WORDS:
                yield passage[0], passage[-1]
            passage = []
        passage.append(at)
