"""moto as a server, for what has to go through a connection."""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import boto3
from moto.server import ThreadedMotoServer

from tests.integration.tables import create_table

ACCESS: dict[str, Any] = {
    "region_name": "eu-west-1",
    "aws_access_key_id": "x",
    "aws_secret_access_key": "x",
}


@contextmanager
def running_moto(table_name: str) -> Iterator[str]:
    """Run moto with a suppression table, and give its URL.

    Args:
        table_name: of its own for each server: all of a process share one state.
    """
    server = ThreadedMotoServer(ip_address="127.0.0.1", port=0, verbose=False)
    server.start()
    try:
        host, port = server.get_host_and_port()
        url = f"http://{host}:{port}"
        create_table(boto3.client("dynamodb", endpoint_url=url, **ACCESS), table_name)
        yield url
    finally:
        server.stop()
