"""Publishes to an exchange of a run and takes what it hands on to a queue of its own, as a stranger does.

Usage: exchange.py HOST:PORT EXCHANGE TRACEPARENT COUNT. Binds its queue, which the broker names, by orders.priced. Publishes two orders,
the second of that trace, a user, and what no binding wants; each is confirmed by the broker or comes back. Takes until it has what
became of its two orders and so many messages beside them. Prints one JSON document of what it was told.
"""

import json
import sys

import pika

SECONDS = 60


def put(channel, exchange: str, traceparent: str) -> list[str]:
    """Publishes four messages; gives the keys of those that came back."""
    returned = []
    put = [
        ("orders.created", "one", None),
        ("orders.created", "two", {"traceparent": traceparent}),
        ("users.created", "three", None),
        ("wanted.by.nobody", "four", None),
    ]
    for key, body, headers in put:
        try:
            channel.basic_publish(exchange, key, body.encode(), pika.BasicProperties(headers=headers), mandatory=True)
        except pika.exceptions.UnroutableError:
            returned.append(key)
    return returned


def take(channel, queue: str, count: int) -> list[dict]:
    own, others = {"priced: one", "priced: two"}, 0
    taken = []
    for method, properties, body in channel.consume(queue, inactivity_timeout=SECONDS):
        if method is None:
            raise SystemExit(f"{len(taken)} messages came in {SECONDS} s")
        channel.basic_ack(method.delivery_tag)
        headers = properties.headers or {}
        taken.append({"key": method.routing_key, "traceparent": headers.get("traceparent"), "body": body.decode()})
        others += taken[-1]["body"] not in own
        own.discard(taken[-1]["body"])
        if not own and others >= count:
            return taken


def main(address: str, exchange: str, traceparent: str, count: str) -> None:
    host, port = address.rsplit(":", 1)
    connection = pika.BlockingConnection(pika.ConnectionParameters(host, int(port), socket_timeout=SECONDS))
    channel = connection.channel()
    channel.confirm_delivery()
    queue = channel.queue_declare("", exclusive=True).method.queue
    channel.queue_bind(queue, exchange, "orders.priced")
    told = {"returned": put(channel, exchange, traceparent), "taken": take(channel, queue, int(count))}
    connection.close()
    json.dump(told, sys.stdout)


main(*sys.argv[1:])
