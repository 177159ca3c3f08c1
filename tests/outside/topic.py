"""Puts records into a topic of a run and reads what is there, as a stranger does.

Usage: topic.py HOST:PORT TOPIC TRACEPARENT. Publishes twice without a trace of its own and once with that one, each
confirmed by the broker; reads as a group of its own from the beginning until it has these and twenty of the run's. Prints
one JSON document of what it was told.
"""

import json
import sys
import time

from confluent_kafka import Consumer, KafkaException, Producer

SECONDS = 60
RECORDS = 20


def put(address: str, topic: str, traceparent: str) -> list[dict]:
    """Publishes three records; gives where each was confirmed."""
    confirmed = []

    def delivered(error, record) -> None:
        if error is not None:
            raise KafkaException(error)
        confirmed.append(
            {"body": record.value().decode(), "partition": record.partition(), "offset": record.offset()}
        )

    producer = Producer({"bootstrap.servers": address})
    for body, headers in [("one", None), ("two", None), ("three", {"traceparent": traceparent})]:
        producer.produce(topic, body.encode(), key="stranger", headers=headers, on_delivery=delivered)
        if producer.flush(SECONDS):
            raise SystemExit(f"{topic} did not take {body} in {SECONDS} s")
    return confirmed


def read(address: str, topic: str, bodies: set[str]) -> tuple[list[str], list[dict]]:
    """Reads until all of these bodies came, and enough records of the run."""
    consumer = Consumer(
        {
            "bootstrap.servers": address,
            "group.id": "stranger",
            "group.protocol": "consumer",
            "auto.offset.reset": "earliest",
        }
    )
    consumer.subscribe([topic])
    own, traced, until = [], [], time.monotonic() + SECONDS
    while set(own) != bodies or len(traced) < RECORDS:
        record = consumer.poll(1.0)
        if time.monotonic() > until:
            raise SystemExit(f"{len(own)} and {len(traced)} records came from {topic} in {SECONDS} s")
        if record is None:
            continue
        if record.error():
            raise KafkaException(record.error())
        headers = {name: value.decode() for name, value in record.headers() or []}
        body = record.value().decode()
        if body in bodies:
            own.append(body)
        elif len(traced) < RECORDS:
            place = {"partition": record.partition(), "offset": record.offset()}
            traced.append(place | {"bytes": len(body), "traceparent": headers["traceparent"]})
    consumer.close()
    return own, traced


def main(address: str, topic: str, traceparent: str) -> None:
    confirmed = put(address, topic, traceparent)
    own, traced = read(address, topic, {one["body"] for one in confirmed})
    json.dump({"put": confirmed, "own": own, "traced": traced}, sys.stdout)


main(*sys.argv[1:])
