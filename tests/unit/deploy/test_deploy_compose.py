"""docker-compose.yml: what starts after what, what is published, what a container may do, and no secret by default."""

import re
import subprocess
from pathlib import Path
from typing import Any

import pytest
import yaml  # type: ignore[import-untyped]

from scenescore_api.settings import ApiSettings
from scenescore_shared.settings import PREFIX

ROOT = Path(__file__).resolve().parents[3]
TEXT = (ROOT / "docker-compose.yml").read_text(encoding="utf-8")
COMPOSE: dict[str, Any] = yaml.safe_load(TEXT)
SERVICES: dict[str, dict[str, Any]] = COMPOSE["services"]
ONE_SHOTS = {"provision", "corpus"}
WORKERS = {"classifier_worker", "classifier_worker_gpu", "composer_worker", "render_worker"}
OURS = ONE_SHOTS | WORKERS | {"api", "sweeper", "webhooks"}
SECRETS = {
    "POSTGRES_PASSWORD",
    "REDIS_PASSWORD",
    "S3_ACCESS_KEY_ID",
    "S3_SECRET_ACCESS_KEY",
    "WEBHOOK_SIGNING_KEY",
}

_VARIABLE = re.compile(r"(?<!\$)\$\{(?P<name>\w+)(?P<rest>[^}]*)\}")


def interpolate(value: str, variables: dict[str, str]) -> str:
    """As compose does for the two forms that the file uses: `${A:-default}` and `${A:?what to do}`."""

    def put(found: re.Match[str]) -> str:
        given = variables.get(found["name"], "")
        if given:
            return given
        assert found["rest"].startswith(":-"), f"{found['name']} is needed"
        return found["rest"].removeprefix(":-")

    return _VARIABLE.sub(put, value).replace("$$", "$")


def needs(service: str) -> dict[str, str]:
    return {other: how["condition"] for other, how in SERVICES[service].get("depends_on", {}).items()}


def test_it_has_the_services_of_the_stack() -> None:
    assert set(SERVICES) == OURS | {"postgres", "redis", "seaweedfs"}


def test_no_secret_has_a_default() -> None:
    used = {found["name"]: found["rest"] for found in _VARIABLE.finditer(TEXT)}
    assert used.keys() >= SECRETS
    for found in _VARIABLE.finditer(TEXT):
        if found["name"] in SECRETS:
            assert found["rest"].startswith(":?")
            assert ".env.example" in found["rest"]
        else:
            assert found["rest"].startswith(":-")
    for service in SERVICES.values():
        for name, value in service.get("environment", {}).items():
            if re.search(r"PASSWORD|SECRET|ACCESS_KEY|SIGNING_KEY|AUTH$|__URL$", name):
                assert "${" in value, f"{name} is written out"


def test_the_example_names_every_variable_and_gives_no_secret() -> None:
    example = (ROOT / ".env.example").read_text(encoding="utf-8")
    given = dict(re.findall(r"^(\w+)=(.*)$", example, flags=re.MULTILINE))
    assert given == dict.fromkeys(SECRETS, "")
    used = {found["name"] for found in _VARIABLE.finditer(TEXT)}
    explained = set(re.findall(r"^#?(\w+)=", example, flags=re.MULTILINE))
    assert used <= explained
    for name in SECRETS:
        before = example.split(f"\n{name}=")[0].rsplit("\n", 1)[-1]
        assert before.startswith("# openssl rand -hex ")


def test_the_documented_command_fills_in_every_secret(tmp_path: Path) -> None:
    docs = (ROOT / "docs/deploy.md").read_text(encoding="utf-8")
    found = re.search(r"```sh\n(\(umask 077.*?)```", docs, flags=re.DOTALL)
    assert found is not None
    (tmp_path / ".env.example").write_bytes((ROOT / ".env.example").read_bytes())
    subprocess.run(["sh", "-euc", found[1]], cwd=tmp_path, check=True)
    filled = (tmp_path / ".env").read_text(encoding="utf-8")
    values = dict(re.findall(r"^(\w+)=(.*)$", filled, flags=re.MULTILINE))
    assert values.keys() == SECRETS
    assert len(set(values.values())) == len(SECRETS)
    assert all(re.fullmatch(r"[0-9a-f]{20,}", value) for value in values.values())
    assert (tmp_path / ".env").stat().st_mode & 0o077 == 0


@pytest.mark.parametrize("service", sorted(SERVICES))
def test_each_service_says_how_it_is_or_ends_by_itself(service: str) -> None:
    if service in ONE_SHOTS:
        assert SERVICES[service]["restart"] == "no"
        assert "healthcheck" not in SERVICES[service]
    else:
        assert SERVICES[service]["restart"] == "unless-stopped"
        test = SERVICES[service]["healthcheck"]["test"]
        assert test[0] in {"CMD", "CMD-SHELL"}
        assert not any("celery" in part for part in test)


def test_the_order_of_the_start() -> None:
    assert needs("provision") == {"postgres": "service_healthy", "seaweedfs": "service_healthy"}
    assert needs("corpus") == {"provision": "service_completed_successfully"}
    assert needs("composer_worker") == {
        "corpus": "service_completed_successfully",
        "redis": "service_healthy",
    }
    for service in ("api", "sweeper", "webhooks", *sorted(WORKERS - {"composer_worker"})):
        assert needs(service) == {
            "provision": "service_completed_successfully",
            "redis": "service_healthy",
        }


def test_only_the_apis_port_is_published_and_on_this_machine_only() -> None:
    assert {name for name, service in SERVICES.items() if "ports" in service} == {"api"}
    (port,) = SERVICES["api"]["ports"]
    assert interpolate(port, {}) == "127.0.0.1:8000:8000"
    assert COMPOSE["networks"]["back"]["internal"] is True
    in_front = {name for name, service in SERVICES.items() if service["networks"] != ["back"]}
    # the API to be reached, the deliverer of webhooks to reach out
    assert in_front == {"api", "webhooks"}


def test_the_deliverer_and_the_api_sign_with_the_same_key_and_nobody_else_has_it() -> None:
    held = {
        name: service["environment"]["SCENESCORE_WEBHOOKS__SIGNING_KEY"]
        for name, service in SERVICES.items()
        if "SCENESCORE_WEBHOOKS__SIGNING_KEY" in service.get("environment", {})
    }
    assert held.keys() == {"api", "webhooks"}
    assert len(set(held.values())) == 1
    for service in held:
        networks = SERVICES[service]["environment"]["SCENESCORE_WEBHOOKS__ALLOWED_NETWORKS"]
        assert interpolate(networks, {}) == ""


@pytest.mark.parametrize("service", sorted(SERVICES))
def test_each_container_may_do_little(service: str) -> None:
    described = SERVICES[service]
    assert described["read_only"] is True
    assert described["cap_drop"] == ["ALL"]
    assert described["security_opt"] == ["no-new-privileges:true"]
    assert "privileged" not in described
    limits = described["deploy"]["resources"]["limits"]
    assert limits.keys() == {"cpus", "memory", "pids"}
    # only the store whose entrypoint changes the owner of its volume before it leaves root behind
    assert ("cap_add" in described) == (service == "seaweedfs")
    for path in described.get("volumes", []):
        assert not path.startswith(("/", ".")), "no folder of the host"


@pytest.mark.parametrize("service", sorted(SERVICES))
def test_each_image_is_built_here_or_pinned(service: str) -> None:
    image = SERVICES[service]["image"]
    if service in OURS:
        dockerfile = ROOT / SERVICES[service]["build"]["dockerfile"]
        assert dockerfile.is_file()
        assert image.startswith(f"scenescore-{dockerfile.parent.name.removesuffix('_worker')}:")
    else:
        assert re.search(r":\d+\.\d+", image)


@pytest.mark.parametrize("service", sorted(OURS))
def test_there_is_time_to_hand_a_job_back(service: str) -> None:
    assert SERVICES[service]["stop_grace_period"] == "60s"
    # it would have the child killed after 20 seconds instead of being told to stop: docs/adr/0101
    assert "REMAP_SIGTERM" not in SERVICES[service]["environment"]


@pytest.mark.parametrize("service", sorted(WORKERS | {"sweeper", "webhooks"}))
def test_health_is_the_age_of_the_file_that_the_process_touches(service: str) -> None:
    folder = next(
        value for name, value in SERVICES[service]["environment"].items() if name.endswith("__STATE_DIR")
    )
    test = SERVICES[service]["healthcheck"]["test"][1]
    assert f"{folder}/alive" in test
    assert (f"{folder}/ready" in test) == (service in WORKERS)
    assert any(
        mount.startswith(f"{folder}:") and "uid=10001" in mount for mount in SERVICES[service]["tmpfs"]
    )


@pytest.mark.parametrize("service", ["classifier_worker", "sweeper", "webhooks"])
def test_the_health_command_tells_a_live_process_from_a_stuck_one(service: str, tmp_path: Path) -> None:
    command = SERVICES[service]["healthcheck"]["test"][1].replace("/run/scenescore", str(tmp_path))

    def healthy() -> bool:
        return subprocess.run(["sh", "-c", command], check=False, capture_output=True).returncode == 0

    assert not healthy()
    (tmp_path / "ready").touch()
    (tmp_path / "alive").touch()
    assert healthy()
    subprocess.run(["touch", "-d", "-90 seconds", str(tmp_path / "alive")], check=True)
    assert not healthy()


@pytest.mark.parametrize("service", sorted(OURS))
def test_the_settings_are_accepted(service: str, monkeypatch: pytest.MonkeyPatch) -> None:
    secrets = dict.fromkeys(SECRETS, "abc123") | {"WEBHOOK_SIGNING_KEY": "ab" * 32}
    for name, value in SERVICES[service]["environment"].items():
        assert name.startswith(PREFIX)
        monkeypatch.setenv(name, interpolate(value, secrets))
    settings = ApiSettings()
    assert settings.database_url == "postgresql+psycopg://scenescore:abc123@postgres:5432/scenescore"
    assert settings.broker_url == "redis://:abc123@redis:6379/0"
    assert settings.storage.endpoint_url == "http://seaweedfs:8333"


def test_the_gpu_profile_adds_a_classifier_with_a_gpu_and_the_plain_stack_has_none() -> None:
    assert {name for name, service in SERVICES.items() if "profiles" in service} == {"classifier_worker_gpu"}
    gpu = SERVICES["classifier_worker_gpu"]
    assert gpu["profiles"] == ["gpu"]
    assert gpu["environment"]["SCENESCORE_CLASSIFIER__DEVICE"] == "cuda"
    assert SERVICES["classifier_worker"]["environment"]["SCENESCORE_CLASSIFIER__DEVICE"] == "cpu"
    (device,) = gpu["deploy"]["resources"]["reservations"]["devices"]
    assert device["capabilities"] == ["gpu"]
    assert "whl/cpu" not in gpu["build"]["args"]["TORCH_INDEX_URL"]
    assert gpu["image"] != SERVICES["classifier_worker"]["image"]
    # the plain one runs unless .env says that the other takes its place
    assert interpolate(SERVICES["classifier_worker"]["deploy"]["replicas"], {}) == "1"


def test_the_api_asks_for_keys_as_it_listens_on_every_address() -> None:
    assert SERVICES["api"]["environment"]["SCENESCORE_API__REQUIRE_KEYS"] == "true"
    docs = (ROOT / "docs/deploy.md").read_text(encoding="utf-8")
    assert "docker compose run --rm -T api python -m scenescore_api.keys create me" in docs


def test_redis_keeps_its_messages_and_asks_for_a_password() -> None:
    (script,) = SERVICES["redis"]["command"][2:]
    for line in (
        "requirepass $$REDIS_PASSWORD",
        "appendonly yes",
        "appendfsync everysec",
        "maxmemory-policy noeviction",
    ):
        assert line in script.splitlines()
