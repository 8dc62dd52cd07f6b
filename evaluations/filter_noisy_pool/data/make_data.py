"""Make the data of this task from WordNet, the Jargon File and the Devil's Dictionary.

Needs numpy 2.3.5 and the Debian packages wordnet-base 1:3.0-37, dict-jargon 4.4.7-3.1 and dict-devil
1.0-13.1, unpacked with ``dpkg-deb -x`` into one folder. Run it from the root of the repository:
``python evaluations/filter_noisy_pool/data/make_data.py FOLDER``. The same seed gives the same files.
"""

from __future__ import annotations

import gzip
import re
import sys
from collections import defaultdict
from pathlib import Path

import numpy as np

SEED = 20211031
TASK = "filter_noisy_pool"
FIELDS = {
    "05": "animal",
    "06": "artifact",
    "08": "body",
    "13": "food",
    "15": "location",
    "18": "person",
    "20": "plant",
    "27": "substance",
}
CLASSES = sorted(FIELDS.values())
TEST_PER_CLASS = 250
CLEAN, FLIPPED, GARBLED, SOURCES, COPIES, OFF_TOPIC = 560, 280, 140, 42, 5, 210
TO_PARTNER = 0.5
FEWEST_WORDS, MOST_WORDS = 6, 30
GARBLED_WORDS = 0.8
LEFT_OUT = 0.7

Example = tuple[str, str, str]
"""Text, label and kind."""


def read_definitions(root: Path) -> dict[str, list[str]]:
    """Return the definitions of common nouns in WordNet by semantic field."""
    fields = defaultdict(set)
    for line in (root / "usr/share/wordnet/data.noun").read_text("latin-1").splitlines():
        if line.startswith("  "):
            continue
        head, gloss = line.split(" | ", 1)
        text = re.split(r"; ", gloss.strip())[0].strip(' "')
        if head.split()[1] in FIELDS and " @i " not in head and is_plain(text):
            fields[text].add(FIELDS[head.split()[1]])
    definitions = defaultdict(list)
    for text in sorted(fields):
        if len(fields[text]) == 1:
            definitions[fields[text].pop()].append(text)
    return definitions


def read_off_topic(root: Path) -> list[str]:
    """Return first sentences from two dictionaries of another kind."""
    dictd = root / "usr/share/dictd"
    jargon = gzip.decompress((dictd / "jargon.dict.dz").read_bytes()).decode("utf-8", "replace")
    devil = gzip.decompress((dictd / "devil.dict.dz").read_bytes()).decode("utf-8", "replace")
    texts = [re.sub(r"^\s*(\[[^\]]*\]|\d+\.)", "", part) for part in split(jargon) if part.startswith("    ")]
    heads = (
        re.match(r"[A-Z][A-Z\- ]+, (?:n|adj|v\.t|v\.i|v)\.\s+(.*)", part, re.DOTALL) for part in split(devil)
    )
    texts += [head[1] for head in heads if head]
    sentences = {re.split(r"(?<=[.;:!?])\s", " ".join(text.split()))[0].rstrip(".;:") for text in texts}
    return sorted({uncapitalize(sentence) for sentence in sentences if is_plain(sentence)})


def uncapitalize(text: str) -> str:
    """Return a sentence that begins as definitions in WordNet do, with a small letter."""
    return text if text[1].isupper() else text[0].lower() + text[1:]


def split(text: str) -> list[str]:
    """Return the paragraphs."""
    return re.split(r"\n\s*\n", text)


def is_plain(text: str) -> bool:
    """Say whether a text is 6-30 words of plain letters and punctuation."""
    return FEWEST_WORDS <= len(text.split()) <= MOST_WORDS and bool(
        re.fullmatch(r"[A-Za-z0-9 ,.'()/-]+", text)
    )


def draw(definitions: dict[str, list[str]], rng: np.random.Generator) -> tuple[list[Example], list[Example]]:
    """Return test examples and as many others as the pool needs, in random order."""
    test, rest = [], []
    needed = -(-(CLEAN + FLIPPED + GARBLED) // len(CLASSES))
    for label in CLASSES:
        texts = [definitions[label][i] for i in rng.permutation(len(definitions[label]))]
        test += [(text, label, "test") for text in texts[:TEST_PER_CLASS]]
        rest += [(text, label, "clean") for text in texts[TEST_PER_CLASS : TEST_PER_CLASS + needed]]
    return shuffle(test, rng), shuffle(rest, rng)


def spoil(rest: list[Example], off_topic: list[str], rng: np.random.Generator) -> list[Example]:
    """Return the pool."""
    clean, flipped = rest[:CLEAN], rest[CLEAN : CLEAN + FLIPPED]
    garbled = rest[CLEAN + FLIPPED : CLEAN + FLIPPED + GARBLED]
    order = [str(label) for label in rng.permutation(CLASSES)]
    partner = dict(zip(order, order[1:] + order[:1], strict=True))
    pool = clean + [(text, wrong_label(label, partner, rng), "flipped") for text, label, _ in flipped]
    sources = [pool[i] for i in rng.choice(len(pool), SOURCES, replace=False)]
    pool += [(garble(text, rng), label, "garbled") for text, label, _ in garbled]
    pool += [(reword(text, rng), label, "duplicate") for text, label, _ in sources for _ in range(COPIES)]
    chosen = rng.permutation(len(off_topic))[:OFF_TOPIC]
    pool += [(off_topic[i], str(rng.choice(CLASSES)), "off-topic") for i in chosen]
    return shuffle(pool, rng)


def wrong_label(label: str, partner: dict[str, str], rng: np.random.Generator) -> str:
    """Return the partner of a class or any other class."""
    others = [other for other in CLASSES if other != label]
    return partner[label] if rng.random() < TO_PARTNER else str(rng.choice(others))


def garble(text: str, rng: np.random.Generator) -> str:
    """Return a text with the letters of most words in another order."""
    words = [list(word) for word in text.split()]
    return " ".join(
        "".join(rng.permutation(word) if rng.random() < GARBLED_WORDS else word) for word in words
    )


def reword(text: str, rng: np.random.Generator) -> str:
    """Return a text with one or two words left out or two neighbours swapped."""
    words = text.split()
    for _ in range(int(rng.integers(1, 3))):
        at = int(rng.integers(len(words) - 1))
        shorter = len(words) >= FEWEST_WORDS and rng.random() < LEFT_OUT
        words[at : at + 2] = words[at + 1 : at + 2] if shorter else words[at : at + 2][::-1]
    return " ".join(words)


def shuffle(examples: list[Example], rng: np.random.Generator) -> list[Example]:
    """Return the examples in another order."""
    return [examples[i] for i in rng.permutation(len(examples))]


def make(root: Path) -> tuple[list[Example], list[Example]]:
    """Return pool and test set."""
    rng = np.random.default_rng(SEED)
    test, rest = draw(read_definitions(root), rng)
    return spoil(rest, read_off_topic(root), rng), test


def write(path: Path, separator: str, rows: list[tuple[str, ...]]) -> None:
    """Write a table."""
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text("".join(separator.join(row) + "\n" for row in rows))


def main() -> None:
    """Write the agent's and the evaluator's files."""
    pool, test = make(Path(sys.argv[1]))
    pool_rows = [("id", "label", "text")] + [
        (f"pool{i:04d}", label, text) for i, (text, label, _) in enumerate(pool)
    ]
    test_rows = [("id", "text")] + [(f"test{i:04d}", text) for i, (text, _, _) in enumerate(test)]
    answers = [("id", "label")] + [(f"test{i:04d}", label) for i, (_, label, _) in enumerate(test)]
    references = Path("evaluations", TASK, "data/references")
    for folder in (Path("gym", TASK, "data/datasets"), references):
        write(folder / "pool.tsv", "\t", pool_rows)
        write(folder / "test.tsv", "\t", test_rows)
    write(references / "test_labels.csv", ",", answers)


if __name__ == "__main__":
    main()
