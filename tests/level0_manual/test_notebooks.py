import base64
import io
import re

import pytest

NAMES = ["1_explore", "2_condition", "3_train", "4_evaluate", "5_hand_over_and_score"]


# Imported by the tests: it takes seconds, and the tests of this file run on one process.
pytestmark = pytest.mark.xdist_group("notebooks")


@pytest.fixture(scope="module")
def nbformat():
    import nbformat

    return nbformat


@pytest.fixture(scope="module")
def stream(nbformat):
    def output(text, name="stdout"):
        return nbformat.v4.new_output("stream", name=name, text=text)

    return output


def test_there_are_five_notebooks_in_order(builder):
    assert [source.stem for source in builder.sources()] == NAMES


@pytest.mark.parametrize("name", NAMES)
def test_a_notebook_holds_the_cells_of_its_source(builder, level0, name, nbformat):
    committed = nbformat.read(level0 / f"{name}.ipynb", as_version=4)
    fresh = builder.unexecuted(level0 / f"{name}.py")
    nbformat.validate(committed)
    assert [(c.cell_type, c.id, c.source) for c in committed.cells] == [
        (c.cell_type, c.id, c.source) for c in fresh.cells
    ], "run `make notebooks`"


@pytest.mark.parametrize("name", NAMES)
def test_a_notebook_was_run_in_order_and_is_small_and_of_no_machine(builder, level0, name, nbformat):
    path = level0 / f"{name}.ipynb"
    notebook = nbformat.read(path, as_version=4)
    code = [cell for cell in notebook.cells if cell.cell_type == "code"]
    assert [cell.execution_count for cell in code] == list(range(1, len(code) + 1))
    assert all(cell.metadata == {} for cell in notebook.cells)
    assert notebook.metadata == builder.METADATA
    assert path.stat().st_size <= builder.LARGEST
    printed = [output.text for cell in code for output in cell.outputs if output.output_type == "stream"]
    assert not re.search(r"/(home|root|Users|tmp|work)/|site-packages|Warning", "\n".join(printed))


@pytest.mark.parametrize("name", NAMES)
def test_a_notebook_explains_every_step_and_ends_with_what_a_colleague_asks(level0, name, nbformat):
    cells = nbformat.read(level0 / f"{name}.ipynb", as_version=4).cells
    explained = [cell.cell_type for cell in cells[:-1]]
    assert explained[0] == "markdown" and explained.count("markdown") >= 4
    heading, _, asked = cells[-1].source.rpartition("## What a colleague would have to ask you")
    assert cells[-1].cell_type == "markdown"
    assert len(re.findall(r"^- .*\?|\?$", asked, re.MULTILINE)) >= 4, heading


@pytest.mark.trained  # starts a kernel: seconds
def test_a_kernel_builds_the_committed_notebook_from_an_unchanged_source(builder, audit, level0, tmp_path):
    place = audit.workplace(tmp_path)
    again = builder.built(level0 / "2_condition.py", place)
    assert again == (level0 / "2_condition.ipynb").read_text(encoding="utf-8")
    assert (tmp_path / ".store" / "level0" / "weekly.parquet").is_file()


@pytest.mark.trained
def test_a_notebook_that_fails_is_not_built(builder, tmp_path):
    from nbclient.exceptions import CellExecutionError

    source = tmp_path / "1_broken.py"
    source.write_text("# %%\nraise KeyError('week')\n", encoding="utf-8")
    with pytest.raises(CellExecutionError, match="week"):
        builder.built(source, tmp_path)


def test_printed_text_is_one_piece_however_it_arrived(builder, stream):
    found = builder.settled([stream("a\n"), stream("b"), stream("c\n")])
    assert [output.text for output in found] == ["a\nbc\n"]


def test_warnings_are_shown_to_the_builder_and_not_kept(builder, capsys, stream):
    found = builder.settled([stream("a\n"), stream("file.py:3: Warning\n", "stderr"), stream("b\n")])
    assert [output.text for output in found] == ["a\nb\n"]
    assert capsys.readouterr().err == "file.py:3: Warning\n"


def test_a_chart_keeps_its_size_and_loses_its_weight(builder, nbformat):
    from PIL import Image

    gradient = Image.linear_gradient("L")  # 256 x 256 in 256 shades
    out = io.BytesIO()
    Image.merge("RGB", [gradient, gradient.rotate(90), gradient.rotate(180)]).save(out, "PNG")
    png = base64.b64encode(out.getvalue()).decode()
    data = {"image/png": png, "text/plain": "<Figure size 1x1>"}
    [chart] = builder.settled([nbformat.v4.new_output("display_data", data=data, metadata={"needs": "x"})])
    assert set(chart.data) == {"image/png"} and chart.metadata == {}
    with Image.open(io.BytesIO(base64.b64decode(chart.data["image/png"]))) as small:
        assert small.size == gradient.size
        assert len(small.getcolors()) <= builder.COLORS


def test_a_notebook_that_grew_too_large_is_refused(builder, tmp_path, monkeypatch):
    source = tmp_path / "1_large.py"
    source.write_text("# %%\nprint(1)\n", encoding="utf-8")
    monkeypatch.setattr(builder, "LARGEST", 100)
    monkeypatch.setattr(builder, "executed", lambda notebook, folder: notebook)
    with pytest.raises(ValueError, match=r"1_large\.py: expected a notebook of at most 100 bytes; got \d+"):
        builder.built(source, tmp_path)


def test_building_says_which_notebooks_changed(builder, tmp_path, monkeypatch, capsys):
    source = tmp_path / "1_one.py"
    source.write_text("# %%\nprint(1)\n", encoding="utf-8")
    monkeypatch.setattr(builder, "sources", lambda: [source])
    monkeypatch.setattr(builder, "executed", lambda notebook, folder: notebook)
    builder.main()
    builder.main()
    assert capsys.readouterr().out == "1_one.ipynb: 0 kB, written\n1_one.ipynb: 0 kB, unchanged\n"


def test_git_folds_the_notebooks_in_diffs(root):
    lines = (root / ".gitattributes").read_text(encoding="utf-8").splitlines()
    assert "level0_manual/*.ipynb linguist-generated -diff merge=binary" in lines
