"""Runs in an environment with frictionless and csvw: both readers over the tables; what each finds
and reads as JSON.
"""

import json
import sys
from pathlib import Path

from csvw import CSVW
from frictionless import Package

folder = Path(sys.argv[1])
package = Package(str(folder / "datapackage.json"))
report = package.validate()
results = {
    "valid": report.valid,
    "errors": report.flatten(["resourceName", "type", "message"]),
    "frictionless": {},
    "csvw": {},
    "problems": {},
}
for resource in package.resources:
    results["frictionless"][resource.name] = [row.to_dict() for row in resource.read_rows()]
for metadata in sorted(folder.glob("*.csv-metadata.json")):
    name = metadata.name.removesuffix(".csv-metadata.json")
    reader = CSVW(str(metadata), validate=True)
    results["problems"][name] = [str(warning.message) for warning in reader.warnings] + (
        [] if reader.is_valid else ["not valid"]
    )
    results["csvw"][name] = [dict(row) for row in next(iter(reader.tables)).iterdicts()]
json.dump(results, sys.stdout, default=str)
