"""Calls VideoMiner.Scrape of a running Adit miner with stock Python packages only.

grpcio carries the call, bittensor.http_auth signs it, bittensor's wallet verifies the answer.
Exit code 0 only when every check holds.
"""

import argparse
import hashlib
import pathlib
import struct
import sys
import tempfile
import time

import grpc
from bittensor import http_auth
from bittensor.wallets import Keypair
from grpc_tools import protoc

METHOD = "/adit.v1.VideoMiner/Scrape"
ROOT = pathlib.Path(__file__).resolve().parents[2]


def messages():
    """Compiles the contract into a temporary folder and imports it."""
    folder = tempfile.mkdtemp(prefix="adit-interop-")
    protos = ["adit/v1/neuron.proto", "adit/v1/video.proto"]
    code = protoc.main(["protoc", f"-I{ROOT / 'proto'}", f"--python_out={folder}", *protos])
    if code != 0:
        raise RuntimeError("the contract does not compile")
    sys.path.insert(0, folder)
    from adit.v1 import video_pb2

    return video_pb2


def signed(keypair, message, receiver):
    """Metadata for a call, and the hash that names it in the answer."""
    body = b"\0" + struct.pack(">I", len(message)) + message
    nonce = time.time_ns()
    headers = http_auth.sign(
        keypair, method="POST", path=METHOD, body=body, receiver_ss58=receiver, nonce_ns=nonce
    )
    payload = http_auth.build_payload(
        scheme="sr25519",
        method="POST",
        path=METHOD,
        body=body,
        nonce_ns=nonce,
        sender_ss58=keypair.ss58_address,
        receiver_ss58=receiver,
    )
    metadata = [(name.lower(), value) for name, value in headers.items()]
    return metadata, hashlib.sha256(payload).hexdigest()


def answer_is_signed(response, metadata, request_hash, hotkey):
    """Whether the hotkey that was asked signed exactly this answer to exactly this request."""
    headers = dict(metadata)
    signature = bytes.fromhex(headers["x-bittensor-answer-signature"].removeprefix("0x"))
    if headers["x-bittensor-answer-hotkey"] != hotkey:
        return False
    body = b"\0" + struct.pack(">I", len(response)) + response
    text = "\n".join(
        [
            "btauth-answer/1",
            headers.get("x-bittensor-answer-crypto", "sr25519"),
            request_hash,
            hashlib.sha256(body).hexdigest(),
            "0",
            hotkey,
        ]
    )
    return Keypair(ss58_address=hotkey).verify(text.encode(), signature)


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--target", required=True, help="HOST:PORT of the miner")
    parser.add_argument("--hotkey", required=True, help="the miner's SS58 address")
    parser.add_argument("--uri", default="//Alice", help="secret URI of the caller")
    parser.add_argument("--seed", help="seed of the caller in hexadecimal, instead of --uri")
    parser.add_argument("--topic", default="a river in the mountains")
    parser.add_argument("--clips", type=int, default=1)
    parser.add_argument("--timeout", type=float, default=60.0, help="seconds for one call")
    options = parser.parse_args()

    if options.seed:
        keypair = Keypair.create_from_seed(bytes.fromhex(options.seed.removeprefix("0x")))
    else:
        keypair = Keypair.create_from_uri(options.uri)
    video = messages()
    deadline = int((time.time() + options.timeout) * 1000)
    request = video.ScrapeRequest(
        task_id="01ARZ3NDEKTSV4RRFFQ69G5FAV",
        topic=options.topic,
        clips_wanted=options.clips,
        deadline_unix_ms=deadline,
        constraints=video.ClipConstraints(
            min_duration_ms=1000, max_duration_ms=60_000, max_description_bytes=2000
        ),
    )
    channel = grpc.insecure_channel(options.target)
    grpc.channel_ready_future(channel).result(timeout=30)
    # Bytes in, bytes out: what is signed is what is sent.
    scrape = channel.unary_unary(METHOD, request_serializer=None, response_deserializer=None)
    failures = []

    def check(name, holds):
        print(f"{'ok  ' if holds else 'FAIL'} {name}")
        if not holds:
            failures.append(name)

    def refused(name, metadata, reason):
        try:
            scrape(message, metadata=metadata, timeout=options.timeout)
            check(name, False)
        except grpc.RpcError as error:
            found = dict(error.trailing_metadata() or ()).get("x-bittensor-refusal")
            if error.code() != grpc.StatusCode.UNAUTHENTICATED or found != reason:
                print(f"     {error.code()} {error.details()}")
            check(name, error.code() == grpc.StatusCode.UNAUTHENTICATED and found == reason)

    message = request.SerializeToString()
    metadata, request_hash = signed(keypair, message, options.hotkey)
    call = scrape.with_call
    raw, answered = call(message, metadata=metadata, timeout=options.timeout)
    response = video.ScrapeResponse.FromString(raw)
    check(f"a signed call is answered ({len(response.clips)} clips)", True)
    check("the answer is for our task", response.task_id == request.task_id)
    initial = answered.initial_metadata()
    check(
        "the answer is signed by the hotkey we asked",
        answer_is_signed(raw, initial, request_hash, options.hotkey),
    )
    check(
        "the signature does not fit another answer",
        not answer_is_signed(raw + b"\0", initial, request_hash, options.hotkey),
    )

    refused("the same request again is refused", metadata, "replayed")
    fresh, _ = signed(keypair, message, options.hotkey)
    wrong, _ = signed(keypair, b"", options.hotkey)
    signature = dict(wrong)["x-bittensor-signature"]
    forged = [(k, signature if k == "x-bittensor-signature" else v) for k, v in fresh]
    refused("a wrong signature is refused", forged, "bad_signature")
    refused("an unsigned call is refused", [], "unsigned")
    elsewhere, _ = signed(keypair, message, keypair.ss58_address)
    refused("a request for another receiver is refused", elsewhere, "wrong_receiver")

    print("all checks hold" if not failures else f"{len(failures)} checks failed")
    return 1 if failures else 0


if __name__ == "__main__":
    sys.exit(main())
