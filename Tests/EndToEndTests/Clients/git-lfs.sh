#!/usr/bin/env bash
# Pushes a large file with git-lfs and fetches it anew: git-lfs.sh URL FOLDER. The token is in HF_TOKEN.
set -euo pipefail
url=$1 folder=$2/git
export HOME=$folder/home GIT_TERMINAL_PROMPT=0 GIT_CONFIG_NOSYSTEM=1
mkdir -p "$HOME"
address=${url/http:\/\//http://user:$HF_TOKEN@}/demo/lfs.git/info/lfs
git config --global user.name tester
git config --global user.email tester@example.org
git config --global init.defaultBranch main
# The history is in a plain repository beside; the large files go to the point.
git init -q --bare "$folder/plain.git"
git init -q "$folder/one"
cd "$folder/one"
git lfs install --local
git lfs track '*.bin' >/dev/null
git config lfs.url "$address"
head -c 3000000 /dev/urandom >weights.bin
sum=$(sha256sum <weights.bin)
git add .
git commit -q -m first
git remote add origin "$folder/plain.git"
git push -q origin main
GIT_LFS_SKIP_SMUDGE=1 git clone -q "$folder/plain.git" "$folder/two"
cd "$folder/two"
git lfs install --local
git config lfs.url "$address"
[ "$(wc -c <weights.bin)" -lt 200 ]
git lfs pull
[ "$(sha256sum <weights.bin)" = "$sum" ]
echo all
