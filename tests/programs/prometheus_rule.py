"""The rules of deploy/prometheus as one object of the Prometheus operator.

python -m tests.programs.prometheus_rule writes k8s/components/service-monitor/prometheus_rule.yaml.
"""

from typing import Any

import yaml

from tests.deploy.tools import KUBERNETES, RULES

FILE = KUBERNETES / "components" / "service-monitor" / "prometheus_rule.yaml"
HEAD = (
    "# Written by python -m tests.programs.prometheus_rule from deploy/prometheus/rules: change them there.\n"
)


def prometheus_rule() -> dict[str, Any]:
    """Returns the object."""
    files = sorted(RULES.glob("*.yml"), reverse=True)  # recording before alerts
    return {
        "apiVersion": "monitoring.coreos.com/v1",
        "kind": "PrometheusRule",
        "metadata": {"name": "resume-scoring"},
        "spec": {"groups": [group for file in files for group in yaml.safe_load(file.read_text())["groups"]]},
    }


if __name__ == "__main__":
    FILE.write_text(HEAD + yaml.safe_dump(prometheus_rule(), sort_keys=False, width=100))
