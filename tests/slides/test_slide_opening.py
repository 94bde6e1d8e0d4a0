"""Opening: every kind of file that is no good slide is refused with what to do about it."""

import struct
import zlib
from pathlib import Path

import numpy as np
import pytest
import tifffile
from PIL import Image

from hiptbench.errors import SlideError
from hiptbench.slides.grid import make_grid
from hiptbench.slides.opening import find_slides, open_slide
from hiptbench.slides.qc import draw_qc
from hiptbench.slides.tissue import Tissue
from slide_files import WriteSlide


@pytest.mark.parametrize(
    ("name", "content", "message"),
    [
        ("text.svs", b"hello", "neither a slide that OpenSlide reads nor a whole image"),
        ("empty.svs", b"", "neither a slide"),
        ("tiff.svs", b"II*\0 nothing follows", r"tiff\.svs cannot be read as the TIFF"),
        ("cut.png", b"\x89PNG\r\n\x1a\n", "neither a slide"),
    ],
)
def test_what_is_no_slide_is_refused(tmp_path: Path, name: str, content: bytes, message: str) -> None:
    (tmp_path / name).write_bytes(content)
    with pytest.raises(SlideError, match=message):
        open_slide(tmp_path / name, mpp=0.5)
    with pytest.raises(SlideError, match=r"There is no slide .*gone"):
        open_slide(tmp_path / "gone.svs")


@pytest.mark.parametrize("share", [0.2, 0.6])
def test_a_truncated_slide_is_refused_when_it_is_opened_or_read(real_slide: Path, tmp_path: Path, share: float) -> None:
    whole = real_slide.read_bytes()
    (tmp_path / "cut.svs").write_bytes(whole[: int(share * len(whole))])
    with pytest.raises(SlideError, match=r"cut\.svs (cannot be read as the TIFF|cannot be opened|is damaged at)"):
        open_slide(tmp_path / "cut.svs", mpp=0.5).read(0, 0, 2220, 2967, 0.5)


def test_a_slide_without_its_last_bytes_is_read_whole_or_not_at_all(real_slide: Path, tmp_path: Path) -> None:
    """What comes last are the pictures of the label and of the glass."""
    (tmp_path / "cut.svs").write_bytes(real_slide.read_bytes()[:-90_000])
    box = open_slide(tmp_path / "cut.svs", mpp=0.5).read(0, 0, 2220, 2967, 0.5)
    np.testing.assert_array_equal(box, open_slide(real_slide).read(0, 0, 2220, 2967, 0.5))


def test_a_slide_without_pixel_size_is_refused_unless_it_is_stated(write_slide: WriteSlide, noise: np.ndarray) -> None:
    path = write_slide(noise, mpp=None)
    with pytest.raises(SlideError, match=r"slide\.tiff does not say how large its pixels are\. State it with --mpp\."):
        open_slide(path)
    assert open_slide(path, mpp=0.25).mpp == 0.25


def test_what_a_slide_says_of_itself_wins(write_slide: WriteSlide, noise: np.ndarray) -> None:
    assert open_slide(write_slide(noise), mpp=0.25).mpp == 0.5


def test_a_pixel_size_that_cannot_be_is_refused(write_slide: WriteSlide, noise: np.ndarray) -> None:
    path = write_slide(noise, mpp=352.8)  # 72 dots per inch
    with pytest.raises(SlideError, match=r"says that its pixels are 352\.8\d* um large, which cannot be"):
        open_slide(path)


def test_pixels_that_are_not_square_are_refused(tmp_path: Path, noise: np.ndarray) -> None:
    path = tmp_path / "wide.tiff"
    size = {"resolution": (20000, 40000), "resolutionunit": "CENTIMETER"}
    tifffile.imwrite(path, noise, tile=(256, 256), photometric="rgb", **size)
    with pytest.raises(SlideError, match=r"wide\.tiff has pixels of 0\.5 x 0\.25 um"):
        open_slide(path)


@pytest.mark.parametrize("tile", [(256, 256), None], ids=["tiled", "strips"])
@pytest.mark.parametrize(
    ("pixels", "message"),
    [
        (np.zeros((300, 300, 3), np.uint16), "3 channels of 16 bits"),
        (np.zeros((300, 300), np.uint8), "1 channels of 8 bits"),
    ],
    ids=["16 bits", "grey"],
)
def test_a_tiff_that_is_not_8_bit_colour_is_refused(
    tmp_path: Path, pixels: np.ndarray, message: str, tile: tuple[int, int] | None
) -> None:
    path = tmp_path / "odd.tiff"
    photometric = "rgb" if pixels.ndim == 3 else "minisblack"
    tifffile.imwrite(path, pixels, tile=tile, photometric=photometric)
    with pytest.raises(SlideError, match=rf"odd\.tiff has {message}.*convert it"):
        open_slide(path, mpp=0.5)


@pytest.mark.parametrize("mode", ["L", "I;16", "1"])
def test_an_image_without_colour_is_refused(tmp_path: Path, mode: str) -> None:
    dtype = {"L": np.uint8, "I;16": np.uint16, "1": bool}[mode]
    Image.fromarray(np.zeros((300, 300), dtype)).save(tmp_path / "grey.png")
    with pytest.raises(SlideError, match=rf"grey\.png is no 8-bit colour image \(mode {mode}[,)]"):
        open_slide(tmp_path / "grey.png", mpp=0.5)


def test_a_png_of_16_bits_is_refused(tmp_path: Path) -> None:
    pixels = np.zeros((20, 20, 3), ">u2")
    rows = b"".join(b"\0" + row.tobytes() for row in pixels)
    chunks = [
        (b"IHDR", struct.pack(">IIBBBBB", 20, 20, 16, 2, 0, 0, 0)),
        (b"IDAT", zlib.compress(rows)),
        (b"IEND", b""),
    ]
    body = b"".join(
        struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data)) for kind, data in chunks
    )
    (tmp_path / "deep.png").write_bytes(b"\x89PNG\r\n\x1a\n" + body)
    with pytest.raises(SlideError, match=r"deep\.png is no 8-bit colour image \(mode RGB, 16 bits\)"):
        open_slide(tmp_path / "deep.png", mpp=0.5)


@pytest.mark.parametrize("mpp", [0.0, -1.0, float("nan"), 1e-9, 500.0])
def test_a_stated_pixel_size_must_be_possible(write_slide: WriteSlide, noise: np.ndarray, mpp: float) -> None:
    with pytest.raises(SlideError, match=r"Pixels of .* um cannot be: --mpp is the size of one pixel"):
        open_slide(write_slide(noise, mpp=None), mpp=mpp)


@pytest.mark.parametrize("length", [3, 6, 9, 100])
def test_a_damaged_tiff_is_refused(write_slide: WriteSlide, noise: np.ndarray, length: int) -> None:
    path = write_slide(noise)
    path.write_bytes(path.read_bytes()[:length])
    with pytest.raises(SlideError, match=r"slide\.tiff (cannot be read as the TIFF|cannot be opened|is neither)"):
        open_slide(path, mpp=0.5)


def test_our_own_pictures_are_not_taken_for_slides(write_slide: WriteSlide, noise: np.ndarray, tmp_path: Path) -> None:
    slide = open_slide(write_slide(noise))
    tissue = Tissue(noise, noise[..., 0] > 100, 0.1, 1.0)
    draw_qc(tissue, make_grid(slide, tissue, side=256, mpp=0.5, least_tissue=0.0), tmp_path / "slide.png")
    assert find_slides(tmp_path) == (tmp_path / "slide.tiff",)


def test_the_parts_of_a_hamamatsu_slide_are_not_slides(tmp_path: Path) -> None:
    for name in ("a.vms", "a_map.jpg", "other/b.jpg"):
        (tmp_path / name).parent.mkdir(exist_ok=True)
        (tmp_path / name).touch()
    assert [path.name for path in find_slides(tmp_path)] == ["a.vms", "b.jpg"]


def test_transparent_pixels_are_laid_on_white(tmp_path: Path, noise: np.ndarray) -> None:
    alpha = np.full((*noise.shape[:2], 1), 255, np.uint8)
    alpha[:100] = 0
    image = np.concatenate([noise, alpha], axis=2)
    Image.fromarray(image).save(tmp_path / "a.png")
    tifffile.imwrite(tmp_path / "b.tiff", image, tile=(256, 256), photometric="rgb", extrasamples=["unassalpha"])
    for name in ("a.png", "b.tiff"):
        box = open_slide(tmp_path / name, mpp=0.5).read(0, 0, 900, 700, 0.5)
        assert (box[:100] == 255).all()
        np.testing.assert_array_equal(box[100:], noise[100:])


def test_a_colour_profile_is_not_applied(tmp_path: Path, noise: np.ndarray) -> None:
    """Published features were made from the pixels as they are stored."""
    from PIL import ImageCms

    profile = ImageCms.ImageCmsProfile(ImageCms.createProfile("LAB")).tobytes()
    Image.fromarray(noise).save(tmp_path / "a.png", icc_profile=profile)
    np.testing.assert_array_equal(open_slide(tmp_path / "a.png", mpp=0.5).read(0, 0, 900, 700, 0.5), noise)


def test_an_image_of_strips_says_its_pixel_size_per_centimetre_only(tmp_path: Path, noise: np.ndarray) -> None:
    tifffile.imwrite(tmp_path / "a.tif", noise, photometric="rgb", resolution=(20000, 20000), resolutionunit=3)
    assert open_slide(tmp_path / "a.tif").mpp == 0.5
    Image.fromarray(noise).save(tmp_path / "a.png", dpi=(50800, 50800))
    with pytest.raises(SlideError, match=r"a\.png does not say how large its pixels are"):
        open_slide(tmp_path / "a.png")


def test_an_image_too_large_for_memory_is_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(Image, "MAX_IMAGE_PIXELS", 1000)
    Image.fromarray(np.zeros((100, 100, 3), np.uint8)).save(tmp_path / "a.png")
    with pytest.raises(SlideError, match=r"a\.png is too large for a plain image .*pyramidal TIFF"):
        open_slide(tmp_path / "a.png", mpp=0.5)


def test_any_name_will_do(write_slide: WriteSlide, noise: np.ndarray) -> None:
    for name in ("a slide (2).tiff", "Gewebe-ä-组织.tiff"):
        slide = open_slide(write_slide(noise, name=name))
        assert slide.id == name.removesuffix(".tiff")
        np.testing.assert_array_equal(slide.read(0, 0, 256, 256, 0.5), noise[:256, :256])


def test_two_files_have_two_identities_and_a_copy_has_one(write_slide: WriteSlide, noise: np.ndarray) -> None:
    one = write_slide(noise, name="a.tiff")
    copy = one.rename(one.with_name("c.tiff"))
    other = write_slide(255 - noise, name="b.tiff")
    identities = [open_slide(path).pixels.identity for path in (copy, write_slide(noise, name="a.tiff"), other)]
    assert identities[0] == identities[1] != identities[2]


def test_slides_are_found_at_any_depth_in_order_of_their_ids(tmp_path: Path) -> None:
    for name in ("z/b.svs", "y/x/a.TIF", "c.png", "notes.txt", ".hidden.svs", "m/Slidedat.ini"):
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).touch()
    assert [path.name for path in find_slides(tmp_path)] == ["a.TIF", "b.svs", "c.png"]
    assert find_slides(tmp_path / "c.png", tmp_path / "z") == (tmp_path / "z/b.svs", tmp_path / "c.png")
    assert find_slides(tmp_path / "c.png", tmp_path) == find_slides(tmp_path)  # given twice, taken once


def test_folders_without_slides_and_twins_are_refused(tmp_path: Path) -> None:
    with pytest.raises(SlideError, match=r"There are no slides; files that count end in \.svs"):
        find_slides(tmp_path)
    with pytest.raises(SlideError, match=r"There is no file or folder .*gone"):
        find_slides(tmp_path / "gone")
    for name in ("x/a.svs", "y/a.tiff"):
        (tmp_path / name).parent.mkdir()
        (tmp_path / name).touch()
    with pytest.raises(SlideError, match=r"1 slide ids are given twice: .*x/a\.svs and .*y/a\.tiff\. Rename"):
        find_slides(tmp_path)
