"""In the place of the docker client in the suites of aiormq and aio-pika: what stands for a container is the broker that
SUITES_BROKER names by HOST:PORT. It is neither started nor stopped here."""

import os
from dataclasses import dataclass


class DockerNotAvailableError(Exception):
    """Never raised."""


@dataclass
class DockerHostInfo:
    """Nothing that anybody asks for."""


@dataclass
class ContainerInfo:
    id: str
    ports: dict[str, int]
    host: str


def check_docker_available() -> DockerHostInfo:
    return DockerHostInfo()


class DockerClient:
    def __init__(self, _info: DockerHostInfo | None = None):
        self.host, port = os.environ["SUITES_BROKER"].rsplit(":", 1)
        # Nothing listens at port 1: the broker has no TLS.
        self.ports = {"5672/tcp": int(port), "5671/tcp": 1}

    def run(self, _image: str, _ports: list[str], environment: dict[str, str] | None = None) -> ContainerInfo:
        return ContainerInfo("broker", self.ports, self.host)

    def kill(self, _id: str) -> None:
        """The broker goes on."""

    def remove(self, _id: str) -> None:
        """The broker goes on."""
