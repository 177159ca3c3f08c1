"""A gRPC greeter, as the introductions to gRPC have it, for an external service of a scenario.

    pip install -r requirements.txt
    python greeter.py [--port 50051] [--then HOST:PORT]
    hopscope serve --allow-target greeter=127.0.0.1:50051

In the scenario, link a client over gRPC to an external service called greeter, with the method /helloworld.Greeter/SayHello, and
let the client's content be text or JSON. With --then, each greeting is passed on to another greeter: to a service of the same
run, at a port that the run's settings fix. What it is given of traceparent and tracestate it passes on, so the two are one tree.
"""

import argparse
import signal
import threading
from concurrent import futures

import grpc
import helloworld_pb2
import helloworld_pb2_grpc

CONTEXT = ("traceparent", "tracestate")


class Greeter(helloworld_pb2_grpc.GreeterServicer):
    def __init__(self, then: str | None) -> None:
        self.then = helloworld_pb2_grpc.GreeterStub(grpc.insecure_channel(then)) if then else None

    def SayHello(self, request, context):
        if self.then is not None:
            carried = [(key, value) for key, value in context.invocation_metadata() if key in CONTEXT]
            self.then.SayHello(request, metadata=carried, timeout=60)
        return helloworld_pb2.HelloReply(message=f"Hello {request.name}")


def main() -> None:
    arguments = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    arguments.add_argument("--port", type=int, default=50051, help="loopback port to listen on; 0 takes a free one")
    arguments.add_argument("--then", metavar="HOST:PORT", help="another greeter, which every greeting is passed on to")
    given = arguments.parse_args()
    server = grpc.server(futures.ThreadPoolExecutor(max_workers=16))
    helloworld_pb2_grpc.add_GreeterServicer_to_server(Greeter(given.then), server)
    port = server.add_insecure_port(f"127.0.0.1:{given.port}")
    server.start()
    print(f"greets at 127.0.0.1:{port}", flush=True)
    ended = threading.Event()
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, lambda *_: ended.set())
    ended.wait()
    server.stop(grace=1).wait()


if __name__ == "__main__":
    main()
