"""What a TCGA barcode says of a slide: its patient, where the tissue came from, and whether it is normal.

Source: https://docs.gdc.cancer.gov/Encyclopedia/pages/TCGA_Barcode/. Ids that are no TCGA barcodes say nothing.
"""

import re

# TCGA-<site>-<participant>, and of a slide -<sample type><vial>-<portion>-<slide>.<UUID>
_BARCODE = re.compile(r"TCGA-[A-Z0-9]{2}-[A-Z0-9]{4}(-\d\d[A-Z].*)?")
_NORMAL = range(10, 20)


def patient(name: str) -> str | None:
    """Return the patient of a slide, or of a patient's own barcode; None if the id is no TCGA barcode."""
    return name[:12] if _BARCODE.fullmatch(name) else None


def site(name: str) -> str | None:
    """Return the code of the tissue source site; None if the id is no TCGA barcode."""
    return name[5:7] if _BARCODE.fullmatch(name) else None


def sample_type(name: str) -> int | None:
    """Return the sample type: 1 is a primary tumour, 10 to 19 are normal; None if the id has none."""
    found = _BARCODE.fullmatch(name)
    return int(name[13:15]) if found and found[1] else None


def is_normal(name: str) -> bool:
    """Whether the id is the barcode of normal tissue."""
    return sample_type(name) in _NORMAL
