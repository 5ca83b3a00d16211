"""Runs in an environment with rocrate and cffconvert: both read the files of a dist/; their
results as JSON.
"""

import json
import sys
from pathlib import Path

from cffconvert import Citation
from rocrate.rocrate import ROCrate

folder = Path(sys.argv[1])
crate = ROCrate(str(folder))
citation = Citation((folder / "CITATION.cff").read_text("utf-8"))
citation.validate()
json.dump(
    {
        "name": crate.name,
        "files": sorted(entity.id for entity in crate.data_entities),
        "bibtex": citation.as_bibtex(),
    },
    sys.stdout,
)
