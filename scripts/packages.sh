# Sourced by the other scripts: installs Debian packages that are missing, saying which and why.

# need PACKAGE "REASON": notes a package that must be there.
missing_packages=()
need() {
    dpkg-query -W -f='${Status}' "$1" 2>/dev/null | grep -q 'install ok installed' && return
    printf 'installing %-20s %s\n' "$1" "$2"
    missing_packages+=("$1")
}

# Installs what `need` found missing. As root directly, else through sudo.
install_missing() {
    [ ${#missing_packages[@]} -eq 0 ] && return
    local sudo=()
    [ "$(id -u)" -eq 0 ] || sudo=(sudo)
    "${sudo[@]}" apt-get update -qq
    DEBIAN_FRONTEND=noninteractive "${sudo[@]}" apt-get install -y -qq --no-install-recommends \
        "${missing_packages[@]}" >/dev/null
    missing_packages=()
}

# The mirror that this machine's own packages come from.
mirror() {
    cat /etc/apt/sources.list.d/*.sources /etc/apt/sources.list 2>/dev/null |
        sed -n 's/^URIs: *//p; s/^deb  *\([^ ]*\) .*/\1/p' | head -1
}

need_to_build() {
    need libsqlite3-dev "the store is a SQLite database"
    need zlib1g-dev "traces are packed with gzip"
    need libzstd-dev "corpora are packed with Zstandard"
    need libdeflate-dev "web archives are packed with gzip, member by member"
    need libxxhash-dev "texts are told apart by XXH3"
    need libvectorscan-dev "keyword lists are searched with it"
    need liblz4-dev "clients of Xet pack what they upload with LZ4"
    command -v swift >/dev/null || {
        echo "Swift 6.3 is not on the PATH. Install the toolchain for Debian 12 first." >&2
        exit 1
    }
}

need_to_run_jobs() {
    need bubblewrap "jobs run in a private file system without network"
    command -v python3 >/dev/null || need python3 "the tour's algorithms are written in Python"
    python3 -c 'import ensurepip, venv' 2>/dev/null || need python3-venv "algorithms get an environment of their own"
    need python3-pip "environments are filled with pip"
}

need_for_slurm() {
    need slurm-wlm "centres over Slurm are tested with a real cluster"
    need slurmrestd "the cluster's REST service"
    need slurm-wlm-jwt-plugin "its tokens"
    need munge "its daemons know each other by it"
    need slurmdbd "its accounting"
    need slurm-wlm-mysql-plugin "its accounting's way to a database"
    need mariadb-server "that database"
}

need_for_the_tour() {
    need manpages "English text that the tour collects"
    need manpages-zh "Chinese text that the tour collects"
    need doc-debian "English text that the tour collects"
    need debian-faq "English text that the tour collects"
}

need_for_oci() {
    need skopeo "images are pushed and pulled with it"
    need podman "and with it"
}

# oras is in the release after Debian 12 only. Its program needs nothing else, so it is unpacked beside what we build.
unpack_oras() {
    [ -x .build/tools/oras ] || command -v oras >/dev/null && return
    printf 'unpacking  %-20s %s\n' oras "artifacts are pushed, attached and pulled with it"
    local folder
    folder="$(mktemp -d)"
    mkdir -p "$folder/lists/partial" "$folder/cache/archives/partial" .build/tools
    echo "deb [signed-by=/usr/share/keyrings/debian-archive-keyring.gpg] $(mirror) trixie main" \
        >"$folder/sources.list"
    local options=(
        -o "Dir::Etc::SourceList=$folder/sources.list" -o "Dir::Etc::SourceParts=-" -o "Dir::State::Lists=$folder/lists"
        -o "Dir::Cache=$folder/cache" -o "APT::Sandbox::User=$(id -un)"
    )
    if apt-get "${options[@]}" update -qq && (cd "$folder" && apt-get "${options[@]}" download -qq oras); then
        dpkg -x "$folder"/oras_*.deb "$folder/unpacked"
        install "$folder/unpacked/usr/bin/oras" .build/tools/oras
    else
        echo "oras cannot be had; its tests will say that they are skipped" >&2
    fi
    rm -rf "$folder"
}
