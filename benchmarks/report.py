"""How long does the report of a large sweep take, and how much memory?

The sweep is made up (`aggregation_data.landscape_sweep`): 2,000 settings of five seeds, 60 epochs, T = 10. The report
is built in a process of its own, from opening the folder to the last byte of the page, claims and all; so are the
claims alone, told with a digest of every verdict and number, which two versions of the code must share.

    python benchmarks/report.py [--trials 10000] [--place FOLDER] [--profile FILE]
"""

import argparse
import cProfile
import hashlib
import platform
import resource
import shutil
import tempfile
import time
from importlib.metadata import version
from multiprocessing import get_context
from pathlib import Path

from aggregation_data import landscape_sweep

from analysis import open_results
from analysis.claims import check_claims
from analysis.report import write_report


def build(place: Path, profile: Path | None) -> None:
    """Write the report of a folder and tell what it took."""
    import plotly.graph_objects as go  # noqa: F401 - imports aside
    import scipy.stats  # noqa: F401

    watching = cProfile.Profile() if profile else None
    begun = time.perf_counter(), time.process_time()
    if watching:
        watching.enable()
    page = write_report(place)
    if watching and profile:
        watching.disable()
        watching.dump_stats(profile)
    seconds, cpu = time.perf_counter() - begun[0], time.process_time() - begun[1]
    memory = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 2**20
    print(f"report: {seconds:.1f} s, CPU {cpu:.1f} s, peak {memory:.2f} GiB, {page.stat().st_size / 1e6:.1f} MB")


def claims(place: Path) -> None:
    """Check the claims of a folder alone and tell what it took."""
    begun = time.perf_counter()
    found = check_claims(open_results(place))
    digest = hashlib.blake2b(found.write_csv().encode(), digest_size=6).hexdigest()
    print(f"claims: {time.perf_counter() - begun:.1f} s, {found.height} verdicts, {digest}")


def main() -> None:
    """Make the sweep, unless it is there, and build its report."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--trials", type=int, default=10_000)
    parser.add_argument("--epochs", type=int, default=60)
    parser.add_argument("--timesteps", type=int, default=10)
    parser.add_argument("--place", type=Path, help="folder to work in; a sweep that is there is used again")
    parser.add_argument("--profile", type=Path, help="file for the profile, which slows the report down")
    given = parser.parse_args()
    place = given.place or Path(tempfile.mkdtemp(prefix="report-"))
    sweep = place / f"landscape-{given.trials}"
    try:
        if not sweep.exists():
            landscape_sweep(sweep, given.trials, given.epochs, given.timesteps)
        print(f"{platform.machine()}, Python {platform.python_version()}, polars {version('polars')}; ", end="")
        print(f"{given.trials:,} trials x {given.epochs} epochs x T = {given.timesteps}")
        for act, arguments in ((claims, (sweep,)), (build, (sweep, given.profile))):
            process = get_context("spawn").Process(target=act, args=arguments)
            process.start()
            process.join()
            if process.exitcode:
                raise SystemExit(process.exitcode)
    finally:
        if given.place is None:
            shutil.rmtree(place)


if __name__ == "__main__":
    main()
