"""Opens with bittensor-drand what Adit sealed, and the other way round.

The arguments are the example program `timelock` of adit-chain. Exit code 0 only when every check
holds. Needs no network: drand's signature of quicknet's round 1000 is public.
"""

import subprocess
import sys

import bittensor_drand

ROUND = 1000
SIGNATURE = (
    "b44679b9a59af2ec876b1a6b1ad52ea9b1615fc3982b19576350f93447cb1125"
    "e342b73a8dd2bacbe47e4b6b63ed5e39"
)


def adit(*arguments):
    answer = subprocess.run([*sys.argv[1:], *arguments], check=True, capture_output=True, text=True)
    return bytes.fromhex(answer.stdout.strip())


def compact(length):
    """SCALE's compact integer, as far as a commit can be long."""
    if length < 1 << 6:
        return bytes([length << 2])
    return (length << 2 | 1).to_bytes(2, "little")


def envelope(sealed):
    """What the Python package puts around a ciphertext: its length, and the round after it."""
    return compact(len(sealed)) + sealed + ROUND.to_bytes(8, "little")


def ciphertext(encrypted):
    """The ciphertext inside of that envelope."""
    return encrypted[2 if encrypted[0] & 3 == 1 else 1 : -8]


for plaintext in [b"", b"x", b"hello, bittensor!", bytes(range(256)) * 4]:
    sealed = adit("seal", str(ROUND), plaintext.hex())
    opened = bytes(bittensor_drand.decrypt_with_signature(envelope(sealed), SIGNATURE))
    assert opened == plaintext, "bittensor-drand opens ours to something else"
    theirs, reveal_round = bittensor_drand.encrypt_at_round(plaintext, ROUND)
    assert reveal_round == ROUND
    opened = adit("open", SIGNATURE, ciphertext(bytes(theirs)).hex())
    assert opened == plaintext, "we open theirs to something else"
print("timelock: bittensor-drand opens ours, and we open theirs")
