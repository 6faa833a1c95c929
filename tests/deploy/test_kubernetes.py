"""kubectl builds the overlays, kubernetes-validate checks them, and they do not drift from the code."""

import functools
import os
import subprocess
from collections.abc import Iterator
from typing import Any

import kubernetes_validate
import pytest
import yaml
from pydantic import SecretStr

from services.contracts.topics import APPLICATION_SUBMITTED, TOPICS
from services.events.kafka_client import MAX_RECORD_BYTES
from services.process.settings import PREFIX, Settings, load_settings, variable_of
from services.scoring_worker.app import STOP_SECONDS
from tests.deploy.tools import KUBERNETES, program
from tests.programs.prometheus_rule import FILE as RULE_FILE
from tests.programs.prometheus_rule import prometheus_rule

Object = dict[str, Any]
OVERLAYS = ("local", "production")
KUBERNETES_VERSION = "1.33"
# Objects of operators: their own schemas are not in Kubernetes', so only their kind and version are checked.
OPERATORS = {
    "KafkaTopic": "kafka.strimzi.io/v1",
    "ScaledObject": "keda.sh/v1alpha1",
    "TriggerAuthentication": "keda.sh/v1alpha1",
    "PodMonitor": "monitoring.coreos.com/v1",
    "PrometheusRule": "monitoring.coreos.com/v1",
}
SERVICES = {"scoring-worker": "worker", "scoring-api": "api", "training-service": "trainer"}
ENGINE_CLOSES_SECONDS = 5.0  # of a scorer, behind its drain


@functools.cache
def built(overlay: str) -> tuple[Object, ...]:
    answer = subprocess.run(
        [program("kubectl"), "kustomize", str(KUBERNETES / "overlays" / overlay)],
        capture_output=True,
        text=True,
    )
    assert answer.returncode == 0, answer.stderr
    assert "deprecated" not in answer.stderr
    return tuple(yaml.safe_load_all(answer.stdout))


def of_kind(overlay: str, *kinds: str) -> dict[str, Object]:
    return {each["metadata"]["name"]: each for each in built(overlay) if each["kind"] in kinds}


def pods(overlay: str) -> Iterator[tuple[str, Object]]:
    for name, each in of_kind(overlay, "Deployment", "StatefulSet", "Job").items():
        yield name, each["spec"]["template"]["spec"]


def services(overlay: str) -> dict[str, tuple[Object, Object]]:
    """Returns pod and container of each process that runs for ever."""
    return {name: (pod, pod["containers"][0]) for name, pod in pods(overlay) if name in SERVICES}


def port_of(service: str) -> int:
    port: int = getattr(Settings(), f"{SERVICES[service]}_metrics_port")
    return port


@pytest.fixture(params=OVERLAYS)
def overlay(request: pytest.FixtureRequest) -> str:
    program("kubectl")
    name: str = request.param
    return name


def test_every_object_is_valid(overlay: str) -> None:
    for each in built(overlay):
        if each["kind"] in OPERATORS:
            assert each["apiVersion"] == OPERATORS[each["kind"]]
            assert each["spec"]
        else:
            kubernetes_validate.validate(each, KUBERNETES_VERSION, strict=True)


def test_every_object_is_in_the_namespace_of_its_own(overlay: str) -> None:
    for each in built(overlay):
        if each["kind"] != "Namespace":
            expected = "kafka" if each["kind"] == "KafkaTopic" else "resume-scoring"
            assert each["metadata"].get("namespace") == expected, each["metadata"]


def test_every_pod_fits_the_restricted_level(overlay: str) -> None:
    namespace = of_kind(overlay, "Namespace")["resume-scoring"]["metadata"]["labels"]
    assert namespace["pod-security.kubernetes.io/enforce"] == "restricted"
    found = dict(pods(overlay))
    assert found.keys() == SERVICES.keys() | {"training-job"}
    for name, pod in found.items():
        (container,) = pod["containers"]
        assert pod["securityContext"]["runAsNonRoot"] is True
        assert pod["securityContext"]["runAsUser"] == 10001
        assert pod["securityContext"]["seccompProfile"] == {"type": "RuntimeDefault"}
        assert container["securityContext"] == {
            "allowPrivilegeEscalation": False,
            "readOnlyRootFilesystem": True,
            "capabilities": {"drop": ["ALL"]},
        }
        assert pod["serviceAccountName"] == name
        assert pod["automountServiceAccountToken"] is False
        assert of_kind(overlay, "ServiceAccount")[name]["automountServiceAccountToken"] is False
    assert of_kind(overlay, "Role", "ClusterRole", "RoleBinding", "ClusterRoleBinding") == {}


def test_every_volume_and_every_settings_map_that_is_used_is_there(overlay: str) -> None:
    claims, maps = of_kind(overlay, "PersistentVolumeClaim"), of_kind(overlay, "ConfigMap")
    for name, pod in pods(overlay):
        (container,) = pod["containers"]
        volumes = {volume["name"]: volume for volume in pod["volumes"]}
        templates = {"trainer"} if name == "training-service" else set()
        assert {mount["name"] for mount in container["volumeMounts"]} <= volumes.keys() | templates
        for volume in volumes.values():
            if "persistentVolumeClaim" in volume:
                assert volume["persistentVolumeClaim"]["claimName"] in claims
        for source in container.get("envFrom", []):
            assert source["configMapRef"]["name"] in maps


def test_the_processes_would_start_with_these_settings(overlay: str, monkeypatch: pytest.MonkeyPatch) -> None:
    for name in [name for name in os.environ if name.startswith(PREFIX)]:
        monkeypatch.delenv(name)
    for service, (_, container) in services(overlay).items():
        with monkeypatch.context() as patched:
            for name, value in environment_of(overlay, container).items():
                patched.setenv(name, value)

            settings = load_settings()

        assert container["args"] == [SERVICES[service]]
        assert settings.metrics_host == "0.0.0.0"
        assert settings.kafka_num_partitions == 8
        if overlay == "production":
            assert settings.kafka_security_protocol == "SASL_SSL"
            assert settings.kafka_sasl_password.get_secret_value() == "a secret"
            assert not settings.api_allow_plaintext
            for path in mounted_files(settings, service):
                assert any(path.startswith(mount["mountPath"]) for mount in container["volumeMounts"])


def mounted_files(settings: Settings, service: str) -> list[str]:
    """Returns the files that the settings name and that secrets bring."""
    of_api = [settings.grpc_tls_certfile, settings.grpc_tls_keyfile, settings.grpc_tokens_file]
    assert all(of_api) == (service == "scoring-api")
    return [settings.kafka_ssl_cafile, *filter(None, of_api)]


def environment_of(overlay: str, container: Object) -> dict[str, str]:
    found: dict[str, str] = {}
    for source in container["envFrom"]:
        found |= of_kind(overlay, "ConfigMap")[source["configMapRef"]["name"]]["data"]
    for variable in container.get("env", []):
        found[variable["name"]] = variable.get("value", "a secret")
    return found


def test_production_notes_every_score_on_a_volume_that_outlives_its_pods() -> None:
    program("kubectl")
    claim = of_kind("production", "PersistentVolumeClaim")["audit-log"]
    assert claim["spec"]["accessModes"] == ["ReadWriteMany"]
    for service, (pod, container) in services("production").items():
        environment = environment_of("production", container)
        mounts = {each["name"]: each["mountPath"] for each in container["volumeMounts"]}
        claims = {
            each["name"]: each["persistentVolumeClaim"]["claimName"]
            for each in pod["volumes"]
            if "persistentVolumeClaim" in each
        }
        expected = None if service == "training-service" else "/audit"
        assert environment.get("SCORER_AUDIT_LOG_DIR") == mounts.get("audit-log") == expected
        assert claims.get("audit-log") == (expected and "audit-log")
    assert "audit-log" not in of_kind("local", "PersistentVolumeClaim")


def test_secrets_stand_nowhere(overlay: str) -> None:
    assert of_kind(overlay, "Secret") == {}
    words = {
        variable_of(name) for name, each in Settings.model_fields.items() if each.annotation is SecretStr
    }
    for _, (_, container) in services(overlay).items():
        for variable in container.get("env", []):
            assert variable["name"] not in words or "secretKeyRef" in variable["valueFrom"]
    for each in of_kind(overlay, "ConfigMap").values():
        assert not words & each["data"].keys()


def test_ports_and_probes_are_those_of_the_code(overlay: str) -> None:
    for service, (_, container) in services(overlay).items():
        ports = {port["name"]: port["containerPort"] for port in container["ports"]}
        assert ports["metrics"] == port_of(service)
        assert container["livenessProbe"]["httpGet"] == {"path": "/livez", "port": "metrics"}
        if service == "scoring-api":
            assert ports["grpc"] == Settings().grpc_port
        if service == "scoring-api" and overlay == "local":
            assert container["readinessProbe"]["grpc"]["port"] == Settings().grpc_port
        else:
            assert container["readinessProbe"]["httpGet"] == {"path": "/readyz", "port": "metrics"}
            assert "grpc" not in container["readinessProbe"]


def test_pods_have_longer_than_a_drain_takes(overlay: str) -> None:
    for pod, container in services(overlay).values():
        pause = (
            container.get("lifecycle", {}).get("preStop", {}).get("exec", {}).get("command", ["sleep", "0"])
        )
        needed = float(pause[1]) + Settings().drain_seconds + STOP_SECONDS + ENGINE_CLOSES_SECONDS
        assert pod["terminationGracePeriodSeconds"] > needed


def test_only_production_asks_for_gpus() -> None:
    program("kubectl")
    for name, pod in pods("production"):
        assert pod["containers"][0]["resources"]["limits"]["nvidia.com/gpu"] == "1", name
        assert pod["containers"][0]["image"].endswith("-cuda")
    for _, pod in pods("local"):
        assert "nvidia.com/gpu" not in pod["containers"][0]["resources"]["limits"]
        assert pod["containers"][0]["image"] == "resume-scorer:cpu"


def test_selectors_match_their_pods(overlay: str) -> None:
    labels = {
        name: each["spec"]["template"]["metadata"]["labels"]
        for name, each in of_kind(overlay, "Deployment", "StatefulSet", "Job").items()
    }
    for name, each in of_kind(overlay, "Deployment", "StatefulSet").items():
        assert each["spec"]["selector"]["matchLabels"].items() <= labels[name].items()
    for name, each in of_kind(overlay, "Service").items():
        assert each["spec"]["selector"].items() <= labels[name].items()
    for name, each in of_kind(overlay, "PodDisruptionBudget").items():
        assert each["spec"]["selector"]["matchLabels"].items() <= labels[name].items()


def test_the_topics_are_those_of_the_code() -> None:
    program("kubectl")
    topics = of_kind("production", "KafkaTopic")

    assert topics.keys() == {spec.name for spec in TOPICS}
    for spec in TOPICS:
        given = topics[spec.name]["spec"]
        assert given["config"]["cleanup.policy"] == spec.cleanup_policy
        assert given["partitions"] == (8 if spec.is_partitioned else 1)
        if spec.name.endswith(".dlq"):
            assert given["config"]["max.message.bytes"] == str(MAX_RECORD_BYTES)


def test_no_more_workers_are_started_than_there_are_partitions() -> None:
    program("kubectl")
    scaled = of_kind("production", "ScaledObject")["scoring-worker"]["spec"]
    trigger = scaled["triggers"][0]["metadata"]
    settings = of_kind("production", "ConfigMap")
    shared = next(each["data"] for name, each in settings.items() if name.startswith("scorer-settings"))
    topic = of_kind("production", "KafkaTopic")[APPLICATION_SUBMITTED]["spec"]

    assert scaled["maxReplicaCount"] == topic["partitions"] == int(shared["SCORER_KAFKA_NUM_PARTITIONS"])
    assert trigger["topic"] == APPLICATION_SUBMITTED
    assert trigger["consumerGroup"] == Settings().worker_group
    assert trigger["bootstrapServers"] == shared["SCORER_KAFKA_BOOTSTRAP_SERVERS"]
    assert scaled["scaleTargetRef"]["name"] in of_kind("production", "Deployment")
    assert "replicas" not in of_kind("production", "Deployment")["scoring-worker"]["spec"]


def test_prometheus_and_the_network_know_the_ports() -> None:
    program("kubectl")
    (endpoint,) = of_kind("production", "PodMonitor")["resume-scoring"]["spec"]["podMetricsEndpoints"]
    policies = of_kind("production", "NetworkPolicy")

    assert (endpoint["port"], endpoint["path"]) == ("metrics", "/metrics")
    (scraping,) = policies["prometheus-to-metrics"]["spec"]["ingress"]
    assert {port["port"] for port in scraping["ports"]} == {port_of(service) for service in SERVICES}
    (calling,) = policies["callers-to-api"]["spec"]["ingress"]
    assert [port["port"] for port in calling["ports"]] == [Settings().grpc_port]


def test_the_operators_rules_are_those_of_deploy() -> None:
    written = yaml.safe_load(RULE_FILE.read_text())

    assert written == prometheus_rule(), "run: python -m tests.programs.prometheus_rule"
