"""Calls a node of a run as a stranger does: asks it what it has, makes the messages of its greeter from what it says, and
greets it.

Usage: greet.py ADDRESS TRACEPARENT. Greets twice without a trace of its own and once with that one. Prints one JSON
document of what it was told.
"""

import json
import sys

import grpc
from google.protobuf import descriptor_pool, message_factory
from grpc_reflection.v1alpha import reflection_pb2
from grpc_reflection.v1alpha.proto_reflection_descriptor_database import ProtoReflectionDescriptorDatabase

SECONDS = 60


def services_by_v1(channel: grpc.Channel) -> list[str]:
    """Version 1 of reflection has the messages of its alpha under another name; this package has no client for it."""
    ask = channel.stream_stream(
        "/grpc.reflection.v1.ServerReflection/ServerReflectionInfo",
        request_serializer=reflection_pb2.ServerReflectionRequest.SerializeToString,
        response_deserializer=reflection_pb2.ServerReflectionResponse.FromString,
    )
    answers = ask(iter([reflection_pb2.ServerReflectionRequest(list_services="")]), timeout=SECONDS)
    return sorted(service.name for answer in answers for service in answer.list_services_response.service)


def health(channel: grpc.Channel) -> str:
    """Asks for the health of all: an empty request, and a reply whose first field is 1 where it serves."""
    answer = channel.unary_unary("/grpc.health.v1.Health/Check")(b"", timeout=SECONDS)
    return "SERVING" if answer == b"\x08\x01" else repr(answer)


def greetings(channel: grpc.Channel, described: ProtoReflectionDescriptorDatabase, traceparent: str) -> list[str]:
    method = descriptor_pool.DescriptorPool(described).FindMethodByName("helloworld.Greeter.SayHello")
    request, reply = (message_factory.GetMessageClass(kind) for kind in (method.input_type, method.output_type))
    say_hello = channel.unary_unary(
        f"/{method.containing_service.full_name}/{method.name}",
        request_serializer=request.SerializeToString,
        response_deserializer=reply.FromString,
    )
    plain = [say_hello(request(name=name), timeout=SECONDS) for name in ("", "Ada")]
    traced = say_hello(request(name="Grace Hopper"), metadata=(("traceparent", traceparent),), timeout=SECONDS)
    return [answer.message for answer in (*plain, traced)]


def no_such_method(channel: grpc.Channel) -> str:
    try:
        channel.unary_unary("/helloworld.Greeter/SayGoodbye")(b"", timeout=SECONDS)
    except grpc.RpcError as error:
        return error.code().name
    return "OK"


def main(address: str, traceparent: str) -> None:
    with grpc.insecure_channel(address) as channel:
        described = ProtoReflectionDescriptorDatabase(channel)
        told = {
            "services": sorted(described.get_services()),
            "services_v1": services_by_v1(channel),
            "greetings": greetings(channel, described, traceparent),
            "health": health(channel),
            "no_such_method": no_such_method(channel),
        }
    json.dump(told, sys.stdout)


main(*sys.argv[1:])
