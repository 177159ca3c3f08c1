"""Beside the tests of aiormq: fixtures that they use and that are not in its source distribution."""

import pytest
from tests.docker_client import ContainerInfo, DockerClient
from yarl import URL


@pytest.fixture(scope="session")
def rabbitmq_container() -> ContainerInfo:
    return DockerClient().run("", [])


@pytest.fixture(scope="session")
def amqp_direct_url(rabbitmq_container: ContainerInfo) -> URL:
    host, port = rabbitmq_container.host, rabbitmq_container.ports["5672/tcp"]
    return URL.build(scheme="amqp", user="guest", password="guest", host=host, port=port, path="//")
