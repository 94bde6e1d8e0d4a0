"""What a TCGA barcode says, and that other ids say nothing."""

import pytest

from hiptbench.sources import barcodes

SLIDE = "TCGA-UW-A7GC-11Z-00-DX1.ADAF7B0F-8EDC-4022-A873-3A5EBA4A46C3"


def test_a_slide() -> None:
    assert barcodes.patient(SLIDE) == "TCGA-UW-A7GC"
    assert barcodes.site(SLIDE) == "UW"
    assert barcodes.sample_type(SLIDE) == 11


def test_a_patient_has_no_sample_type() -> None:
    assert barcodes.patient("TCGA-A7-A0CE") == "TCGA-A7-A0CE"
    assert barcodes.site("TCGA-A7-A0CE") == "A7"
    assert barcodes.sample_type("TCGA-A7-A0CE") is None
    assert not barcodes.is_normal("TCGA-A7-A0CE")


@pytest.mark.parametrize(("code", "normal"), [("01", False), ("06", False), ("10", True), ("19", True), ("20", False)])
def test_normal_tissue(code: str, normal: bool) -> None:
    assert barcodes.is_normal(f"TCGA-A7-A0CE-{code}A-01-TS1") is normal


@pytest.mark.parametrize("name", ["", "slide001", "TCGA-A7", "TCGA-A7-A0CEX", "xTCGA-A7-A0CE", "TCGA-A7-A0CE.svs"])
def test_other_ids_say_nothing(name: str) -> None:
    assert (barcodes.patient(name), barcodes.site(name), barcodes.sample_type(name)) == (None, None, None)
    assert not barcodes.is_normal(name)
