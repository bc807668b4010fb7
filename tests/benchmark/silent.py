"""Hosts that neither take nor refuse a connection, in processes of their own."""

import asyncio
from collections.abc import Sequence
from contextlib import ExitStack
import json
import socket
import sys
from typing import Self

# Each silent port takes two sockets, and a process may open only so many.
_PORTS_EACH = 4000
_READY_WITHIN = 120.0


class SilentHosts:
    """Silent ports of loopback hosts, from entry to exit.

    The kernel drops what does not fit into the queue of a listening socket.
    """

    def __init__(self, hosts: Sequence[str], ports: Sequence[int]) -> None:
        """Describe which ports of which hosts are to be silent."""
        self._places = [(host, port) for host in hosts for port in ports]
        self._processes: list[asyncio.subprocess.Process] = []

    async def __aenter__(self) -> Self:
        """Silence them."""
        for start in range(0, len(self._places), _PORTS_EACH):
            process = await asyncio.create_subprocess_exec(
                sys.executable,
                "-m",
                "tests.benchmark.silent",
                stdin=asyncio.subprocess.PIPE,
                stdout=asyncio.subprocess.PIPE,
            )
            self._processes.append(process)
            assert process.stdin is not None
            part = self._places[start : start + _PORTS_EACH]
            process.stdin.write(json.dumps(part).encode() + b"\n")
        async with asyncio.timeout(_READY_WITHIN):
            for process in self._processes:
                assert process.stdout is not None
                if not await process.stdout.readline():
                    raise RuntimeError("the hosts could not be silenced")
        return self

    async def __aexit__(self, *_: object) -> None:
        """Let go of them."""
        for process in self._processes:
            process.kill()
            await process.wait()


def main() -> None:
    """Keep the ports silent that standard input names, until killed."""
    with ExitStack() as stack:
        for host, port in json.loads(sys.stdin.readline()):
            server = stack.enter_context(socket.socket())
            server.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            server.bind((host, port))
            server.listen(0)
            filler = stack.enter_context(socket.socket())
            filler.connect((host, port))
        print("silent", flush=True)  # noqa: T201
        sys.stdin.read()


if __name__ == "__main__":
    main()
