"""Heat maps as numbers: one HDF5 file a slide, each map with the boxes that its values stand for."""

from collections.abc import Sequence
from pathlib import Path

from hiptbench.extraction.files import Attributes, coords_attributes, write_hdf5
from hiptbench.extraction.settings import Extraction
from hiptbench.heatmaps.attention import Heatmap
from hiptbench.slides.grid import Grid
from hiptbench.slides.slide import Slide

_BOXES = (
    "values[i, row, column] is of the box of box_width_level0 x box_height_level0 pixels of level 0 whose upper left "
    "corner is coords[i] + (column * box_width_level0, row * box_height_level0)"
)


def write_values(path: Path, slide: Slide, grid: Grid, maps: Sequence[Heatmap], record: Extraction) -> None:
    """Write heat maps of a slide.

    ``coords`` are the regions' upper left corners (x, y) in pixels of level 0, with the attributes of a feature file.
    Each map is a dataset [regions, rows, columns] under its name; its attributes say what it shows, in which unit, and
    how large the boxes are. The file's own say which slide it is and how everything was made.

    Args:
        path: The file, which exists whole or not at all.
        slide: The slide.
        grid: Its regions.
        maps: The maps.
        record: How the regions and the networks' values were made.

    Raises:
        StoreError: If the file cannot be written.
    """
    attributes: Attributes = {
        "slide": slide.id,
        "synthetic": slide.pixels.synthetic,
        "hiptbench_extraction": record.model_dump_json(),
    }
    datasets = {one.name: (one.values, _attributes(one, grid)) for one in maps}
    write_hdf5(path, {"coords": (grid.coords, coords_attributes(slide, grid)), **datasets}, attributes)


def _attributes(heatmap: Heatmap, grid: Grid) -> Attributes:
    _, rows, columns = heatmap.values.shape
    return {
        "shows": heatmap.title,
        "unit": "1 = average",
        "box_width_level0": grid.width * grid.scale / columns,
        "box_height_level0": grid.height * grid.scale / rows,
        "boxes": _BOXES,
    }
