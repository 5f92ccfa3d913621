# SPDX-License-Identifier: Apache-2.0
"""A TCP proxy on loopback that can be away: connections are refused, or accepted and never answered. Threads, no server's protocol."""
import socket
import threading

from tests.real.parts import free_port


class Proxy:
    def __init__(self, target_port):
        self.port, self.target = free_port(), target_port
        self.listener, self.stalled, self.open = None, False, []
        self.back()

    def back(self):
        """Passes everything on, from new connections."""
        self.stalled = False
        if self.listener is None:
            self.listener = socket.create_server(("127.0.0.1", self.port))
            threading.Thread(target=self._accept, args=(self.listener,), daemon=True).start()

    def away(self):
        """Refuses; what was open is cut."""
        listener, self.listener = self.listener, None
        if listener is not None:
            listener.shutdown(socket.SHUT_RDWR)
            listener.close()
        for s in self.open:
            try:
                s.shutdown(socket.SHUT_RDWR)
            except OSError:
                pass
        self.open = []

    def stall(self):
        """Accepts and says nothing; what was open is cut."""
        self.away()
        self.back()
        self.stalled = True

    def _accept(self, listener):
        while True:
            try:
                client = listener.accept()[0]
            except OSError:
                return
            self.open.append(client)
            if self.stalled:
                continue
            try:
                server = socket.create_connection(("127.0.0.1", self.target), timeout=10)
            except OSError:
                client.close()
                continue
            server.settimeout(None)
            self.open.append(server)
            for a, b in ((client, server), (server, client)):
                threading.Thread(target=self._pump, args=(a, b), daemon=True).start()

    @staticmethod
    def _pump(source, sink):
        try:
            while True:
                data = source.recv(65536)
                if not data:
                    break
                sink.sendall(data)
        except OSError:
            pass
        for s in (source, sink):
            try:
                s.shutdown(socket.SHUT_RDWR)
            except OSError:
                pass
