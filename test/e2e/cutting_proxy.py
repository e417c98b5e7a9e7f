"""A TCP proxy that breaks connections in the middle of an answer."""
import socket
import threading


class CuttingProxy:
    """A TCP proxy in front of an address that closes each connection `limit` bytes of answers after the limit was set; None: never."""

    def __init__(self, target):
        host, port = target.rsplit(":", 1)
        self.target, self.limit = (host, int(port)), None
        self.listener = socket.create_server(("127.0.0.1", 0))
        self.address = f"127.0.0.1:{self.listener.getsockname()[1]}"
        self.connections, self.cuts = [], 0
        threading.Thread(target=self.accept, daemon=True).start()

    def accept(self):
        while True:
            try:
                client, _ = self.listener.accept()
            except OSError:
                return
            try:
                server = socket.create_connection(self.target)
            except OSError:  # nobody there: as if it were us
                client.close()
                continue
            self.connections += [client, server]
            threading.Thread(target=self.pump, args=(client, server, False), daemon=True).start()
            threading.Thread(target=self.pump, args=(server, client, True), daemon=True).start()

    def pump(self, source, sink, counted):
        passed = 0
        try:
            while data := source.recv(4096):
                if self.limit is None:
                    passed = 0
                elif counted and passed + len(data) > self.limit:
                    sink.sendall(data[:self.limit - passed] if self.limit > passed else b"")
                    self.cuts += 1
                    break
                passed += len(data) if self.limit is not None else 0
                sink.sendall(data)
        except OSError:
            pass
        for end in (source, sink):
            try:
                end.shutdown(socket.SHUT_RDWR)
            except OSError:
                pass

    def drop(self):
        """Ends what is connected now, so that the next request meets the limit from its first byte on."""
        for end in self.connections:
            try:
                end.shutdown(socket.SHUT_RDWR)
            except OSError:
                pass
        self.connections = []
