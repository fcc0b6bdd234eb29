"""What people do with huggingface_hub, done against one point: python3 hub.py PROJECT OTHER_TOKEN

The environment has HF_ENDPOINT, HF_TOKEN and HF_HOME. Each step is printed as it passes; the first that does not ends
the program. With HF_HUB_DISABLE_XET=1 large files go by git-lfs, else by Xet where the client does that.
"""

import dataclasses
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
from huggingface_hub import CommitOperationAdd, CommitOperationCopy, CommitOperationDelete, HfApi, HfFileSystem
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
assert api.model_info(repo).downloads == 1, "of a model config.json counts, once in five minutes"
if version >= (0, 25):
    assert api.model_info(repo, expand=["downloadsAllTime"]).downloads_all_time == 1
assert repo in [model.id for model in api.list_models(author=project, sort="downloads")]
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

api.merge_pull_request(repo, 1, comment="Fine.")
merged = api.get_discussion_details(repo, 1)
assert merged.status == "merged" and merged.target_branch == "refs/heads/main", merged
assert merged.merge_commit_oid == api.repo_info(repo).sha
assert [event.type for event in merged.events] == ["comment", "commit", "comment", "status-change"], merged.events
assert merged.events[2].content == "Fine." and merged.events[3].new_status == "merged"
assert "proposed.txt" in api.list_repo_files(repo)
refused(HfHubHTTPError, lambda: api.merge_pull_request(repo, 1))
if api.get_discussion_details(repo, 2).status == "draft":
    refused(HfHubHTTPError, lambda: api.merge_pull_request(repo, 2))
    api.change_discussion_status(repo, 2, "open")
assert api.get_discussion_details(repo, 2).conflicting_files == []
api.upload_file(repo_id=repo, path_or_fileobj=b"{}", path_in_repo="config.json")
assert api.get_discussion_details(repo, 2).conflicting_files == ["config.json"]
conflict = refused(HfHubHTTPError, lambda: api.merge_pull_request(repo, 2))
assert conflict.response.status_code == 409 and "config.json" in str(conflict), conflict
refused(RepositoryNotFoundError, lambda: HfApi(token=other_token).merge_pull_request(repo, 2))
closed = api.change_discussion_status(repo, 2, "closed", comment="Not this way.")
assert closed.new_status == "closed"
step("merging")

talk = api.create_discussion(repo, "A question", description="Which one?")
said = api.comment_discussion(repo, talk.num, "The first.")
assert api.edit_discussion_comment(repo, talk.num, said.id, "The second.").content == "The second."
assert api.rename_discussion(repo, talk.num, "Another question").new_title == "Another question"
assert api.hide_discussion_comment(repo, talk.num, said.id).hidden
talk = api.get_discussion_details(repo, talk.num)
assert talk.title == "Another question" and talk.status == "open" and not talk.is_pull_request
assert talk.events[0].content == "Which one?" and talk.events[1].content == "" and talk.events[1].edited
assert [event.type for event in talk.events] == ["comment", "comment", "title-change"]
assert [discussion.num for discussion in api.get_repo_discussions(repo)] == [3, 2, 1]
if version >= (0, 25):
    assert [found.num for found in api.get_repo_discussions(repo, discussion_status="open")] == [3]
    assert [found.num for found in api.get_repo_discussions(repo, discussion_type="pull_request")] == [2, 1]
step("discussions")

fs = HfFileSystem()
fs.get_file(f"{repo}/weights.bin", str(work / "fs.bin"))
assert sha256(work / "fs.bin") == hashlib.sha256(weights).hexdigest()
assert fs.cat_file(f"{repo}/weights.bin", 10, 20) == weights[10:20]
step("file system")

if hasattr(api, "permanently_delete_lfs_files"):
    large = seed.randbytes(1_000_000)
    api.upload_file(repo_id=repo, path_or_fileobj=large, path_in_repo="sub/large.bin")
    api.delete_file("sub/large.bin", repo)
    listed = {file.filename: file for file in api.list_lfs_files(repo)}
    assert set(listed) == {"weights.bin", "sub/large.bin"}, listed
    assert listed["sub/large.bin"].file_oid == hashlib.sha256(large).hexdigest() and listed["weights.bin"].ref == "main"
    past = api.list_repo_commits(repo)[1].commit_id
    assert "sub/large.bin" in api.list_repo_files(repo, revision=past)
    gone = [listed["sub/large.bin"]]
    refused(HfHubHTTPError, lambda: api.permanently_delete_lfs_files(repo, gone, rewrite_history=False))
    refused(RepositoryNotFoundError, lambda: HfApi(token=other_token).permanently_delete_lfs_files(repo, gone))
    api.permanently_delete_lfs_files(repo, gone)
    assert [file.filename for file in api.list_lfs_files(repo)] == ["weights.bin"]
    refused(RevisionNotFoundError, lambda: api.list_repo_files(repo, revision=past))
    assert "sub/large.bin" not in api.list_repo_files(repo, revision=api.list_repo_commits(repo)[1].commit_id)
    assert "weights.bin" in api.list_repo_files(repo)
    step("removing large files for good")

if hasattr(api, "duplicate_repo"):
    copy = api.duplicate_repo(repo, repo + "-copy")
    assert copy.repo_id == repo + "-copy" and not getattr(copy, "files_copy_pending", False)
    refused(HfHubHTTPError, lambda: api.duplicate_repo(repo, repo + "-copy"))
    assert api.duplicate_repo(repo, repo + "-copy", exist_ok=True).repo_id == repo + "-copy"
    assert api.repo_info(repo + "-copy").sha == api.repo_info(repo).sha and api.repo_info(repo + "-copy").private
    assert len(api.list_repo_commits(repo + "-copy")) == len(api.list_repo_commits(repo))
    path = hub.hf_hub_download(repo + "-copy", "weights.bin", force_download=True)
    assert sha256(path) == hashlib.sha256(weights).hexdigest()
    refused(RepositoryNotFoundError, lambda: HfApi(token=other_token).duplicate_repo(repo, "elsewhere/stolen"))
    api.delete_repo(repo + "-copy")
    step("duplicate_repo")

if "src_repo_id" in [field.name for field in dataclasses.fields(CommitOperationCopy)]:
    api.create_repo(repo + "-pick", private=True)
    api.create_commit(
        repo + "-pick",
        [
            CommitOperationCopy("weights.bin", "picked/weights.bin", src_repo_id=repo, src_repo_type="model"),
            CommitOperationCopy("README.md", "README.md", src_repo_id=repo, src_repo_type="model"),
        ],
        commit_message="From another repository",
    )
    path = hub.hf_hub_download(repo + "-pick", "picked/weights.bin")
    assert sha256(path) == hashlib.sha256(weights).hexdigest()
    assert "README.md" in api.list_repo_files(repo + "-pick")
    api.delete_repo(repo + "-pick")
    step("copying from another repository")

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
assert api.dataset_info(data).downloads == 1, "of a dataset every file counts"
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
