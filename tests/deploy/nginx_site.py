"""The site as shipped, on a real nginx with ports of its own."""

import base64
import http.client
import json
import re
import socket
import ssl
import subprocess
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from tests.conftest import free_port
from tests.deploy.programs import DEPLOY, certificate_of, program
from tests.waiting import wait_until

SITE = "kpi.example.org"
SHIPPED = (DEPLOY / "nginx" / "kpi.conf").read_text()
READER = "Basic " + base64.b64encode(b"ana:reader-pw").decode()


@dataclass
class Reply:
    status: int
    headers: http.client.HTTPMessage
    body: bytes

    @property
    def received(self) -> dict[str, str]:
        """Headers that the server behind has received."""
        return {name.lower(): value for name, value in json.loads(self.body).items()}


@dataclass
class Site:
    port: int
    certificate: Path

    def ask(self, path: str, method: str = "GET", **headers: str) -> Reply:
        """Request something and read the whole answer."""
        with self.open(path, method, headers) as answer:
            return Reply(answer.status, answer.headers, answer.read())

    @contextmanager
    def open(self, path: str, method: str, headers: Mapping[str, str]) -> Iterator[http.client.HTTPResponse]:
        """Request something; the answer is read by the caller."""
        context = ssl.create_default_context(cafile=str(self.certificate))
        connection = http.client.HTTPSConnection(SITE, context=context)
        # No name leads here.
        plain = socket.create_connection(("127.0.0.1", self.port), 10)
        connection.sock = context.wrap_socket(plain, server_hostname=SITE)
        try:
            connection.request(method, path, headers=headers)
            yield connection.getresponse()
        finally:
            connection.close()


@contextmanager
def nginx_site(
    folder: Path,
    *,
    web: int,
    events: int,
    dagster: int,
    is_open: bool = False,
    has_accounts: bool = False,
    proxy_secret: str = "",
    has_balancer: bool = False,
) -> Iterator[Site]:
    """The site as shipped, but for its ports and the files of the machine, before servers at some ports.

    Where it is open, no password is asked for; where the dashboard has accounts, it asks for all of them. A
    balancer is on this machine.
    """
    nginx = program("nginx", "nginx-light")
    certificate, key = certificate_of(SITE, folder)
    hashed = [program("openssl"), "passwd", "-6", "reader-pw"]
    digest = subprocess.run(hashed, check=True, capture_output=True, text=True).stdout
    (folder / "htpasswd").write_text(f"ana:{digest}")
    if proxy_secret:
        (folder / "nginx-secret.conf").write_text(f'set $kpi_proxy_secret "{proxy_secret}";')
    port = free_port()
    text = re.sub(r"^ *listen \[::\].*$", "", SHIPPED, flags=re.MULTILINE)
    for shipped, here in {
        "/etc/kpi/tls/fullchain.pem": str(certificate),
        "/etc/kpi/tls/privkey.pem": str(key),
        "/etc/kpi/htpasswd": str(folder / "htpasswd"),
        "/var/lib/nginx/kpi": str(folder / "kept"),
        "127.0.0.1:5000": f"127.0.0.1:{web}",
        "127.0.0.1:5001": f"127.0.0.1:{events}",
        "127.0.0.1:3000": f"127.0.0.1:{dagster}",
        "listen 443 ": f"listen 127.0.0.1:{port} ",
        "listen 80;": f"listen 127.0.0.1:{free_port()};",
        **({'    default "kpi";': "    default off;"} if is_open or has_accounts else {}),
        **({"    default kpi;": "    default off;"} if has_accounts else {}),
        "/etc/kpi/nginx-secret[.]conf": f"{folder}/nginx-secret[.]conf",
        **(
            {
                "#set_real_ip_from 10.0.0.0/8;": "set_real_ip_from 127.0.0.1;",
                "#real_ip_header ": "real_ip_header ",
                "#real_ip_recursive ": "real_ip_recursive ",
            }
            if has_balancer
            else {}
        ),
    }.items():
        assert shipped in text
        text = text.replace(shipped, here)
    kinds = ("client_body", "proxy", "fastcgi", "uwsgi", "scgi")
    folders = "".join(f"{kind}_temp_path {folder}/{kind};" for kind in kinds)
    configuration = folder / "nginx.conf"
    # In one process, which needs no other user.
    configuration.write_text(
        f"daemon off; master_process off; pid {folder}/nginx.pid; error_log {folder}/error.log;\n"
        f"events {{}}\nhttp {{ access_log off; {folders}\n{text}\n}}"
    )
    command = [nginx, "-c", str(configuration), "-p", str(folder)]
    tested = subprocess.run([*command, "-t"], capture_output=True, text=True, check=False)
    assert tested.returncode == 0, tested.stderr
    assert "[warn]" not in tested.stderr
    process = subprocess.Popen(command, stderr=subprocess.DEVNULL)
    made = Site(port, certificate)

    def answers() -> bool:
        try:
            return made.ask("/health/live").status == 200
        except OSError:
            return False

    try:
        wait_until(answers, 20, "nginx answers")
        yield made
    finally:
        process.terminate()
        process.wait(10)
