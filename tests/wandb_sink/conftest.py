"""What tests of the mirror share."""

import pytest


@pytest.fixture(autouse=True)
def _no_settings_of_the_user(monkeypatch: pytest.MonkeyPatch) -> None:
    """No key, mode or folder of whoever runs the tests takes part."""
    for name in ("API_KEY", "MODE", "PROJECT", "ENTITY", "DIR", "DATA_DIR", "RESUME", "RUN_ID", "BASE_URL"):
        monkeypatch.delenv(f"WANDB_{name}", raising=False)


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Let W&B's own dependencies warn."""
    for item in items:
        if "wandb_sink" in str(item.path):
            for ignored in ("DeprecationWarning", "ResourceWarning", "pytest.PytestUnraisableExceptionWarning"):
                item.add_marker(pytest.mark.filterwarnings(f"ignore::{ignored}"))
