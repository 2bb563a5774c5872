"""The parts of an ARN."""


def region_and_name(table: str) -> tuple[str | None, str]:
    """Take an ARN apart; a bare name has no region.

    >>> region_and_name("arn:aws:dynamodb:eu-west-1:111122223333:table/suppressions")
    ('eu-west-1', 'suppressions')
    >>> region_and_name("suppressions")
    (None, 'suppressions')
    """
    if not table.startswith("arn:"):
        return None, table
    return table.split(":")[3], table.rpartition("/")[2]
