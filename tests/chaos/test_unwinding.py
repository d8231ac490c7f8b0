"""Being asked to end: whatever runs just then, a command unwinds, once, and cleans up."""

import subprocess
import sys

import pytest

SERVED = """
import asyncio, os, signal, uvloop
from {module} import {function}

class Struck(asyncio.Protocol):
    def data_received(self, data):
        os.kill(os.getpid(), signal.{kind})  # The handler runs before this callback ends.

async def serve():
    loop = asyncio.get_running_loop()
    server = await loop.create_server(Struck, "127.0.0.1", 0)
    try:
        _, writer = await asyncio.open_connection(*server.sockets[0].getsockname())
        writer.write(b"strike")
        await asyncio.sleep(20)
        print("went on")
    finally:
        await asyncio.sleep(0)
        print("cleaned up")

{function}()
{run}.run(serve())
"""
IMPATIENT = """
import os, signal, time
from chaos.unwinding import unwind_once

signal.signal(signal.SIGINT, signal.SIG_IGN)  # As in the background of a script.
unwind_once()
try:
    try:
        os.kill(os.getpid(), signal.{first})
        print("went on")
    finally:
        for _ in range(6):
            os.kill(os.getpid(), signal.SIGINT)
            os.kill(os.getpid(), signal.SIGTERM)
        time.sleep(0.01)
        print("cleaned up")
except KeyboardInterrupt:
    print("ended")
"""


def run(program: str) -> "subprocess.CompletedProcess[str]":
    """Run a program to its end."""
    return subprocess.run(
        [sys.executable, "-c", program], capture_output=True, text=True, check=False, timeout=60
    )


@pytest.mark.parametrize("loop", ["uvloop", "asyncio"])
@pytest.mark.parametrize(
    ("module", "function", "kind"),
    [
        ("cluster.processes", "end_on_sigterm", "SIGTERM"),
        ("chaos.unwinding", "unwind_once", "SIGTERM"),
        ("chaos.unwinding", "unwind_once", "SIGINT"),
    ],
)
def test_a_signal_in_a_callback_ends_the_process(
    module: str, function: str, kind: str, loop: str
) -> None:
    """It does not end one connection and get lost, as what a transport's callback raises does."""
    done = run(SERVED.format(module=module, function=function, kind=kind, run=loop))

    assert done.stdout.split("\n")[0] == "cleaned up", done
    assert done.returncode != 0


@pytest.mark.parametrize("first", ["SIGINT", "SIGTERM", "SIGHUP"])
def test_the_impatient_do_not_cut_cleaning_up_short(first: str) -> None:
    """The first signal unwinds, also where SIGINT was ignored; those after it change nothing."""
    done = run(IMPATIENT.format(first=first))

    assert done.stdout.split("\n")[:2] == ["cleaned up", "ended"], done
