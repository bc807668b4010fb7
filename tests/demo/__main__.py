"""Run the demo until Ctrl-C."""

import argparse
import asyncio
from contextlib import suppress
import errno
from pathlib import Path
import signal
import sys

from .hass import INTEGRATION, HomeAssistantProcess
from .onboarding import Client
from .site import LEFT_OUT, DemoSite

FOLDER = Path(__file__).parents[2] / ".demo"


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="scripts/demo", description=__doc__)
    parser.add_argument("--miners", type=int, default=30, help="how many (default 30)")
    parser.add_argument("--port", type=int, default=8123, help="of Home Assistant")
    parser.add_argument("--folder", type=Path, default=FOLDER, help=argparse.SUPPRESS)
    parser.add_argument(
        "--integration", type=Path, default=INTEGRATION, help=argparse.SUPPRESS
    )
    return parser.parse_args()


def _say(text: str) -> None:
    print(text, flush=True)  # noqa: T201


async def run(arguments: argparse.Namespace) -> int:
    """Start everything, print the address, and wait for Ctrl-C."""
    miners, port = arguments.miners, arguments.port
    stop = asyncio.Event()
    loop = asyncio.get_running_loop()
    for number in (signal.SIGINT, signal.SIGTERM):
        loop.add_signal_handler(number, stop.set)
    async with DemoSite(miners) as site:
        _say(f"{miners + LEFT_OUT} simulated miners are on, {site.description}")
        _say(f"The last {LEFT_OUT} are not added: try it with them")
        async with HomeAssistantProcess(
            arguments.folder, port, arguments.integration
        ) as hass:
            _say("Home Assistant starts")
            ready = asyncio.create_task(_prepare(hass, site, port))
            stopping = asyncio.create_task(stop.wait())
            ended = asyncio.create_task(hass.wait())
            await asyncio.wait(
                {ready, stopping, ended}, return_when=asyncio.FIRST_COMPLETED
            )
            if ready.done() and not stop.is_set():
                ready.result()
                _say(
                    f"Home Assistant is ready: http://127.0.0.1:{port} "
                    "(user demo, password demo)"
                )
                await asyncio.wait(
                    {stopping, ended}, return_when=asyncio.FIRST_COMPLETED
                )
            for task in (ready, stopping):
                task.cancel()
                with suppress(asyncio.CancelledError):
                    await task
            if not stop.is_set():
                _say(f"Home Assistant ended by itself; see {hass.log}")
                return 1
        _say("The demo has ended")
    return 0


async def _prepare(hass: HomeAssistantProcess, site: DemoSite, port: int) -> None:
    async with Client(f"http://127.0.0.1:{port}") as client:
        await client.wait_until_up()
        await client.onboard()
        _say("The site is being added through its config flow")
        await client.add_site(site)
        await client.wait_until_read(site.miners)
        await client.plug_in()
        await client.add_broker(site)
        await client.add_equipment(site)
        await client.wait_until_read(site.working)
        await client.furnish()
        await client.add_automation()


def main() -> int:
    """Run from the command line."""
    arguments = _arguments()
    try:
        return asyncio.run(run(arguments))
    except OSError as error:
        if error.errno != errno.EADDRINUSE:
            raise
        _say(f"Something is on port {arguments.port} already; --port takes another")
        return 1


if __name__ == "__main__":
    sys.exit(main())
