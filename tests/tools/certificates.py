"""A throw-away certificate authority and the server certificates that the receivers show."""

from __future__ import annotations

import subprocess
from dataclasses import dataclass
from pathlib import Path

GOOD_NAMES = "DNS:localhost,DNS:*.test,IP:127.0.0.1"
WRONG_NAMES = "DNS:elsewhere.example"


@dataclass(frozen=True)
class ServerCertificate:
    """A certificate chain and its private key, both PEM files."""

    chain: Path
    key: Path


class Certificates:
    """Made once per run with the openssl command; EC keys, since they are quick to make and to use."""

    def __init__(self, folder: Path) -> None:
        folder.mkdir(parents=True)
        self._folder = folder
        self.ca_file = folder / "ca.pem"
        """The authority that daemons under test are told to trust."""
        self._ca_key = folder / "ca.key"
        self._make_authority()
        self.good = self._issue("good", GOOD_NAMES)
        self.wrong_name = self._issue("wrong-name", WRONG_NAMES)
        self.expired = self._issue("expired", GOOD_NAMES, days=-1)
        self.self_signed = self._self_sign("self-signed")

    def _make_authority(self) -> None:
        self._key(self._ca_key)
        self._openssl(
            *("req", "-x509", "-new", "-sha256", "-days", "30", "-subj", "/CN=DocMap test authority"),
            *("-key", self._ca_key, "-out", self.ca_file),
            *("-addext", "basicConstraints=critical,CA:TRUE", "-addext", "keyUsage=critical,keyCertSign"),
        )

    def _issue(self, name: str, alternative_names: str, days: int = 30) -> ServerCertificate:
        """A certificate signed by the authority. A negative number of days gives an expired one."""
        certificate, key, request = (self._folder / f"{name}.{end}" for end in ("pem", "key", "csr"))
        extensions = self._folder / f"{name}.ext"
        self._key(key)
        self._openssl("req", "-new", "-sha256", "-subj", f"/CN={name}", "-key", key, "-out", request)
        extensions.write_text(
            f"subjectAltName={alternative_names}\nextendedKeyUsage=serverAuth\nbasicConstraints=CA:FALSE\n"
        )
        self._openssl(
            *("x509", "-req", "-sha256", "-days", str(days), "-in", request, "-out", certificate),
            *("-CA", self.ca_file, "-CAkey", self._ca_key, "-CAcreateserial", "-extfile", extensions),
        )
        return ServerCertificate(certificate, key)

    def _self_sign(self, name: str) -> ServerCertificate:
        certificate, key = self._folder / f"{name}.pem", self._folder / f"{name}.key"
        self._key(key)
        self._openssl(
            *("req", "-x509", "-new", "-sha256", "-days", "30", "-subj", f"/CN={name}"),
            *("-key", key, "-out", certificate, "-addext", f"subjectAltName={GOOD_NAMES}"),
        )
        return ServerCertificate(certificate, key)

    def _key(self, path: Path) -> None:
        self._openssl("genpkey", "-algorithm", "EC", "-pkeyopt", "ec_paramgen_curve:P-256", "-out", path)

    def _openssl(self, *arguments: str | Path) -> None:
        done = subprocess.run(["openssl", *map(str, arguments)], stdin=subprocess.DEVNULL, capture_output=True)
        if done.returncode != 0:
            raise RuntimeError(f"openssl {arguments[0]} failed: {done.stderr.decode(errors='replace').strip()}")
