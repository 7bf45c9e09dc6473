"""How many answers a second serving gives, beside other ways to serve the same bytes, on the same machine.

    .venv/bin/python bench/serve.py --redis redis://127.0.0.1:6379/0 [--only api,page] [--peers FOLDER]

A pipeline must have published into that Redis; its database 1 is overwritten. Needs Debian's packages wrk,
hey and nginx-light. The peers are installed into --peers once. A server has core 0, or both; the load has the
other one. The row `nothing` is the most that the server lets WSGI give. On few cores, and beside
other work, only ratios of one run say something.
"""

import argparse
import os
import random
import re
import shutil
import socket
import subprocess
import sys
import tempfile
import threading
import time
import urllib.request
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from itertools import combinations
from pathlib import Path
from typing import Final
from urllib.parse import urlencode

import redis

from kpi_pipeline.cache.keys import CATALOGUE, members_key, new_generation, payload_key, variant_key
from kpi_pipeline.cache.publishing.publisher import Publisher
from kpi_pipeline.cache.reading.reader import CacheReader
from kpi_pipeline.model.filters import Filter
from kpi_pipeline.stack.programs import RETURNING

HERE: Final = Path(__file__).parent
API, PAGE = "/manager/api/kpis", "/manager/dashboard"
MOST_VARIANTS: Final = 10_000
ZIPF: Final = 1.1
"""Exponent of how often the variants are requested, the most popular first."""

GOALS: Final = (
    "API >= 8 x Flask-Caching and >= 4 x Starlette; page >= 5 x Flask-Caching with the same bytes; "
    "empty memory >= 1.5 x Flask-Caching; p99 <= 10 ms at 80 % of capacity, <= 1.5 x that while it "
    "publishes; memory <= 120 MB"
)
LUA: Final = """
local paths = {}
for line in io.lines("%s") do paths[#paths + 1] = line end
local at = 0
request = function()
  at = at %% #paths + 1
  return wrk.format("GET", paths[at])
end
"""
NGINX: Final = """
worker_processes {workers}; pid {folder}/nginx.pid; error_log /dev/null; daemon off;
events {{ worker_connections 1024; }}
http {{
  access_log off; client_body_temp_path {folder}; proxy_temp_path {folder}/tmp;
  proxy_cache_path {folder}/kept keys_zone=kept:32m;
  server {{ listen 127.0.0.1:{static}; root {folder}/static; default_type application/json; }}
  server {{ listen 127.0.0.1:{proxy};
    location / {{ proxy_pass http://127.0.0.1:{behind}; proxy_cache kept; proxy_cache_valid 200 1h; }} }}
}}
"""


@dataclass(frozen=True)
class Measured:
    """One row.

    Attributes:
        rate: Requests a second.
        p99_ms: The 99th percentile, in milliseconds.
        per_core: Requests for each second of processor time that the server took, its Redis not counted: what
            a core to itself would give. It holds beside other work too, so ratios are of this.
    """

    rate: float
    p99_ms: float
    per_core: float = 0.0


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def load(
    url: str, *, connections: int, seconds: int, cores: str, paths: Path | None, headers: dict[str, str]
) -> Measured:
    """Request as fast as it goes, from other cores."""
    script = []
    if paths is not None:
        lua = paths.with_suffix(".lua")
        lua.write_text(LUA % paths)
        script = ["-s", str(lua)]
    given = [part for name, value in headers.items() for part in ("-H", f"{name}: {value}")]
    command = [
        "taskset",
        "-c",
        cores,
        "wrk",
        "-t1",
        f"-c{connections}",
        f"-d{seconds}",
        "--latency",
        *script,
        *given,
        url,
    ]
    text = subprocess.run(command, check=True, capture_output=True, text=True).stdout
    if errors := re.findall(r"Non-2xx or 3xx responses: (\d+)", text):
        raise RuntimeError(f"{errors[0]} answers of {url} were errors")
    rate = re.search(r"Requests/sec:\s+([\d.]+)", text)
    p99 = re.search(r"99%\s+([\d.]+)(us|ms|s)", text)
    assert rate is not None and p99 is not None, text
    return Measured(float(rate[1]), float(p99[1]) * {"us": 0.001, "ms": 1, "s": 1000}[p99[2]])


def paced(url: str, rate: float, seconds: int, cores: str, connections: int = 16) -> float:
    """The 99th percentile in milliseconds at a rate."""
    each = max(rate / connections, 1)
    command = [
        "taskset",
        "-c",
        cores,
        "hey",
        "-z",
        f"{seconds}s",
        "-c",
        str(connections),
        "-q",
        f"{each:.0f}",
        url,
    ]
    text = subprocess.run(command, check=True, capture_output=True, text=True).stdout
    found = re.search(r"99%+ in ([\d.]+) secs", text)
    assert found is not None, text
    return float(found[1]) * 1000


@contextmanager
def serving(
    command: list[str], port: int, path: str, **environment: str
) -> Iterator[subprocess.Popen[bytes]]:
    """A server until the block ends."""
    process = subprocess.Popen(
        command, env={**os.environ, **environment}, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL
    )
    try:
        for _ in range(200):
            try:
                urllib.request.urlopen(f"http://127.0.0.1:{port}{path}", timeout=20).read()
                break
            except OSError:
                time.sleep(0.1)
        else:
            raise RuntimeError(f"does not answer: {' '.join(command)}")
        yield process
    finally:
        process.terminate()
        process.wait(20)


def granian(python: str, target: str, port: int, *, cores: str, interface: str = "wsgi") -> list[str]:
    """A server of an application as the stack starts its own: one worker a core."""
    workers = len(cores.split(","))
    threads = ["--blocking-threads", "4"] if interface == "wsgi" else []
    options = [
        "--interface",
        interface,
        "--factory",
        target,
        "--port",
        str(port),
        "--no-ws",
        "--workers",
        str(workers),
    ]
    return ["taskset", "-c", cores, python, "-m", "granian", *options, *threads]


def variants(client: redis.Redis) -> list[str]:
    """Addresses of published variants of the API, the unfiltered one first."""
    reader = CacheReader(client)
    entry = reader.manifest()["kpis"]
    held = {key.decode() for key in client.smembers(members_key(entry.generation))}
    values = {
        one["name"]: [value["value"] for value in one["values"]]
        for one in reader.catalogue("kpis")["dimensions"]
    }
    singles = [{name: value} for name, own in values.items() for value in own]
    pairs = [
        {one: a, other: b}
        for one, other in combinations(values, 2)
        for a in values[one]
        for b in values[other]
    ]
    found = [API]
    for chosen in (*singles, *pairs):
        if payload_key(entry.generation, variant_key("kpis", Filter.of(chosen))) in held:
            found.append(f"{API}?{urlencode(chosen)}")
        if len(found) >= MOST_VARIANTS:
            break
    return found


def zipf_file(addresses: list[str], folder: Path, draws: int = 100_000) -> Path:
    """Requests for variants, drawn by Zipf's law, a line each."""
    chance = random.Random(1)
    weights = [1 / rank**ZIPF for rank in range(1, len(addresses) + 1)]
    path = folder / "zipf.txt"
    path.write_text("\n".join(chance.choices(addresses, weights, k=draws)))
    return path


def republish(client: redis.Redis, product: str = "kpis") -> None:
    """A publication of a product: every payload beside the live ones, then the flip."""
    publisher = Publisher(client)
    live = publisher.live(product)
    assert live is not None
    name = new_generation(product, datetime.now(UTC))
    keys = sorted(client.smembers(members_key(live.generation)))
    for at in range(0, len(keys), 200):
        pipeline = client.pipeline(transaction=False)
        for key in keys[at : at + 200]:
            copied = key.decode().replace(live.generation, name)
            pipeline.copy(key, copied, replace=True)
            pipeline.sadd(members_key(name), copied)
        pipeline.execute()
    client.copy(payload_key(live.generation, CATALOGUE), payload_key(name, CATALOGUE), replace=True)
    publisher.flip(replace(live, generation=name, fence=publisher.next_fence(), previous=()))


class Bench:
    """The rows of one run."""

    def __init__(self, url: str, peers: Path, seconds: int, folder: Path) -> None:
        self.url, self.seconds, self.folder = url, seconds, folder
        self.peers_url = re.sub(r"/\d*$", "/1", url)
        self.python = str(peers / "bin" / "python")
        self.client = redis.Redis.from_url(url)
        self.rows: dict[str, Measured] = {}
        self.pid = 0

    @contextmanager
    def ours(self, cores: str, **settings: str) -> Iterator[int]:
        port = free_port()
        home = str(self.folder / "home")
        given = {"REDIS_URL": self.url, "KPI_HOME": home, **RETURNING, **settings}
        command = granian(sys.executable, "serving.app:create_app", port, cores=cores)
        with serving(command, port, API, **given) as process:
            self.pid = process.pid
            yield port

    @contextmanager
    def peer(self, name: str, cores: str) -> Iterator[int]:
        port = free_port()
        interface = "asgi" if name == "starlette" else "wsgi"
        command = granian(self.python, f"peers:{name}", port, cores=cores, interface=interface)
        with serving(command, port, API, PEERS_REDIS=self.peers_url, PYTHONPATH=str(HERE)) as process:
            self.pid = process.pid
            yield port

    def row(
        self,
        name: str,
        port: int,
        path: str,
        *,
        cores: str,
        connections: int = 16,
        paths: Path | None = None,
        **headers: str,
    ) -> Measured:
        others = "1" if cores == "0" else "0,1"
        sent = {header.replace("_", "-"): value for header, value in headers.items()}
        url = f"http://127.0.0.1:{port}{path}"
        load(url, connections=connections, seconds=1, cores=others, paths=paths, headers=sent)
        before, began = processor_s(self.pid), time.monotonic()
        measured = load(
            url, connections=connections, seconds=self.seconds, cores=others, paths=paths, headers=sent
        )
        spent, passed = processor_s(self.pid) - before, time.monotonic() - began
        measured = replace(measured, per_core=measured.rate * passed / max(spent, 0.01))
        self.rows[name] = measured
        base = self.rows.get(f"{name.partition(' ')[0]} flask_caching")
        ratio = f"{measured.per_core / base.per_core:.1f} x Flask-Caching" if base else ""
        took = f"{measured.rate:>8.0f}/s  p99 {measured.p99_ms:>7.2f} ms"
        print(f"{name:<38}{took}  {measured.per_core:>8.0f} a core second  {ratio}", flush=True)
        return measured

    def copy_bodies(self, addresses: list[str]) -> None:
        """Give the peers the bytes that we send."""
        store = redis.Redis.from_url(self.peers_url)
        store.flushdb()
        with self.ours("0") as port:
            for address in addresses:
                request = urllib.request.Request(f"http://127.0.0.1:{port}{address}")
                store.set(f"peer:{address}", urllib.request.urlopen(request).read())
        static = self.folder / "static"
        for address in (API, PAGE):
            file = static / address.lstrip("/")
            file.parent.mkdir(parents=True, exist_ok=True)
            file.write_bytes(store.get(f"peer:{address}"))

    def api(self, cores: str, zipf: Path) -> None:
        count = len(cores.split(","))
        for name in ("flask_caching", "nothing", "flask_json", "starlette", "django_cache"):
            with self.peer(name, cores) as port:
                for connections in (16, 256):
                    self.row(
                        f"api{count}c{connections} {name}", port, API, cores=cores, connections=connections
                    )
                self.row(f"zipf{count} {name}", port, API, cores=cores, paths=zipf)
        self.nginx(cores, f"api{count}c16")
        with self.ours(cores) as port:
            for connections in (16, 256):
                for encoding in ("identity", "gzip", "zstd"):
                    self.row(
                        f"api{count}c{connections} ours {encoding}",
                        port,
                        API,
                        cores=cores,
                        connections=connections,
                        Accept_Encoding=encoding,
                    )
            tag = urllib.request.urlopen(f"http://127.0.0.1:{port}{API}").headers["ETag"]
            self.row(f"api{count}c16 ours 304", port, API, cores=cores, If_None_Match=tag)
            self.row(f"zipf{count} ours zstd", port, API, cores=cores, paths=zipf, Accept_Encoding="zstd")
            self.row(f"zipf{count} ours identity", port, API, cores=cores, paths=zipf)
            print(f"memory of the workers after that: {memory_mb(self.pid):.0f} MB in all")
        with self.ours(cores, KPI_SERVING_MEMORY_BYTES="0") as port:
            self.row(f"api{count}c16 ours from Redis, zstd", port, API, cores=cores, Accept_Encoding="zstd")
        with self.ours(cores, KPI_ACCESS_LOG="false") as port:
            self.row(
                f"api{count}c16 ours zstd, no access log", port, API, cores=cores, Accept_Encoding="zstd"
            )

    def nginx(self, cores: str, label: str) -> None:
        static, proxy, behind = free_port(), free_port(), free_port()
        config = self.folder / "nginx.conf"
        config.write_text(
            NGINX.format(
                folder=self.folder, static=static, proxy=proxy, behind=behind, workers=len(cores.split(","))
            )
        )
        command = ["taskset", "-c", cores, "nginx", "-c", str(config)]
        # It gives up root for a user who cannot read the folder.
        self.folder.chmod(0o755)
        upstream = granian(self.python, "peers:starlette", behind, cores=cores, interface="asgi")
        environment = {"PEERS_REDIS": self.peers_url, "PYTHONPATH": str(HERE)}
        with serving(upstream, behind, API, **environment), serving(command, proxy, API) as process:
            self.pid = process.pid
            self.row(f"{label} nginx proxy_cache", proxy, API, cores=cores)
            self.row(f"{label} nginx static", static, API, cores=cores)

    def page(self, cores: str) -> None:
        count = len(cores.split(","))
        with self.peer("flask_caching", cores) as port:
            self.row(f"page{count} flask_caching", port, PAGE, cores=cores)
        with self.ours(cores) as port:
            for encoding in ("identity", "gzip", "zstd"):
                self.row(f"page{count} ours {encoding}", port, PAGE, cores=cores, Accept_Encoding=encoding)

    def tail(self) -> None:
        with self.ours("0") as port:
            url = f"http://127.0.0.1:{port}{API}"
            capacity = self.row("tail ours identity", port, API, cores="0").rate
            still = paced(url, 0.8 * capacity, self.seconds, "1")
            stop = threading.Event()

            def publish() -> None:
                while not stop.wait(0.5):
                    republish(self.client)

            thread = threading.Thread(target=publish)
            thread.start()
            try:
                moving = paced(url, 0.8 * capacity, self.seconds, "1")
            finally:
                stop.set()
                thread.join()
            times = f"{still:.1f} ms; while it publishes: {moving:.1f} ms ({moving / still:.1f} x)"
            print(f"p99 at 80 % of capacity: {times}")


def processes(pid: int) -> list[int]:
    """A process and its children."""
    return [pid, *map(int, Path(f"/proc/{pid}/task/{pid}/children").read_text().split())]


def processor_s(pid: int) -> float:
    """Processor time that a process and its children have taken, in seconds."""
    ticks = 0
    for one in processes(pid):
        fields = Path(f"/proc/{one}/stat").read_text().rpartition(")")[2].split()
        ticks += int(fields[11]) + int(fields[12])
    return ticks / os.sysconf("SC_CLK_TCK")


def memory_mb(pid: int) -> float:
    """Resident memory of the children of a process, in MB."""
    children = processes(pid)[1:]
    kb = [re.search(r"VmRSS:\s+(\d+)", Path(f"/proc/{child}/status").read_text()) for child in children]
    return sum(int(found[1]) for found in kb if found) / 1000


def main() -> int:
    """Read the command line, and measure."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else None)
    parser.add_argument("--redis", default="redis://127.0.0.1:6379/0")
    parser.add_argument("--seconds", type=int, default=5)
    parser.add_argument("--only", default="api,page,tail,two")
    parser.add_argument("--peers", type=Path, default=Path(tempfile.gettempdir()) / "kpi-bench-peers")
    arguments = parser.parse_args()
    if missing := [name for name in ("wrk", "hey", "nginx", "taskset") if shutil.which(name) is None]:
        print(f"not installed: {', '.join(missing)}")
        return 1
    if not (arguments.peers / "bin" / "granian").exists():
        subprocess.run([sys.executable, "-m", "venv", str(arguments.peers)], check=True)
        pip = [str(arguments.peers / "bin" / "pip"), "install", "--quiet", "-r", str(HERE / "peers.txt")]
        subprocess.run(pip, check=True)
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        bench = Bench(arguments.redis, arguments.peers, arguments.seconds, folder)
        addresses = variants(bench.client)
        print(f"{len(addresses)} variants of the API; goals: {GOALS}")
        zipf = zipf_file(addresses, folder)
        bench.copy_bodies([*addresses, PAGE])
        runs: dict[str, Callable[[], None]] = {
            "api": lambda: bench.api("0", zipf),
            "page": lambda: bench.page("0"),
            "tail": bench.tail,
            "two": lambda: bench.api("0,1", zipf),
        }
        for part in arguments.only.split(","):
            runs[part]()
    return 0


if __name__ == "__main__":
    sys.exit(main())
