import json
import os
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
import yaml

TOP = Path(__file__).parents[2]
COMPOSE = TOP / "docker-compose.yml"


@pytest.fixture(scope="module")
def services() -> dict[str, Any]:
    found: dict[str, Any] = yaml.safe_load(COMPOSE.read_text())["services"]
    return found


def has_compose() -> bool:
    docker = shutil.which("docker")
    if docker is None:
        return False
    return not subprocess.run([docker, "compose", "version"], check=False, capture_output=True).returncode


def test_the_gateway_runs_with_the_least_rights(services: dict[str, Any]) -> None:
    gateway = services["gateway"]
    assert gateway["read_only"] is True
    assert gateway["cap_drop"] == ["ALL"]
    assert "no-new-privileges:true" in gateway["security_opt"]
    assert gateway["user"].split(":")[0] != "0"
    assert [mount.partition(":")[0] for mount in gateway["tmpfs"]] == ["/tmp"]  # noqa: S108 - the container's own
    assert gateway["volumes"] == ["state:/var/lib/cimgate"]  # the one place it may write to, beside /tmp
    assert not {"privileged", "cap_add", "ports"} & set(gateway)


def test_the_gateway_waits_for_a_healthy_broker_and_both_are_probed(services: dict[str, Any]) -> None:
    assert services["gateway"]["depends_on"]["rabbitmq"] == {"condition": "service_healthy"}
    assert services["gateway"]["healthcheck"]["test"][-1] == services["gateway"]["environment"]["CIMGATE_READY_FILE"]
    assert "rabbitmq-diagnostics" in services["rabbitmq"]["healthcheck"]["test"]


def test_the_broker_is_reached_from_this_machine_alone(services: dict[str, Any]) -> None:
    assert all(port.startswith("127.0.0.1:") for port in services["rabbitmq"]["ports"])
    image, _, tag = services["rabbitmq"]["image"].partition(":")
    assert (image, tag != "latest", "management" in tag) == ("rabbitmq", True, True)


def test_no_password_but_the_marked_development_default_is_in_the_file(services: dict[str, Any]) -> None:
    wanted = "${CIMGATE_AMQP_PASSWORD:-for-development-only}"
    assert services["rabbitmq"]["environment"]["RABBITMQ_DEFAULT_PASS"] == wanted
    assert services["gateway"]["environment"]["CIMGATE_AMQP_PASSWORD"] == wanted
    assert services["gateway"]["environment"]["CIMGATE_AMQP_URL"] == "amqp://cimgate@rabbitmq:5672/"


@pytest.mark.skipif(not has_compose(), reason="docker compose is not installed")
def test_docker_compose_accepts_the_file() -> None:
    subprocess.run(["docker", "compose", "--file", str(COMPOSE), "config", "--quiet"], check=True)


def test_the_image_is_built_from_the_locks_and_runs_without_root() -> None:
    lines = (TOP / "deploy" / "Dockerfile").read_text().splitlines()
    last_stage = lines[max(number for number, line in enumerate(lines) if line.startswith("FROM ")) :]
    assert not any(line.startswith("RUN") for line in last_stage)
    assert any(line.startswith("USER ") and not line.startswith("USER 0") for line in last_stage)
    text = "\n".join(lines)
    assert "--require-hashes --requirement deploy/requirements.lock" in text
    for word in ("pyproject.toml", "README.md", "LICENSE", "gateway", "schemas", "routes", "examples"):
        assert f"!{word}" in (TOP / ".dockerignore").read_text().splitlines()


def test_the_definitions_are_those_of_the_topology() -> None:
    surroundings = {name: value for name, value in os.environ.items() if not name.startswith("CIMGATE_")}
    shown = subprocess.run(
        [sys.executable, "-m", "gateway.cli", "topology", "show", "--definitions"],
        capture_output=True, check=True, cwd=TOP, env=surroundings,
    ).stdout  # fmt: skip
    kept = json.loads((TOP / "deploy" / "rabbitmq-definitions.json").read_text())
    assert json.loads(shown) == kept, "write them anew: make definitions"
