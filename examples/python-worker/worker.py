"""A worker in Python: takes messages from a queue of a run, beside the run's own consumers, and replies to each.

    pip install -r requirements.txt
    python worker.py [--address 127.0.0.1:5672] [--queue orders]

It replies to the queue that a message names in reply_to, with the message's correlation id, as RabbitMQ's introductions do. Where that
queue is one of the run, its client takes the reply like any other. What the worker is given of traceparent and tracestate it hands on,
so that call and reply are one tree. A message that awaits no reply is settled when it is worked on. Prints a line of JSON for each. At
a broker that is not built in, the queue's name has hopscope.<run>. before it.
"""

import argparse
import json
import signal
import sys

import pika

CONTEXT = ("traceparent", "tracestate")


def work(channel, method, asked: pika.BasicProperties, body: bytes) -> None:
    result = b"worked on " + body
    if asked.reply_to:
        carried = {name: value for name, value in (asked.headers or {}).items() if name in CONTEXT}
        answer = pika.BasicProperties(correlation_id=asked.correlation_id, content_type="text/plain", headers=carried)
        channel.basic_publish("", asked.reply_to, result, answer, mandatory=True)
    channel.basic_ack(method.delivery_tag)
    told = {"bytes": len(body), "replied": asked.reply_to, "traceparent": (asked.headers or {}).get("traceparent")}
    print(json.dumps(told), flush=True)


def main() -> None:
    arguments = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    arguments.add_argument("--address", default="127.0.0.1:5672", metavar="HOST:PORT", help="where the run's broker is")
    arguments.add_argument("--queue", default="orders", help="the queue to take from")
    given = arguments.parse_args()
    host, port = given.address.rsplit(":", 1)
    connection = pika.BlockingConnection(pika.ConnectionParameters(host, int(port)))
    channel = connection.channel()
    # A reply that the broker does not have is not to be taken for one.
    channel.confirm_delivery()
    channel.basic_qos(prefetch_count=1)
    channel.basic_consume(given.queue, work)
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, lambda *_: connection.add_callback_threadsafe(channel.stop_consuming))
    print(f"takes from {given.queue}", flush=True)
    try:
        channel.start_consuming()
        connection.close()
    except pika.exceptions.AMQPConnectionError as error:
        # With the run, its built-in broker ends.
        sys.exit(f"the connection has ended: {error}")


if __name__ == "__main__":
    main()
