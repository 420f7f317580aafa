"""Terraform, workflows and units as files: what they say, read by parsers; nothing runs in AWS."""

from __future__ import annotations

import re
import shutil
import subprocess
from pathlib import Path
from typing import Any

import hcl2
import pytest
import yaml
from conftest import PROJECT
from rds_standin import MICRO

from retail_platform.daily import PASSWORD_COMMAND, Outcome

TERRAFORM = PROJECT / "infra" / "terraform"
WORKFLOWS = sorted((PROJECT / ".github" / "workflows").glob("*.yml"))


def _unquoted(value: Any) -> Any:
    """The parser keeps the quotation marks of strings and names."""
    if isinstance(value, str):
        return value.strip('"')
    if isinstance(value, list):
        return [_unquoted(item) for item in value]
    if isinstance(value, dict):
        return {key.strip('"'): _unquoted(item) for key, item in value.items()}
    return value


def _blocks(kind: str) -> dict[str, Any]:
    """All blocks of a kind by their labels: ``aws_db_instance.this``."""
    found = {}
    for path in TERRAFORM.glob("*.tf"):
        for block in _unquoted(hcl2.loads(path.read_text())).get(kind, []):
            while "__is_block__" not in block:
                ((label, block),) = block.items()
                found[label] = block
    return found


def _resources(resource_type: str) -> list[dict[str, Any]]:
    return [
        body
        for path in TERRAFORM.glob("*.tf")
        for block in _unquoted(hcl2.loads(path.read_text())).get("resource", [])
        for found, named in block.items()
        if found == resource_type
        for body in named.values()
    ]


@pytest.mark.parametrize(
    ("argument", "value"),
    [
        ("publicly_accessible", "${local.reviewer_may_connect}"),
        ("storage_encrypted", True),
        ("kms_key_id", "${aws_kms_key.this.arn}"),
        ("manage_master_user_password", True),
        ("iam_database_authentication_enabled", True),
        ("ca_cert_identifier", "rds-ca-rsa2048-g1"),
        ("enabled_cloudwatch_logs_exports", ["postgresql", "upgrade"]),
        ("copy_tags_to_snapshot", True),
        ("skip_final_snapshot", False),
        ("deletion_protection", True),
        ("performance_insights_enabled", True),
        ("performance_insights_kms_key_id", "${aws_kms_key.this.arn}"),
        ("monitoring_interval", 60),
        ("auto_minor_version_upgrade", True),
        ("storage_type", "gp3"),
        ("apply_immediately", False),
        ("engine_lifecycle_support", "open-source-rds-extended-support-disabled"),
        ("backup_retention_period", "${var.backup_retention_days}"),
        ("engine_version", "${tostring(var.engine_major_version)}"),
    ],
)
def test_the_instance_keeps_the_checklist(argument: str, value: object) -> None:
    (instance,) = _resources("aws_db_instance")
    assert instance[argument] == value
    assert "password" not in instance, "RDS manages it: no password in variables or state"


def test_only_named_clients_and_a_reviewer_reach_the_database() -> None:
    rules = _resources("aws_vpc_security_group_ingress_rule")
    assert len(rules) == 2
    assert all((rule["from_port"], rule["to_port"]) == (5432, 5432) for rule in rules)
    client, reviewer = sorted(rules, key=lambda rule: "cidr_ipv4" in rule)
    assert client["for_each"] == "${var.client_security_group_ids}"
    assert reviewer["count"] == "${local.reviewer_may_connect ? 1 : 0}"
    assert reviewer["cidr_ipv4"] == "${var.reviewer.cidr}"
    (group,) = _resources("aws_security_group")
    assert not {"ingress", "egress"} & set(group), "out to nowhere, in by the rules above only"
    assert not re.search(r"0\.0\.0\.0/0|::/0", "".join(_texts()))


def test_a_reviewers_access_is_one_address_and_ends_by_itself() -> None:
    reviewer = _blocks("variable")["reviewer"]
    assert reviewer["default"] is None
    conditions = [validation["condition"] for validation in reviewer["validation"]]
    assert any("/32$" in condition for condition in conditions)
    assert any("timeadd" in condition for condition in conditions)
    text = (TERRAFORM / "network.tf").read_text()
    assert 'timecmp(plantimestamp(), "${var.reviewer.until}T23:59:59Z") <= 0' in text
    (check,) = _blocks("check").values()
    assert "local.reviewer_may_connect" in check["assert"][0]["condition"]


def test_the_parameter_group_forces_tls_and_is_what_the_standin_runs_with() -> None:
    (group,) = _resources("aws_db_parameter_group")
    parameters = {item["name"]: item["value"] for item in group["parameter"]}
    assert parameters["rds.force_ssl"] == "1"
    assert parameters["log_statement"] == MICRO["log_statement"]
    assert parameters["random_page_cost"] == MICRO["random_page_cost"]
    assert (parameters["jit"], MICRO["jit"]) == ("0", "off")
    memory = {"shared_buffers", "work_mem", "maintenance_work_mem", "max_connections"}
    assert not memory & set(parameters), "they follow the size, by RDS's own formulas"


def test_there_is_an_alarm_for_everything_that_runs_out() -> None:
    text = (TERRAFORM / "monitoring.tf").read_text()
    for metric in ("FreeStorageSpace", "CPUCreditBalance", "DatabaseConnections", "FreeableMemory"):
        assert f'"{metric}"' in text
    (alarm,) = _resources("aws_cloudwatch_metric_alarm")
    assert alarm["alarm_actions"] == ["${aws_sns_topic.alarms.arn}"]


def test_outputs_fill_the_variables_of_the_profile() -> None:
    profile = (PROJECT / "profiles.yml.example").read_text()
    outputs = _blocks("output")
    for name in outputs["environment"]["value"]:
        if name.startswith("RETAIL"):
            assert f"'{name}'" in profile
    assert {"RETAIL_RDS_HOST", "RETAIL_RDS_PORT", "RETAIL_RDS_DBNAME"} <= set(
        outputs["environment"]["value"]
    )
    assert "administrator_secret_arn" in outputs


def _texts() -> list[str]:
    return [path.read_text() for path in sorted(TERRAFORM.glob("*.tf"))]


def test_every_skipped_check_says_why() -> None:
    skips = re.findall(r"#checkov:skip=(\w+):?(.*)", "".join(_texts()))
    assert skips
    assert all(len(reason.strip()) > 10 for _, reason in skips)


def test_everything_is_described() -> None:
    for kind in ("variable", "output"):
        for name, block in _blocks(kind).items():
            assert block.get("description"), f"{kind} {name}"


def test_terraform_is_formatted() -> None:
    if shutil.which("terraform") is None:
        pytest.skip("terraform is not installed (developer.hashicorp.com/terraform/install)")
    result = subprocess.run(
        ["terraform", "fmt", "-check", "-diff", str(TERRAFORM)], capture_output=True, text=True
    )
    assert result.returncode == 0, result.stdout


@pytest.mark.parametrize("path", WORKFLOWS, ids=lambda path: path.name)
def test_a_workflow_may_do_little_and_uses_pinned_actions(path: Path) -> None:
    workflow = yaml.safe_load(path.read_text())
    assert workflow["permissions"] in ({}, {"contents": "read"})
    for job in workflow["jobs"].values():
        assert job["timeout-minutes"] <= 180
        for step in job["steps"]:
            if "uses" in step:
                assert re.fullmatch(r"[\w./-]+@[0-9a-f]{40}", step["uses"])
    # What comes from outside is never pasted into a shell's text.
    assert not re.search(r"run:[^\n]*\$\{\{ *(inputs|github\.event)", path.read_text())


def test_ci_builds_on_every_supported_version() -> None:
    (path,) = [path for path in WORKFLOWS if path.name == "ci.yml"]
    jobs = yaml.safe_load(path.read_text())["jobs"]
    assert jobs["build"]["strategy"]["matrix"]["postgres"] == ["15", "16", "17", "18"]
    assert [step["run"] for step in jobs["tests"]["steps"] if "run" in step] == [".ci/run"]


def test_a_deployment_needs_approval_and_no_stored_secret() -> None:
    (path,) = [path for path in WORKFLOWS if path.name == "deploy.yml"]
    (job,) = yaml.safe_load(path.read_text())["jobs"].values()
    assert job["environment"] == "production"
    assert "self-hosted" in job["runs-on"], "a private RDS is not reachable from hosted runners"
    assert job["permissions"]["id-token"] == "write"
    assert "secrets." not in path.read_text()
    commands = "\n".join(step.get("run", "") for step in job["steps"])
    for command in ("bootstrap_roles.py", "load.py --report", "daily.py", "dbt retry"):
        assert command in commands
    assert "state:modified+" in commands
    assert any(PASSWORD_COMMAND in step.get("env", {}) for step in job["steps"])
    kept = [step["with"]["path"] for step in job["steps"] if "upload-artifact" in str(step)]
    assert "target/manifest.json" in kept[0]
    assert "target/run_results.json" in kept[0]


def test_the_units_run_the_one_command() -> None:
    folder = PROJECT / "infra" / "systemd"
    service = (folder / "retail-daily.service").read_text()
    assert "scripts/daily.py --target rds" in service
    assert f"SuccessExitStatus={Outcome.LOCKED.value}\n" in service
    assert "OnCalendar=" in (folder / "retail-daily.timer").read_text()


@pytest.mark.full
def test_the_linters_find_nothing() -> None:
    result = subprocess.run(["make", "lint-infra"], cwd=PROJECT, capture_output=True, text=True)
    assert result.returncode == 0, result.stdout + result.stderr
