"""A crowd in a process of its own, and what it is asked to do."""

import asyncio
import json
import sys
from typing import Any, Self

_ANSWER_SECONDS = 300.0


class CrowdClient:
    """Speaks with `chaos.attack.crowd_process`; it ends with this object, or with this process."""

    def __init__(self, process: asyncio.subprocess.Process) -> None:
        """Wrap a process that was started."""
        self._process = process

    @classmethod
    async def start(cls, setting: dict[str, Any]) -> Self:
        """Start a crowd with `setting`, which goes through its standard input."""
        process = await asyncio.create_subprocess_exec(
            sys.executable,
            "-m",
            "chaos.attack.crowd_process",
            stdin=asyncio.subprocess.PIPE,
            stdout=asyncio.subprocess.PIPE,
        )
        client = cls(process)
        await client._say(setting)
        return client

    async def ask(self, what: str, **how: object) -> dict[str, Any]:
        """Have the crowd do `what`; return what it counts when that is done."""
        return await self._say({"do": what, **how})

    async def _say(self, words: dict[str, Any]) -> dict[str, Any]:
        assert self._process.stdin is not None
        assert self._process.stdout is not None
        self._process.stdin.write(json.dumps(words).encode() + b"\n")
        async with asyncio.timeout(_ANSWER_SECONDS):
            line = await self._process.stdout.readline()
        if not line:
            raise RuntimeError(f"the crowd's process ended with {await self._process.wait()}")
        answer: dict[str, Any] = json.loads(line)
        return answer

    async def end(self) -> None:
        """End the process."""
        if self._process.returncode is None:
            self._process.kill()
        await self._process.wait()
