"""The production example of `cdk.json`, deployed as it stands there: alarms, dashboard, canary."""

import uuid

import pytest

from local.deployment import deploy, read_config
from local.emulator import running_emulator
from local.mailbox_simulator import SIMULATOR, verify_identities
from tests.e2e.operator import Operator
from tests.e2e.stack import Stack


@pytest.mark.slow
def test_the_production_example_deploys_and_a_bounce_goes_round() -> None:
    config = read_config("prod")
    with running_emulator(config.region) as emulator:
        verify_identities(emulator, config)
        stack = Stack(emulator, config, deploy(emulator, environment="prod"))
        address = f"bounce+{uuid.uuid4().hex}@{SIMULATOR}"
        stack.send_mail(address)
        assert stack.await_suppression(address).reason == "BOUNCE"
        alarms = emulator.client("cloudwatch").describe_alarms()["MetricAlarms"]
        assert {alarm["AlarmName"].removeprefix("ses-suppression-prod-") for alarm in alarms} >= {
            "Canary", "DeadLetters", "SuppressionsSpike", "BounceRateReview",
        }  # fmt: skip
        dashboards = emulator.client("cloudwatch").list_dashboards()["DashboardEntries"]
        assert [one["DashboardName"] for one in dashboards] == ["ses-suppression-prod-eu-west-1"]
        assert Operator(stack, ("--env", "prod")).run("doctor").returncode == 0
