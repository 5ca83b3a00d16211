"""Runs in an environment with mlcroissant: what it reads of a description and loads of all its record
sets, as JSON.
"""

import json
import sys

import mlcroissant

dataset = mlcroissant.Dataset(sys.argv[1])
metadata = dataset.metadata


def text(value: object) -> str:
    """A value as a cell of a CSV table."""
    if isinstance(value, bool):
        return str(value).lower()
    return "" if value is None else value.decode() if isinstance(value, bytes) else str(value)


json.dump(
    {
        "problems": metadata.issues.report(),
        "version": metadata.ctx.conforms_to.value,
        "name": metadata.name,
        "files": [file.uuid for file in metadata.distribution],
        "records": {
            item.uuid: [
                {key: text(value) for key, value in row.items()}
                for row in dataset.records(item.uuid)
            ]
            for item in metadata.record_sets
        },
    },
    sys.stdout,
)
