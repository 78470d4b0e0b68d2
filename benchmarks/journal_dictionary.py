"""Trains the dictionary with which the journal packs messages, and says what it saves.

    python -m benchmarks.journal_dictionary [--write gateway/store/journal/dictionary-NUMBER.zdict]

A dictionary that journals were written with must stay in the package for ever: a better one gets another number.
"""

import argparse
import random
from pathlib import Path

import zstandard

from benchmarks.journal_messages import Messages, Template, templates
from gateway.store.journal.frames import content_of

NUMBER = 40_001
SIZE = 65_536
_EACH = 25
_LEVEL = 3


def samples(seed: int, chosen: tuple[Template, ...], each: int = _EACH) -> list[bytes]:
    """Give what frames are made of, of every template as many."""
    made = Messages(seed, chosen, 1.77e9)
    return [content_of(passage) for passage in made.passages(each * len(chosen))]


def trained(chosen: tuple[Template, ...], size: int = SIZE) -> zstandard.ZstdCompressionDict:
    """Give a dictionary for such messages."""
    return zstandard.train_dictionary(size, [*samples(1, chosen)], dict_id=NUMBER, level=_LEVEL)


def packed_sizes(contents: list[bytes], dictionary: zstandard.ZstdCompressionDict | None) -> dict[str, float]:
    """Give bytes a message: one frame for each, and one for 10 and 100 together."""
    compressor = (
        zstandard.ZstdCompressor(level=_LEVEL)
        if dictionary is None
        else zstandard.ZstdCompressor(level=_LEVEL, dict_data=dictionary)
    )
    return {
        f"{group} in a frame": sum(
            len(compressor.compress(b"".join(contents[at : at + group]))) for at in range(0, len(contents), group)
        )
        / len(contents)
        for group in (1, 10, 100)
    }


def weighed() -> list[tuple[str, dict[str, float]]]:
    """Give bytes a message without a dictionary, with it, and with one that has never seen such a message."""
    every = templates()
    nouns = sorted({template.noun for template in every})
    hidden = set(random.Random(0).sample(nouns, len(nouns) // 2))  # noqa: S311 - the same each time
    known = tuple(template for template in every if template.noun not in hidden)
    unseen = tuple(template for template in every if template.noun in hidden)
    contents = samples(2, unseen, 10)
    random.Random(0).shuffle(contents)  # noqa: S311 - the same
    mean = sum(map(len, contents)) / len(contents)
    return [
        (f"no dictionary (mean {mean:,.0f} bytes unpacked)", packed_sizes(contents, None)),
        ("dictionary of all examples", packed_sizes(contents, trained(every))),
        ("dictionary of messages with other nouns alone", packed_sizes(contents, trained(known))),
    ]


def main() -> None:
    """Weigh, and write where asked to."""
    options = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    options.add_argument("--write", type=Path)
    given = options.parse_args()
    for name, sizes in weighed():
        print(name, {form: round(size) for form, size in sizes.items()})
    if given.write:
        given.write.write_bytes(trained(templates()).as_bytes())


if __name__ == "__main__":
    main()
