"""The end of a process that has found itself broken."""

import os
import sys
import traceback
from typing import Final

EXIT_FAILED: Final = 70


def stop_process(error: BaseException) -> None:
    """Print `error` and end the process at once: what it might do next could be wrong."""
    try:
        traceback.print_exception(error, file=sys.stderr)
        sys.stderr.flush()
    finally:
        os._exit(EXIT_FAILED)  # Also when nothing can be printed any more.
