"""A real S3 server of one's own, on this machine, for tests of remote results folders."""

import os
import socket
import subprocess
import sys
import time
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

BUCKET = "science"
SECRET = "a-secret-nobody-may-see"  # noqa: S105 - the server is ours and lives for seconds
KEY = "AKIAOFNOBODYATALL"


@contextmanager
def running_server() -> Iterator[str]:
    """Start moto's server as a process of its own on a free port; yield its address."""
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    code = "import sys; from moto.server import main; main(sys.argv[1:])"
    environment = {k: v for k, v in os.environ.items() if not k.startswith("AWS_")} | {"PYTHONWARNINGS": "ignore"}
    with subprocess.Popen(
        [sys.executable, "-c", code, "-H", "127.0.0.1", "-p", str(port)],
        env=environment, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL,
    ) as process:  # fmt: skip
        try:
            _wait(port, process)
            yield f"http://127.0.0.1:{port}"
        finally:
            process.terminate()


def environment_of(server: str) -> dict[str, str]:
    """Return the environment in which a client finds the server and its credentials."""
    return {
        "AWS_ENDPOINT_URL": server, "AWS_ACCESS_KEY_ID": KEY, "AWS_SECRET_ACCESS_KEY": SECRET,
        "AWS_DEFAULT_REGION": "us-east-1", "AWS_EC2_METADATA_DISABLED": "true",
    }  # fmt: skip


def client_of(server: str) -> Any:
    """Return a client of the server, in which the bucket is."""
    from pyarrow import fs

    client = fs.S3FileSystem(
        endpoint_override=server, access_key=KEY, secret_key=SECRET, region="us-east-1", allow_bucket_creation=True,
        connect_timeout=60, request_timeout=60,
    )  # fmt: skip
    client.create_dir(BUCKET)
    return client


def stored_under(server: str, prefix: str) -> dict[str, bytes]:
    """Return the objects under a prefix of the bucket, by what follows it in their names."""
    from pyarrow import fs

    client = client_of(server)
    found = client.get_file_info(fs.FileSelector(f"{BUCKET}/{prefix}", recursive=True, allow_not_found=True))
    files = [info.path for info in found if info.type == fs.FileType.File]
    return {path.removeprefix(f"{BUCKET}/{prefix}/"): client.open_input_stream(path).read() for path in sorted(files)}


def upload(folder: Path, server: str, prefix: str) -> str:
    """Put what a results folder holds under a prefix of the bucket; return its URL."""
    client = client_of(server)
    for file in sorted(path for path in folder.rglob("*") if path.is_file()):
        with client.open_output_stream(f"{BUCKET}/{prefix}/{file.relative_to(folder)}") as stream:
            stream.write(file.read_bytes())
    return f"s3://{BUCKET}/{prefix}"


def ask_for_permission(server: str) -> None:
    """Make the server refuse, from now on, whoever it does not know."""
    headers = {"Content-Type": "application/octet-stream"}
    request = urllib.request.Request(f"{server}/moto-api/reset-auth", data=b"0", headers=headers)  # noqa: S310
    urllib.request.urlopen(request).close()  # noqa: S310 - our own server


def _wait(port: int, process: subprocess.Popen[bytes]) -> None:
    deadline = time.monotonic() + 180
    while time.monotonic() < deadline and process.poll() is None:
        try:
            socket.create_connection(("127.0.0.1", port), 1).close()
        except OSError:
            time.sleep(0.05)
        else:
            return
    raise AssertionError("the S3 server did not start")
