"""The rendered overlays: each container is watched, bounded and unprivileged, and would accept its settings."""

import importlib.util
import subprocess
import sys
from collections.abc import Iterator
from functools import cache
from ipaddress import ip_address, ip_network
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest
import yaml  # type: ignore[import-untyped]

from scenescore_api.settings import ApiSettings
from scenescore_shared.settings import PREFIX

ROOT = Path(__file__).resolve().parents[3]
OVERLAYS = ("dev", "production")
COMPONENTS = ("autoscaling", "gpu")
OURS = {"api", "sweeper", "webhooks", "classifier-worker", "composer-worker", "render-worker", "provision"}


@cache
def script() -> ModuleType:
    name = "scenescore_k8s_validate"
    spec = importlib.util.spec_from_file_location(name, ROOT / "k8s/validate.py")
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    sys.modules[name] = module  # dataclasses look their module up
    spec.loader.exec_module(module)
    return module


@cache
def rendered(overlay: str, component: str | None = None) -> list[dict[str, Any]]:
    renderer = script().find_renderer()
    if renderer is None:
        pytest.skip("neither kustomize nor kubectl 1.27 or newer is here to render the overlays")
    documents: list[dict[str, Any]] = script().parse(
        script().render(renderer, script().Target(overlay=overlay, component=component))
    )
    return documents


def of_kind(documents: list[dict[str, Any]], *kinds: str) -> dict[str, dict[str, Any]]:
    return {document["metadata"]["name"]: document for document in documents if document["kind"] in kinds}


def workloads(documents: list[dict[str, Any]]) -> dict[str, dict[str, Any]]:
    return of_kind(documents, "Deployment", "StatefulSet", "Job")


def containers(pod: dict[str, Any]) -> Iterator[dict[str, Any]]:
    yield from pod.get("initContainers", [])
    yield from pod["containers"]


def container(documents: list[dict[str, Any]], workload: str) -> dict[str, Any]:
    found: dict[str, Any] = workloads(documents)[workload]["spec"]["template"]["spec"]["containers"][0]
    return found


@pytest.mark.parametrize("overlay", OVERLAYS)
def test_the_overlay_is_valid(overlay: str) -> None:
    assert list(script().schema_faults(rendered(overlay))) == []


@pytest.mark.parametrize("component", COMPONENTS)
def test_the_component_is_valid_in_production(component: str) -> None:
    assert list(script().schema_faults(rendered("production", component))) == []


def test_every_overlay_and_component_is_checked() -> None:
    folders = {path.parent.name for path in ROOT.glob("k8s/overlays/*/kustomization.yaml")}
    assert folders == set(OVERLAYS)
    assert {path.parent.name for path in ROOT.glob("k8s/components/*/kustomization.yaml")} == set(COMPONENTS)
    assert [str(target) for target in script().targets()] == [
        *(f"k8s/overlays/{overlay}" for overlay in OVERLAYS),
        *(f"k8s/overlays/production + {component}" for component in COMPONENTS),
    ]


def test_a_fault_in_a_manifest_is_found() -> None:
    job = workloads(rendered("dev"))["scenescore-provision"]
    broken = {**job, "spec": {**job["spec"], "backofLimit": 3}}
    (fault,) = script().schema_faults([broken])
    assert "backofLimit" in fault


def test_a_misspelt_setting_is_found() -> None:
    known = script().known_settings()
    text = "SCENESCORE_API__HOST SCENESCORE_DATABASE__URI SCENESCORE_EMOTION"
    assert list(script().setting_faults(text, known)) == [
        "SCENESCORE_DATABASE__URI is no setting of any service",
        "SCENESCORE_EMOTION is no setting of any service",
    ]


def test_without_a_renderer_it_says_so_and_passes(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(script(), "find_renderer", lambda: None)
    assert script().main() == 0
    assert "left out: " in capsys.readouterr().out


@pytest.mark.parametrize(
    ("version", "command"),
    [("v1.32.4-dispatcher", ["kustomize"]), ("v1.27.0", ["kustomize"]), ("v1.26.9", None)],
)
def test_an_old_kubectl_is_not_used(
    version: str, command: list[str] | None, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    kubectl = tmp_path / "kubectl"
    kubectl.write_text(f'#!/bin/sh\necho \'{{"clientVersion": {{"gitVersion": "{version}"}}}}\'\n')
    kubectl.chmod(0o755)
    monkeypatch.setenv("PATH", str(tmp_path))
    assert script().find_renderer() == (command and [str(kubectl), *command])


@pytest.mark.parametrize("overlay", OVERLAYS)
def test_each_container_is_unprivileged_and_bounded(overlay: str) -> None:
    for name, workload in workloads(rendered(overlay)).items():
        pod = workload["spec"]["template"]["spec"]
        assert pod["automountServiceAccountToken"] is False, name
        assert pod["enableServiceLinks"] is False, name
        assert pod["securityContext"]["runAsNonRoot"] is True, name
        assert pod["securityContext"]["runAsUser"] > 0, name
        assert pod["securityContext"]["seccompProfile"] == {"type": "RuntimeDefault"}, name
        for each in containers(pod):
            assert each["securityContext"] == {
                "allowPrivilegeEscalation": False,
                "readOnlyRootFilesystem": True,
                "capabilities": {"drop": ["ALL"]},
            }, name
            resources = each["resources"]
            assert resources["requests"].keys() >= {"cpu", "memory"}, name
            assert resources["limits"].keys() >= {"cpu", "memory"}, name
            assert "/tmp" in {mount["mountPath"] for mount in each["volumeMounts"]}, name  # noqa: S108
            assert ":" in each["image"], name
            assert not each["image"].endswith(":latest"), name


@pytest.mark.parametrize("overlay", OVERLAYS)
def test_each_container_that_stays_is_probed(overlay: str) -> None:
    for name, workload in of_kind(rendered(overlay), "Deployment", "StatefulSet").items():
        pod = workload["spec"]["template"]["spec"]
        assert pod["terminationGracePeriodSeconds"] == 60, name
        for each in pod["containers"]:
            assert each.keys() >= {"startupProbe", "livenessProbe"}, name
            # nobody sends these anything: they are never unready
            unasked = {"scenescore-sweeper", "scenescore-webhooks"}
            assert ("readinessProbe" in each) == (name not in unasked), name
            assert "celery" not in str(each), name


@pytest.mark.parametrize("overlay", OVERLAYS)
def test_the_apis_liveness_does_not_hang_on_the_database(overlay: str) -> None:
    api = container(rendered(overlay), "scenescore-api")
    assert api["livenessProbe"]["httpGet"]["path"] == "/healthz"
    assert api["readinessProbe"]["httpGet"]["path"] == "/readyz"


@pytest.mark.parametrize("overlay", OVERLAYS)
def test_the_api_asks_for_keys_as_it_listens_on_every_address(overlay: str) -> None:
    api = container(rendered(overlay), "scenescore-api")
    environment = {variable["name"]: variable["value"] for variable in api["env"]}
    assert environment["SCENESCORE_API__HOST"] == "0.0.0.0"  # noqa: S104 - of the pod
    assert environment["SCENESCORE_API__REQUIRE_KEYS"] == "true"
    assert list(script().door_faults(rendered(overlay))) == []
    keyless = {**api, "env": [item for item in api["env"] if not item["name"].endswith("REQUIRE_KEYS")]}
    broken = {
        "kind": "Deployment",
        "metadata": {"name": "api"},
        "spec": {"template": {"spec": {"containers": [keyless]}}},
    }
    assert list(script().door_faults([broken])) == ["Deployment api: listens to others and asks for no key"]


@pytest.mark.parametrize("overlay", OVERLAYS)
def test_each_deployment_has_a_disruption_budget_that_finds_it(overlay: str) -> None:
    budgets = of_kind(rendered(overlay), "PodDisruptionBudget")
    deployments = of_kind(rendered(overlay), "Deployment")
    assert budgets.keys() == deployments.keys()
    for name, deployment in deployments.items():
        labels = deployment["spec"]["template"]["metadata"]["labels"].items()
        assert budgets[name]["spec"]["selector"]["matchLabels"].items() <= labels
        assert budgets[name]["spec"]["selector"] == deployment["spec"]["selector"]


@pytest.mark.parametrize("overlay", OVERLAYS)
def test_nothing_goes_in_or_out_but_by_name(overlay: str) -> None:
    policies = of_kind(rendered(overlay), "NetworkPolicy")
    deny = policies.pop("default-deny")["spec"]
    assert deny == {"podSelector": {}, "policyTypes": ["Ingress", "Egress"]}
    for name, policy in policies.items():
        for rule in (*policy["spec"].get("ingress", []), *policy["spec"].get("egress", [])):
            assert rule.get("from") or rule.get("to"), f"{name}: open to everyone"
            assert rule["ports"], f"{name}: every port"


@pytest.mark.parametrize("overlay", OVERLAYS)
def test_webhooks_leave_for_https_at_public_addresses_only(overlay: str) -> None:
    policies = of_kind(rendered(overlay), "NetworkPolicy")
    (rule,) = policies["webhook-receivers"]["spec"]["egress"]
    assert [port["port"] for port in rule["ports"]] == [443]
    world = [to["ipBlock"] for to in rule["to"]]

    def reached(address: str) -> bool:
        return any(
            ip_address(address) in ip_network(block["cidr"])
            and not any(ip_address(address) in ip_network(part) for part in block["except"])
            for block in world
        )

    assert reached("8.8.8.8")
    assert reached("2606:2800:220:1:248:1893:25c8:1946")
    for inner in (
        "10.0.0.1",
        "127.0.0.1",
        "169.254.169.254",
        "172.31.0.1",
        "192.168.0.1",
        "100.64.0.1",
        "240.0.0.1",
    ):
        assert not reached(inner), inner
    for inner in (
        "::1",
        "fd00::1",
        "fe80::1",
        "::ffff:10.0.0.1",
        "64:ff9b::a00:1",
        "2002:a00:1::1",
        "ff02::1",
    ):
        assert not reached(inner), inner
    # policies add up: no other one may let these pods out further on port 443
    labels = workloads(rendered(overlay))["scenescore-webhooks"]["spec"]["template"]["metadata"]["labels"]
    for name, policy in policies.items():
        if name in {"webhook-receivers", "default-deny"}:
            continue
        selector = policy["spec"]["podSelector"]
        excluded = any(
            each["operator"] == "NotIn" and labels[each["key"]] in each["values"]
            for each in selector.get("matchExpressions", [])
        )
        if selector.get("matchLabels", {}).items() <= labels.items() and not excluded:
            ports = {port["port"] for rule in policy["spec"].get("egress", []) for port in rule["ports"]}
            assert 443 not in ports, name


def test_of_the_object_store_only_s3_is_open() -> None:
    policy = of_kind(rendered("dev"), "NetworkPolicy")["seaweedfs-clients"]["spec"]
    assert [port["port"] for rule in policy["ingress"] for port in rule["ports"]] == [8333]
    service = of_kind(rendered("dev"), "Service")["seaweedfs"]["spec"]
    assert [port["port"] for port in service["ports"]] == [8333]


@pytest.mark.parametrize("overlay", OVERLAYS)
def test_the_namespace_enforces_the_restricted_standard(overlay: str) -> None:
    (namespace,) = of_kind(rendered(overlay), "Namespace").values()
    assert namespace["metadata"]["labels"]["pod-security.kubernetes.io/enforce"] == "restricted"


@pytest.mark.parametrize("overlay", OVERLAYS)
def test_every_resource_carries_the_recommended_labels(overlay: str) -> None:
    for document in rendered(overlay):
        labels = document["metadata"]["labels"]
        assert labels["app.kubernetes.io/part-of"] == "scenescore"
        assert labels["app.kubernetes.io/managed-by"] == "kustomize"
        assert labels["app.kubernetes.io/instance"] == overlay
    for workload in workloads(rendered(overlay)).values():
        labels = workload["spec"]["template"]["metadata"]["labels"]
        assert labels.keys() >= {
            "app.kubernetes.io/name",
            "app.kubernetes.io/component",
            "app.kubernetes.io/instance",
        }


@pytest.mark.parametrize("overlay", OVERLAYS)
def test_no_secret_is_in_the_manifests(overlay: str) -> None:
    assert not of_kind(rendered(overlay), "Secret")
    for workload in workloads(rendered(overlay)).values():
        for each in containers(workload["spec"]["template"]["spec"]):
            for variable in each.get("env", []):
                if variable["name"] == "SCENESCORE_API__REQUIRE_KEYS":
                    continue
                if "PASSWORD" in variable["name"] or "KEY" in variable["name"] or "AUTH" in variable["name"]:
                    assert "secretKeyRef" in variable["valueFrom"]


def dev_secrets() -> dict[str, dict[str, str]]:
    said = subprocess.run(
        ["sh", str(ROOT / "k8s/overlays/dev/secrets.sh")], capture_output=True, text=True, check=True
    )
    documents = [document for document in yaml.safe_load_all(said.stdout) if document]
    assert list(script().schema_faults(documents)) == []
    return {
        document["metadata"]["name"]: document["stringData"]
        for document in documents
        if document["kind"] == "Secret"
    }


def test_the_dev_secrets_are_new_each_time_and_all_that_the_pods_ask_for() -> None:
    first, second = dev_secrets(), dev_secrets()
    assert first.keys() == {"scenescore-secrets", "scenescore-stores"}
    for name, values in first.items():
        for key, value in values.items():
            assert value != second[name][key]
    asked = {
        (reference["name"], reference["key"])
        for workload in workloads(rendered("dev")).values()
        for each in containers(workload["spec"]["template"]["spec"])
        for variable in each.get("env", [])
        if (reference := variable.get("valueFrom", {}).get("secretKeyRef"))
    }
    assert asked == {("scenescore-stores", key) for key in first["scenescore-stores"]}


@pytest.mark.parametrize("overlay", OVERLAYS)
def test_each_of_our_containers_accepts_its_settings(overlay: str, monkeypatch: pytest.MonkeyPatch) -> None:
    documents = rendered(overlay)
    config = of_kind(documents, "ConfigMap")
    secrets = dev_secrets()["scenescore-secrets"]
    seen = set()
    for workload in workloads(documents).values():
        pod = workload["spec"]["template"]
        component = pod["metadata"]["labels"]["app.kubernetes.io/component"]
        if component not in OURS:
            continue
        for each in containers(pod["spec"]):
            environment: dict[str, str] = {}
            for source in each["envFrom"]:
                if "configMapRef" in source:
                    environment |= config[source["configMapRef"]["name"]]["data"]
                else:
                    assert source["secretRef"]["name"] == "scenescore-secrets"
                    environment |= secrets
            environment |= {variable["name"]: variable["value"] for variable in each.get("env", [])}
            assert all(name.startswith(PREFIX) for name in environment)
            with monkeypatch.context() as patch:
                for name, value in environment.items():
                    patch.setenv(name, value)
                settings = ApiSettings()
            assert settings.database.url is not None
            assert settings.broker.url is not None
            assert settings.storage.bucket == "scenescore"
            assert settings.storage.endpoint_url
        seen.add(component)
    assert seen == OURS


def test_the_corpus_comes_after_the_schema() -> None:
    pod = workloads(rendered("production"))["scenescore-provision"]["spec"]["template"]["spec"]
    assert [each["command"] for each in containers(pod)] == [
        ["python", "-m", "scenescore_shared.provision"],
        ["python", "-m", "scenescore_composer.provision"],
    ]


def test_production_differs_in_substance() -> None:
    production = rendered("production")
    assert not of_kind(production, "StatefulSet")
    deployments = of_kind(production, "Deployment")
    api = deployments["scenescore-api"]["spec"]
    # the autoscaler's number, not ours
    assert "replicas" not in api
    assert of_kind(production, "HorizontalPodAutoscaler")["scenescore-api"]["spec"]["minReplicas"] == 2
    spread = api["template"]["spec"]["topologySpreadConstraints"]
    assert {each["topologyKey"] for each in spread} == {
        "kubernetes.io/hostname",
        "topology.kubernetes.io/zone",
    }
    assert {d["spec"].get("replicas") for name, d in deployments.items() if name != "scenescore-api"} == {2}


def test_the_gpu_component_changes_the_classifier_alone() -> None:
    plain, gpu = rendered("production"), rendered("production", "gpu")
    changed = {name for name, workload in workloads(gpu).items() if workload != workloads(plain)[name]}
    assert changed == {"scenescore-classifier-worker"}
    classifier = container(gpu, "scenescore-classifier-worker")
    assert classifier["image"].endswith("-gpu")
    assert classifier["resources"]["limits"]["nvidia.com/gpu"] == "1"
    assert {"name": "SCENESCORE_CLASSIFIER__DEVICE", "value": "cuda"} in classifier["env"]
    # everything else about the container stays as it was
    assert (
        classifier["securityContext"] == container(plain, "scenescore-classifier-worker")["securityContext"]
    )


def test_autoscaling_counts_waiting_and_running_jobs_of_the_workers_own_step() -> None:
    scaled = of_kind(rendered("production", "autoscaling"), "ScaledObject")
    for worker, step in (
        ("classifier-worker", "classify"),
        ("composer-worker", "compose"),
        ("render-worker", "render"),
    ):
        spec = scaled[f"scenescore-{worker}"]["spec"]
        assert spec["scaleTargetRef"]["name"] in workloads(rendered("production"))
        (trigger,) = spec["triggers"]
        assert f"step = '{step}'" in trigger["metadata"]["query"]
        assert "('queued', 'running')" in trigger["metadata"]["query"]
