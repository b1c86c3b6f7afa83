"""Executes docs/tutorial.ipynb; run as a program, it writes the outputs into the notebook, or into another file.

    python tests/tutorial.py [--folder FOLDER] [--to FILE]

What a notebook's outputs must not hold, so that it reads the same wherever it was executed, is named here as well.
"""

import argparse
import os
import re
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import Any

import nbformat
from jupyter_client.manager import AsyncKernelManager
from nbclient import NotebookClient

NOTEBOOK = Path(__file__).parent.parent / "docs" / "tutorial.ipynb"
SECONDS = 900
"""For a cell, on a busy machine."""
FOREIGN = {
    "an absolute path": re.compile(r"(?<![\w.])/(?:home|root|tmp|work|usr|Users|private|opt|mnt|var)/"),
    "a time of day": re.compile(r"\b\d{1,2}:\d{2}:\d{2}\b"),
    "a date": re.compile(r"\b20\d\d-\d\d-\d\d\b"),
    "a warning": re.compile(r"Warning\b"),
}


def read() -> Any:
    """Return the committed notebook."""
    return nbformat.read(NOTEBOOK, as_version=4)


def execute(folder: Path) -> Any:
    """Execute the notebook's cells in a folder and return it with their outputs.

    The kernel finds the `tic-sweep` of this Python's environment, and a terminal of 80 columns.
    """
    notebook = read()
    search = os.pathsep.join([str(Path(sys.executable).parent), os.environ.get("PATH", "")])
    environment = os.environ | {"PATH": search, "COLUMNS": "80", "NO_COLOR": "1"}
    with tempfile.TemporaryDirectory() as sockets:  # files, not ports that anybody could listen at
        kernel = AsyncKernelManager(kernel_name="python3", transport="ipc", ip=f"{sockets}/kernel")
        client = NotebookClient(
            notebook, km=kernel, timeout=SECONDS, startup_timeout=SECONDS,
            resources={"metadata": {"path": str(folder)}},
        )  # fmt: skip
        client.execute(env=environment, cleanup_kc=True)  # or a manager that is given is left running
    for cell in notebook.cells:
        cell.metadata = {}
    notebook.metadata["language_info"] = {"name": "python"}
    return notebook


def executed_apart(folder: Path) -> Any:
    """Return the notebook as a process of its own executes it in a folder.

    The kernel's client leaves sockets to the garbage collector, which are no business of whoever asks for a notebook.
    """
    done = folder / "executed.ipynb"
    subprocess.run([sys.executable, __file__, "--folder", str(folder), "--to", str(done)], check=True)
    return nbformat.read(done, as_version=4)


def printed(notebook: Any) -> str:
    """Return the text of all outputs."""
    texts = []
    for cell in notebook.cells:
        for output in cell.get("outputs", ()):
            texts += [output.get("text", ""), output.get("data", {}).get("text/plain", "")]
    return "\n".join(texts)


def pictures(notebook: Any) -> list[str]:
    """Return the PNG pictures in the outputs, in base64."""
    data = [output.get("data", {}) for cell in notebook.cells for output in cell.get("outputs", ())]
    return [mime["image/png"] for mime in data if "image/png" in mime]


def foreign(text: str) -> list[str]:
    """Return what a text holds that belongs to the machine or the moment it was made on."""
    return [f"{what}: {found[0]!r}" for what, pattern in FOREIGN.items() if (found := pattern.search(text))]


def main() -> None:
    """Execute the notebook and write it with its outputs."""
    parser = argparse.ArgumentParser(description="Execute the tutorial.")
    parser.add_argument("--folder", type=Path, help="where it runs; an empty one of its own if left out")
    parser.add_argument("--to", type=Path, default=NOTEBOOK, help="file to write; the notebook itself if left out")
    arguments = parser.parse_args()
    with tempfile.TemporaryDirectory() as empty:
        notebook = execute(arguments.folder or Path(empty))
    if strange := foreign(printed(notebook)):
        raise SystemExit(f"the outputs hold what they must not: {'; '.join(strange)}.")
    nbformat.write(notebook, arguments.to)


if __name__ == "__main__":
    main()
