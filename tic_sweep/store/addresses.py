"""URLs of object stores: what they name, their client, and its errors in words without secrets."""

import os
import re
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any
from urllib.parse import SplitResult, parse_qsl, unquote, urlencode, urlsplit

from tic_sweep.errors import StoreError, did_you_mean

SCHEMES = ("s3", "gs", "gcs", "abfs", "abfss", "hdfs", "file")
S3_OPTIONS = ("region", "scheme", "endpoint_override")
"""What may follow a ``?`` in an S3 URL, where the environment does not say it."""
_URL = re.compile(r"([A-Za-z][A-Za-z0-9+.-]+):/(?=.)")
_WORDS = {
    "ACCESS_DENIED": "permission is refused: check the credentials in the environment",
    "INVALID_ACCESS_KEY_ID": "the credentials in the environment are not known there",
    "INVALID_CLIENT_TOKEN_ID": "the credentials in the environment are not known there",
    "SIGNATURE_DOES_NOT_MATCH": "the credentials in the environment are wrong",
    "NETWORK_CONNECTION": "nobody answers: check the network and the endpoint (AWS_ENDPOINT_URL)",
    "NO_SUCH_BUCKET": "there is no such bucket: check the URL",
}


def is_url(place: str | Path) -> bool:
    """Tell a URL from a path; a `Path` that was made of a URL, and lost a slash by it, counts as the URL."""
    match = _URL.match(str(place))
    return match is not None and (match[1] in SCHEMES or "://" in str(place))


def local_path(place: str | Path) -> Path | None:
    """Return the path that a path or a ``file://`` URL names; None if it is the URL of a store."""
    if not is_url(place):
        return Path(place)
    parts = _split(str(place))
    return Path(unquote(parts.path)) if parts.scheme == "file" else None


def refuse_url(place: str | Path, what: str = "", needed: str = "folder") -> None:
    """Refuse a URL where only a place on this machine will do: as a path it would be a folder of that name.

    Args:
        place: what was given.
        what: the option it was given to; empty where the caller says so itself.
        needed: what it should name, a folder or a file.

    Raises:
        StoreError: if it is a URL, of which no secret is repeated.
    """
    if _URL.match(str(place)):
        named = ": ".join(filter(None, (what, _shown(place))))
        raise StoreError(f"{named} is a URL, and a local {needed} is needed: give its path.")


def _shown(url: str | Path) -> str:
    """Return a URL as it may be shown; ``this`` for one that may hold a secret."""
    try:
        path = local_path(url) if is_url(url) else None  # one that lost a slash may be none
        return Address.parse(url).name if path is None else f"file://{path}"
    except StoreError:  # of no store, or with more to it than a store's URL has
        return "this" if set("@?#") & set(str(url)) else str(url)


def _split(url: str) -> SplitResult:
    """Take a URL apart.

    Raises:
        StoreError: if it cannot be; Python's own error may repeat what stands before an ``@``.
    """
    try:
        return urlsplit(url)
    except ValueError:
        raise StoreError("a URL cannot be read: give one such as s3://bucket/results/tic-laptop.") from None


@dataclass(frozen=True, slots=True)
class Address:
    """A place in an object store."""

    scheme: str
    bucket: str
    """Bucket, container or name node."""
    path: str
    options: tuple[tuple[str, str], ...] = ()

    @classmethod
    def parse(cls, url: str | Path) -> "Address":
        """Take a URL apart.

        Raises:
            StoreError: if it cannot be read, its scheme is not known, it names no bucket, or it holds a secret, which
                is not repeated.
        """
        parts = _split(re.sub(r"^([^:/]+):/+", r"\1://", str(url)))
        if parts.scheme not in SCHEMES:
            raise StoreError(
                f"{parts.scheme}:// is not a store that is known.{did_you_mean(parts.scheme, SCHEMES)} "
                f"Known: {', '.join(SCHEMES)}."
            )
        options = tuple(parse_qsl(parts.query))
        has_user = "@" in parts.netloc and parts.scheme in {"s3", "gs", "gcs"}
        if (
            has_user
            or parts.password is not None
            or any(name not in S3_OPTIONS or "@" in value for name, value in options)
        ):
            raise StoreError(
                f"a {parts.scheme} URL is a bucket and a path, with {', '.join(S3_OPTIONS)} after a ? at most: leave "
                f"the rest out, credentials come from the environment."
            )
        if not parts.netloc and parts.scheme != "hdfs":
            raise StoreError(f"{parts.scheme}:// names no bucket: give a URL such as s3://bucket/results/tic-laptop.")
        return cls(parts.scheme, parts.netloc, parts.path.strip("/"), options)

    @property
    def name(self) -> str:
        """The URL as it may be shown."""
        return f"{self.scheme}://{'/'.join(filter(None, (self.bucket, self.path)))}"

    @property
    def url(self) -> str:
        """The URL with its options, by which the place can be found again."""
        return self.name + (f"?{urlencode(self.options)}" if self.options else "")

    def below(self, name: str) -> "Address":
        """Return the place of a name in this one."""
        return replace(self, path="/".join(filter(None, (self.path, name))))

    @property
    def endpoint(self) -> str:
        """The address of an S3 store that is not Amazon's; empty if none is given."""
        given = dict(self.options).get("endpoint_override")
        return given or os.environ.get("AWS_ENDPOINT_URL_S3") or os.environ.get("AWS_ENDPOINT_URL") or ""


def filesystem_of(address: Address) -> tuple[Any, str]:
    """Return pyarrow's file system for an address, and the path of its bucket there.

    Raises:
        OSError: if the store does not answer.
    """
    from pyarrow import fs

    if address.scheme != "s3":
        return fs.FileSystem.from_uri(f"{address.scheme}://{address.bucket}")
    options = dict(address.options)
    region = options.get("region") or os.environ.get("AWS_REGION") or os.environ.get("AWS_DEFAULT_REGION")
    if not region and not address.endpoint:
        region = fs.resolve_s3_region(address.bucket)
    filesystem = fs.S3FileSystem(
        region=region,
        endpoint_override=address.endpoint or None,
        scheme=options.get("scheme", "https"),
        connect_timeout=10,
        request_timeout=60,
        retry_strategy=fs.AwsStandardS3RetryStrategy(max_attempts=3),
    )
    return filesystem, address.bucket


@contextmanager
def told(name: str, done: str = "read") -> Iterator[None]:
    """Turn the errors of a store's client into a `StoreError` of one line, which repeats nothing of theirs but a code.

    Args:
        name: of the place, as it may be shown.
        done: what could not be done there: read or written.

    Raises:
        StoreError: if the client raises.
    """
    try:
        yield
    except ImportError:
        raise StoreError(f"{name} needs pyarrow: pip install pyarrow.") from None
    except (OSError, ValueError, NotImplementedError) as error:  # the last for what a store does not offer
        code = re.search(r"AWS Error (\w+)|\b([A-Z]{4,}(?:_[A-Z]+)+)\b", str(error))
        word = next(filter(None, code.groups()), "") if code else type(error).__name__
        reason = _WORDS.get(word, f"{word}: check the URL, the credentials and the endpoint in the environment")
        raise StoreError(f"{name} cannot be {done}; {reason}.") from None
