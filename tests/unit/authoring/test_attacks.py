"""Attacks as folders of outputs, whatever the format of the task's own."""

from __future__ import annotations

import json
import shutil
import subprocess
import sys
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
import pytest

from pytest_innovatorbench.authoring.attacks import Attack, attempt, build, records
from pytest_innovatorbench.authoring.attacks.building import DRAFTS
from pytest_innovatorbench.authoring.attacks.payloads import READ
from pytest_innovatorbench.authoring.attacks.trying import measure_of
from pytest_innovatorbench.authoring.findings import Options

if TYPE_CHECKING:
    from tests.unit.authoring.good import Good

LOADERS = {
    "a pickle": "import pickle; pickle.load(open(FILE, 'rb'))",
    "a file of torch": "import pickle, zipfile; pickle.loads(zipfile.ZipFile(FILE).read('archive/data.pkl'))",
    "an array of objects": "import numpy; numpy.load(FILE, allow_pickle=True)",
    "an archive of arrays of objects": "import numpy; numpy.load(FILE, allow_pickle=True)['arr_0']",
    "YAML with a Python tag": "import yaml; yaml.unsafe_load(open(FILE))",
    "a Python expression": "eval(open(FILE).read())",
}


@pytest.fixture(autouse=True)
def fewer_rows(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(records, "MOST_ROWS", 20_000)


def outputs(good: Good) -> Path:
    return good.evaluations / "data" / "outputs"


def built(good: Good, code: str) -> dict[str, Path]:
    """Return the folders of a rule's attacks by their names."""
    attacks = build(good.subject(Options(attack=True)), [code])
    assert all(attack.code == code for attack in attacks)
    return {attack.name: attack.folder for attack in attacks if attack.folder is not None}


def refused(good: Good, code: str) -> str | None:
    (attack,) = build(good.subject(Options(attack=True)), [code])
    assert attack.folder is None
    return attack.reason


def submit(good: Good, name: str, content: object) -> None:
    """Replace the sample outputs by a document."""
    shutil.rmtree(outputs(good))
    outputs(good).mkdir()
    text = content if isinstance(content, str) else json.dumps(content)
    (outputs(good) / name).write_text(text)


def test_every_kind_of_attack_can_be_made_at_once(good: Good) -> None:
    attacks = build(good.subject(Options(attack=True)))
    assert {attack.code for attack in attacks} == set(DRAFTS)
    assert all((attack.folder is None) != (attack.reason is None) for attack in attacks)
    names = [(attack.code, attack.name, attack.draft and attack.draft.together) for attack in attacks]
    assert len({name for name in names if not name[2]}) == len([name for name in names if not name[2]])


def test_the_task_is_left_as_it_was(good: Good) -> None:
    before = {path: path.stat().st_mtime_ns for path in good.root.rglob("*")}
    build(good.subject(Options(attack=True)))
    assert {path: path.stat().st_mtime_ns for path in good.root.rglob("*")} == before


def test_submissions_that_were_tried_are_left_out(good: Good) -> None:
    seen: set[str] = set()
    subject = good.subject(Options(attack=True))
    assert build(subject, ["IB601"], seen=seen)
    shutil.rmtree(subject.scratch / "attacks")
    assert build(subject, ["IB601"], seen=seen) == []


def test_numbers_of_json_are_not_finite_as_json_spells_it(good: Good) -> None:
    submit(good, "p.json", [{"id": "a", "p": [0.5, 0.5], "y": "up"}, {"id": "b", "p": [1, 0], "y": "down"}])
    folders = built(good, "IB604")
    texts = {name: (folder / "p.json").read_text() for name, folder in folders.items()}
    assert json.loads(texts["NaN for every number in p.json"])[1]["y"] == "down"
    assert '"p": [NaN, NaN]' in texts["NaN for every number in p.json"]
    assert texts["NaN in one record of p.json"].count("NaN") == 2
    assert '"p": [1e999, 1e999]' in texts["1e999 for every number in p.json"]
    assert "9" * 5_000 in texts["5,000 digits in one record of p.json"]


def test_types_of_json_are_changed(good: Good) -> None:
    submit(good, "p.json", {"a": 1, "b": 2})
    folders = built(good, "IB603")
    texts = {name: (folder / "p.json").read_text("latin-1") for name, folder in folders.items()}
    assert json.loads(texts["words for numbers in p.json"]) == {"a": "abc", "b": "abc"}
    assert json.loads(texts["numbers as text in p.json"]) == {"a": "1", "b": "2"}
    assert json.loads(texts["null for each value in p.json"]) == {"a": None, "b": None}
    assert json.loads(texts["a list for each value in p.json"]) == {"a": [1], "b": [2]}
    assert json.loads(texts["a list of objects as p.json"])[0] == {"key": "a", "value": 1}
    assert texts["CSV as p.json"] == "key,value\na,1\nb,2\n"
    assert texts["a number as p.json"] == "3"


def test_ids_are_the_keys_of_an_object(good: Good) -> None:
    submit(good, "p.json", {"a": 1, "b": 2, "c": 3, "d": 4})
    texts = {
        name: json.loads((folder / "p.json").read_text()) for name, folder in built(good, "IB605").items()
    }
    assert texts["every fourth id missing in p.json"] == {"b": 2, "c": 3, "d": 4}
    assert texts["ids in capitals in p.json"] == {"A": 1, "B": 2, "C": 3, "D": 4}
    assert texts["blanks around ids in p.json"] == {" a ": 1, " b ": 2, " c ": 3, " d ": 4}
    assert texts["unknown ids besides in p.json"] == {"a": 1, "b": 2, "c": 3, "d": 4, "unknown-0": 1}


def test_all_answers_are_lists_in_json(good: Good) -> None:
    submit(good, "p.jsonl", '{"id": "a", "y": "up"}\n{"id": "b", "y": "down"}\n')
    texts = {name: (folder / "p.jsonl").read_text() for name, folder in built(good, "IB609").items()}
    assert json.loads(texts["a list of all answers in p.jsonl"].splitlines()[0]) == {
        "id": "a",
        "y": ["up", "down"],
    }
    assert len(texts["every id with each of the answers in p.jsonl"].splitlines()) == 4


def test_probabilities_are_all_one(good: Good) -> None:
    submit(good, "p.csv", "id,up,down\na,0.5,0.5\nb,1,0\n")
    folders = built(good, "IB609")
    assert (folders["1 for every class in p.csv"] / "p.csv").read_text() == "id,up,down\na,1,1\nb,1,1\n"


def test_a_deep_value_stands_among_sound_ones(good: Good) -> None:
    submit(good, "p.json", [{"id": "a", "y": 1}, {"id": "b", "y": 2}])
    text = (built(good, "IB611")["100,000 levels of lists as a value in p.json"] / "p.json").read_text()
    assert text.startswith('[{"id": "a", "y": [[[[')
    assert text.endswith(']]]]}, {"id": "b", "y": 2}]')


def test_arrays_are_spoilt_as_arrays(good: Good) -> None:
    shutil.rmtree(outputs(good))
    outputs(good).mkdir()
    np.save(outputs(good) / "p.npy", np.array([[0.25, 0.75], [1, 0]], "f4"))
    spoilt = np.load(built(good, "IB604")["NaN for every number in p.npy"] / "p.npy")
    assert (spoilt.dtype, spoilt.shape, np.isnan(spoilt).all()) == (np.dtype("f4"), (2, 2), True)
    means = np.load(built(good, "IB606")["the mean answer everywhere in p.npy"] / "p.npy")
    assert means.tolist() == [[0.625, 0.375], [0.625, 0.375]]


def test_shuffling_leaves_no_value_in_its_place(good: Good) -> None:
    before = (outputs(good) / "predictions.csv").read_text().splitlines()
    for attack in build(good.subject(Options(attack=True)), ["IB607"]):
        assert attack.folder is not None
        after = (attack.folder / "predictions.csv").read_text().splitlines()
        assert [line.split(",")[0] for line in after] == [line.split(",")[0] for line in before]
        assert sorted(line.split(",")[1] for line in after) == sorted(line.split(",")[1] for line in before)
        assert not set(after[1:]) & set(before[1:])


def test_attacks_that_need_records_say_so(good: Good) -> None:
    submit(good, "model.bin", "weights")
    assert refused(good, "IB604") == "the reference submission has no column of numbers"
    assert refused(good, "IB605") == "the reference submission has no column of ids"
    assert refused(good, "IB606") == "the reference submission has no records"
    assert refused(good, "IB607") == (
        "no table of the reference submission has the records of the inputs or references"
    )
    assert refused(good, "IB608") == "no table in gym/ has the records of the reference submission"
    assert refused(good, "IB610") == "the reference submission has no records"
    assert "half the bytes of model.bin" in built(good, "IB602")


def test_outputs_behind_a_link_are_not_read(good: Good, tmp_path: Path) -> None:
    shutil.move(outputs(good), tmp_path / "elsewhere")
    outputs(good).symlink_to(tmp_path / "elsewhere")
    shutil.rmtree(good.evaluations / "data" / "baselines")
    assert refused(good, "IB602") == "there are neither data/outputs nor data/baselines to make attacks from"


def test_large_outputs_are_not_copied(good: Good) -> None:
    with (outputs(good) / "weights.bin").open("wb") as file:
        file.truncate(60_000_000)
    assert refused(good, "IB601") == "data/outputs has more than 50,000,000 bytes or 2,000 files"


@pytest.mark.parametrize("form", LOADERS)
def test_payloads_run_where_they_are_loaded(form: str, good: Good) -> None:
    (attack,) = [
        a for a in build(good.subject(Options(attack=True)), ["IB613"]) if a.name.startswith(f"{form} as")
    ]
    token, file = content_of(attack)
    assert token.encode() not in file.read_bytes()
    program = LOADERS[form].replace("FILE", repr(str(file)))
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=False)
    assert token in done.stdout
    assert token in done.stderr
    assert READ not in done.stdout  # there are no references where this test runs


def content_of(attack: Attack) -> tuple[str, Path]:
    assert attack.folder is not None
    assert attack.draft is not None
    return attack.draft.token, attack.folder / "predictions.csv"


def test_what_attacks_came_to_can_be_shown(good: Good) -> None:
    subject = good.subject(Options(attack=True))
    attempted = attempt(subject, build(subject, ["IB606", "IB607"]))
    assert [one.attack.code for one in attempted] == ["IB606"] * 4 + ["IB607"]
    assert all((one.trial.evaluation.score or 0) <= one.due == 5.0 for one in attempted)


def test_links_of_attacks_are_refused(good: Good) -> None:
    subject = good.subject(Options(attack=True))
    attempted = attempt(subject, build(subject, ["IB612"]))
    links = [one for one in attempted if one.attack.name.startswith(("a link to /", "a FIFO"))]
    assert len(links) == 4
    assert all(one.trial.submission.refused_count == 1 for one in links)
    assert [one.weakness for one in attempted if one.weakness] == []


def test_large_submissions_are_attacked_less(good: Good) -> None:
    assert measure_of(good.subject()).most is None
    for size, most in ((6_000_000, 6), (21_000_000, 2)):
        (outputs(good) / "weights.bin").write_bytes(bytes(size))
        assert measure_of(good.subject()).most == most
    assert len(build(good.subject(), ["IB603", "IB604"], most=2)) == 4


def test_values_are_not_filled_up_without_end(good: Good) -> None:
    submit(good, "p.csv", "id,y\n" + "".join(f"a{number},{number % 7}\n" for number in range(20_000)))
    assert "5,000 digits for every number in p.csv" not in built(good, "IB604")
    assert "5,000 digits in one record of p.csv" in built(good, "IB604")
    text = (built(good, "IB613")["a Python expression for each value in p.csv"] / "p.csv").read_text()
    assert text.count("exec(") == 1_000
    assert text.count("\n") == 20_001
