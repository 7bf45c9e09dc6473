"""What processes of Dagster are spared to load."""

import sys
from collections.abc import Sequence
from importlib.machinery import ModuleSpec
from types import ModuleType


class _Missing:
    """A finder by which a library is not installed."""

    def find_spec(
        self,
        name: str,
        path: Sequence[str] | None,  # noqa: ARG002 - the signature is Python's
        target: ModuleType | None = None,  # noqa: ARG002
    ) -> ModuleSpec | None:
        """Refuse it, and leave every other module to the next finder."""
        if name == "pandas":
            raise ModuleNotFoundError("this process does without pandas", name=name)
        return None


def leave_out_pandas() -> None:
    """Let this process do without pandas, which nothing here uses.

    PyArrow loads it with its data sets wherever it is installed, and ADBC loads these: 40 MB and a second.
    """
    sys.meta_path.insert(0, _Missing())
