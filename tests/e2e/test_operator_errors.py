"""What goes wrong is one sentence: what, and what to do. Never a traceback, unless it is wanted."""

from pathlib import Path

import pytest

from tests.e2e.operator import Operator
from tests.e2e.stack import Stack

GONE = (
    "ResourceNotFoundException: DynamoDB refused BatchGetItem on table gone in eu-west-1. "
    "There is no such table there: check --env, --table and --region"
)
NOBODY = {"AWS_ACCESS_KEY_ID": "", "AWS_SECRET_ACCESS_KEY": "", "AWS_EC2_METADATA_DISABLED": "true"}


@pytest.mark.parametrize(
    ("options", "environment", "status", "said"),
    [
        ((), {}, 2, "name the environment (--env prod, or SUPPRESSION_ENVIRONMENT), or the table"),
        (("--env", "prod"), {}, 2, "there is no stack ses-suppression-prod in eu-west-1"),
        (("--env", "dev", "--region", "eu-north-1"), {}, 2, "no stack ses-suppression-dev in eu-n"),
        (("--table", "gone"), {}, 3, GONE),
        (("--table", "x"), NOBODY, 3, "There are no credentials: set --profile, or log in"),
        (("--table", "x", "--profile", "gone"), {}, 3, "The config profile (gone) could not be"),
        (("--table", "x", "--region", "eu west"), {}, 2, "--region, --endpoint-url: "),
        (("--table", "x", "--endpoint-url", "https://127.0.0.1:9"), {}, 3, "AWS cannot be reached"),
        (("--table", "x", "--endpoint-url", "nonsense"), {}, 2, "nonsense"),
    ],
)  # fmt: skip
def test_a_check_that_cannot_be_done_says_why(
    stack: Stack, options: tuple[str, ...], environment: dict[str, str], status: int, said: str
) -> None:
    operator = Operator(stack, options)
    error = operator.refused("check", "jane@example.com", status=status, environment=environment)
    assert error.startswith("error: ")
    assert said in error


def test_an_environment_that_is_named_beats_a_variable(stack: Stack) -> None:
    environment = {"SUPPRESSION_TABLE_NAME": stack.deployment.table_name}
    by_variable = Operator(stack, ()).run_process("check", "x@example.com", environment=environment)
    assert by_variable.returncode == 0
    prod = Operator(stack, ("--env", "prod"))
    assert "there is no stack" in prod.refused("list", status=2, environment=environment)


def test_an_export_that_fails_leaves_the_older_one(stack: Stack, tmp_path: Path) -> None:
    file = tmp_path / "suppressions.csv"
    file.write_text("older")
    Operator(stack, ("--table", "gone")).refused("export", "--output", str(file), status=3)
    assert file.read_text() == "older"
    assert list(tmp_path.iterdir()) == [file]


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (("add", "x@example.com", "--note", "n" * 513), "by, note and stream: at most 512 bytes"),
        (("add", "x@example.com", "--note", "\udcff"), "by, note and stream: not UTF-8"),
        (("add", "x@example.com", "--note", "n", "--until", "2020-01-01"), "until: it is not"),
        (("add", "x@example.com", "--note", "n", "--until", "9999-12-31T23:59-05"), "end of time"),
        (("list", "--domain", "exa mple.com"), "the domain has a space or an invisible"),
        (("remove", "x@example.com", "--note", "n", "--ses", "--stream", "s"), "knows no streams"),
    ],
)  # fmt: skip
def test_what_cannot_be_meant_is_refused(
    stack: Stack, arguments: tuple[str, ...], said: str
) -> None:
    answer = " ".join(Operator(stack).refused(*arguments, status=2).replace("│", " ").split())
    assert said in answer


def test_a_table_of_something_else_is_no_traceback(stack: Stack) -> None:
    dynamodb = stack.emulator.client("dynamodb")
    dynamodb.create_table(
        TableName="orders",
        KeySchema=[{"AttributeName": "id", "KeyType": "HASH"}],
        AttributeDefinitions=[{"AttributeName": "id", "AttributeType": "S"}],
        BillingMode="PAY_PER_REQUEST",
    )
    dynamodb.put_item(TableName="orders", Item={"id": {"S": "1"}})
    answer = Operator(stack, ("--table", "orders")).run("list")
    assert answer.returncode == 3
    assert "an item without address is left out: UnreadableItem" in answer.stderr


def test_a_terminal_that_knows_few_characters_gets_what_it_can_show(stack: Stack) -> None:
    answer = Operator(stack).run_process("doctor", environment={"PYTHONIOENCODING": "ascii"})
    assert answer.returncode in {0, 1}
    assert "\\u2713" in answer.stdout


def test_without_a_right_the_error_names_it(
    stack: Stack, reader_credentials: dict[str, str]
) -> None:
    environment = {name.upper(): value for name, value in reader_credentials.items()}
    operator = Operator(stack, ("--table", stack.deployment.table_name))
    assert operator.run_process("check", "x@example.com", environment=environment).returncode == 0
    error = operator.refused("list", status=3, environment=environment)
    assert error == (
        "error: AccessDeniedException: DynamoDB refused Scan on table "
        f"{stack.deployment.table_name} in eu-west-1. "
        "The caller may not do this: check --profile and its policy\n"
    )
    answer = operator.run_process("add", "x@example.com", "--note", "x", environment=environment)
    assert (answer.returncode, answer.stdout) == (3, "")
    assert "warning: the default policy decides here; with --env the stack's does" in answer.stderr
    assert "AccessDeniedException: DynamoDB refused BatchGetItem" in answer.stderr


def test_a_traceback_is_given_where_it_is_wanted(stack: Stack) -> None:
    answer = Operator(stack, ("--debug",)).run("check", "jane@example.com")
    assert "Traceback" in answer.stderr
    assert "MissingSettingError" in answer.stderr
