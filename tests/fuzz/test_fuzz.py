"""Whatever comes in at a border is taken or refused: no other error, no hang, no memory that grows."""

import os
import re
import subprocess
import sys
import time
from pathlib import Path

import pytest

from tests.faults.records import RESULTS, write_row
from tests.fuzz.targets import TARGETS
from tests.fuzz.web import target

ROOT = Path(__file__).parents[2]
HANG_S, MOST_MIB, GROWTH_MIB = 20, 4096, 64
REQUESTS = "requests"

pytestmark = pytest.mark.slow


@pytest.mark.parametrize("name", TARGETS)
def test_examples_are_taken_or_refused(name: str) -> None:
    for seed in TARGETS[name].seeds:
        for at in range(0, len(seed), max(len(seed) // 8, 1)):
            for data in (seed, seed[:at], seed[:at] + b"\xff\x00" + seed[at:], b"\n".join([seed[at:], seed])):
                TARGETS[name].take(data)


def test_requests_of_examples_are_answered(published: Path) -> None:
    requests = target()
    for seed in requests.seeds:
        requests.take(seed)
        requests.take(seed.replace(b"=", b"=\xff%00"))


@pytest.mark.sweep
@pytest.mark.timeout(3600)
@pytest.mark.parametrize("name", [*TARGETS, REQUESTS])
def test_generated_inputs_are_taken_or_refused(
    name: str, tmp_path: Path, request: pytest.FixtureRequest
) -> None:
    pytest.importorskip("atheris", reason="the fuzzer is not built for this platform")
    if name == REQUESTS:
        request.getfixturevalue("published")
    chosen = target() if name == REQUESTS else TARGETS[name]
    limits = (f"-timeout={HANG_S}", f"-rss_limit_mb={MOST_MIB}", "-max_len=4096")
    options = (f"-runs={chosen.runs}", "-seed=1", "-print_final_stats=1", *limits)
    started = time.monotonic()
    fuzzed = subprocess.run(
        [
            sys.executable,
            "-m",
            "tests.fuzz",
            name,
            str(tmp_path),
            "-seed=1",
            "-print_final_stats=1",
            *options,
        ],
        cwd=ROOT,
        env=os.environ,
        capture_output=True,
        check=False,
    )
    said = (fuzzed.stderr + fuzzed.stdout).decode(errors="replace")
    assert fuzzed.returncode == 0, said[-4000:]
    tried = int(re.findall(r"number_of_executed_units:\s+(\d+)", said)[-1])
    assert tried >= chosen.runs
    held = [(int(at), int(mib)) for at, mib in re.findall(r"^#(\d+)\s.*rss: (\d+)Mb", said, re.MULTILINE)]
    # What is loaded and kept at first does not count.
    grown = held[-1][1] - max(mib for at, mib in held if at <= tried // 4)
    if path := os.environ.get(RESULTS):
        row = {"border": chosen.name, "tries": tried, "grown_mib": grown}
        write_row(Path(path), request.node.nodeid, {**row, "seconds": round(time.monotonic() - started)})
    assert grown <= GROWTH_MIB, f"{grown} MiB more than after a quarter of the inputs"
