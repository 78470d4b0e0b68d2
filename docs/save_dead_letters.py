"""Takes the dead letters off the broker into a folder: each as NAME.xml, as it came, and NAME.json, its headers.

    python docs/save_dead_letters.py FOLDER

The broker is the one of the gateway's settings. A letter leaves its queue only when both files are written.
"""

# ruff: noqa: INP001 - a folder of texts, no package

import asyncio
import json
import re
import sys
from pathlib import Path

import aio_pika

from gateway.settings import load


async def save(folder: Path) -> int:
    """Empty cim.dead into a folder that exists; gives how many letters there were."""
    saved = 0
    async with await aio_pika.connect(load().broker_url()) as connection:
        queue = await (await connection.channel()).get_queue("cim.dead")
        while (letter := await queue.get(fail=False)) is not None:
            told = {name: str(letter.headers.get(name, "-")) for name in ("reason", "code", "rule", "text")}
            name = re.sub(r"[^\w-]", "_", f"{told['reason']}-{letter.message_id}")
            file = folder / f"{name}.xml"
            file.write_bytes(letter.body)
            headers = {**letter.headers, "reply_to": letter.reply_to}
            file.with_suffix(".json").write_text(json.dumps(headers, indent=2, default=str))
            await letter.ack()
            saved += 1
            sys.stdout.write(f"{file}\n    {told['code']} {told['rule']}: {told['text']}\n")
    return saved


if __name__ == "__main__":
    if len(sys.argv) != 2:  # noqa: PLR2004 - the program and the folder
        sys.exit(__doc__)
    target = Path(sys.argv[1])
    target.mkdir(parents=True, exist_ok=True)
    count = asyncio.run(save(target))
    sys.stdout.write(f"{count} dead letter{'' if count == 1 else 's'} saved.\n")
