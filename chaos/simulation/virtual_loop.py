"""An asyncio event loop whose time, threads and sockets are the simulation's.

One loop is one process: it can be paused, as SIGSTOP does, and killed, after which nothing of it
ever runs again. Coroutines that were waiting are kept, never resumed and never collected before
the run ends, so that no `finally` of a dead process does anything.
"""

import asyncio
from collections.abc import Callable
from contextlib import suppress
from contextvars import Context
from typing import TYPE_CHECKING, Any

from chaos.simulation.scheduler import Scheduler

if TYPE_CHECKING:
    from chaos.simulation.network import Network


class VirtualHandle:
    """Something that a loop will run unless it is cancelled: half the cost of asyncio's own."""

    __slots__ = ("alive", "arguments", "callback", "context")

    def __init__(
        self, callback: Callable[..., object], arguments: tuple[Any, ...], context: Context | None
    ) -> None:
        """Call `callback` with `arguments`, within `context` if one is given."""
        self.alive = True
        """Whether it has not been cancelled."""
        self.arguments = arguments
        self.callback = callback
        self.context = context

    def cancel(self) -> None:
        """Let it not run."""
        self.alive = False

    def cancelled(self) -> bool:
        """Tell whether it has been cancelled."""
        return not self.alive


class ProcessEndedError(BaseException):
    """The process of this loop has just ended: unwinds whatever was running."""


class VirtualLoop(asyncio.AbstractEventLoop):
    """What one process sees of asyncio: only what the node and the client use is there."""

    def __init__(
        self,
        scheduler: Scheduler,
        network: "Network",
        host: str,
        work_ns: Callable[[], int],
        on_error: Callable[[dict[str, Any]], None],
    ) -> None:
        """Run on `host`; work in threads takes `work_ns()`; what nobody catches goes to `on_error`.

        Nothing runs before something is scheduled.
        """
        self.host = host
        self.alive = True
        self.paused = False
        self._scheduler = scheduler
        self._network = network
        self._work_ns = work_ns
        self._on_error = on_error
        self._stalled: list[VirtualHandle] = []
        self._tasks: list[asyncio.Task[Any]] = []

    # Running.

    def _run(self, handle: VirtualHandle) -> None:
        if not self.alive or not handle.alive:
            return
        if self.paused:
            self._stalled.append(handle)
            return
        asyncio._set_running_loop(self)
        try:
            context = handle.context
            if context is None:
                handle.callback(*handle.arguments)
            else:
                context.run(handle.callback, *handle.arguments)
        except ProcessEndedError:
            assert not self.alive
        except (SystemExit, KeyboardInterrupt):
            raise
        except BaseException as error:  # noqa: BLE001 - what a loop does
            message = f"Exception in callback {handle.callback!r}"
            self.call_exception_handler({"message": message, "exception": error})
        finally:
            asyncio._set_running_loop(None)

    def run_inside(self, action: Callable[[], object]) -> None:
        """Call `action` as if the loop did, at once."""
        asyncio._set_running_loop(self)
        try:
            action()
        except ProcessEndedError:
            assert not self.alive
        finally:
            asyncio._set_running_loop(None)

    def pause(self) -> None:
        """Stop running what is due."""
        self.paused = True

    def resume(self) -> None:
        """Run what has become due, in order."""
        self.paused = False
        stalled, self._stalled = self._stalled, []
        for handle in stalled:
            self._schedule(handle, self._scheduler.now_ns)

    def kill(self) -> None:
        """End the process."""
        self.alive = False
        self._stalled = []

    def bury(self) -> None:
        """Give up what still waits, once the run is over and nothing it does matters any more."""
        self.kill()
        for task in self._tasks:
            if not task.done():
                task._log_destroy_pending = False  # type: ignore[attr-defined]
                coroutine = task.get_coro()
                with suppress(BaseException):
                    coroutine.close()
        self._tasks.clear()

    # Time.

    def time(self) -> float:
        """Return seconds of virtual time."""
        return self._scheduler.now_ns / 1e9

    def _schedule(self, handle: VirtualHandle, time_ns: int) -> None:
        self._scheduler.at(time_ns, self._run, (handle,))

    def call_soon(
        self, callback: Callable[..., object], *args: Any, context: Context | None = None
    ) -> VirtualHandle:
        """Run `callback` behind what is due already."""
        handle = VirtualHandle(callback, args, context)
        if self.alive:
            self._scheduler.at(0, self._run, (handle,))
        return handle

    call_soon_threadsafe = call_soon

    def call_later(
        self,
        delay: float,
        callback: Callable[..., object],
        *args: Any,
        context: Context | None = None,
    ) -> VirtualHandle:
        """Run `callback` in `delay` seconds."""
        return self._call_at_ns(
            self._scheduler.now_ns + round(delay * 1e9), callback, args, context
        )

    def call_at(
        self,
        when: float,
        callback: Callable[..., object],
        *args: Any,
        context: Context | None = None,
    ) -> VirtualHandle:
        """Run `callback` at `when`."""
        return self._call_at_ns(round(when * 1e9), callback, args, context)

    def _call_at_ns(
        self, time_ns: int, callback: Callable[..., object], args: Any, context: Context | None
    ) -> VirtualHandle:
        handle = VirtualHandle(callback, args, context)
        if self.alive:
            self._schedule(handle, time_ns)
        return handle

    # Tasks and threads.

    def create_future(self) -> "asyncio.Future[Any]":
        """Return a future of this loop."""
        return asyncio.Future(loop=self)

    def create_task(self, coro: Any, **options: Any) -> "asyncio.Task[Any]":
        """Start a coroutine."""
        task = asyncio.Task(coro, loop=self, **options)
        self._tasks.append(task)
        return task

    def run_in_executor(
        self, executor: object, func: Callable[..., Any], *args: Any
    ) -> "asyncio.Future[Any]":
        """Run `func` some time later, as a thread would, and report to the loop."""
        del executor
        future = self.create_future()

        def work() -> None:
            if not self.alive:
                return
            if self.paused:
                self._stalled.append(VirtualHandle(work, (), None))
                return
            try:
                result = func(*args)
            except ProcessEndedError:
                return
            except Exception as error:  # noqa: BLE001 - as an executor does
                self.call_soon(_settle, future, None, error)
            else:
                self.call_soon(_settle, future, result, None)

        self._scheduler.after(self._work_ns(), work)
        return future

    # Sockets.

    async def create_server(
        self, protocol_factory: Any, host: Any = None, port: Any = None, **_options: Any
    ) -> Any:
        """Listen on the virtual network. Raises OSError when the port is taken."""
        return self._network.listen(self, protocol_factory, str(host), int(port))

    async def create_connection(
        self, protocol_factory: Any, host: Any = None, port: Any = None, **_options: Any
    ) -> Any:
        """Connect over the virtual network. Raises OSError when nobody listens there."""
        return await self._network.dial(self, protocol_factory, str(host), int(port))

    # What asyncio asks.

    def get_debug(self) -> bool:
        """Never."""
        return False

    def is_running(self) -> bool:
        """Tell whether the process lives."""
        return self.alive

    def is_closed(self) -> bool:
        """Tell whether the process has ended."""
        return not self.alive

    def set_exception_handler(self, handler: Any) -> None:
        """Keep the simulation's own."""

    def call_exception_handler(self, context: dict[str, Any]) -> None:
        """Report what nobody has caught."""
        if self.alive:
            self._on_error(context)


def new_loop(
    scheduler: Scheduler,
    network: "Network",
    host: str,
    work_ns: Callable[[], int],
    on_error: Callable[[dict[str, Any]], None],
) -> VirtualLoop:
    """Return the loop of a new process; arguments as for `VirtualLoop`."""
    loop = VirtualLoop(scheduler, network, host, work_ns, on_error)
    network.loops.append(loop)
    return loop


def _settle(future: "asyncio.Future[Any]", result: object, error: Exception | None) -> None:
    if future.done():
        return
    if error is not None:
        future.set_exception(error)
    else:
        future.set_result(result)
