"""compile.py OBJECT...: verdicts of many objects over one gRPC stream.

Needs grpcio and protobuf. The messages come from proto/ of the package:

    protoc -I proto --python_out=. proto/bpfjit/v1/*.proto proto/google/rpc/status.proto
"""
import os
import sys

import grpc

from bpfjit.v1 import compile_pb2, service_pb2


def requests(paths):
    for path in paths:
        with open(path, "rb") as file:
            request = compile_pb2.CompileRequest(object=file.read())
        request.options.log_level = 1
        yield service_pb2.BatchRequest(id=path, request=request)


def main(paths):
    channel = grpc.insecure_channel(os.environ.get("BPF_JITD_GRPC", "localhost:50051"))
    batch = channel.stream_stream(
        "/bpfjit.v1.JitService/CompileBatch",
        request_serializer=service_pb2.BatchRequest.SerializeToString,
        response_deserializer=service_pb2.BatchResponse.FromString,
    )
    key = os.environ.get("BPF_JITD_API_KEY")
    metadata = [("authorization", f"Bearer {key}")] if key else []
    failed = False
    for answer in batch(requests(paths), timeout=60, metadata=metadata):
        if answer.HasField("error"):
            print(f"{answer.id}: {answer.error.message}")
            failed = True
            continue
        for program in answer.response.programs:
            code = sum(len(function.code) for function in program.functions)
            verdict = f"accepted, {code} bytes" if program.accepted else f"rejected: {program.failure.message}"
            print(f"{answer.id} {program.name}: {verdict}")
            failed |= not program.accepted
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
