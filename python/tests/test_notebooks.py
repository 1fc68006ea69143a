"""The notebooks run from their first cell to their last, and their pictures are stored with them."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

FOLDER = Path(os.environ.get("FOVEAL_NOTEBOOKS", Path(__file__).parents[2] / "docs/notebooks"))
BOOKS = sorted(FOLDER.glob("*.ipynb"))
pytest.importorskip("nbconvert")
pytest.importorskip("ipykernel")
pytest.importorskip("matplotlib")


@pytest.fixture(scope="module")
def kernels(tmp_path_factory):
    """The kernel foveal-tf1, installed for these tests alone."""
    prefix = tmp_path_factory.mktemp("kernels")
    done = subprocess.run([sys.executable, "-m", "foveal.tf1", "--install-kernel", f"--prefix={prefix}"],
                          capture_output=True, text=True, check=True)
    assert "kernel foveal-tf1 is in" in done.stdout
    return {**os.environ, "JUPYTER_PATH": str(prefix / "share/jupyter"), "MPLBACKEND": "module://matplotlib_inline.backend_inline"}


def executed(book: Path, to: Path, environment: dict[str, str], *options: str) -> dict:
    line = [sys.executable, "-m", "nbconvert", "--to", "notebook", "--execute", "--output-dir", str(to), *options, str(book)]
    done = subprocess.run(line, capture_output=True, text=True, env=environment, check=False, timeout=600)
    assert done.returncode == 0, done.stderr[-3000:]
    return json.loads((to / book.name).read_text(encoding="utf-8"))


def outputs(book: dict):
    return [output for cell in book["cells"] if cell["cell_type"] == "code" for output in cell["outputs"]]


def pictures(book: dict) -> int:
    return sum("image/png" in output.get("data", {}) for output in outputs(book))


def printed(book: dict) -> str:
    return "".join("".join(output["text"]) for output in outputs(book) if output.get("name") == "stdout")


def test_there_are_notebooks():
    assert {"lecture", "lecture.ko", "tensorflow1", "pictures", "photographs", "cell_by_cell"} <= {b.stem for b in BOOKS}


@pytest.mark.parametrize("book", BOOKS, ids=lambda b: b.stem)
def test_a_notebook_runs_and_its_stored_pictures_are_those_it_draws(book, kernels, tmp_path):
    stored = json.loads(book.read_text(encoding="utf-8"))
    now = executed(book, tmp_path, kernels)
    assert pictures(now) == pictures(stored) > 0
    assert all(output["output_type"] != "error" for output in outputs(stored))
    assert all(cell["execution_count"] for cell in stored["cells"] if cell["cell_type"] == "code")
    assert str(Path.home()) not in book.read_text(encoding="utf-8")


def test_both_languages_of_the_lecture_compute_the_same():
    english, korean = (json.loads((FOLDER / f"lecture{k}.ipynb").read_text(encoding="utf-8")) for k in ("", ".ko"))
    code = [[c["source"] for c in b["cells"] if c["cell_type"] == "code"][:-1] for b in (english, korean)]
    assert code[0] == code[1]
    for book in (english, korean):
        text = printed(book)
        assert "(1, 2, 2, 1)" in text and "[[12. 16.]\n [24. 28.]]" in text and "(1, 14, 14, 5)" in text and "(1, 7, 7, 5)" in text


def test_the_courses_kernel_prints_what_tensorflow_1_did():
    text = printed(json.loads((FOLDER / "tensorflow1.ipynb").read_text(encoding="utf-8")))
    for line in ["(1, 3, 3, 1)", "(2, 2, 1, 1)", "[[12. 16.  9.]\n [24. 28. 15.]\n [15. 17.  9.]]", "[[-12. -16.  -9.]",
                 'shape=(1, 14, 14, 5), dtype=float32)', 'Tensor("MaxPool:0", shape=(1, 7, 7, 5), dtype=float32)']:
        assert line in text, line
