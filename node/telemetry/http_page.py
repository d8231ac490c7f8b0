"""The page for operators.

`/metrics`, `/status` and `/healthz`, served by a thread that never touches the loop.
"""

from collections.abc import Callable
from dataclasses import asdict
from http import HTTPStatus
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from threading import Thread
from typing import Any, Final

import orjson
from prometheus_client import CollectorRegistry
from prometheus_client.exposition import CONTENT_TYPE_LATEST, generate_latest

from node.telemetry.metrics import NodeCollector
from node.telemetry.readings import Readings

_REQUEST_SECONDS_MAX: Final = 5.0


def status_of(now: Readings) -> dict[str, Any]:
    """Return the readings as the JSON object that `/status` serves."""
    return {
        "build": asdict(now.build),
        **asdict(now.standing),
        "checkpoint": asdict(now.checkpoint),
        "venue": asdict(now.venue),
        "gateway": asdict(now.gateway),
        "consensus": asdict(now.consensus),
        "latency_ns": {
            name: {"count": one.count, "p50": one.quantile(0.5), "p99": one.quantile(0.99)}
            for name, one in now.histograms.items()
        },
    }


class OperatorPage:
    """An HTTP server on its own thread."""

    def __init__(self, host: str, port: int, read: Callable[[], Readings]) -> None:
        """Bind at once; raises OSError when the address is taken."""
        registry = CollectorRegistry()
        registry.register(NodeCollector(read))
        self._server = ThreadingHTTPServer((host, port), _handler(registry, read))
        self._server.daemon_threads = True
        self._thread = Thread(target=self._server.serve_forever, name="operator-page", daemon=True)

    @property
    def port(self) -> int:
        """Return the port that it is bound to."""
        return int(self._server.server_address[1])

    def start(self) -> None:
        """Begin to answer."""
        self._thread.start()

    def stop(self) -> None:
        """Stop answering and free the port."""
        self._server.shutdown()
        self._server.server_close()


def _handler(
    registry: CollectorRegistry, read: Callable[[], Readings]
) -> type[BaseHTTPRequestHandler]:
    class Handler(BaseHTTPRequestHandler):
        timeout = _REQUEST_SECONDS_MAX
        protocol_version = "HTTP/1.1"

        def do_GET(self) -> None:
            if self.path == "/metrics":
                self._answer(HTTPStatus.OK, CONTENT_TYPE_LATEST, generate_latest(registry))
            elif self.path == "/status":
                body = orjson.dumps(status_of(read()), option=orjson.OPT_NON_STR_KEYS)
                self._answer(HTTPStatus.OK, "application/json", body)
            elif self.path == "/healthz":
                known = read().standing.leader != 0
                code = HTTPStatus.OK if known else HTTPStatus.SERVICE_UNAVAILABLE
                self._answer(code, "text/plain", b"ok\n" if known else b"no leader\n")
            else:
                self._answer(
                    HTTPStatus.NOT_FOUND, "text/plain", b"try /metrics, /status or /healthz\n"
                )

        def _answer(self, code: HTTPStatus, kind: str, body: bytes) -> None:
            self.send_response(code)
            self.send_header("Content-Type", kind)
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, format: str, *args: object) -> None:  # noqa: A002 - its own name
            """Say nothing: a scrape is not an outcome."""

    return Handler
