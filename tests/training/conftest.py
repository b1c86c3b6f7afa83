"""What the tests of training share."""

import pytest

from tic_sweep.data import RawImages, load_images


@pytest.fixture(scope="session")
def digits() -> RawImages:
    """Return the embedded digits."""
    return load_images("digits")
