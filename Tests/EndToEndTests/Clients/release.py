"""Loads a release of training data as people do, and prints what it got: python3 release.py DATASET [REVISION]

The environment has HF_ENDPOINT, HF_TOKEN and HF_HOME. One JSON object: the columns, and the ids and texts of the records,
at once and streamed.
"""

import json
import sys

import datasets

name = sys.argv[1]
revision = sys.argv[2] if len(sys.argv) > 2 else None
assert datasets.get_dataset_config_names(name, revision=revision) == ["default"]
assert datasets.get_dataset_split_names(name, revision=revision) == ["train"]
whole = datasets.load_dataset(name, revision=revision)
assert list(whole) == ["train"], list(whole)
stream = datasets.load_dataset(name, revision=revision, split="train", streaming=True)


def rows(records):
    return [[record["id"], record["text"], record.get("date")] for record in records]


print(
    "RESULT "
    + json.dumps(
        {"columns": sorted(whole["train"].column_names), "whole": rows(whole["train"]), "streamed": rows(stream)}
    ),
    flush=True,
)
