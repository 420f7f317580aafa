"""Terraform, workflows and units: what they let in, and whether what they name and call exists.

Their style and security are `make lint-infra`'s; nothing runs in AWS.
"""

from __future__ import annotations

import configparser
import ipaddress
import json
import os
import re
import shlex
import shutil
import subprocess
import sys
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import hcl2
import pytest
import yaml
from conftest import PROJECT, free_port
from rds_standin import MICRO
from test_docs_links import targets

from retail_platform.runs import Outcome

TERRAFORM = PROJECT / "infra" / "terraform"
UNITS = PROJECT / "infra" / "systemd"
WORKFLOWS = sorted((PROJECT / ".github" / "workflows").glob("*.yml"))
each_workflow = pytest.mark.parametrize("path", WORKFLOWS, ids=lambda path: path.name)


def _unquoted(value: Any) -> Any:
    """The parser keeps the quotation marks of strings and names."""
    if isinstance(value, str):
        return value.strip('"')
    if isinstance(value, list):
        return [_unquoted(item) for item in value]
    if isinstance(value, dict):
        return {key.strip('"'): _unquoted(item) for key, item in value.items()}
    return value


@pytest.fixture(scope="module")
def blocks() -> dict[str, Any]:
    """All blocks by kind and labels: ``resource.aws_db_instance.this``, ``variable.region``."""
    labels = {"resource": 2, "data": 2, "variable": 1, "output": 1, "check": 1}
    found: dict[str, Any] = {}
    for path in TERRAFORM.glob("*.tf"):
        for kind, items in _unquoted(hcl2.loads(path.read_text())).items():
            for block in items:
                name = kind
                for _ in range(labels.get(kind, 0)):
                    ((label, block),) = block.items()
                    name = f"{name}.{label}"
                found.setdefault(name, {}).update(block)
    return found


def _resources(blocks: dict[str, Any], kind: str) -> list[dict[str, Any]]:
    return [body for name, body in blocks.items() if name.startswith(f"resource.{kind}.")]


def _texts() -> str:
    """The files without comments."""
    text = "\n".join(path.read_text() for path in sorted(TERRAFORM.glob("*.tf")))
    return re.sub(r"^\s*#.*$", "", text, flags=re.M)


def test_everything_that_is_named_is_declared_and_used(blocks: dict[str, Any]) -> None:
    """What `terraform validate` would say, which needs the provider."""
    text = _texts()
    declared = {name for name in blocks if name.split(".")[0] in ("resource", "data", "variable")}
    declared |= {f"local.{name}" for name in blocks["locals"] if not name.startswith("__")}
    variables = {f"variable.{name}" for name in re.findall(r"\bvar\.(\w+)", text)}
    named = variables | set(re.findall(r"\b(local\.\w+|data\.\w+\.\w+)", text))
    named |= {f"resource.{name}" for name in re.findall(r"(?<![\w.])(aws_\w+\.\w+)", text)}
    assert named - declared == set()
    assert {name for name in declared if name.startswith(("variable", "local"))} <= named


def test_nobody_in_general_is_let_in(blocks: dict[str, Any]) -> None:
    rules = _resources(blocks, "aws_vpc_security_group_ingress_rule")
    assert rules
    for rule in rules:
        assert rule["from_port"] == rule["to_port"] == 5432
    for group in _resources(blocks, "aws_security_group"):
        assert not {"ingress", "egress"} & set(group), "by rules of their own only"
    networks = re.findall(r'"(\d+\.\d+\.\d+\.\d+/\d+|[0-9a-f:]*::[0-9a-f:]*/\d+)"', _texts())
    assert [net for net in networks if ipaddress.ip_network(net).num_addresses > 1] == []


@pytest.mark.parametrize(
    ("cidr", "days", "outcome"),
    [
        ("203.0.113.7/32", 7, "open = true"),
        ("203.0.113.7/32", -1, "open = false"),
        ("203.0.113.0/24", 7, "one IPv4 address"),
        ("0.0.0.0/0", 7, "one IPv4 address"),
        ("203.0.113.7/32", None, "must be a date"),
    ],
)
def test_a_reviewer_is_one_address_for_some_days(
    tmp_path: Path, cidr: str, days: int | None, outcome: str
) -> None:
    """The variable and what follows from it, planned without a provider."""
    if shutil.which("terraform") is None:
        pytest.skip("terraform is not installed (developer.hashicorp.com/terraform/install)")
    shutil.copy(TERRAFORM / "variables.tf", tmp_path)
    [local] = re.findall(r"^locals \{.*?^\}", (TERRAFORM / "network.tf").read_text(), re.M | re.S)
    opened = 'output "open" {\n  value = local.reviewer_may_connect\n}\n'
    (tmp_path / "network.tf").write_text(f"{local}\n{opened}")
    until = "soon"
    if days is not None:
        until = (datetime.now(UTC) + timedelta(days=days)).date().isoformat()
    values = {
        "region": "us-east-1",
        "vpc_id": "vpc-1",
        "subnet_ids": ["subnet-1", "subnet-2"],
        "client_security_group_ids": {"daily_run": "sg-1"},
        "alarm_emails": ["data@example.org"],
        "reviewer": {"cidr": cidr, "until": until},
    }
    (tmp_path / "terraform.tfvars.json").write_text(json.dumps(values))
    plan = subprocess.run(
        ["terraform", f"-chdir={tmp_path}", "plan", "-no-color", "-input=false"],
        capture_output=True,
        text=True,
    )
    assert outcome in re.sub(r"\s+", " ", re.sub("[│╷╵]", " ", plan.stdout + plan.stderr))


def test_no_password_is_in_variables_or_state(blocks: dict[str, Any]) -> None:
    instances = _resources(blocks, "aws_db_instance")
    assert instances
    for instance in instances:
        assert instance["manage_master_user_password"] is True
        assert not {"password", "password_wo"} & set(instance)
        assert instance["publicly_accessible"] is not True, (
            "on a condition that ends, or not at all"
        )


def test_parameters_are_those_that_the_standin_runs_with(blocks: dict[str, Any]) -> None:
    [group] = _resources(blocks, "aws_db_parameter_group")
    spelled = {"0": "off", "1": "on"}
    parameters = {item["name"]: item["value"] for item in group["parameter"]}
    assert parameters["rds.force_ssl"] == "1", "the stand-in lets nobody in without TLS"
    # The stand-in logs every temporary file, because it is there to be measured.
    shared = parameters.keys() & MICRO.keys() - {"log_temp_files"}
    assert shared
    for name in shared:
        assert MICRO[name] in (parameters[name], spelled.get(parameters[name])), name


def test_outputs_fill_the_variables_of_the_profile(blocks: dict[str, Any]) -> None:
    profile = (PROJECT / "profiles.yml.example").read_text()
    named = [name for name in blocks["output.environment"]["value"] if name.isupper()]
    assert named
    assert [name for name in named if f"'{name}'" not in profile] == []


def test_everything_is_described_and_every_skipped_check_says_why(blocks: dict[str, Any]) -> None:
    for name, block in blocks.items():
        if name.startswith(("variable.", "output.")):
            assert block.get("description"), name
    for path in TERRAFORM.glob("*.tf"):
        for check, reason in re.findall(r"#checkov:skip=(\w+):?(.*)", path.read_text()):
            assert len(reason.strip()) > 10, check


def test_terraform_is_formatted() -> None:
    if shutil.which("terraform") is None:
        pytest.skip("terraform is not installed (developer.hashicorp.com/terraform/install)")
    result = subprocess.run(
        ["terraform", "fmt", "-check", "-diff", str(TERRAFORM)], capture_output=True, text=True
    )
    assert result.returncode == 0, result.stdout


def _commands(text: str) -> list[str]:
    return [line.strip() for line in re.sub(r"\\\n", " ", text).splitlines() if line.strip()]


def _assert_calls_exist(lines: list[str]) -> None:
    for line in lines:
        if line.startswith("make "):
            words = shlex.split(line)[1:]
            assert {word for word in words if "=" not in word} <= targets(), line
        for script in re.findall(r"(?<!\S)((?:\.ci|scripts|infra|mappings)/[\w./-]+)", line):
            assert (PROJECT / script).is_file(), line


@each_workflow
def test_what_a_workflow_calls_exists(path: Path) -> None:
    jobs = yaml.safe_load(path.read_text())["jobs"].values()
    steps = [step["run"] for job in jobs for step in job["steps"] if "run" in step]
    _assert_calls_exist([line for step in steps for line in _commands(step)])


@each_workflow
def test_a_workflow_may_do_little_and_keeps_no_secret(path: Path) -> None:
    text = path.read_text()
    workflow = yaml.safe_load(text)
    assert "write" not in str(workflow["permissions"])
    for job in workflow["jobs"].values():
        if "write" in str(job.get("permissions", {})):
            assert "environment" in job, "somebody may have to approve it"
        for step in job["steps"]:
            assert re.fullmatch(r"[\w./-]+@[0-9a-f]{40}", step.get("uses", "a@" + "0" * 40))
            # What comes from outside is never pasted into a shell's text.
            assert not re.search(r"\$\{\{ *(inputs|github\.event)", step.get("run", ""))
    assert "secrets." not in text, "credentials are handed out for the run"


@pytest.fixture(scope="module")
def service() -> configparser.SectionProxy:
    units = configparser.ConfigParser(interpolation=None)
    units.optionxform = str  # type: ignore[assignment, method-assign]
    units.read(UNITS / "retail-daily.service")
    return units["Service"]


def test_the_unit_calls_a_command_that_takes_its_options(
    service: configparser.SectionProxy, tmp_path: Path
) -> None:
    """Run as systemd would, on a server that nobody listens on: the options were read then."""
    _python, *arguments = shlex.split(service["ExecStart"].replace("/opt/retail/", f"{PROJECT}/"))
    arguments = [text.replace("/var/lib/retail", str(tmp_path)) for text in arguments]
    (tmp_path / "deliveries").mkdir()
    target = {"HOST": "127.0.0.1", "PORT": str(free_port()), "USER": "x", "PASSWORD": "x"}
    result = subprocess.run(
        [sys.executable, *arguments],
        cwd=PROJECT,
        env=os.environ | {f"RETAIL_RDS_{name}": value for name, value in target.items()},
        capture_output=True,
        text=True,
    )
    assert result.returncode == Outcome.NO_CONNECTION, result.stderr


def _told_by_systemd(result: str, status: str, folder: Path) -> tuple[bool, str]:
    """What the unit for failures does in an environment that systemd gives it."""
    unit = configparser.ConfigParser(interpolation=None, strict=False)
    unit.optionxform = str  # type: ignore[assignment,method-assign]
    unit.read(UNITS / "retail-daily-failed.service")
    told = folder / "told"
    told.unlink(missing_ok=True)
    environment = {
        "MONITOR_SERVICE_RESULT": result,
        "MONITOR_EXIT_STATUS": status,
        "RETAIL_ON_FAILURE": f"echo $MONITOR_SERVICE_RESULT >'{told}'",
    }
    for key in ("ExecCondition", "ExecStart"):
        ended = subprocess.run(shlex.split(unit["Service"][key]), env=environment)
        if ended.returncode:
            return key == "ExecCondition", told.read_text() if told.exists() else ""
    return True, told.read_text() if told.exists() else ""


def test_systemd_tells_of_what_the_run_could_not(
    service: configparser.SectionProxy, tmp_path: Path
) -> None:
    [named] = re.findall("^OnFailure=(.*)$", (UNITS / "retail-daily.service").read_text(), re.M)
    assert (UNITS / named).is_file()
    for outcome in Outcome:  # each of them told, or nothing to tell
        if outcome is not Outcome.DONE:
            assert _told_by_systemd("exit-code", str(outcome.value), tmp_path) == (True, "")
    for result, status in (("exit-code", "70"), ("exit-code", "1"), ("oom-kill", "9")):
        assert _told_by_systemd(result, status, tmp_path) == (True, f"{result}\n")
    assert _told_by_systemd("timeout", "15", tmp_path) == (True, "timeout\n")


def test_only_a_run_beside_another_counts_as_success(service: configparser.SectionProxy) -> None:
    assert shlex.split(service["SuccessExitStatus"]) == [str(Outcome.LOCKED.value)]


def test_systemd_understands_the_units(service: configparser.SectionProxy, tmp_path: Path) -> None:
    if shutil.which("systemd-analyze") is None:
        pytest.skip("systemd is not installed")
    for path in UNITS.iterdir():
        # What the unit runs is where it is deployed, not here.
        text = path.read_text().replace(shlex.split(service["ExecStart"])[0], "/bin/true")
        (tmp_path / path.name).write_text(re.sub("^User=.*", "User=root", text, flags=re.M))
    units = [str(path) for path in tmp_path.iterdir()]
    result = subprocess.run(
        ["systemd-analyze", "verify", "--man=no", *units], capture_output=True, text=True
    )
    about_ours = [line for line in result.stderr.splitlines() if "retail-daily" in line]
    assert about_ours == []


@pytest.mark.full
def test_the_linters_find_nothing() -> None:
    result = subprocess.run(["make", "lint-infra"], cwd=PROJECT, capture_output=True, text=True)
    assert result.returncode == 0, result.stdout + result.stderr
