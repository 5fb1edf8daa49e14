"""nginx as the receiver of the benchmark: one worker, TLS 1.3 and plain, an empty 200."""

from __future__ import annotations

import http.client
import socket
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path

from tools.certificates import Certificates
from tools.ports import accepts_connections, free_ports
from tools.processes import ManagedProcess
from tools.waiting import wait_for

# /sink/   an empty 200
# /timed/  the same, with a line in the access log: arrival, event id
# /hang/   no answer: limit_req lets a request wait for its turn; turns come once a minute, and the next ones are taken
CONFIGURATION = """\
daemon off;
worker_processes {workers};
worker_rlimit_nofile {files};
pid {folder}/nginx.pid;
error_log {folder}/error.log crit;
events {{ worker_connections {connections}; }}
http {{
    access_log off;
    client_body_temp_path {folder}/body;
    proxy_temp_path {folder}/proxy;
    fastcgi_temp_path {folder}/fastcgi;
    uwsgi_temp_path {folder}/uwsgi;
    scgi_temp_path {folder}/scgi;
    keepalive_requests 1000000000;
    keepalive_timeout 600s;
    log_format arrivals '$msec $http_webhook_id';
    limit_req_zone $server_name zone=turns:1m rate=1r/m;
    server {{
        listen 127.0.0.1:{tls} ssl backlog=4096;
        listen 127.0.0.1:{plain} backlog=4096;
        server_name localhost;
        ssl_certificate {chain};
        ssl_certificate_key {key};
        ssl_protocols TLSv1.3;
        ssl_session_cache shared:sessions:8m;
        root {folder};
        location /sink/ {{ return 200; }}
        location /timed/ {{
            access_log {folder}/arrivals.log arrivals buffer=64k flush=200ms;
            return 200;
        }}
        location /hang/ {{ limit_req zone=turns burst=1000000; }}
    }}
    server {{
        listen 127.0.0.1:{status};
        location / {{ stub_status; }}
    }}
}}
"""


TURNS_TAKEN = 60


@dataclass(frozen=True)
class Arrival:
    """One request: when it was answered, in seconds of the wall clock, and the id of its event."""

    time: float
    event_id: str


class BenchNginx:
    """One nginx. `requests_served` counts without a cost to the client under test."""

    def __init__(self, folder: Path, certificates: Certificates, *, workers: int = 1, files: int = 16384) -> None:
        folder.mkdir(parents=True)
        folder.chmod(0o755)
        self.tls_port, self.plain_port, self._status_port = free_ports(3)
        self._log = folder / "arrivals.log"
        self._asked = 0
        configuration = folder / "nginx.conf"
        configuration.write_text(
            CONFIGURATION.format(
                folder=folder,
                workers=workers,
                files=files,
                connections=files - 64,
                tls=self.tls_port,
                plain=self.plain_port,
                status=self._status_port,
                chain=certificates.good.chain,
                key=certificates.good.key,
            )
        )
        command = ["/usr/sbin/nginx", "-p", str(folder), "-e", str(folder / "error.log"), "-c", str(configuration)]
        self._process = ManagedProcess("nginx", command, folder / "nginx.log", death_signal="QUIT")

        def listens() -> bool:
            self._process.check_alive()
            return accepts_connections(self._status_port)

        wait_for(listens, "nginx listens", 10.0)
        self._status = http.client.HTTPConnection("127.0.0.1", self._status_port, timeout=10)
        self._take_turns()

    def url(self, scheme: str, path: str) -> str:
        """The URL of a path by http or https."""
        return f"{scheme}://localhost:{self.tls_port if scheme == 'https' else self.plain_port}{path}"

    def requests_served(self) -> int:
        """Requests begun so far, those of this method left out."""
        self._asked += 1
        served = int(self._stub_status().splitlines()[2].split()[2])
        return served - self._asked

    def requests_open(self) -> int:
        """Requests that have been read and not answered, that of this method left out."""
        self._asked += 1
        words = self._stub_status().splitlines()[3].split()
        return int(words[words.index("Writing:") + 1]) - 1

    def forget_arrivals(self) -> None:
        """Empties the access log; nginx goes on appending."""
        if self._log.exists():
            with open(self._log, "r+b") as log:
                log.truncate(0)

    def arrivals(self) -> list[Arrival]:
        """What the access log has. nginx writes its lines at most 0.2 s late."""
        if not self._log.exists():
            return []
        fields = (line.split() for line in self._log.read_text(encoding="ascii").splitlines())
        return [Arrival(float(time), event_id) for time, event_id in fields]

    def stop(self) -> None:
        """Ends nginx."""
        self._status.close()
        self._process.stop()

    def _take_turns(self) -> None:
        """Makes every later request to /hang/ wait for more than TURNS_TAKEN minutes; the first one never waits."""
        before = self.requests_open()
        with ExitStack() as sockets:
            for _ in range(TURNS_TAKEN + 1):
                each = sockets.enter_context(socket.create_connection(("127.0.0.1", self.plain_port), timeout=10))
                each.sendall(b"GET /hang/ HTTP/1.1\r\nHost: localhost\r\n\r\n")
            wait_for(lambda: self.requests_open() - before >= TURNS_TAKEN, "requests to /hang/ wait", 10.0)
        wait_for(lambda: self.requests_open() <= before, "nginx forgets the closed connections", 10.0)

    def _stub_status(self) -> str:
        self._status.request("GET", "/")
        return self._status.getresponse().read().decode("ascii")
