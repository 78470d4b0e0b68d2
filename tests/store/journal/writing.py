"""Another process at the same journal: python -m tests.store.journal.writing URL NAME GROUPS; says what is written."""

import asyncio
import sys

from gateway.store import StoreUnavailable
from gateway.store.journal.opening import open_journal
from tests.store.journal.passages import passage

GROUP = 20


async def main(url: str, name: str, groups: int) -> None:
    """Write groups of messages, and say the number of each when it is written."""
    journal = await open_journal(url)
    print("ready", flush=True)  # noqa: T201 - it is how the test hears
    await asyncio.to_thread(sys.stdin.readline)
    for number in range(groups):
        group = [
            passage(id=journal.new_id(), source=name, message_id=f"{name}-{number}-{at}", devices=(f"group-{number}",))
            for at in range(GROUP)
        ]
        while True:
            try:
                await journal.write(group)
            except StoreUnavailable:
                continue
            break
        print(number, flush=True)  # noqa: T201 - the same
    await journal.close()


if __name__ == "__main__":
    asyncio.run(main(sys.argv[1], sys.argv[2], int(sys.argv[3])))
