"""One `kpi up` for a KPI_HOME, however the one before has ended."""

import subprocess
import sys
from pathlib import Path

from kpi_pipeline.stack.lock import StackLock

HOLDER = """
import sys
from pathlib import Path
from kpi_pipeline.stack.lock import StackLock
print(StackLock(Path(sys.argv[1])).acquire(), flush=True)
sys.stdin.read()
"""


def test_a_lock_is_held_by_one_and_free_when_its_holder_is_killed(tmp_path: Path) -> None:
    path = tmp_path / "lock"
    assert not StackLock(path).held()
    with subprocess.Popen(
        [sys.executable, "-c", HOLDER, str(path)], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    ) as holder:
        assert holder.stdout is not None
        assert holder.stdout.readline().strip() == "True"
        mine = StackLock(path)
        assert mine.held()
        assert not mine.acquire()
        holder.kill()
        holder.wait()
        assert not mine.held()
        assert mine.acquire()
        assert StackLock(path).held()
        mine.release()
        assert not mine.held()
