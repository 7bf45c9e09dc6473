"""HTTP to the stack's own servers."""

import urllib.error
import urllib.request
from http.client import HTTPException
from typing import Final

OPENER: Final = urllib.request.build_opener(urllib.request.ProxyHandler({}))
"""Opens addresses of this machine: past any proxy that the environment names."""


def answers(url: str, timeout_s: float = 5.0) -> bool:
    """Whether a web server answers, whatever it says."""
    try:
        OPENER.open(url, timeout=timeout_s).close()
    except urllib.error.HTTPError as error:
        error.close()
    except (OSError, HTTPException):
        return False
    return True
