"""What holds a replay up: at this moment, and what was heard of it since somebody looked."""

from enum import StrEnum


class Trouble(StrEnum):
    """What can hold a replay up."""

    LOST = "lost"
    BLOCKED = "blocked"
    FULL = "full"
    STORE = "store"


class Troubles:
    """The troubles of one run, each with the text a person is told."""

    def __init__(self) -> None:
        self._now: dict[Trouble, str] = {}
        self._news: list[str] = []

    @property
    def now(self) -> str:
        """What holds it up at this moment; empty where nothing does."""
        return next(iter(self._now.values()), "")

    def begins(self, trouble: Trouble, text: str) -> None:
        """Hear of a trouble; the same again is no news."""
        if self._now.get(trouble) != text:
            self._now[trouble] = text
            self._news.append(text)

    def ends(self, trouble: Trouble) -> None:
        """Hear that a trouble is over."""
        if self._now.pop(trouble, "") and not self._now:
            self._news.append("The replay goes on.")

    def __contains__(self, trouble: Trouble) -> bool:
        return trouble in self._now

    def news(self) -> list[str]:
        """Give what was heard since the last call."""
        news, self._news = self._news, []
        return news
