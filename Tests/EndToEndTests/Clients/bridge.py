"""What one kind of client pushes, all the others pull: python3 bridge.py PROJECT ORAS

ORAS is where its program is. The environment has HF_ENDPOINT, HF_TOKEN and HF_HOME. Each step is printed as it passes;
the first that does not ends the program.
"""

import hashlib
import os
import random
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path

import huggingface_hub as hub
from huggingface_hub import HfApi
from huggingface_hub.utils import HfHubHTTPError, RevisionNotFoundError

project, oras_program = sys.argv[1:3]
api = HfApi()
version = tuple(int(part) for part in hub.__version__.split(".")[:2])
name = "bridge-" + hub.__version__.replace(".", "-")
repo = f"{project}/{name}"
work = Path(tempfile.mkdtemp())
registry = os.environ["HF_ENDPOINT"].removeprefix("http://")
token = os.environ["HF_TOKEN"]


def step(what):
    print("ok", what, flush=True)


def run(*command, cwd=work, **environment):
    done = subprocess.run(
        [str(word) for word in command],
        cwd=cwd,
        env={**os.environ, "HOME": str(work), **environment},
        capture_output=True,
        text=True,
    )
    assert done.returncode == 0, f"{command}: {done.stdout}{done.stderr}"
    return done.stdout + done.stderr


def oras(*words, cwd=work):
    return run(oras_program, *words, "--plain-http", cwd=cwd)


def refused(error, call):
    try:
        call()
    except error as caught:
        return caught
    raise AssertionError(f"{error.__name__} expected")


def contents(folder):
    """The files below a folder, without what clients keep there for themselves."""
    found = (path for path in Path(folder).rglob("*") if path.is_file())
    return {
        str(path.relative_to(folder)): hashlib.sha256(path.read_bytes()).hexdigest()
        for path in found
        if not str(path.relative_to(folder)).startswith((".cache", ".huggingface"))
    }


seed = random.Random(name)
model = work / "model"
(model / "sub").mkdir(parents=True)
(model / "weights.bin").write_bytes(seed.randbytes(3_000_000))
(model / "config.json").write_text('{"model_type": "bert"}\n')
(model / "sub" / "notes.txt").write_text("hello\n")
(model / "README.md").write_text("---\nlicense: mit\npipeline_tag: text-classification\n---\n# Tiny\n")
files = contents(model)
pack = "application/vnd.cncf.model"
layers = [
    f"weights.bin:{pack}.weight.v1.raw", f"config.json:{pack}.weight.config.v1.raw", f"sub/notes.txt:{pack}.doc.v1.raw",
    f"README.md:{pack}.doc.v1.raw",
]

oras("login", registry, "-u", "me", "-p", token)
oras("push", f"{registry}/models/{repo}:v1", "--artifact-type", f"{pack}.manifest.v1+json", *layers, cwd=model)
step("oras push")

tags = {ref.name: ref.target_commit for ref in api.list_repo_refs(repo).tags}
info = api.repo_info(repo, revision="v1", files_metadata=True)
assert tags == {"v1": info.sha}, tags
assert {file.rfilename for file in info.siblings} == set(files), info.siblings
assert info.pipeline_tag == "text-classification" and "license:mit" in info.tags, info
tree = {entry.path: entry for entry in api.list_repo_tree(repo, revision="v1", recursive=True)}
assert set(tree) == set(files) | {"sub"} and tree["weights.bin"].size == 3_000_000, tree
assert contents(hub.snapshot_download(repo, revision="v1")) == files
path = hub.hf_hub_download(repo, "sub/notes.txt", revision=info.sha)
assert Path(path).read_text() == "hello\n"
command = Path(sys.executable).parent / ("hf" if version >= (0, 34) else "huggingface-cli")
run(command, "download", repo, "--revision", "v1", "--local-dir", work / "down")
assert contents(work / "down") == files
step("the Hub's client lists and downloads it")

late = refused(
    HfHubHTTPError,
    lambda: api.upload_file(repo_id=repo, path_or_fileobj=b"x", path_in_repo="x.txt", revision="v1"),
)
assert late.response.status_code == 409 and "tag" in str(late), late
refused(HfHubHTTPError, lambda: api.delete_tag(repo, tag="v1"))
refused(HfHubHTTPError, lambda: api.create_tag(repo, tag="v1", revision="v1"))
refused(RevisionNotFoundError, lambda: hub.hf_hub_download(repo, "config.json"))
step("and cannot change it")

(model / "more.txt").write_text("more\n")
oras("push", f"{registry}/models/{repo}:latest", *[layer.split(":")[0] for layer in layers], "more.txt", cwd=model)
assert contents(hub.snapshot_download(repo)) == contents(model)
assert [commit.commit_id for commit in api.list_repo_commits(repo)] == [api.repo_info(repo).sha]
step("'latest' is what is downloaded without a revision")

api.upload_file(repo_id=repo, path_or_fileobj=b"by the Hub\n", path_in_repo="hub.txt")
(model / "hub.txt").write_text("by the Hub\n")
assert contents(hub.snapshot_download(repo)) == contents(model)
oras("pull", f"{registry}/models/{repo}:main", "-o", work / "pulled")
assert contents(work / "pulled") == contents(model)
oras("pull", f"{registry}/models/{repo}:v1", "-o", work / "first")
assert contents(work / "first") == files
step("a commit builds on it, and oras pulls that")

if shutil.which("git-lfs"):
    clone = work / "clone"
    run("git", "init", "-q", clone)
    (clone / ".gitattributes").write_text("*.bin filter=lfs diff=lfs merge=lfs -text\n")
    size = (model / "weights.bin").stat().st_size
    (clone / "weights.bin").write_text(
        f"version https://git-lfs.github.com/spec/v1\noid sha256:{files['weights.bin']}\nsize {size}\n"
    )
    run("git", "add", ".", cwd=clone)
    run("git", "-c", "user.name=t", "-c", "user.email=t@example.org", "commit", "-q", "-m", "first", cwd=clone)
    run("git", "lfs", "install", "--local", cwd=clone)
    run("git", "config", "lfs.url", f"http://me:{token}@{registry}/{repo}.git/info/lfs", cwd=clone)
    run("git", "lfs", "pull", cwd=clone)
    assert hashlib.sha256((clone / "weights.bin").read_bytes()).hexdigest() == files["weights.bin"]
    step("git-lfs fetches what oras pushed")

if shutil.which("skopeo"):
    copy = f"{registry}/models/{repo}-copy:v1"
    run(
        "skopeo", "copy", "--preserve-digests", "--src-tls-verify=false", "--dest-tls-verify=false",
        "--src-creds", f"me:{token}", "--dest-creds", f"me:{token}",
        f"docker://{registry}/models/{repo}:v1", f"docker://{copy}",
    )
    assert contents(hub.snapshot_download(f"{repo}-copy", revision="v1")) == files
    assert api.repo_info(f"{repo}-copy", revision="v1").sha == info.sha, "the same artifact is the same revision"
    step("skopeo copies it, and it is the same revision there")

(work / "folder").mkdir()
(work / "folder" / "a.txt").write_text("a\n")
told = oras("push", f"{registry}/datasets/{repo}:packed", "folder")
assert "packed" in told, told
refused(RevisionNotFoundError, lambda: api.repo_info(repo, repo_type="dataset", revision="packed"))
oras("push", f"{registry}/datasets/{repo}:v1", "folder/a.txt")
path = hub.hf_hub_download(repo, "folder/a.txt", repo_type="dataset", revision="v1")
assert Path(path).read_text() == "a\n"
step("a packed folder is kept, and oras says why the Hub's clients do not see it")

oras("manifest", "delete", "-f", f"{registry}/models/{repo}:v1")
assert "v1" not in {ref.name for ref in api.list_repo_refs(repo).tags}
refused(RevisionNotFoundError, lambda: api.repo_info(repo, revision="v1"))
assert contents(hub.snapshot_download(repo)) == contents(model)
step("what is deleted there is gone here, and nothing else")
print("all", hub.__version__)
