"""Calls a node of a run over Thrift, or is called as one is.

peer.py call HOST:PORT FRAMING ENCODING TRACEPARENT: makes calls and a oneway one; prints what came of them.
peer.py load HOST:PORT AT_ONCE SECONDS BYTES [RATE]: keeps so many calls under way by THeader, as fast as they come back or so
many a second.
peer.py serve FRAMING ENCODING: prints its port, and then, for each message, what it was told; ends with its standard input.
"""

import json
import logging
import queue
import sys
import threading
import time

from hopscope.node import Node
from hopscope.node.ttypes import Failed, Message, Refused
from thrift.protocol.TBinaryProtocol import TBinaryProtocol, TBinaryProtocolFactory
from thrift.protocol.TCompactProtocol import TCompactProtocol, TCompactProtocolFactory
from thrift.protocol.THeaderProtocol import THeaderProtocol, THeaderProtocolFactory
from thrift.server.TServer import TThreadedServer
from thrift.Thrift import TApplicationException
from thrift.transport.THeaderTransport import THeaderClientType, THeaderSubprotocolID
from thrift.transport.TSocket import TServerSocket, TSocket
from thrift.transport.TTransport import (
    TBufferedTransport,
    TBufferedTransportFactory,
    TFramedTransport,
    TFramedTransportFactory,
)

SUBPROTOCOLS = {"binary": THeaderSubprotocolID.BINARY, "compact": THeaderSubprotocolID.COMPACT}


def client(address: str, framing: str, encoding: str):
    host, port = address.rsplit(":", 1)
    socket = TSocket(host, int(port))
    if framing == "header":
        allowed = (THeaderClientType.HEADERS,)
        return socket, THeaderProtocol(socket, allowed, SUBPROTOCOLS[encoding])
    transport = TFramedTransport(socket) if framing == "framed" else TBufferedTransport(socket)
    protocol = TBinaryProtocol(transport) if encoding == "binary" else TCompactProtocol(transport)
    return transport, protocol


def call(address: str, framing: str, encoding: str, traceparent: str) -> None:
    transport, protocol = client(address, framing, encoding)
    transport.open()
    node = Node.Client(protocol)
    told = {"bodies": []}

    def message(body: bytes) -> Message:
        if framing != "header":
            return Message(body=body, traceparent=traceparent)
        # A header is sent with each message, as long as it is set.
        protocol.set_header(b"traceparent", traceparent.encode())
        return Message(body=body)

    for body in (b"", b"ten bytes.", b"x" * 100_000):
        told["bodies"].append(len(node.call(message(body)).body))
    node.send(message(b"oneway"))
    # On the same connection: that the oneway message was taken, and what a node does not have.
    told["bodies"].append(len(node.call(message(b"last")).body))
    node._seqid += 1
    protocol.writeMessageBegin("elsewhere", 1, node._seqid)
    Node.call_args(message=Message(body=b"")).write(protocol)
    protocol.writeMessageEnd()
    protocol.trans.flush()
    try:
        node.recv_call()
    except TApplicationException as error:
        told["no_such_method"] = error.type
    transport.close()
    print(json.dumps(told))


def load(address: str, at_once: str, seconds: str, size: str, rate: str | None = None) -> None:
    until, body = time.monotonic() + int(seconds), b"x" * int(size)
    due: queue.Queue = queue.Queue()

    def calls() -> None:
        transport, protocol = client(address, "header", "binary")
        transport.open()
        node = Node.Client(protocol)
        while time.monotonic() < until:
            if rate and due.get() is None:
                break
            node.call(Message(body=body))
        transport.close()

    threads = [threading.Thread(target=calls) for _ in range(int(at_once))]
    for thread in threads:
        thread.start()
    if rate:
        at = time.monotonic()
        while at < until:
            time.sleep(max(0.0, at - time.monotonic()))
            due.put(True)
            at += 1 / int(rate)
        for _ in threads:
            due.put(None)
    for thread in threads:
        thread.join()


class Handler:
    """Answers with what it was sent, and throws what it is told to."""

    def call(self, message: Message) -> Message:
        self.tell("call", message)
        if message.body == b"refused":
            raise Refused("as told")
        if message.body == b"failed":
            raise Failed("as told")
        if message.body == b"broken":
            raise TApplicationException(TApplicationException.INTERNAL_ERROR, "as told")
        return Message(body=message.body)

    def send(self, message: Message) -> None:
        self.tell("send", message)

    @staticmethod
    def tell(method: str, message: Message) -> None:
        told = {"method": method, "bytes": len(message.body), "traceparent": message.traceparent}
        print(json.dumps(told), flush=True)


class Listener(TServerSocket):
    """Listens once: a server listens anew when it begins, and would have another port then."""

    def listen(self) -> None:
        if self.handle is None:
            super().listen()


def serve(framing: str, encoding: str) -> None:
    # What the library has to say of exceptions that are thrown as told would look like a fault.
    logging.disable()
    listener = Listener("127.0.0.1", 0)
    listener.listen()
    print(listener.handle.getsockname()[1], flush=True)
    if framing == "header":
        transport = TBufferedTransportFactory()
        protocol = THeaderProtocolFactory((THeaderClientType.HEADERS,), SUBPROTOCOLS[encoding])
    else:
        transport = TFramedTransportFactory() if framing == "framed" else TBufferedTransportFactory()
        protocol = TBinaryProtocolFactory() if encoding == "binary" else TCompactProtocolFactory()
    server = TThreadedServer(Node.Processor(Handler()), listener, transport, protocol, daemon=True)
    threading.Thread(target=server.serve, daemon=True).start()
    sys.stdin.read()


if __name__ == "__main__":
    {"call": call, "load": load, "serve": serve}[sys.argv[1]](*sys.argv[2:])
