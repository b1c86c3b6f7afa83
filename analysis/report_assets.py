"""What the report's page carries with it: the libraries' scripts and our own, their styles, and figures as data."""

import base64
import hashlib
from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    import plotly.graph_objects as go

ASSETS = Path(__file__).parent / "assets"
TABULATOR = ("tabulator-6.5.3.min.js", "tabulator_simple-6.5.3.min.css")
"""The script and the style of the table of trials."""


def scripts_of(*, figures: bool, explorer: bool) -> list[tuple[Any, str]]:
    """Return the scripts of a page in order, each with the hash by which the page allows it to run.

    That of the tables comes first: they are there before the large libraries are read.
    """
    from markupsafe import Markup
    from plotly.offline import get_plotlyjs

    drawn = [get_plotlyjs(), _asset("figures.js")] if figures or explorer else []
    chosen = [_asset(TABULATOR[0]), _asset("explorer.js")] if explorer else []
    texts = [_asset("tables.js"), *drawn, *chosen]
    texts = [text.replace("\r\n", "\n") for text in texts]  # as browsers read them, and hash them
    hashes = [base64.b64encode(hashlib.sha256(text.encode()).digest()).decode() for text in texts]
    return [(Markup(text), f"sha256-{one}") for text, one in zip(texts, hashes, strict=True)]  # noqa: S704 - libraries, our own files


def style_of(*, explorer: bool) -> Any:
    """Return the style of a page, that of the table library before our own."""
    from markupsafe import Markup

    return Markup((_asset(TABULATOR[1]) if explorer else "") + _asset("report.css"))  # noqa: S704 - libraries, our own files


def embedded(figure: "go.Figure") -> Any:
    """Return a figure as JSON that can stand in a script element."""
    return safe(str(figure.to_json()))


def safe(text: str) -> Any:
    """Return JSON in which nothing can end the script element that holds it."""
    from markupsafe import Markup

    return Markup(text.replace("<", "\\u003c").replace(">", "\\u003e").replace("&", "\\u0026"))  # noqa: S704 - escaped here


def _asset(name: str) -> str:
    return (ASSETS / name).read_text(encoding="utf-8")
