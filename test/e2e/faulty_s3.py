"""A proxy in front of an S3 server that does to requests what networks and busy servers do."""
import http.client
import http.server
import random
import socket
import struct
import threading
import time

BUSY = b'<?xml version="1.0" encoding="UTF-8"?><Error><Code>SlowDown</Code><Message>Please reduce your request rate.</Message></Error>'
SKIP = {"connection", "keep-alive", "transfer-encoding"}


class FaultyS3:
    """`mode`: pass, latency, reset, storm (503 for most of the time), cut (bodies that end early), busy (503 always), silent."""

    def __init__(self, port, seed):
        self.mode, self.since, self.faults, self.random, self.lock = "pass", 0, 0, random.Random(seed), threading.Lock()
        proxy = self

        class Handler(http.server.BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def log_message(self, *_):
                pass

            def handle_any(self):
                proxy.serve(self, port)
            do_GET = do_HEAD = do_PUT = do_POST = do_DELETE = handle_any

        self.server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.server.daemon_threads = True
        self.server.handle_error = lambda *_: None
        self.port = self.server.server_address[1]
        threading.Thread(target=self.server.serve_forever, daemon=True).start()

    def turn(self, mode):
        self.mode, self.since = mode, time.monotonic()

    def stop(self):
        self.mode = "reset"
        self.server.shutdown()
        self.server.server_close()

    def chance(self, share):
        with self.lock:
            return self.random.random() < share

    def fault(self):
        with self.lock:
            self.faults += 1

    def serve(self, handler, port):
        body = handler.rfile.read(int(handler.headers.get("Content-Length", 0)))
        mode = self.mode
        if mode == "latency":
            self.fault()
            time.sleep(self.random.uniform(0.01, 0.2))
        if mode == "silent":
            self.fault()
            end = time.monotonic() + 60
            while self.mode == "silent" and time.monotonic() < end:
                time.sleep(0.05)
            return self.reset(handler)
        if mode == "busy" or (mode == "storm" and (time.monotonic() - self.since) % 1.2 < 0.8):
            self.fault()
            return self.answer(handler, 503, [("Content-Type", "application/xml")], BUSY, len(BUSY))
        if mode == "reset" and self.chance(0.2):
            return self.reset(handler)
        upstream = http.client.HTTPConnection("127.0.0.1", port, timeout=60)
        upstream.request(handler.command, handler.path, body=body, headers=dict(handler.headers.items()))
        answer = upstream.getresponse()
        data = answer.read()
        upstream.close()
        headers = [(k, v) for k, v in answer.getheaders() if k.lower() not in SKIP and k.lower() != "content-length"]
        length = int(answer.headers.get("Content-Length", len(data)))
        if mode in ("cut", "reset") and len(data) > 1 and self.chance(0.2):
            self.answer(handler, answer.status, headers, data[:self.random.randrange(len(data))], length)
            return self.reset(handler) if mode == "reset" else self.close(handler)
        self.answer(handler, answer.status, headers, data, length)

    def answer(self, handler, status, headers, data, length):
        handler.send_response_only(status)
        for key, value in headers:
            handler.send_header(key, value)
        handler.send_header("Content-Length", str(length))
        handler.end_headers()
        if handler.command != "HEAD":
            handler.wfile.write(data)
            handler.wfile.flush()

    def reset(self, handler):
        self.fault()
        handler.connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        handler.connection.close()
        handler.close_connection = True

    def close(self, handler):
        self.fault()
        handler.connection.shutdown(socket.SHUT_RDWR)
        handler.close_connection = True
