"""Starts the receivers: our own, which journals and misbehaves, and nginx, which behaves well."""

from __future__ import annotations

import json
import sys
import threading
from pathlib import Path

from receivers.journal import JournalReader, Request
from tools.certificates import Certificates, ServerCertificate
from tools.ports import accepts_connections, free_ports
from tools.processes import ManagedProcess, StartFailed
from tools.waiting import wait_for

TESTS = Path(__file__).parent.parent


class Receiver:
    """tests/receivers/receiver.py in a process of its own, listening once per certificate and once without."""

    def __init__(self, folder: Path, certificates: Certificates, niceness: int = 0) -> None:
        folder.mkdir(parents=True)
        listeners: dict[str, ServerCertificate | None] = {
            "good": certificates.good,
            "expired": certificates.expired,
            "self-signed": certificates.self_signed,
            "wrong-name": certificates.wrong_name,
            "plain": None,
        }
        journal = folder / "journal.jsonl"
        command = [sys.executable, "-m", "receivers.receiver", "--journal", str(journal)]
        for name, certificate in listeners.items():
            files = f":{certificate.chain}:{certificate.key}" if certificate else ""
            command += ["--listen", f"{name}{files}"]
        self._process = ManagedProcess(
            "receiver",
            command,
            folder / "receiver.log",
            cwd=TESTS,
            pipe_input=True,
            pipe_output=True,
            niceness=niceness,
        )
        self._lock = threading.Lock()
        line = self._process.stdout.readline().decode()
        if not line.startswith("ready "):
            self._process.stop()
            raise StartFailed(f"the receiver did not start: {self._process.log_tail()}")
        self.ports: dict[str, int] = json.loads(line.removeprefix("ready "))
        self._journal = JournalReader(journal)

    def url(self, path: str, listener: str = "good", host: str = "localhost") -> str:
        """The URL of a path on one of the listeners."""
        scheme = "http" if listener == "plain" else "https"
        return f"{scheme}://{host}:{self.ports[listener]}{path}"

    def requests(self) -> list[Request]:
        """Every request that has arrived so far."""
        self._journal.read()
        return self._journal.requests

    def held(self) -> int:
        """How many requests /hold keeps unanswered now."""
        return int(self._command("held").split()[1])

    def release(self) -> None:
        """Answers the held requests, and later ones at once."""
        self._command("release")

    def hold(self) -> None:
        """Holds again after `release`."""
        self._command("hold")

    def gate(self, name: str, status: int, delay_ms: int = 0, retry_after: str = "") -> None:
        """Says how /gate/NAME answers from now on; status 0: not at all."""
        self._command(f"gate {name} {status} {delay_ms} {retry_after}".rstrip())

    def stop(self) -> None:
        """Ends the receiver."""
        self._process.stop()
        self._journal.close()

    def _command(self, line: str) -> str:
        with self._lock:
            self._process.stdin.write(f"{line}\n".encode())
            self._process.stdin.flush()
            answer = self._process.stdout.readline().decode().strip()
        if not answer.startswith("ok"):
            raise RuntimeError(f"receiver, `{line}`: {answer or 'it has ended'}")
        return answer


# A request is journalled by proxying it to the second server: nginx reads a body only when it has a use for it.
NGINX_CONFIGURATION = """\
daemon off;
worker_processes 1;
pid {folder}/nginx.pid;
error_log {folder}/error.log warn;
events {{ worker_connections 8192; }}
http {{
    access_log off;
    client_body_temp_path {folder}/body;
    proxy_temp_path {folder}/proxy;
    fastcgi_temp_path {folder}/fastcgi;
    uwsgi_temp_path {folder}/uwsgi;
    scgi_temp_path {folder}/scgi;
    client_body_buffer_size 1m;
    client_max_body_size 2m;
    client_body_in_single_buffer on;
    keepalive_requests 1000000;
    upstream answers {{
        server 127.0.0.1:{answers};
        keepalive 64;
    }}
    log_format journal escape=json
        '{{"time":$msec,"listener":"nginx","connection":$connection,"path":"$request_uri",'
        '"headers":{{"content-type":"$http_content_type","user-agent":"$http_user_agent",'
        '"x-docmap-event":"$http_x_docmap_event","x-docmap-delivery":"$http_x_docmap_delivery",'
        '"x-docmap-signature":"$http_x_docmap_signature","webhook-id":"$http_webhook_id",'
        '"webhook-timestamp":"$http_webhook_timestamp","webhook-signature":"$http_webhook_signature",'
        '"traceparent":"$http_traceparent"}},"body":"$request_body"}}';
    server {{
        listen 127.0.0.1:{tls} ssl backlog=4096;
        listen 127.0.0.1:{plain} backlog=4096;
        ssl_certificate {chain};
        ssl_certificate_key {key};
        ssl_session_cache shared:sessions:1m;
        location / {{
            access_log {folder}/journal.jsonl journal;
            proxy_http_version 1.1;
            proxy_set_header Connection "";
            proxy_pass http://answers;
        }}
        location /quick/ {{ return 200; }}
    }}
    server {{
        listen 127.0.0.1:{answers};
        location / {{ return 200; }}
    }}
}}
"""


class Nginx:
    """nginx as the well-behaved receiver: answers 200 to everything and journals it. /quick/ is not journalled."""

    def __init__(self, folder: Path, certificates: Certificates) -> None:
        folder.mkdir(parents=True)
        self.tls_port, self.plain_port, answers = free_ports(3)
        configuration = folder / "nginx.conf"
        configuration.write_text(
            NGINX_CONFIGURATION.format(
                folder=folder,
                tls=self.tls_port,
                plain=self.plain_port,
                answers=answers,
                chain=certificates.good.chain,
                key=certificates.good.key,
            )
        )
        program = "/usr/sbin/nginx"
        command = [program, "-p", str(folder), "-e", str(folder / "error.log"), "-c", str(configuration)]
        self._process = ManagedProcess("nginx", command, folder / "nginx.log", death_signal="QUIT")
        self._journal = folder / "journal.jsonl"

        def listens() -> bool:
            self._process.check_alive()
            return accepts_connections(self.tls_port)

        wait_for(listens, "nginx listens", 10.0)

    def url(self, path: str, host: str = "localhost") -> str:
        """The HTTPS URL of a path."""
        return f"https://{host}:{self.tls_port}{path}"

    def requests(self) -> list[Request]:
        """Every request that has arrived so far (bodies are UTF-8, as events are)."""
        requests = []
        for line in self._journal.read_text().splitlines():
            fields = json.loads(line)
            fields["headers"] = {name: value for name, value in fields["headers"].items() if value}
            fields["body"] = fields["body"].encode()
            requests.append(Request(**fields))
        return requests

    def stop(self) -> None:
        """Ends nginx."""
        self._process.stop()
