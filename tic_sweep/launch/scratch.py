"""Ray Tune's files: scratch, removed when a session has ended; what a person may need of it is kept in two logs.

``tune/ray.log`` is what Ray and Tune log, ``tune/failures.log`` whole what each failure of a worker said, whether its
trial was started again or given up. A trial's row has one line of it, as its reason.
"""

import re
import shutil
from contextlib import suppress
from datetime import UTC, datetime
from pathlib import Path

FAILURES = "failures.log"
_EACH = re.compile(r"^Failure # \d+ .*$", flags=re.MULTILINE)


def last_failure(error_text: str) -> str:
    """Return the last of the failures in what Tune keeps of a trial's."""
    return _EACH.split(error_text)[-1].strip()


def keep_failure(scratch: Path, key: str, error_text: str) -> None:
    """Append the last failure of a trial to the log of failures; a disk that refuses costs the log alone."""
    when = datetime.now(UTC).isoformat(timespec="seconds")
    with suppress(OSError), (scratch / FAILURES).open("a", encoding="utf-8") as log:
        log.write(f"{when} trial {key}\n{last_failure(error_text)}\n\n")


def clear(scratch: Path) -> None:
    """Remove what Tune has written in this session, and what killed sessions have left behind."""
    for folder in scratch.glob("session-*"):
        shutil.rmtree(folder, ignore_errors=True)
