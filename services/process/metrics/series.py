"""Series that exist from the start, so that a rate over them is defined before the first event."""

from collections.abc import Iterable
from itertools import product
from typing import TypeVar

from prometheus_client import Counter, Gauge, Histogram

Metric = TypeVar("Metric", Counter, Gauge, Histogram)


def touched(metric: Metric, *values: Iterable[str]) -> Metric:
    """Makes every series of a metric exist at zero and returns the metric.

    Args:
        values: of each label, in the order of its labels.
    """
    for labels in product(*values):
        metric.labels(*labels)
    return metric
