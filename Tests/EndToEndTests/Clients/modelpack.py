"""ModelPack's form as another implementation writes and reads it: python3 modelpack.py PROJECT

The environment has HF_ENDPOINT, HF_TOKEN and HF_HOME. Each step is printed as it passes; the first that does not ends
the program.
"""

import os
import random
import sys
import tempfile
from pathlib import Path

import huggingface_hub as hub
from huggingface_hub import HfApi
from huggingface_hub.utils import RevisionNotFoundError
from modelpack_client import ModelPackClient
from modelpack_client.models import ModelLayer

(project,) = sys.argv[1:]
registry = os.environ["HF_ENDPOINT"].removeprefix("http://")
work = Path(tempfile.mkdtemp())
weights = random.Random(1).randbytes(2_000_000)
(work / "weights.bin").write_bytes(weights)
(work / "config.json").write_text('{"model_type": "bert"}\n')
settings = {"descriptor": {"name": "tiny"}, "config": {}}
client = ModelPackClient(insecure=True)
client.login(registry, "me", os.environ["HF_TOKEN"])

layers = [
    ModelLayer(path=str(work / "weights.bin"), artifact_path="sub/weights.bin"),
    ModelLayer(path=str(work / "config.json"), media_type="application/vnd.cncf.model.weight.config.v1.raw"),
]
client.push(f"{registry}/models/{project}/packed:v1", layers, settings)
folder = Path(hub.snapshot_download(f"{project}/packed", revision="v1"))
assert sorted(HfApi().list_repo_files(f"{project}/packed", revision="v1")) == ["config.json", "sub/weights.bin"]
assert (folder / "sub" / "weights.bin").read_bytes() == weights
print("ok pushed, and downloaded by the Hub's client")

client.push(f"{registry}/models/{project}/packed:tar", [ModelLayer(path=str(work))], settings)
try:
    HfApi().repo_info(f"{project}/packed", revision="tar")
    raise AssertionError("a folder in a tar is no revision")
except RevisionNotFoundError:
    print("ok a folder in a tar stays an artifact")

HfApi().create_repo(f"{project}/plain")
HfApi().upload_folder(repo_id=f"{project}/plain", folder_path=work)
pulled = client.pull(f"{registry}/models/{project}/plain:main", work / "pulled")
assert {Path(path).name for path in pulled.files} == {".gitattributes", "config.json", "weights.bin"}, pulled
assert (work / "pulled" / "weights.bin").read_bytes() == weights
print("ok uploaded by the Hub's client, and pulled")
