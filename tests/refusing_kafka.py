"""A broker that lets nobody in: it speaks just enough of Kafka's protocol to refuse a password.

librdkafka's mock knows no SASL. Layouts: https://kafka.apache.org/protocol (ApiVersions 0,
SaslHandshake 1, SaslAuthenticate 0).
"""

import socketserver
import struct
import threading
from collections.abc import Iterator
from contextlib import contextmanager

_SASL_HANDSHAKE, _API_VERSIONS, _SASL_AUTHENTICATE = 17, 18, 36
_AUTHENTICATION_FAILED = 58


def _text(value: str) -> bytes:
    return struct.pack(">h", len(value)) + value.encode()


_APIS = [(3, 0, 1), (_SASL_HANDSHAKE, 0, 1), (_API_VERSIONS, 0, 0), (_SASL_AUTHENTICATE, 0, 0)]
_ANSWERS = {
    _API_VERSIONS: struct.pack(">hi", 0, len(_APIS))
    + b"".join(struct.pack(">hhh", *api) for api in _APIS),
    _SASL_HANDSHAKE: struct.pack(">hi", 0, 1) + _text("PLAIN"),
    _SASL_AUTHENTICATE: struct.pack(">h", _AUTHENTICATION_FAILED) + _text("no") + b"\0\0\0\0",
}
_UNSUPPORTED_VERSION = struct.pack(">hi", 35, 0)


class _Handler(socketserver.StreamRequestHandler):
    def handle(self) -> None:
        """Answer requests until the client goes away."""
        while size := self.rfile.read(4):
            request = self.rfile.read(*struct.unpack(">i", size))
            api, version, correlation = struct.unpack(">hhi", request[:8])
            answer = _ANSWERS[api]
            if api == _API_VERSIONS and version > 0:
                answer = _UNSUPPORTED_VERSION
            body = struct.pack(">i", correlation) + answer
            self.wfile.write(struct.pack(">i", len(body)) + body)


@contextmanager
def refusing_broker() -> Iterator[str]:
    """The address of such a broker, as long as the context lasts."""
    with socketserver.ThreadingTCPServer(("127.0.0.1", 0), _Handler) as server:
        server.daemon_threads = True
        thread = threading.Thread(target=server.serve_forever, args=(0.05,))
        thread.start()
        yield f"127.0.0.1:{server.server_address[1]}"
        server.shutdown()
        thread.join()
