"""`/health` and `/metrics` over HTTP."""

import http.server
import json
import threading
from collections.abc import Callable, Mapping

from chexjax.serving.counters import prometheus_text

Read = Callable[[], tuple[Mapping[str, int], Mapping[str, int], list[str]]]
_SECONDS = 10  # in which a request must come


class StatusPage:
  """Answers until it is closed, in threads of its own."""

  def __init__(self, bind: str, port: int, read: Read):
    """Begin to answer.

    Args:
      bind: address to listen on.
      port: 0 for any free one.
      read: gives counts, levels, and what is wrong, as texts.

    Raises:
      OSError: the address or the port cannot be had.
    """

    class Handler(http.server.BaseHTTPRequestHandler):
      timeout = _SECONDS

      def do_GET(self) -> None:
        counts, levels, faults = read()
        if self.path == "/health":
          said = {"status": "failing" if faults else "ok", "faults": faults}
          self._answer(
            503 if faults else 200,
            "application/json",
            json.dumps(said | dict(levels)) + "\n",
          )
        elif self.path == "/metrics":
          kind = "text/plain; version=0.0.4; charset=utf-8"
          self._answer(200, kind, prometheus_text(counts, levels))
        else:
          self._answer(404, "text/plain", "try /health or /metrics\n")

      def _answer(self, status: int, kind: str, text: str) -> None:
        content = text.encode()
        self.send_response(status)
        self.send_header("Content-Type", kind)
        self.send_header("Content-Length", str(len(content)))
        self.end_headers()
        self.wfile.write(content)

      def log_message(self, format: str, *args: object) -> None:
        """Write no log of who has asked."""

    self._server = http.server.ThreadingHTTPServer((bind, port), Handler)
    self._server.daemon_threads = True
    self.port = int(self._server.server_address[1])
    threading.Thread(
      target=self._server.serve_forever, name="status page", daemon=True
    ).start()

  def close(self) -> None:
    """Stop answering."""
    self._server.shutdown()
    self._server.server_close()
