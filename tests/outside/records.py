"""Publishes records to a topic as fast as they are confirmed, or so many a second; or reads them. A peer of benches.

records.py publish HOST:PORT TOPIC AT_ONCE SECONDS BYTES LINGER_MS [RATE]: keeps at most so many unconfirmed, all confirmed by
all replicas.
records.py read HOST:PORT TOPIC SECONDS: reads as a group of its own, each record as it comes, and commits twice in a second.

Prints one JSON document at its end: counts, how many were confirmed or read by when, in ns of the system's monotonic clock; and
of publishing took, when some were confirmed and how long after they were handed to the client, in ns.
"""

import json
import sys
import threading
import time

from confluent_kafka import Consumer, KafkaException, Producer

# One in so many confirms is timed: each costs a call back of its own.
TIMED = 16
# How long a poll waits for something to tell, s.
PATIENCE = 0.1
# From one count that is noted to the next, ns.
NOTED = 10_000_000


class Counts:
    """How many there were by when."""

    def __init__(self) -> None:
        self.count, self.rows = 0, [(time.monotonic_ns(), 0)]

    def note(self) -> None:
        now = time.monotonic_ns()
        if now - self.rows[-1][0] > NOTED:
            self.rows.append((now, self.count))


class Publishing:
    def __init__(self, address: str, topic: str, at_once: int, size: int, linger: str) -> None:
        self.topic, self.at_once, self.body = topic, at_once, b"x" * size
        self.sent, self.confirmed, self.took = 0, Counts(), []
        self.producer = Producer(
            {
                "bootstrap.servers": address,
                "acks": "all",
                "enable.idempotence": False,
                "linger.ms": float(linger),
                "compression.type": "none",
                "max.in.flight.requests.per.connection": 5,
                "partitioner": "murmur2_random",
                "socket.nagle.disable": True,
            }
        )

    def plain(self, error, record) -> None:
        if error is not None:
            raise KafkaException(error)
        self.confirmed.count += 1

    def timed(self):
        sent = time.monotonic_ns()

        def delivered(error, record) -> None:
            self.plain(error, record)
            now = time.monotonic_ns()
            self.took.append((now, now - sent))

        return delivered

    def put(self) -> None:
        self.sent += 1
        delivered = self.plain if self.sent % TIMED else self.timed()
        self.producer.produce(self.topic, self.body, on_delivery=delivered)

    def closed(self, until: float) -> None:
        """Publishes another as soon as one is confirmed."""
        while time.monotonic() < until:
            while self.sent - self.confirmed.count < self.at_once:
                self.put()
            self.producer.poll(PATIENCE)
            self.confirmed.note()

    def open(self, until: float, rate: int) -> None:
        """Publishes at even distances. A poll counts in ms, so another thread waits for confirms."""
        polling = threading.Thread(target=self.poll_until, args=[until])
        polling.start()
        at = time.monotonic()
        while at < until:
            time.sleep(max(0.0, at - time.monotonic()))
            if self.sent - self.confirmed.count < self.at_once:
                self.put()
            at += 1 / rate
        polling.join()

    def poll_until(self, until: float) -> None:
        while time.monotonic() < until:
            self.producer.poll(PATIENCE)
            self.confirmed.note()


def publish(
    address: str, topic: str, at_once: str, seconds: str, size: str, linger: str, rate: str | None = None
) -> None:
    publishing, until = Publishing(address, topic, int(at_once), int(size), linger), time.monotonic() + int(seconds)
    if rate is None:
        publishing.closed(until)
    else:
        publishing.open(until, int(rate))
    json.dump({"counts": publishing.confirmed.rows, "took": publishing.took}, sys.stdout)
    publishing.producer.flush()


def read(address: str, topic: str, seconds: str) -> None:
    counts, until = Counts(), time.monotonic() + int(seconds)
    consumer = Consumer(
        {
            "bootstrap.servers": address,
            "group.id": "beside",
            "group.protocol": "consumer",
            "auto.offset.reset": "earliest",
            "auto.commit.interval.ms": 500,
            "fetch.wait.max.ms": 10,
            "socket.nagle.disable": True,
        }
    )
    consumer.subscribe([topic])
    while time.monotonic() < until:
        record = consumer.poll(PATIENCE)
        if record is None:
            continue
        if record.error():
            raise KafkaException(record.error())
        counts.count += 1
        counts.note()
    json.dump({"counts": counts.rows}, sys.stdout)
    consumer.close()


if __name__ == "__main__":
    {"publish": publish, "read": read}[sys.argv[1]](*sys.argv[2:])
