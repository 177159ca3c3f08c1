"""Puts messages into a queue of a run and takes messages from another, as a stranger does.

Usage: queue.py HOST:PORT PUT TAKE TRACEPARENT. Publishes to PUT twice without a trace of its own and once with that one,
each confirmed by the broker; takes two messages from TAKE as a consumer and asks for one more. Prints one JSON document of
what it was told.
"""

import json
import sys

import pika

SECONDS = 60


def put(channel, queue: str, traceparent: str) -> list[str]:
    """Publishes three messages; with confirms on, each call returns when the broker has the message, or raises."""
    channel.confirm_delivery()
    bodies = ["one", "two", "three"]
    headers = [None, None, {"traceparent": traceparent}]
    for body, carried in zip(bodies, headers):
        properties = pika.BasicProperties(headers=carried)
        channel.basic_publish("", queue, body.encode(), properties, mandatory=True)
    return bodies


def take(channel, queue: str) -> list[dict]:
    channel.basic_qos(prefetch_count=1)
    taken = []
    for method, properties, body in channel.consume(queue, inactivity_timeout=SECONDS):
        if method is None:
            raise SystemExit(f"nothing came from {queue} in {SECONDS} s")
        channel.basic_ack(method.delivery_tag)
        taken.append({"bytes": len(body), "traceparent": properties.headers["traceparent"]})
        if len(taken) == 2:
            break
    channel.cancel()
    while True:
        method, properties, body = channel.basic_get(queue)
        if method is not None:
            channel.basic_ack(method.delivery_tag)
            taken.append({"bytes": len(body), "traceparent": properties.headers["traceparent"]})
            return taken


def missing(connection) -> int:
    """Asks for a queue that is not there; gives the code that the broker closes the channel with."""
    channel = connection.channel()
    try:
        channel.queue_declare("nowhere", passive=True)
    except pika.exceptions.ChannelClosedByBroker as error:
        return error.reply_code
    return 0


def main(address: str, put_to: str, take_from: str, traceparent: str) -> None:
    host, port = address.rsplit(":", 1)
    parameters = pika.ConnectionParameters(host, int(port), socket_timeout=SECONDS)
    connection = pika.BlockingConnection(parameters)
    told = {
        "put": put(connection.channel(), put_to, traceparent),
        "taken": take(connection.channel(), take_from),
        "missing": missing(connection),
    }
    connection.close()
    json.dump(told, sys.stdout)


main(*sys.argv[1:])
