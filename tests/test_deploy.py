"""What is installed runs: units are hardened, names of settings are real, the image has what drawing needs."""

from __future__ import annotations

import re
import shlex
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import click
import pytest
import yaml

from api.commands import main
from api.settings import from_environment
from tests.sources import ROOT

DEPLOY = ROOT / "deploy"
UNITS = sorted((DEPLOY / "systemd").glob("*.service"))
TIMERS = sorted((DEPLOY / "systemd").glob("*.timer"))


class Asked(dict[str, str]):
    """An environment that remembers which names it was asked for."""

    def __init__(self) -> None:
        super().__init__(PUBLIC_URL="https://skills.example.cn", NUMBERS_FILE="/numbers")
        self.names: set[str] = set()

    def get(self, name: str, default: Any = None) -> Any:  # type: ignore[override]
        self.names.add(name)
        return super().get(name, default)


@pytest.fixture(scope="module")
def settings_names() -> set[str]:
    """The names that the service really reads."""
    asked = Asked()
    from_environment(asked)
    assert {"DATABASE_URL", "NUMBERS_FILE", "METRICS_TOKEN"} <= asked.names
    return asked.names


@pytest.fixture(scope="module")
def compose() -> dict[str, Any]:
    return yaml.safe_load((DEPLOY / "compose.yaml").read_text(encoding="utf-8"))


def lines_of(unit: Path) -> list[tuple[str, str]]:
    text = unit.read_text(encoding="utf-8")
    return [
        (name.strip(), value.strip())
        for name, found, value in (
            line.partition("=") for line in text.splitlines() if not line.startswith(("#", "["))
        )
        if found
    ]


def commands() -> Iterator[tuple[str, list[str]]]:
    """Every command line that deploy/ runs, with where it stands."""
    for unit in UNITS:
        for name, value in lines_of(unit):
            if name == "ExecStart":
                program, *words = shlex.split(value)
                assert program == "/opt/skills-registry/venv/bin/skills-registry"
                yield unit.name, words
    services = yaml.safe_load((DEPLOY / "compose.yaml").read_text(encoding="utf-8"))["services"]
    for name in ("init", "service"):
        yield f"compose {name}", services[name]["command"]
    run = re.findall(
        r"^#   docker compose .* run --rm service (.*)$",
        (DEPLOY / "compose.yaml").read_text(encoding="utf-8"),
        re.MULTILINE,
    )
    yield from (("compose backup", shlex.split(words)) for words in run)


def test_every_command_that_is_run_exists_with_these_options() -> None:
    found = list(commands())
    assert len(found) == 7
    for where, words in found:
        command: click.Command = main
        rest = list(words)
        while isinstance(command, click.Group):
            name = rest.pop(0)
            assert name in command.commands, f"{where}: {name}"
            command = command.commands[name]
        known = {option for parameter in command.params for option in parameter.opts}
        assert {word for word in rest if word.startswith("--")} <= known, where


def test_every_name_of_a_setting_is_one_that_the_service_reads(
    settings_names: set[str], compose: dict[str, Any]
) -> None:
    registry = (DEPLOY / "registry.env").read_text(encoding="utf-8")
    named = set(re.findall(r"^#?([A-Z_]+)=", registry, re.MULTILINE))
    assert named == settings_names, "every setting is in registry.env, and no other"
    for service in ("init", "service"):
        assert set(compose["services"][service]["environment"]) <= settings_names
    image = re.findall(r"^ENV (\w+)=", (DEPLOY / "Dockerfile").read_text(encoding="utf-8"), re.MULTILINE)
    assert set(image) <= settings_names
    table = (ROOT / "docs" / "architecture.md").read_text(encoding="utf-8")
    assert set(re.findall(r"^\| `([A-Z_]+)` \|", table, re.MULTILINE)) == settings_names


def test_what_compose_asks_for_is_in_its_example(compose: dict[str, Any]) -> None:
    text = (DEPLOY / "compose.yaml").read_text(encoding="utf-8")
    asked = set(re.findall(r"\$\{([A-Z_]+)", text))
    example = (DEPLOY / "compose.env.example").read_text(encoding="utf-8")
    assert asked == set(re.findall(r"^([A-Z_]+)=", example, re.MULTILINE))
    assert not re.search(r"^POSTGRES_PASSWORD=.", example, re.MULTILINE), (
        "nobody starts with a known password"
    )


HARDENED = {
    "NoNewPrivileges": "yes",
    "CapabilityBoundingSet": "",
    "ProtectSystem": "strict",
    "ProtectHome": "yes",
    "PrivateTmp": "yes",
    "PrivateDevices": "yes",
    "PrivateUsers": "yes",
    "ProtectKernelModules": "yes",
    "ProtectKernelTunables": "yes",
    "ProtectControlGroups": "yes",
    "RestrictNamespaces": "yes",
    "RestrictSUIDSGID": "yes",
    "RestrictAddressFamilies": "AF_INET AF_INET6 AF_UNIX",
    "LockPersonality": "yes",
    "SystemCallArchitectures": "native",
    "UMask": "0077",
    "User": "skills-registry",
    "StateDirectoryMode": "0700",
}


def test_every_unit_is_hardened_and_every_timer_has_its_unit() -> None:
    assert {unit.stem for unit in UNITS} == {
        *("skills-registry", "skills-registry-backup", "skills-registry-retention", "skills-registry-links")
    }
    for unit in UNITS:
        lines = lines_of(unit)
        assert {name: value for name, value in lines if name in HARDENED} == HARDENED, unit.name
        assert ("SystemCallFilter", "@system-service") in lines
    assert {timer.stem for timer in TIMERS} == {unit.stem for unit in UNITS} - {"skills-registry"}
    for timer in TIMERS:
        lines = dict(lines_of(timer))
        assert lines["Persistent"] == "yes"
        assert lines["OnCalendar"].endswith("Asia/Shanghai")


def test_the_image_installs_what_the_service_needs() -> None:
    """The same packages as .ci/system installs, fonts included."""
    script = (ROOT / ".ci" / "system").read_text(encoding="utf-8")
    table = re.search(r"^RUN=\((.*?)^\)", script, re.MULTILINE | re.DOTALL)
    assert table
    needed = set(re.findall(r'^\s+"(\S+)', table[1], re.MULTILINE))
    image = (DEPLOY / "Dockerfile").read_text(encoding="utf-8")
    installed = re.search(r"--no-install-recommends \\\n(.*?)&& rm", image, re.DOTALL)
    assert installed
    assert set(re.findall(r"[a-z][\w.-]+", installed[1])) == needed
    admitted = (DEPLOY / "Dockerfile.dockerignore").read_text(encoding="utf-8").split()
    assert {"*", "!skills_registry", "!certificates", "!api", "!templates", "!setup.py"} <= {*admitted}


def test_the_database_is_reachable_from_the_service_only(compose: dict[str, Any]) -> None:
    services = compose["services"]
    assert compose["networks"]["inside"] == {"internal": True}
    for inner in ("postgres", "redis"):
        assert services[inner]["networks"] == ["inside"]
        assert "ports" not in services[inner]
        assert services[inner]["healthcheck"]["test"]
    assert services["proxy"]["networks"] == ["edge"]
    assert "ports" not in services["service"]
    for ours in ("init", "service"):
        assert services[ours]["read_only"] is True
        assert services[ours]["cap_drop"] == ["ALL"]
    mounts = {volume.split(":")[0] for volume in services["service"]["volumes"]}
    assert "postgres" not in mounts


def test_every_name_of_a_volume_and_a_dependency_is_declared(compose: dict[str, Any]) -> None:
    for service in compose["services"].values():
        for volume in service.get("volumes", []):
            source = volume.split(":")[0]
            assert source.startswith((".", "/", "$")) or source in compose["volumes"], volume
        assert set(service.get("depends_on", {})) <= set(compose["services"])
        for network in service.get("networks", []):
            assert network in compose["networks"]


def test_the_proxies_send_one_address_and_keep_figures_in(compose: dict[str, Any]) -> None:
    nginx = (DEPLOY / "proxy" / "nginx.conf").read_text(encoding="utf-8")
    caddy = (DEPLOY / "proxy" / "Caddyfile").read_text(encoding="utf-8")
    assert "X-Forwarded-For $remote_addr" in nginx
    assert "X-Forwarded-For {remote_host}" in caddy
    assert "location = /metrics { return 404; }" in nginx
    assert "respond /metrics 404" in caddy
    assert "PROXIES=1\n" in (DEPLOY / "registry.env").read_text(encoding="utf-8")
    assert compose["services"]["service"]["environment"]["PROXIES"] == "1"


def test_the_operators_handbook_names_no_command_that_is_not_there() -> None:
    text = (ROOT / "docs" / "operations.md").read_text(encoding="utf-8")
    lines = re.findall(r"^skills-registry ([^\n#`]*)", text, re.MULTILINE)
    lines += re.findall(r"`skills-registry ([^`]*)`", text)
    assert len(lines) > 15
    for line in lines:
        words = [word for word in line.replace("\\", " ").split() if not word.startswith("-")]
        command: click.Command = main
        while isinstance(command, click.Group) and words and words[0] in command.commands:
            command = command.commands[words.pop(0)]
        assert command is not main, line
        options = {option for parameter in command.params for option in parameter.opts}
        if command.name == "restore" and isinstance(command, click.Group):
            options = {o for parameter in command.commands["from"].params for o in parameter.opts}
        assert set(re.findall(r"--[a-z-]+", line)) <= options, line
