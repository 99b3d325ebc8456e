"""Lets a stock Python dendrite call our axon, and our dendrite a stock Python axon.

Takes the folder of the examples echo_axon and echo_dendrite. Exit code 0 only when every check
holds. The keys are the development keys: //Alice calls, //Bob serves.
"""

import asyncio
import pathlib
import socket
import subprocess
import sys
import time
import types
import typing

# bittensor reads the command line when it is imported.
FOLDER = pathlib.Path(sys.argv.pop(1))

import aiohttp  # noqa: E402
import bittensor  # noqa: E402
import pydantic  # noqa: E402
from bittensor.utils import networking  # noqa: E402
from bittensor_wallet import Keypair  # noqa: E402
from starlette.types import Send  # noqa: E402

# Dendrite and Axon ask services on the internet for their own address otherwise.
networking.get_external_ip = lambda: "198.51.100.7"

ALICE, BOB, EVE = (Keypair.create_from_uri(uri) for uri in ("//Alice", "//Bob", "//Eve"))
META = {
    "z": [1, 1.0, 1e22, 1e-7, -0.0, None, True],
    "quotes": ["it's", 'a "b"', "both ' and \""],
    "odd": "\u200b\u00a0é🌍\n\\",
    "big": 2**70,
    "empty": [[], {}, ""],
}


class Echo(bittensor.Synapse):
    prompt: str
    n: int = 1
    temperature: float = 0.7
    tags: typing.List[str] = []
    meta: typing.Optional[dict] = None
    output: typing.Optional[str] = None
    required_hash_fields: typing.ClassVar[typing.Tuple[str, ...]] = (
        "prompt",
        "n",
        "temperature",
        "tags",
        "meta",
    )


class Words(bittensor.StreamingSynapse):
    text: str
    heard: str = ""
    required_hash_fields: typing.ClassVar[typing.Tuple[str, ...]] = ("text",)

    async def process_streaming_response(self, response):
        async for chunk in response.content.iter_any():
            self.heard += chunk.decode()
            yield chunk.decode()

    def deserialize(self):
        return self.heard

    def extract_response_json(self, response):
        return {"text": self.text, "heard": self.heard}


def free_port():
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        return listener.getsockname()[1]


def wait_for(port):
    deadline = time.monotonic() + 60
    while time.monotonic() < deadline:
        with socket.socket() as caller:
            if caller.connect_ex(("127.0.0.1", port)) == 0:
                return
        time.sleep(0.1)
    raise RuntimeError(f"nothing listens on port {port}")


def target(port, hotkey=BOB.ss58_address):
    return bittensor.AxonInfo(
        version=0, ip="127.0.0.1", port=port, ip_type=4, hotkey=hotkey, coldkey=hotkey
    )


async def call_ours(port):
    """A stock dendrite calls our axon."""
    dendrite = bittensor.Dendrite(wallet=ALICE)
    wanted = f"HÉLLO HÉLLO  for {ALICE.ss58_address}"
    for temperature in (0.7, 1, 1e16, 1e-05):
        asked = Echo(
            prompt="héllo ", n=2, temperature=temperature, tags=["a", "b'c"], meta=META
        )
        answer = await dendrite.forward(target(port), asked, deserialize=False)
        assert answer.is_success, answer.dendrite
        assert answer.output == wanted and answer.meta == META, answer
        assert answer.axon.hotkey == BOB.ss58_address, answer.axon
    # The synapse every axon serves.
    ping = await dendrite.forward(target(port), bittensor.Synapse(), deserialize=False)
    assert ping.is_success, ping.dendrite
    heard = [
        chunk
        async for chunk in await dendrite.forward(
            target(port), Words(text="one two thrée"), streaming=True
        )
    ]
    assert "".join(heard[:-1]) == heard[-1] == "one two thrée", heard
    # Signed for another axon, and tampered with: refused.
    other = await dendrite.forward(
        target(port, EVE.ss58_address), Echo(prompt="hi"), deserialize=False
    )
    assert other.dendrite.status_code == 401, other.dendrite
    await spoof(dendrite, port)
    await dendrite.aclose_session()


async def spoof(dendrite, port):
    """What a body says of its sender is ignored; a changed body or a second sending is refused."""
    url = f"http://127.0.0.1:{port}/Echo"
    async with aiohttp.ClientSession() as session:
        asked = dendrite.preprocess_synapse_for_request(target(port), Echo(prompt="hi"))
        headers, body = asked.to_headers(), asked.model_dump()
        body["dendrite"]["hotkey"] = EVE.ss58_address
        async with session.post(url, headers=headers, json=body) as response:
            answer = await response.json()
            assert response.status == 200, answer
            assert answer["output"] == f"HI for {ALICE.ss58_address}", answer
            assert answer["dendrite"]["hotkey"] == ALICE.ss58_address, answer
        async with session.post(url, headers=headers, json=body) as response:
            assert response.status == 401, await response.text()
        asked = dendrite.preprocess_synapse_for_request(target(port), Echo(prompt="hi"))
        headers, body = asked.to_headers(), asked.model_dump()
        body["prompt"] = "ho"
        async with session.post(url, headers=headers, json=body) as response:
            assert response.status == 500, await response.text()


def serve_python(port):
    """A stock axon for our dendrite to call."""

    def echo(synapse: Echo) -> Echo:
        synapse.output = f"{synapse.prompt.upper() * synapse.n} for {synapse.dendrite.hotkey}"
        return synapse

    def words(synapse: Words):
        async def stream(send: Send):
            for word in synapse.text.split(" "):
                word = word if synapse.text.endswith(word) else word + " "
                await send(
                    {"type": "http.response.body", "body": word.encode(), "more_body": True}
                )

        return synapse.create_streaming_response(stream)

    wallet = types.SimpleNamespace(hotkey=BOB, coldkeypub=BOB, hotkeypub=BOB)
    axon = bittensor.Axon(wallet=wallet, port=port, ip="127.0.0.1", external_ip="198.51.100.8")
    axon.attach(forward_fn=echo).attach(forward_fn=words)
    return axon.start()


def main():
    print(f"bittensor {bittensor.__version__}, pydantic {pydantic.VERSION}")
    port = free_port()
    ours = subprocess.Popen([FOLDER / "echo_axon", f"127.0.0.1:{port}", "//Bob"])
    try:
        wait_for(port)
        asyncio.run(call_ours(port))
    finally:
        ours.kill()
        ours.wait()
    print("interop: a Python dendrite called our axon")

    port = free_port()
    theirs = serve_python(port)
    try:
        wait_for(port)
        subprocess.run(
            [FOLDER / "echo_dendrite", f"127.0.0.1:{port}", BOB.ss58_address, "//Alice"],
            check=True,
            timeout=60,
        )
    finally:
        theirs.stop()
    print("interop: our dendrite called a Python axon")


main()
