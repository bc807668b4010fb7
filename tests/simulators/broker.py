"""A real Mosquitto on a loopback port, for what talks over MQTT."""

import asyncio
import base64
import contextlib
import hashlib
from pathlib import Path
import secrets
import shutil
import socket
import subprocess
import tempfile
from typing import Self

_PLACES = ("/usr/sbin/mosquitto", "/usr/local/sbin/mosquitto")
_ROUNDS = 101
_STARTS_WITHIN = 10.0


def mosquitto() -> str | None:
    """Return where Mosquitto is, if it is installed."""
    places = (shutil.which("mosquitto"), *_PLACES)
    return next((place for place in places if place and Path(place).exists()), None)


class Broker:
    """One broker with a password file; ``open_to_all`` lets anybody in as well."""

    def __init__(
        self,
        host: str = "127.0.0.1",
        *,
        username: str = "miner",
        password: str = "secret of the broker",
        open_to_all: bool = False,
        allowed: str = "#",
    ) -> None:
        """Describe a broker on a free port; it is not started yet.

        Its user may listen and speak to the ``allowed`` topics only.
        """
        self.host = host
        self.username = username
        self.password = password
        self.port = _free_port(host)
        self._open = open_to_all
        self._allowed = allowed
        self._folder = tempfile.TemporaryDirectory(prefix="broker")
        self._process: subprocess.Popen[bytes] | None = None
        self._write_files()

    def _write_files(self) -> None:
        folder = Path(self._folder.name)
        passwords, config = folder / "passwords", folder / "mosquitto.conf"
        passwords.write_text(f"{self.username}:{_hashed(self.password)}\n")
        access = folder / "access"
        access.write_text(f"topic #\nuser {self.username}\ntopic {self._allowed}\n")
        config.write_text(
            f"listener {self.port} {self.host}\n"
            f"allow_anonymous {'true' if self._open else 'false'}\n"
            f"password_file {passwords}\n"
            f"acl_file {access}\n"
            "persistence false\n"
            "user root\n"
            "log_type none\n"
        )

    async def start(self) -> None:
        """Start, and return once it takes connections."""
        self._process = process = self._launch()
        async with asyncio.timeout(_STARTS_WITHIN):
            while not await self._takes_connections():
                assert process.poll() is None, "Mosquitto did not start"
                await asyncio.sleep(0.01)

    def _launch(self) -> subprocess.Popen[bytes]:
        binary = mosquitto()
        assert binary is not None, "Mosquitto is not installed"
        return subprocess.Popen(
            [binary, "-c", f"{self._folder.name}/mosquitto.conf"],
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
        )

    async def _takes_connections(self) -> bool:
        try:
            _, writer = await asyncio.open_connection(self.host, self.port)
        except OSError:
            return False
        writer.close()
        with contextlib.suppress(OSError):
            await writer.wait_closed()
        return True

    async def stop(self) -> None:
        """Stop; the port refuses until it is started again."""
        process, self._process = self._process, None
        if process is not None:
            process.terminate()
            await asyncio.to_thread(process.wait, 10)

    async def restart(self) -> None:
        """Stop and start again on the same port."""
        await self.stop()
        await self.start()

    async def __aenter__(self) -> Self:
        """Start."""
        await self.start()
        return self

    async def __aexit__(self, *_: object) -> None:
        """Stop, and remove its files."""
        await self.stop()
        self._folder.cleanup()


def _free_port(host: str) -> int:
    with socket.socket() as sock:
        sock.bind((host, 0))
        port: int = sock.getsockname()[1]
    return port


def _hashed(password: str) -> str:
    """Return a line of a password file as mosquitto_passwd writes it."""
    salt = secrets.token_bytes(12)
    key = hashlib.pbkdf2_hmac("sha512", password.encode(), salt, _ROUNDS, 64)
    return f"$7${_ROUNDS}${_text(salt)}${_text(key)}"


def _text(data: bytes) -> str:
    return base64.b64encode(data).decode()
