"""Builds the .ipynb from the .py files: executed on a real kernel, and the same bytes for the same source."""

import base64
import io
import os
import sys
import tempfile
from collections.abc import Iterable
from pathlib import Path

import jupytext
import nbformat
from nbclient import NotebookClient
from nbformat import NotebookNode
from PIL import Image

HERE = Path(__file__).resolve().parent
LARGEST = 150_000  # bytes of a notebook
COLORS = 64  # of a chart in a notebook: a third of the bytes, and no difference to the eye
METADATA = {
    "kernelspec": {"display_name": "Python 3", "language": "python", "name": "python3"},
    "language_info": {"name": "python"},
}


def sources(folder: Path = HERE) -> list[Path]:
    """The notebooks' sources in the order in which they are run."""
    return sorted(folder.glob("[1-5]_*.py"))


def unexecuted(source: Path) -> NotebookNode:
    """The notebook of a source, without outputs: cells named after the file and their place in it."""
    notebook = jupytext.read(source, fmt="py:percent")
    notebook.metadata = nbformat.from_dict(METADATA)
    notebook.nbformat, notebook.nbformat_minor = 4, 5
    for place, cell in enumerate(notebook.cells, start=1):
        cell.metadata, cell.id = NotebookNode(), f"{source.stem}-{place:02d}"
    return notebook


def executed(notebook: NotebookNode, folder: Path) -> NotebookNode:
    """The notebook with the outputs of a kernel that ran it in a folder; what varies is taken out of them.

    Raises nbclient's CellExecutionError where a cell fails.
    """
    with tempfile.TemporaryDirectory() as own:  # no settings and no history of the person who builds
        kept = {name: value for name, value in os.environ.items() if name != "MPLBACKEND"}
        environment = {**kept, "IPYTHONDIR": own, "OMP_NUM_THREADS": "1"}
        client = NotebookClient(
            notebook, timeout=900, record_timing=False, resources={"metadata": {"path": str(folder)}}
        )
        client.execute(env=environment)
    for cell in notebook.cells:
        cell.metadata = NotebookNode()
        if cell.cell_type == "code":
            cell.outputs = list(settled(cell.outputs))
    notebook.metadata = nbformat.from_dict(METADATA)
    return notebook


def settled(outputs: Iterable[NotebookNode]) -> list[NotebookNode]:
    """The outputs of a cell with printed text in one piece, small charts, and nothing of this machine."""
    found: list[NotebookNode] = []
    for output in outputs:
        if output.get("name") == "stderr":  # warnings: they name paths; shown to who builds, and not kept
            sys.stderr.write(output.text)
            continue
        if output.output_type == "stream" and found and found[-1].output_type == "stream":
            found[-1].text += output.text  # how printed text is cut into pieces depends on the moment
            continue
        if "data" in output:
            output.metadata = NotebookNode()
            if "image/png" in output.data:
                output.data = nbformat.from_dict({"image/png": small(output.data["image/png"])})
        found.append(output)
    return found


def small(png: str) -> str:
    """A chart, PNG in base64, in few colours."""
    out = io.BytesIO()
    with Image.open(io.BytesIO(base64.b64decode(png))) as chart:
        chart.convert("RGB").quantize(COLORS).save(out, "PNG", optimize=True)
    return base64.b64encode(out.getvalue()).decode() + "\n"


def built(source: Path, folder: Path) -> str:
    """The text of an executed notebook; raises ValueError where it is too large to commit."""
    text: str = nbformat.writes(executed(unexecuted(source), folder)) + "\n"
    size = len(text.encode())
    if size > LARGEST:
        raise ValueError(
            f"{source.name}: expected a notebook of at most {LARGEST:,} bytes; got {size:,}. "
            "Print less, or draw smaller charts."
        )
    return text


def main() -> None:
    """Build all notebooks in order, each beside its source."""
    for source in sources():
        target = source.with_suffix(".ipynb")
        text = built(source, HERE)
        before = target.read_text(encoding="utf-8") if target.is_file() else ""
        target.write_text(text, encoding="utf-8", newline="\n")
        state = "unchanged" if text == before else "written"
        print(f"{target.name}: {len(text.encode()) / 1000:.0f} kB, {state}")


if __name__ == "__main__":
    main()
