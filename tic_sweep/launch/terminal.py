"""The terminal as this program writes to it: texts are only printed, whoever wrote them."""

import unicodedata
from collections.abc import Iterable
from typing import IO, Any

from rich.console import Console, ConsoleOptions, RenderableType
from rich.segment import Segment
from rich.text import Text


class Terminal(Console):
    """A console that prints texts as they stand: nothing in them is markup, an emoji's name or a terminal's command."""

    def __init__(self, file: IO[str] | None = None, *, stderr: bool = False, width: int | None = None) -> None:
        super().__init__(file=file, stderr=stderr, width=width, highlight=False, markup=False, emoji=False)

    def render(self, renderable: RenderableType, options: ConsoleOptions | None = None) -> Iterable[Segment]:
        """Yield what is printed, with all its texts `plain`; rich's own commands, such as to move up, stay."""
        for segment in super().render(renderable, options):
            yield segment if segment.control else segment._replace(text=plain(segment.text))

    def render_str(self, text: str, **options: Any) -> Text:
        """Return a text as it is printed, so that a table has room for it."""
        return super().render_str(plain(text), **options)


def plain(text: str) -> str:
    """Return a text that a terminal only prints: a question mark stands for whatever would command it."""
    return text if text.isprintable() else "".join(one if _is_harmless(one) else "?" for one in text)


def _is_harmless(letter: str) -> bool:
    return letter.isprintable() or letter in "\n\t" or unicodedata.category(letter) == "Zs"
