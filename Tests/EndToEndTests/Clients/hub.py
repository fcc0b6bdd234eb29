"""What people do with huggingface_hub, done against one point: python3 hub.py PROJECT OTHER_TOKEN

The environment has HF_ENDPOINT, HF_TOKEN and HF_HOME. Each step is printed as it passes; the first that does not ends
the program. With HF_HUB_DISABLE_XET=1 large files go by git-lfs, else by Xet where the client does that.
"""

import hashlib
import os
import random
import subprocess
import sys
import tempfile
import urllib.error
import urllib.request
from pathlib import Path

import huggingface_hub as hub
from huggingface_hub import CommitOperationAdd, CommitOperationDelete, HfApi
from huggingface_hub.utils import (
    EntryNotFoundError,
    GatedRepoError,
    HfHubHTTPError,
    RepositoryNotFoundError,
    RevisionNotFoundError,
)

project, other_token = sys.argv[1:3]
api = HfApi()
version = tuple(int(part) for part in hub.__version__.split(".")[:2])
name = "hub-" + hub.__version__.replace(".", "-") + ("-lfs" if os.environ.get("HF_HUB_DISABLE_XET") else "")
repo = f"{project}/{name}"
work = Path(tempfile.mkdtemp())


def step(what):
    print("ok", what, flush=True)


def refused(error, call):
    try:
        call()
    except error as caught:
        return caught
    raise AssertionError(f"{error.__name__} expected")


def look(repo, name, token, **kind):
    """Past the cache, which gives what somebody else downloaded."""
    return hub.get_hf_file_metadata(hub.hf_hub_url(repo, name, **kind), token=token)


def sha256(path):
    return hashlib.sha256(Path(path).read_bytes()).hexdigest()


me = api.whoami()
assert me["type"] == "user" and any(org["name"] == project for org in me["orgs"]), me
step("whoami")

assert api.create_repo(repo, private=True).repo_id == repo
api.create_repo(repo, exist_ok=True)
refused(HfHubHTTPError, lambda: api.create_repo(repo))
step("create")

# Not the same for two clients, or the second would have nothing to send.
seed = random.Random(name)
weights = seed.randbytes(3_000_000)
(work / "model" / "sub").mkdir(parents=True)
(work / "model" / "config.json").write_text('{"model_type": "bert"}\n')
(work / "model" / "sub" / "notes.txt").write_text("hello\n")
(work / "model" / "empty.txt").write_text("")
(work / "model" / "weights.bin").write_bytes(weights)
(work / "model" / "README.md").write_text(
    "---\nlicense: mit\ntags: [tiny]\nlibrary_name: transformers\npipeline_tag: text-classification\n---\n# Tiny\n"
)
api.upload_folder(repo_id=repo, folder_path=work / "model")
files = set(api.list_repo_files(repo))
assert files == {
    ".gitattributes", "config.json", "sub/notes.txt", "empty.txt", "weights.bin", "README.md",
}, files
step("upload_folder")

before = api.repo_info(repo).sha
api.upload_file(repo_id=repo, path_or_fileobj=b"more\n", path_in_repo="sub/more.txt")
second = api.repo_info(repo).sha
assert second != before
api.upload_file(repo_id=repo, path_or_fileobj=b"more\n", path_in_repo="sub/more.txt")
assert api.repo_info(repo).sha == second, "the same again is no new commit"
step("upload_file")

info = api.model_info(repo, files_metadata=True)
sizes = {file.rfilename: file for file in info.siblings}
assert sizes["weights.bin"].size == len(weights) and sizes["weights.bin"].lfs["sha256"] == hashlib.sha256(weights).hexdigest()
assert info.pipeline_tag == "text-classification" and info.library_name == "transformers"
assert "license:mit" in info.tags and "tiny" in info.tags, info.tags
assert info.private is True
step("model_info")

path = hub.hf_hub_download(repo, "weights.bin")
assert sha256(path) == hashlib.sha256(weights).hexdigest()
folder = hub.snapshot_download(repo)
assert (Path(folder) / "sub" / "notes.txt").read_text() == "hello\n"
assert (Path(folder) / "empty.txt").read_text() == ""
step("download and snapshot_download")

def ranged(first):
    headers = {"Authorization": "Bearer " + os.environ["HF_TOKEN"], "Range": f"bytes={first}-"}
    return urllib.request.urlopen(urllib.request.Request(hub.hf_hub_url(repo, "weights.bin"), headers=headers))


part = ranged(1_000_000)
assert part.status == 206 and part.read() == weights[1_000_000:]
assert part.headers["content-range"] == f"bytes 1000000-{len(weights) - 1}/{len(weights)}"
assert refused(urllib.error.HTTPError, lambda: ranged(len(weights))).code == 416
step("range")

missing = refused(EntryNotFoundError, lambda: hub.hf_hub_download(repo, "nothing.json"))
assert missing.response.headers["X-Repo-Commit"] == second
refused(RevisionNotFoundError, lambda: hub.hf_hub_download(repo, "config.json", revision="nowhere"))
refused(RepositoryNotFoundError, lambda: look(repo, "config.json", other_token))
refused(RepositoryNotFoundError, lambda: look(repo, "config.json", False))
refused(RepositoryNotFoundError, lambda: api.repo_info(f"{project}/no-such"))
step("what is not there, and what others may not see")

api.create_commit(
    repo,
    [
        CommitOperationAdd("a/b/c.txt", b"c\n"),
        CommitOperationDelete("sub/more.txt"),
        CommitOperationDelete("empty.txt"),
    ],
    commit_message="Several at once",
    parent_commit=second,
)
refused(
    HfHubHTTPError,
    lambda: api.create_commit(
        repo, [CommitOperationAdd("late.txt", b"late")], commit_message="Late", parent_commit=second
    ),
)
tree = {entry.path for entry in api.list_repo_tree(repo, recursive=True)}
assert "a/b/c.txt" in tree and "a/b" in tree and "sub/more.txt" not in tree and "empty.txt" not in tree, tree
assert [entry.path for entry in api.get_paths_info(repo, ["a", "weights.bin", "none"])] == ["a", "weights.bin"]
expanded = api.get_paths_info(repo, ["a/b/c.txt"], expand=True)[0]
assert expanded.last_commit.title == "Several at once", expanded
api.delete_folder("a", repo)
api.delete_file("config.json", repo)
assert set(api.list_repo_files(repo)) == {".gitattributes", "sub/notes.txt", "weights.bin", "README.md"}
step("commits, trees and deletions")

api.create_branch(repo, branch="dev", revision=before)
refused(HfHubHTTPError, lambda: api.create_branch(repo, branch="dev"))
api.create_branch(repo, branch="dev", exist_ok=True)
api.create_tag(repo, tag="v1", revision=before, tag_message="first")
refs = api.list_repo_refs(repo)
assert {ref.name for ref in refs.branches} == {"main", "dev"} and refs.tags[0].target_commit == before
api.upload_file(repo_id=repo, path_or_fileobj=b"dev\n", path_in_repo="dev.txt", revision="dev")
assert "dev.txt" in api.list_repo_files(repo, revision="dev")
assert "config.json" in api.list_repo_files(repo, revision="v1")
commits = api.list_repo_commits(repo)
assert commits[-1].title == "initial commit" and len(commits) == 6, [commit.title for commit in commits]
api.delete_branch(repo, branch="dev")
api.delete_tag(repo, tag="v1")
api.super_squash_history(repo)
assert len(api.list_repo_commits(repo)) == 1
step("branches, tags and history")

pull = api.upload_file(
    repo_id=repo, path_or_fileobj=b"proposed\n", path_in_repo="proposed.txt", create_pr=True
)
pull = getattr(pull, "pr_revision", None) or "refs/pr/1"
assert pull == "refs/pr/1", pull
assert "proposed.txt" in api.list_repo_files(repo, revision=pull)
assert "proposed.txt" not in api.list_repo_files(repo)
api.upload_folder(repo_id=repo, folder_path=work / "model", create_pr=True)
step("pull requests")

assert repo in [model.id for model in api.list_models(author=project)]
assert repo in [model.id for model in api.list_models(filter="license:mit", search=name)]
assert repo not in [model.id for model in api.list_models(filter="license:gpl")]
assert repo not in [model.id for model in HfApi(token=other_token).list_models()]
step("list_models")

data = f"{project}/{name}-data"
api.create_repo(data, repo_type="dataset", private=True)
api.upload_file(repo_id=data, repo_type="dataset", path_or_fileobj=b"a,b\n1,2\n", path_in_repo="train.csv")
assert api.dataset_info(data).id == data
assert Path(hub.hf_hub_download(data, "train.csv", repo_type="dataset")).read_text() == "a,b\n1,2\n"
step("datasets")

if version >= (0, 25):
    api.update_repo_settings(data, repo_type="dataset", private=False, gated="manual")
    assert api.dataset_info(data, token=other_token).gated == "manual"
    refused(GatedRepoError, lambda: look(data, "train.csv", other_token, repo_type="dataset"))
    other = HfApi(token=other_token).whoami()["name"]
    api.grant_access(data, other, repo_type="dataset")
    hub.hf_hub_download(data, "train.csv", repo_type="dataset", token=other_token, force_download=True)
    api.auth_check(data, repo_type="dataset")
    step("gated")

command = Path(sys.executable).parent / ("hf" if version >= (0, 34) else "huggingface-cli")
subprocess.run([command, "upload", repo, work / "model", "folder"], check=True, capture_output=True, text=True)
subprocess.run(
    [command, "download", repo, "--local-dir", work / "down"], check=True, capture_output=True, text=True
)
assert sha256(work / "down" / "folder" / "weights.bin") == hashlib.sha256(weights).hexdigest()
step("the command line")

api.move_repo(repo, repo + "-moved")
assert api.repo_info(repo + "-moved").id == repo + "-moved"
api.delete_repo(repo + "-moved")
api.delete_repo(data, repo_type="dataset")
refused(RepositoryNotFoundError, lambda: api.repo_info(repo + "-moved"))
step("move and delete")
print("all", hub.__version__)
