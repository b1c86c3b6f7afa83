"""The compiled library: made once per machine, by many at once, and told why where it cannot be had."""

import subprocess
import sys
from pathlib import Path

import pytest
import torch

from tic_sweep.errors import ResourceError
from tic_sweep.snn import choose, kernels_for, running
from tic_sweep.snn.library import CACHE, NotCompiledError, cache_folder, library


@pytest.fixture(autouse=True)
def _fresh(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):  # noqa: ANN202 - a generator
    """Give each test a cache folder of its own, and forget the library before and after."""
    monkeypatch.setenv(CACHE, str(tmp_path / "cache"))
    library.cache_clear()
    yield
    library.cache_clear()


def compiled() -> None:
    """Skip a test where there is no compiler."""
    try:
        library()
    except NotCompiledError as reason:
        pytest.skip(str(reason))


def test_a_library_is_compiled_once_and_found_by_later_processes():
    """Another process takes the file as it is, and no part of one is left behind."""
    compiled()
    (made,) = cache_folder().iterdir()
    written = made.stat().st_mtime_ns
    code = "from tic_sweep.snn.library import library; library()"
    subprocess.run([sys.executable, "-c", code], check=True)

    assert [made] == list(cache_folder().iterdir())
    assert written == made.stat().st_mtime_ns


def test_processes_that_start_together_all_get_a_whole_library():
    """Each may compile; what lies in the cache in the end is one file that loads."""
    compiled()
    (made,) = cache_folder().iterdir()
    made.unlink()
    code = "from tic_sweep.snn.library import library; library().lif_forward"
    started = [subprocess.Popen([sys.executable, "-c", code]) for _ in range(3)]

    assert [0, 0, 0] == [process.wait() for process in started]
    assert [made] == list(cache_folder().iterdir())


@pytest.mark.parametrize(
    ("compiler", "said"), [("/nonexistent/cc", "/nonexistent/cc could not compile"), ("false", "false could not")]
)
def test_without_a_working_compiler_neurons_run_plain(monkeypatch: pytest.MonkeyPatch, compiler: str, said: str):
    """Auto comes to plain; who asks for compiled kernels is told what failed."""
    monkeypatch.setenv("CC", compiler)
    cpu = torch.device("cpu")

    assert "plain" == choose("auto", cpu)
    with pytest.raises(ResourceError, match=f"resources.kernels 'compiled' cannot run here: {said}"):
        choose("compiled", cpu)


def test_a_cache_that_cannot_be_written_is_no_failure(monkeypatch: pytest.MonkeyPatch):
    """Where no folder can be made, not even by root, each process compiles for itself."""
    compiled()
    library.cache_clear()
    monkeypatch.setenv(CACHE, "/proc/nowhere")

    assert "compiled" == choose("auto", torch.device("cpu"))


def test_kernels_run_where_they_can_and_only_while_told():
    """Outside of a context, in double precision, and for another device, the plain path runs."""
    compiled()
    x = torch.zeros(1)

    assert kernels_for(x) is None
    with running("compiled"):
        assert kernels_for(x) is not None
        assert kernels_for(x.double()) is None
        assert kernels_for(torch.zeros(1, device="meta")) is None
    assert kernels_for(x) is None
    assert "compiled" == choose("auto", torch.device("cpu"))


def test_triton_that_cannot_start_leaves_neurons_plain(monkeypatch: pytest.MonkeyPatch):
    """On a GPU machine without the compiler that Triton launches kernels by, auto is plain, and says why."""
    pytest.importorskip("triton")

    class Driver:
        """Triton's choice of a driver, whose first use compiles it."""

        @property
        def active(self) -> object:
            raise RuntimeError("Failed to find C compiler.\nPlease specify one.")

    monkeypatch.setattr("triton.runtime.driver", Driver())
    monkeypatch.setattr(torch.cuda, "is_available", lambda: True)
    monkeypatch.delenv("TRITON_INTERPRET", raising=False)

    assert "plain" == choose("auto", torch.device("cuda"))
    with pytest.raises(
        ResourceError, match=r"'triton' cannot run here: Triton could not start \(Failed to find C comp"
    ):
        choose("triton", torch.device("cuda"))


def test_kernels_of_another_device_are_refused():
    """A GPU has no compiled kernels."""
    with pytest.raises(ResourceError, match="'compiled' do not run on a cuda device"):
        choose("compiled", torch.device("cuda"))
