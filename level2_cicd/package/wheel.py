"""What is in a wheel."""

import io
import zipfile


def files_of(wheel: bytes) -> dict[str, bytes]:
    """The bytes of every file of a wheel, by its path."""
    with zipfile.ZipFile(io.BytesIO(wheel)) as archive:
        return {name: archive.read(name) for name in archive.namelist() if not name.endswith("/")}


def metadata_of(wheel: bytes) -> bytes:
    """Its METADATA file, which names what it requires."""
    return next(content for name, content in files_of(wheel).items() if name.endswith(".dist-info/METADATA"))
