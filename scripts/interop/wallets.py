"""Exchanges wallets between the installed Python SDK and `adit-miner wallet`."""

import argparse
import ctypes
import json
import os
import pathlib
import pty
import re
import select
import subprocess
import termios
import time

try:
    from bittensor.wallet import Wallet
    from bittensor.sp_core import Keypair
    from importlib.metadata import version

    SDK, SPEAKS_ED25519 = f"bittensor {version('bittensor')}", True
except ImportError:
    import bittensor_wallet
    from bittensor_wallet import Keypair, Wallet

    SDK = f"bittensor-wallet {bittensor_wallet.__version__}"
    SPEAKS_ED25519 = hasattr(bittensor_wallet, "CRYPTO_ED25519")

LIBC = ctypes.CDLL(None)
LIBC.getenv.restype = ctypes.c_char_p

PHRASES = {
    "coldkey": "legal winner thank year wave sausage worth useful legal winner thank yellow",
    "hotkey": "bottom drive obey lake curtain smoke basket hold race lonely fit walk",
}
PASSWORD = "correct horse ✓ battery"
MESSAGE = "a task for uid 7"
# As the polkadot.js extension exported the development key //Alice; its password is whoisalice.
EXPORTED = json.dumps({
    "encoded": "DumgApKCTqoCty1OZW/8WS+sgo6RdpHhCwAkA2IoDBMAgAAAAQAAAAgAAAB6IG/q24EeVf0JqWqcBd5m2tKq5BlyY84IQ8oamLn9DZe9Ouhgunr7i36J1XxUnTI801axqL/ym1gil0U8440Qvj0lFVKwGuxq38zuifgoj0B3Yru0CI6QKEvQPU5xxj4MpyxdSxP+2PnTzYao0HDH0fulaGvlAYXfqtU89xrx2/z9z7IjSwS3oDFPXRQ9kAdDebtyCVreZ9Otw9v3",
    "encoding": {"content": ["pkcs8", "sr25519"], "type": ["scrypt", "xsalsa20-poly1305"], "version": "3"},
    "address": "5GrwvaEF5zXb26Fz9rcQpDWS57CtERHpNehXCPcNoHGKutQY",
    "meta": {"name": "Alice"},
})

options = argparse.ArgumentParser(description=__doc__)
options.add_argument("--program", required=True)
options.add_argument("--folder", required=True, type=pathlib.Path)
options = options.parse_args()


def secret(name, line):
    """A file of mode 0600 with one line."""
    path = options.folder / name
    path.touch(mode=0o600)
    path.write_text(line + "\n")
    return str(path)


def adit(where, *args, succeeds=True, variables=None):
    """Runs `adit-miner wallet` without a terminal, and gives the JSON it prints."""
    command = ["setsid", options.program, "wallet", *args, "--json"]
    environment = {**os.environ, "ADIT_WALLET__PATH": str(options.folder / where), **(variables or {})}
    done = subprocess.run(command, env=environment, stdin=subprocess.DEVNULL, capture_output=True, text=True)
    assert (done.returncode == 0) == succeeds, f"{args}: {done.returncode} {done.stdout} {done.stderr}"
    return json.loads(done.stdout) if succeeds else done.stderr


def python(where, name, hotkey="default"):
    return Wallet(name=name, hotkey=hotkey, path=str(options.folder / where))


def same_key(keypair, where, name, key, **source):
    """The key signs here and is believed there, and the other way round."""
    scheme = "ed25519" if getattr(keypair, "crypto_type", 1) == 0 else "sr25519"
    args = ["--wallet.name", name, "--key", key, *source.pop("args", [])]
    signed = adit(where, "sign", "--message", MESSAGE, *args, **source)
    assert signed["address"] == keypair.ss58_address, (signed, keypair)
    assert signed["scheme"] == scheme, signed
    assert keypair.verify(MESSAGE.encode(), bytes.fromhex(signed["signature"][2:])), "our signature is refused"
    assert not keypair.verify(b"another", bytes.fromhex(signed["signature"][2:]))
    theirs = keypair.sign(MESSAGE.encode()).hex()
    verify = ["verify", "--address", keypair.ss58_address, "--scheme", scheme, "--signature", theirs]
    assert adit(where, *verify, "--message", MESSAGE) == {"valid": True}
    command = ["setsid", options.program, "wallet", *verify, "--message", "another"]
    assert subprocess.run(command, capture_output=True).returncode == 1


def written_by_python():
    password = ["--password-file", secret("password", PASSWORD)]
    plain, sealed = python("python", "plain"), python("python", "sealed")
    quiet = {"overwrite": True, "suppress": True}
    plain.regenerate_coldkey(mnemonic=PHRASES["coldkey"], use_password=False, **quiet)
    plain.regenerate_hotkey(mnemonic=PHRASES["hotkey"], use_password=False, **quiet)
    sealed.regenerate_coldkey(mnemonic=PHRASES["coldkey"], coldkey_password=PASSWORD, **quiet)
    sealed.regenerate_hotkey(mnemonic=PHRASES["hotkey"], use_password=True, hotkey_password=PASSWORD, **quiet)
    keys = {key: Keypair.create_from_mnemonic(phrase) for key, phrase in PHRASES.items()}
    for key, keypair in keys.items():
        same_key(keypair, "python", "plain", key)
        same_key(keypair, "python", "sealed", key, args=password)
    wrong = ["--wallet.name", "sealed", "--password-file", secret("wrong", "wrong horse")]
    refusal = adit("python", "sign", *wrong, "--message", "x", succeeds=False)
    assert "wrong password or changed file" in refusal, refusal
    listed = {wallet["name"]: wallet for wallet in adit("python", "list")["wallets"]}
    assert {name: (wallet["coldkey"]["secret"], wallet["hotkeys"][0]["secret"]) for name, wallet in listed.items()} == {
        "plain": ("plaintext", "plaintext"),
        "sealed": ("encrypted", "encrypted"),
    }, listed
    for wallet in listed.values():
        assert wallet["coldkey"]["account"] == keys["coldkey"].ss58_address
    # The password as the SDK keeps it in the environment.
    name = sealed.coldkey_file.env_var_name()
    sealed.coldkey_file.save_password_to_env(PASSWORD)
    # The SDK sets it in the process, past Python's own copy of the environment.
    value = LIBC.getenv(name.encode()).decode()
    same_key(keys["coldkey"], "python", "sealed", "coldkey", variables={name: value})
    sealed.coldkey_file.remove_password_from_env()
    if SPEAKS_ED25519:
        edward = python("python", "edward")
        edward.regenerate_hotkey(mnemonic=PHRASES["hotkey"], use_password=False, crypto_type=0, **quiet)
        same_key(Keypair.create_from_mnemonic(PHRASES["hotkey"], crypto_type=0), "python", "edward", "hotkey")


def written_by_adit():
    password = ["--password-file", secret("password", PASSWORD)]
    files = {key: ["--secret-file", secret(key, phrase)] for key, phrase in PHRASES.items()}
    ways = {
        "plain": ["--no-password", "--no-coldkey-password"],
        "nacl": password,
        "ansible": [*password, "--format", "ansible-vault"],
    }
    for name, way in ways.items():
        for key in PHRASES:
            adit("adit", "regen", "--key", key, "--wallet.name", name, *files[key], *way)
        wallet = python("adit", name)
        given = (PASSWORD,) if name != "plain" else ()
        for key, open_ in (("coldkey", wallet.get_coldkey), ("hotkey", wallet.get_hotkey)):
            keypair = open_(*given)
            assert keypair.ss58_address == Keypair.create_from_mnemonic(PHRASES[key]).ss58_address
            same_key(keypair, "adit", name, key, args=[] if name == "plain" else password)
            assert key == "hotkey" or wallet.coldkeypub.ss58_address == keypair.ss58_address
        if name == "ansible":
            try:
                wallet.get_coldkey("wrong horse")
            except Exception as error:
                assert "password" in str(error).lower() or "decrypt" in str(error).lower(), error
            else:
                raise AssertionError("a wrong password opened the file")
    if SPEAKS_ED25519:
        adit("adit", "regen", "--key", "hotkey", "--wallet.name", "edward", "--scheme", "ed25519", "--no-password", *files["hotkey"])
        same_key(python("adit", "edward").get_hotkey(), "adit", "edward", "hotkey")


def imported():
    """A polkadot.js export, imported on both sides, is one key."""
    quiet = {"overwrite": True, "suppress": True, "use_password": False}
    python("python", "imported").regenerate_coldkey(json=(EXPORTED, "whoisalice"), **quiet)
    keypair = python("python", "imported").get_coldkey()
    exported, password = secret("alice.json", EXPORTED), secret("alice", "whoisalice")
    adit("adit", "import", exported, "--key", "coldkey", "--wallet.name", "imported",
         "--from-password-file", password, "--no-coldkey-password")
    same_key(keypair, "adit", "imported", "coldkey")
    same_key(python("adit", "imported").get_coldkey(), "python", "imported", "coldkey")


def shown_on_a_terminal():
    """`new` on a terminal: the password is typed twice and not echoed, the phrase is shown once."""
    command = [options.program, "wallet", "new", "--key", "coldkey", "--wallet.name", "typed", "--format", "ansible-vault"]
    process, terminal = pty.fork()
    if process == 0:
        os.environ["ADIT_WALLET__PATH"] = str(options.folder / "adit")
        os.execv(command[0], command)
    seen, deadline, typed = b"", time.monotonic() + 120, 0
    while time.monotonic() < deadline:
        ready, _, _ = select.select([terminal], [], [], 0.1)
        if ready:
            try:
                read = os.read(terminal, 4096)
            except OSError:
                break
            if not read:
                break
            seen += read
        asked = len(re.findall(rb"New password of|The same again", seen))
        # The question stands there a moment before the terminal stops echoing.
        if typed < asked and not termios.tcgetattr(terminal)[3] & termios.ECHO:
            typed += 1
            os.write(terminal, PASSWORD.encode() + b"\n")
    _, status = os.waitpid(process, 0)
    text = seen.decode()
    assert status == 0 and typed == 2, text
    assert PASSWORD not in text, "the password was echoed"
    phrase = re.search(r"^    ([a-z ]+)\r?$", text, re.MULTILINE).group(1)
    assert "It is not shown again" in text
    keypair = python("adit", "typed").get_coldkey(PASSWORD)
    assert Keypair.create_from_mnemonic(phrase).ss58_address == keypair.ss58_address


for step in (written_by_python, written_by_adit, imported, shown_on_a_terminal):
    step()
print(f"wallets: {SDK} and adit open each other's")
