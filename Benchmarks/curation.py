#!/usr/bin/env python3
"""Measures `onepoint data run` beside its peers on the same input, in one run: CPU seconds, memory and quality.

    swift build -c release --product onepoint && python3 Benchmarks/curation.py [SECTION…] [--work FOLDER]

Prints a table in Markdown. Needs the corpora (`--corpora`, skipped where they are not there), zstd and tar. Peers come
from PyPI into an environment below the work folder, or are taken from environments that have them (`--peers FOLDER`,
as often as wanted); a peer that cannot be had is left out, with the reason. Everything of ours is measured through the
command itself and read from what it writes; its seconds are those of the whole process, with one worker, medians of
ROUNDS (3). Peers run once.
"""
import argparse, collections, hashlib, json, os, pathlib, re, shutil, statistics, subprocess, sys, time, zlib

ROOT = pathlib.Path(__file__).resolve().parent.parent
ROUNDS = int(os.environ.get("ROUNDS", "3"))
HERE = pathlib.Path(__file__).resolve().parent
BENCH_SHA256 = "414a70d3"
BENCH_BYTES = 101_400_000
ENGLISH_SETS = ["gopher-repetition", "gopher-quality", "c4", "fineweb"]


class Skipped(Exception):
    """Why a section or a peer is left out."""


# Measuring

# A process of its own starts what is measured: Linux hands the memory of who starts a process on to its peak.
LAUNCHER = """
import json, os, sys
child = os.fork()
if child == 0:
    log = os.open(sys.argv[2], os.O_WRONLY | os.O_CREAT | os.O_TRUNC)
    os.dup2(log, 1); os.dup2(log, 2)
    os.execvp(sys.argv[3], sys.argv[3:])
_, status, usage = os.wait4(child, 0)
with open(sys.argv[1], "w") as file:
    json.dump({"status": os.waitstatus_to_exitcode(status), "cpu": usage.ru_utime + usage.ru_stime,
               "peak": usage.ru_maxrss / 1024}, file)
"""


class Usage:
    """What a process and its children took: CPU seconds of all threads, MiB of the largest, and what it printed."""

    def __init__(self, cpu, peak, output):
        self.cpu, self.peak, self.output = cpu, peak, output


def measured(command, cwd=None, statuses=(0,)):
    note, log = options.work / f"usage-{os.getpid()}.json", options.work / f"command-{os.getpid()}.log"
    subprocess.run([sys.executable, "-S", "-c", LAUNCHER, note, log, *map(str, command)], check=True, cwd=cwd)
    usage, output = json.loads(note.read_text()), log.read_text(errors="replace")
    if usage["status"] not in statuses:
        last = [line for line in output.splitlines() if line.strip()][-3:]
        raise Skipped(f"{pathlib.Path(str(command[0])).name} ended with {usage['status']}: {' / '.join(last)[:300]}")
    return Usage(usage["cpu"], usage["peak"], output)


class Run:
    """`onepoint data run` of one pipeline, from nothing, ROUNDS times."""

    def __init__(self, name, sources, rounds=1, **operators):
        self.folder = options.work / "out" / name
        pipeline = options.work / "pipelines" / f"{name}.yaml"
        pipeline.parent.mkdir(parents=True, exist_ok=True)
        # JSON is YAML.
        pipeline.write_text(json.dumps({
            "name": name, "sources": [{"name": f"source-{index}", **source} for index, source in enumerate(sources)],
            **operators, "output": {"folder": str(self.folder), "format": "jsonl"},
        }, indent=1, ensure_ascii=False))
        if options.data_binary:
            command = [options.data_binary, pipeline, "1"]
        else:
            command = [options.onepoint, "data", "run", pipeline, "--workers", "1"]
        usages = []
        for _ in range(rounds):
            shutil.rmtree(self.folder, ignore_errors=True)
            usages.append(measured(command))
        self.cpu = statistics.median(usage.cpu for usage in usages)
        self.peak = max(usage.peak for usage in usages)
        self.record = json.loads((self.folder / "run.json").read_text())
        if self.record.get("process") or not self.record.get("finished"):
            raise Skipped(f"the run '{name}' did not finish")

    @property
    def bytes(self):
        return self.record["bytes_total"]

    def records(self):
        """What was written, in order."""
        for part in self.record["parts"]:
            with open(self.folder / part["path"], "rb") as file:
                for line in file:
                    yield json.loads(line)

    def parts(self):
        return [self.folder / part["path"] for part in self.record["parts"]]

    def decisions(self):
        """The sidecars' line for every document, block by block in the order of the sources."""
        with open(self.folder / "blocks.jsonl", "rb") as file:
            keys = [json.loads(line)["key"] for line in file]
        for key in keys:
            packed = self.folder / "work" / "blocks" / key[:2] / key / "decisions.jsonl.zst"
            for line in subprocess.run(["zstd", "-dcq", packed], check=True, capture_output=True).stdout.splitlines():
                yield json.loads(line)


def rate(count, seconds):
    return count / max(seconds, 1e-9)


# Peers

class Peers:
    """Environments with peers in them."""

    def __init__(self, folders, own):
        self.folders, self.own, self.found = [pathlib.Path(folder) for folder in folders], own, {}

    def python(self, package, *modules):
        """The interpreter that has the modules; the package is installed where none has them."""
        if package not in self.found:
            self.found[package] = self.search(package, modules)
        if isinstance(self.found[package], Skipped):
            raise self.found[package]
        return self.found[package]

    def search(self, package, modules):
        test = "import " + ", ".join(modules)
        candidates = [folder / "bin" / "python" for folder in [*self.folders, self.own]]
        for python in candidates:
            if python.exists() and subprocess.run([python, "-c", test], capture_output=True).returncode == 0:
                return python
        if not candidates[-1].exists():
            subprocess.run([sys.executable, "-m", "venv", self.own], check=True)
        tell(f"installing {package}")
        installed = subprocess.run([candidates[-1], "-m", "pip", "install", "-q", "--disable-pip-version-check",
                                    *package.split()], capture_output=True, text=True)
        tested = subprocess.run([candidates[-1], "-c", test], capture_output=True, text=True)
        if tested.returncode == 0:
            return candidates[-1]
        why = (installed.stderr or tested.stderr).strip().splitlines() or ["no reason given"]
        return Skipped(f"{package} cannot be installed: {why[-1][:200]}")

    def call(self, python, *arguments):
        """`curation_peers.py`, which prints one JSON object last."""
        usage = measured([python, HERE / "curation_peers.py", *arguments])
        return json.loads(usage.output.splitlines()[-1])


DATATROVE = ("datatrove==0.10.1 spacy nltk regex orjson tokenizers xxhash<4", "datatrove.executor",
             "datatrove.pipeline.filters", "datatrove.pipeline.dedup", "spacy", "orjson")
PRESIDIO = ("presidio-analyzer", "presidio_analyzer", "spacy")
LINGUA = ("lingua-language-detector", "lingua")
CLD2 = ("pycld2", "pycld2")


def tell(text):
    print(text, file=sys.stderr, flush=True)


def attempt(what, work):
    """A peer's figure; `None`, and the reason on the error stream, when it cannot be had."""
    try:
        return work()
    except Skipped as reason:
        tell(f"{what}: left out, {reason}")
        notes.append(f"{what}: left out, {reason}")
    return None


def row(what, ours, peer, ratio, bar):
    text = [what, ours, peer or "–", f"{ratio:.1f}" if ratio else "–", bar or ""]
    rows.append(text)
    tell(" | ".join(text))


# Inputs

def unpacked(name):
    """A corpus as plain JSON Lines in the work folder."""
    folder = {"dev": "neardup-edit", "en16": "neardup-natural", "zh8": "neardup-natural", "poetry": "zh-poetry"}[name]
    path = options.work / "input" / f"{name}.jsonl"
    if not path.exists():
        subprocess.run(["zstd", "-dqf", options.corpora / folder / f"{name}.jsonl.zst", "-o", path], check=True)
    return path


def archive(folder, name):
    """A corpus that is packed as one archive, as a folder below the work folder."""
    place = options.work / "input" / folder
    if not place.exists():
        draft = options.work / "input" / f"{folder}.draft"
        shutil.rmtree(draft, ignore_errors=True)
        draft.mkdir()
        subprocess.run(["tar", "--zstd", "-xf", options.corpora / folder / name, "-C", draft], check=True)
        draft.rename(place)
    return place


def write_lines(path, records):
    draft = path.with_suffix(".draft")
    with open(draft, "w", encoding="utf-8") as file:
        for record in records:
            file.write(json.dumps(record, ensure_ascii=False) + "\n")
    draft.rename(path)
    return path


def lines(path):
    with open(path, "rb") as file:
        return [json.loads(line) for line in file]


def every(number, path):
    """One document in so many."""
    cut = options.work / "input" / f"{path.stem}-{number}.jsonl"
    return cut if cut.exists() else write_lines(cut, lines(path)[::number])


def bench():
    """About 101 MB to measure speed and memory on."""
    path = options.work / "input" / "bench.jsonl"
    if not path.exists() and options.packages:
        build_from_packages(path)
    if not path.exists():
        write_lines(path, enlarged())
    digest = hashlib.sha256(path.read_bytes()).hexdigest()
    if digest.startswith(BENCH_SHA256):
        return path, "bench.jsonl"
    note = f"bench.jsonl is another input than the corpora's README names: {path.stat().st_size:,} bytes, sha256 {digest[:8]}"
    if note not in notes:
        notes.append(note)
    return path, f"{path.stat().st_size / 1e6:.1f} MB"


def enlarged():
    """The corpora's documents; then each with its number after every third word; then some with a number before them."""
    texts = [record["text"] for name in ("en16", "zh8", "poetry", "dev") for record in lines(unpacked(name))]
    total = count = 0

    def document(text):
        nonlocal total, count
        total += len(json.dumps(text, ensure_ascii=False).encode()) + 26
        count += 1
        return {"id": f"document-{count}", "text": text}

    for text in texts:
        yield document(text)
    for number, text in enumerate(texts):
        words = re.findall(r"[\u4e00-\u9fff]{1,4}|[^\s\u4e00-\u9fff]+\s*|\s+", text)
        yield document("".join(word + (f"{number}x{place // 3} " if place % 3 == 2 else "")
                               for place, word in enumerate(words)))
    for number, text in enumerate(texts):
        if total > BENCH_BYTES:
            return
        yield document(f"No. {number} {text}")


def build_from_packages(path):
    """From Debian's packages, by the corpora's own scripts."""
    tools, folder = options.corpora / "tools", options.work / "packages"
    script = (tools / "build_input.py").read_text()
    names = re.findall(r'^(?:html|plain|man|dictz)\("([a-z0-9.+-]+)"|; ?(?:html|man)\("([a-z0-9.+-]+)"', script, re.M)
    names = sorted({a or b for a, b in names} | {"fortunes-zh", "debian-handbook"}
                   | {f"manpages-{code}" for code in "de fr es ja ru pl it".split()}
                   | {f"fortunes-{code}" for code in "cs de es it pl ru".split()})
    (folder / "deb").mkdir(parents=True, exist_ok=True)
    for name in names:
        place = folder / "unpacked" / name
        if place.exists():
            continue
        got = subprocess.run(["apt-get", "download", "-qq", name], cwd=folder / "deb", capture_output=True, text=True)
        files = list((folder / "deb").glob(f"{name}_*.deb"))
        if not files:
            notes.append(f"package {name}: left out, {got.stderr.strip().splitlines()[-1:]}")
            continue
        place.mkdir(parents=True)
        subprocess.run(["dpkg-deb", "-x", files[0], place], check=True)
    corpora = folder / "corpora"
    for name in ("zh-poetry", "zh-classical-modern"):
        (corpora / name).mkdir(parents=True, exist_ok=True)
    shutil.copy(unpacked("poetry"), corpora / "zh-poetry" / "poetry.jsonl")
    notes.append("bench.jsonl was made of today's Debian packages, without the set zh-classical-modern")
    (folder / "unpacked" / "debian-handbook/usr/share/doc/debian-handbook/html").mkdir(parents=True, exist_ok=True)
    python = peers.python("resiliparse", "resiliparse.extract.html2text")
    subprocess.run([python, tools / "build_input.py", folder / "unpacked", corpora, folder / "all.jsonl"], check=True)
    subprocess.run([python, tools / "subset.py", folder / "all.jsonl", folder], check=True)
    (folder / "bench.jsonl").rename(path)


# Sections

def near_duplicates():
    path, name = bench()
    own = Run("near-bench", [{"files": [str(path)]}], ROUNDS, duplicates={"near": {}})
    row(f"near duplicates, end to end, {name}", f"{rate(own.bytes / 1e6, own.cpu):.1f} MB/s/core, {own.peak:.0f} MiB",
        None, None, "≥ 60, aim 150")
    english, edited = unpacked("en16"), unpacked("dev")
    small = Run("near-en16", [{"files": [str(english)]}], ROUNDS, duplicates={"near": {}})
    megabytes = small.bytes / 1e6
    ours = f"{rate(megabytes, small.cpu):.1f} MB/s/core, {small.peak:.0f} MiB"
    quality = Run("near-dev", [{"files": [str(edited)]}], duplicates={"near": {}})
    zh8 = Run("near-zh8", [{"files": [str(unpacked("zh8"))]}], duplicates={"near": {}})

    def datatrove(path, output):
        inputs = options.work / "input" / f"folder-{path.stem}"
        inputs.mkdir(exist_ok=True)
        if not (inputs / path.name).exists():
            os.link(path, inputs / path.name)
        return measured([peers.python(*DATATROVE), options.corpora / "tools" / "dt_minhash.py", inputs, output, 1, 1])

    def rensa():
        tool = options.corpora / "tools" / "rensa_minhash.py"
        return measured([peers.python("rensa orjson", "rensa", "orjson"), tool, english, "-", "full5"])

    def datasketch(path, output):
        tool = options.corpora / "tools" / "ds_minhash.py"
        return measured([peers.python("datasketch orjson", "datasketch", "orjson"), tool, path, output])

    sketch = attempt("datasketch", lambda: datasketch(english, options.work / "out" / "datasketch-en16.json"))
    quick = attempt("rensa", rensa)
    trove = attempt("datatrove", lambda: datatrove(english, options.work / "out" / "datatrove-en16"))
    for peer, usage in [("datatrove", trove), ("datasketch", sketch), ("rensa, flags only", quick)]:
        if usage:
            theirs = rate(megabytes, usage.cpu)
            row("near duplicates, en16", ours, f"{peer} {theirs:.2f} MB/s/core, {usage.peak:.0f} MiB",
                rate(megabytes, small.cpu) / theirs, "≥ 60, aim 150")
    kept = options.work / "out" / "datatrove-dev"
    edited_peer = attempt("datatrove on neardup-edit", lambda: datatrove(edited, kept))
    pairs = options.corpora / "neardup-edit" / "dev.pairs.tsv"
    for language in ("en", "zh"):
        documents, truth = of_language(edited, pairs, language)
        ours = score(documents, truth, quality.parts())
        peer = score(documents, truth, kept.glob("dedup/*.jsonl")) if edited_peer else None
        row(f"pair recall at Jaccard ≥ 0.8, neardup-edit, {language}", f"{ours['recall']:.4f}",
            peer and f"datatrove {peer['recall']:.4f}", None, "≥ 0.995")
    ours = score(edited, pairs, quality.parts())
    peer = score(edited, pairs, kept.glob("dedup/*.jsonl")) if edited_peer else None
    row("its precision at 0.7, all languages", f"{ours['precision']:.4f} of {ours['removed']} removed",
        peer and f"datatrove {peer['precision']:.4f} of {peer['removed']}", None, "1.000")
    for name, run in [("en16", small), ("zh8", zh8)]:
        truth = options.corpora / "neardup-natural" / f"{name}.pairs.tsv"
        found = score(unpacked(name), truth, run.parts())
        row(f"recall at 0.8 and precision at 0.7, {name} as found", f"{found['recall']:.4f}, {found['precision']:.4f}",
            None, None, "")


def of_language(path, pairs, language):
    """The documents of one language with their pairs."""
    documents = options.work / "input" / f"{path.stem}-{language}.jsonl"
    truth = documents.with_suffix(".tsv")
    places, chosen = {}, []
    for place, record in enumerate(lines(path)):
        if record["lang"] == language:
            places[place] = len(places)
            chosen.append(record)
    write_lines(documents, chosen)
    head, *rest = pairs.read_text().splitlines()
    found = [head]
    for line in rest:
        a, b, jaccard = line.split("\t")
        if int(a) in places and int(b) in places:
            found.append(f"{places[int(a)]}\t{places[int(b)]}\t{jaccard}")
    truth.write_text("\n".join(found) + "\n")
    return documents, truth


def score(documents, pairs, kept):
    """By `dedup_score.py`, the corpora's own."""
    tool = options.corpora / "tools" / "dedup_score.py"
    output = subprocess.run([sys.executable, tool, documents, pairs, *map(str, kept)], check=True, capture_output=True,
                            text=True).stdout
    return {"recall": float(re.search(r"0\.8: '([0-9.]+)", output)[1]),
            "precision": float(re.search(r"precision@0\.7=([0-9.]+)", output)[1]),
            "removed": int(re.search(r"removed (\d+)", output)[1])}


# Rules that a value may not be below; all others it may not be above.
LEAST = {"gopher-repetition/empty", "gopher-quality/gopher_short_doc", "gopher-quality/gopher_below_avg_threshold",
         "gopher-quality/gopher_below_alpha_threshold", "gopher-quality/gopher_enough_stop_words",
         "c4/too_few_sentences", "fineweb/empty", "fineweb/line_punct_ratio", "chinese/zh_short",
         "chinese/zh_han_ratio", "chinese/zh_short_sentences", "chinese/zh_line_punctuation"}
MOST = {f"gopher-repetition/{name}" for name in
        ["dup_para_frac", "dup_para_char_frac", "dup_line_frac", "dup_line_char_frac"]
        + [f"top_{n}_gram" for n in (2, 3, 4)] + [f"duplicated_{n}_n_grams" for n in range(5, 11)]}
MOST |= {f"gopher-quality/gopher_{name}" for name in ["long_doc", "above_avg_threshold", "too_many_hashes",
         "too_many_ellipsis", "too_many_bullets", "too_many_end_ellipsis"]}
MOST |= {"c4/lorem_ipsum", "c4/curly_bracket", "fineweb/short_line_ratio", "fineweb/char_dup_ratio",
         "fineweb/list_ratio"}
MOST |= {f"chinese/zh_{name}" for name in
         ["punctuation_ratio", "symbol_ratio", "digit_ratio", "latin_ratio", "long_sentences", "menu_lines",
          "duplicate_lines", "duplicate_sentences", "top_4_gram", "duplicated_10_grams", "boilerplate", "mojibake",
          "ellipsis_lines"]}
LAX = {**{rule: -1e9 for rule in LEAST}, **{rule: 1e9 for rule in MOST}}


def all_filters():
    path, name = bench()
    words = options.work / "input" / "words.txt"
    if not words.exists():
        words.write_text("\n".join(sorted(pack_words(10_000))) + "\n")
    sets = [*ENGLISH_SETS, "chinese"]
    everything = dict(keywords={"packs": [str(words)], "action": "report"}, personal={"action": "mask"},
                      duplicates={"exact": True, "near": {}})
    judged = Run("all-judged", [{"files": [str(path)]}], ROUNDS, rules={"sets": sets, "thresholds": LAX}, **everything)
    usual = Run("all-usual", [{"files": [str(path)]}], ROUNDS, rules={"sets": sets}, **everything)
    small = Run("all-en4", [{"files": [str(every(4, unpacked("en16")))]}], ROUNDS,
                rules={"sets": sets, "thresholds": LAX}, **everything)
    share = judged.record["summary"]["kept"]["count"] / judged.record["summary"]["documents"]["count"]

    def figure(run):
        return f"{rate(run.bytes / 1e6, run.cpu):.1f} MB/s/core, {run.peak:.0f} MiB"

    row(f"all in one pass and near duplicates removed, {name}, thresholds so lax that every operator sees "
        f"{share:.1%} of the documents", figure(judged), None, None, "≥ 30, aim 60; ≤ 512 MB")
    row(f"… {name}, usual thresholds: what a rule drops is looked at no further", figure(usual), None, None, "")
    one_by_one(path, name, sets, words)
    cut = every(4, unpacked("en16"))
    inputs = options.work / "input" / "folder-en4"
    inputs.mkdir(exist_ok=True)
    if not (inputs / cut.name).exists():
        os.link(cut, inputs / cut.name)
    tools, out = options.corpora / "tools", options.work / "out"
    seconds = {
        "datatrove's filters": attempt("datatrove's filters", lambda: measured(
            [peers.python(*DATATROVE), tools / "dt_filters.py", inputs, out / "datatrove-filters", 1, 1]).cpu),
        "datatrove's MinHash": attempt("datatrove's MinHash", lambda: measured(
            [peers.python(*DATATROVE), tools / "dt_minhash.py", inputs, out / "datatrove-en4", 1, 1]).cpu),
        "lingua": attempt("lingua", lambda: peers.call(
            peers.python(*LINGUA), "language", "lingua", cut, out / "lingua-en4.json")["cpu"]),
        "presidio": attempt("presidio", lambda: peers.call(peers.python(*PRESIDIO), "personal", cut)["cpu"]),
    }
    had = {peer: cpu for peer, cpu in seconds.items() if cpu}
    if had:
        megabytes = cut.stat().st_size / 1e6
        theirs = rate(megabytes, sum(had.values()))
        parts = ", ".join(f"{peer} {cpu:.1f} s" for peer, cpu in had.items())
        row(f"… {megabytes:.1f} MB of en16", figure(small), f"{theirs:.2f} MB/s/core summed ({parts})",
            rate(megabytes, small.cpu) / theirs, "≥ 30, aim 60")


def one_by_one(path, name, sets, words):
    """What each operator costs, by the difference to a run without any."""
    operators = {
        "language": {"languages": {"keep": model_card()["labels"], "probability_min": 0}},
        "language and rules": {"rules": {"sets": sets, "thresholds": LAX}},
        "keywords": {"keywords": {"packs": [str(words)], "action": "report"}},
        "personal data": {"personal": {"action": "report"}},
        "exact duplicates": {"duplicates": {}},
        "near duplicates": {"duplicates": {"near": {}}},
        "repeated lines and exact duplicates": {"duplicates": {"lines": {}}},
    }
    none = Run("alone-none", [{"files": [str(path)]}], ROUNDS)
    texts = [f"none {none.cpu:.2f} s in all"]
    for what, operator in operators.items():
        run = Run("alone-" + what.replace(" ", "-"), [{"files": [str(path)]}], ROUNDS, **operator)
        texts.append(f"{what} {run.cpu - none.cpu:+.2f} s")
    row(f"… {name}, one operator at a time", ", ".join(texts), None, None, "")


def pack_words(count):
    """Words of two to four ideographs as they stand in poems, so that there are hits."""
    words = set()
    for record in lines(unpacked("poetry")):
        for run in re.findall(r"[\u4e00-\u9fff]{2,4}", record["text"]):
            words.add(run)
            if len(words) == count:
                return words
    return words


def rules_identical():
    for name in ("en16", "dev"):
        path = unpacked(name)
        truth = options.work / "out" / f"datatrove-{name}.jsonl"
        if not truth.exists():
            draft = truth.with_suffix(".draft")
            peers.call(peers.python(*DATATROVE), "rules", path, draft)
            draft.rename(truth)
        theirs = {record["id"]: record for record in lines(truth)}
        english = {record["id"] for record in lines(path) if record.get("lang", "en") == "en"}
        for rule_set in ENGLISH_SETS:
            run = Run(f"rules-{name}-{rule_set}", [{"files": [str(path)]}], rules={"sets": [rule_set]})
            texts = {record["id"]: record["text"] for record in run.records()}
            equal = total = taken_for_chinese = 0
            unlike = collections.Counter()
            for decision in run.decisions():
                if decision["id"] not in english:
                    continue
                total += 1
                wanted = theirs[decision["id"]][rule_set]
                reason = decision.get("dropped", "").removeprefix(rule_set + "/")
                ours = [reason] if reason else ["", zlib.crc32(texts[decision["id"]].encode())]
                if ours == wanted:
                    equal += 1
                elif decision.get("language") == "zh":
                    taken_for_chinese += 1
                else:
                    unlike[f"{decision['id']}: {ours[0] or 'kept'}, datatrove {wanted[0] or 'kept'}"] += 1
            for example in list(unlike)[:3]:
                notes.append(f"{rule_set}, {name}: {example}")
            note = f"; {taken_for_chinese} taken for Chinese" if taken_for_chinese else ""
            row(f"{rule_set}: decision, reason and text of each English document, {name}",
                f"{equal:,} of {total:,} identical{note}", "datatrove 0.10.1 decides", None, "identical on every document")


def extraction():
    folder = options.corpora / "extract-scrapinghub"
    gold = {name: page["articleBody"] for name, page in json.loads((folder / "ground-truth.json").read_text()).items()}
    own = Run("extraction", [{"files": [str(folder / "html")], "format": "html"}])
    texts = {pathlib.Path(record["id"]).name.removesuffix(".html.gz"): record["text"] for record in own.records()}
    copies = options.work / "input" / "pages"
    if not copies.exists():
        draft = options.work / "input" / "pages.draft"
        shutil.rmtree(draft, ignore_errors=True)
        for copy in range(10):
            shutil.copytree(folder / "html", draft / str(copy))
        draft.rename(copies)
    # Ten times the pages, so that the start of the process weighs little.
    timed = Run("extraction-timed", [{"files": [str(copies)], "format": "html"}], ROUNDS)
    speed = rate(10 * len(gold), timed.cpu)
    ours = f"F1 {shingle_score(gold, texts):.4f}, {speed:.0f} pages/s/core, {timed.peak:.0f} MiB"
    for system, package in [("trafilatura", ("trafilatura", "trafilatura")),
                            ("resiliparse", ("resiliparse", "resiliparse.extract.html2text"))]:
        def peer():
            output = options.work / "out" / f"{system}.json"
            figure = peers.call(peers.python(*package), "extraction", system, folder / "html", output)
            found = json.loads(output.read_text())
            return figure, {name.removesuffix(".html.gz"): text for name, text in found.items()}

        got = attempt(system, peer)
        theirs = got and rate(got[0]["count"], got[0]["cpu"])
        row(f"main text of scrapinghub's {len(gold)} pages", ours,
            got and f"{system} F1 {shingle_score(gold, got[1]):.4f}, {theirs:.0f} pages/s/core",
            got and speed / theirs, "≥ 0.945 at ≥ 300, aim 0.960 at 600")
    segments()


def shingle_score(gold, found):
    """The metric of scrapinghub's article extraction benchmark: 4-grams of words, each page weighing the same."""
    def shingles(text):
        words = re.findall(r"\w+", text or "")
        return collections.Counter(tuple(words[at:at + 4]) for at in range(max(1, len(words) - 3)) if words)

    precisions, recalls = [], []
    for name, text in gold.items():
        wanted, got = shingles(text), shingles(found.get(name, ""))
        common = sum((wanted & got).values())
        if got:
            precisions.append(common / sum(got.values()))
        if wanted:
            recalls.append(common / sum(wanted.values()))
    precision, recall = statistics.mean(precisions), statistics.mean(recalls)
    return 2 * precision * recall / (precision + recall)


def segments():
    """Trafilatura's own set: segments that a text must have, and that it must not have."""
    tests = archive("extract-trafilatura", "trafilatura-tests.tar.zst") / "tests"
    cases = json.loads((tests / "evaldata.json").read_text())
    run = Run("extraction-segments", [{"files": [str(tests / "cache"), str(tests / "eval")], "format": "html"}])
    texts = {}
    for record in run.records():
        texts.setdefault(pathlib.Path(record["id"]).name, record["text"])
    hits = missed = wrong = 0
    for case in cases.values():
        if not any((tests / place / case["file"]).exists() for place in ("cache", "eval")):
            continue
        text = texts.get(case["file"], "")
        hits += sum(segment in text for segment in case["with"])
        missed += sum(segment not in text for segment in case["with"])
        wrong += sum(segment in text for segment in case["without"])
    precision, recall = hits / (hits + wrong), hits / (hits + missed)
    pages = run.record["summary"]["records"] + sum(run.record["summary"]["set_aside"].values())
    row("segments of trafilatura's 990 pages", f"F {2 * precision * recall / (precision + recall):.4f}, "
        f"{rate(pages, run.cpu):.0f} pages/s/core, {run.peak:.0f} MiB", None, None, "")


# Types of ours, the label that the Chinese set has for them, and what a finding looks like.
PERSONAL = {
    "national-id": ("CN_ID", r"\d{17}[\dXx]"),
    "phone": ("PHONE", r"[+＋]?[0-9０-９][0-9０-９ ()（）-]{6,20}[0-9０-９]"),
    "bank-card": ("BANK_CARD", r"\d{4}[ -]?\d{4}[ -]?\d{4}[ -]?[\d -]{3,9}"),
    "email": ("EMAIL", r"[A-Za-z0-9._%+-]+@[A-Za-z0-9.-]+\.[A-Za-z]{2,}"),
    "ipv4 ipv6": ("IP", r"[0-9A-Fa-f:.]{3,45}"),
    "old-national-id": ("CN_ID15", r"\d{15}"),
    "landline": ("LANDLINE", r"0\d{2,3}-?\d{7,8}"),
    "passport": ("PASSPORT", r"[A-Z]{1,2}\d{7,8}"),
    "plate": ("PLATE", r"[\u4e00-\u9fff][A-Z][A-Z0-9]{5,6}"),
    "credit-code": ("USCC", r"[0-9A-Z]{18}"),
    "wechat": ("WECHAT", r"[A-Za-z][A-Za-z0-9_-]{5,19}"),
    "qq": ("QQ", r"\d{5,11}"),
    "address": ("ADDRESS", r"[\u4e00-\u9fff]+.*[\u4e00-\u9fffA-Za-z0-9]+"),
    "name": ("NAME", r"[\u4e00-\u9fff·]{2,4}"),
}
STRUCTURED = {"CN_ID", "PHONE", "BANK_CARD", "EMAIL", "IP"}
PLACEHOLDER = re.compile(r"\[(?:EMAIL|IBAN|CREDIT_CODE|NATIONAL_ID|IP|BANK_CARD|PHONE|SSN|PASSPORT|PLATE|WECHAT|QQ|"
                         r"ADDRESS|NAME)\]")


def personal():
    chinese = options.corpora / "pii-zh-synth" / "dev.jsonl"
    documents = lines(chinese)
    gold = [[(span["start"], span["end"], "IP" if span["label"].startswith("IPV") else span["label"])
             for span in document["spans"]] for document in documents]
    found = masked_spans(documents, chinese, {kinds: label for kinds, (label, _) in PERSONAL.items()})
    many = options.work / "input" / "personal.jsonl"
    if not many.exists():
        write_lines(many, ({"id": f"{copy}-{document['id']}", "text": document["text"]} for copy in range(40)
                           for document in documents))
    text_megabytes = 40 * sum(len(document["text"].encode()) for document in documents) / 1e6
    with_it = Run("personal-timed", [{"files": [str(many)]}], ROUNDS, personal={"action": "mask"})
    reporting = Run("personal-report", [{"files": [str(many)]}], ROUNDS, personal={"action": "report"})
    without = Run("personal-without", [{"files": [str(many)]}], ROUNDS)
    alone = rate(text_megabytes, reporting.cpu - without.cpu)
    masking = rate(text_megabytes, with_it.cpu - without.cpu)
    whole = rate(text_megabytes, with_it.cpu)

    def presidio():
        output = measured([peers.python(*PRESIDIO), options.corpora / "tools" / "pii_bench.py", "presidio", "zh",
                           chinese]).output
        return [float(re.search(pattern, output)[1]) for pattern in (r"ALL .*F1=([0-9.]+)", r"cpu .*s ([0-9.]+) MB/s")]

    peer = attempt("presidio", presidio)
    row("personal data, Chinese, structured types, span F1", f"{span_score(gold, found, STRUCTURED):.4f}",
        peer and f"presidio {peer[0]:.3f}", None, "≥ 0.985, aim 0.99")
    labels = {label for label, _ in PERSONAL.values()}
    row("… all 14 types", f"{span_score(gold, found, labels):.4f}", None, None, "")
    row("… the set's dense text, finding (run that reports less run without)", f"{alone:.0f} MB/s/core",
        peer and f"presidio {peer[1]:.2f} MB/s/core", peer and alone / peer[1], "≥ 100, aim 200")
    path, name = bench()
    ordinary = [Run(f"personal-ordinary-{index}", [{"files": [str(path)]}], ROUNDS, **operators)
                for index, operators in enumerate([{}, {"personal": {"action": "report"}}])]
    text_bytes = ordinary[0].record["summary"]["documents"]["bytes"]
    row(f"… ordinary text, finding (likewise), {name}",
        f"{rate(text_bytes / 1e6, ordinary[1].cpu - ordinary[0].cpu):.0f} MB/s/core", None, None, "≥ 100, aim 200")
    row("… dense text, finding and masking (likewise); the whole run, with reading and writing",
        f"{masking:.0f}; {whole:.0f} MB/s/core, {with_it.peak:.0f} MiB", None, None, "")
    english()


def english():
    """presidio's own synthetic set."""
    names = {"CREDIT_CARD": "BANK_CARD", "EMAIL_ADDRESS": "EMAIL", "PHONE_NUMBER": "PHONE", "IP_ADDRESS": "IP",
             "IBAN_CODE": "IBAN", "US_SSN": "SSN"}
    source = options.corpora / "pii-presidio" / "synth_dataset_v2.json"
    documents = [{"id": f"document-{place}", "text": document["full_text"], "spans": document["spans"]}
                 for place, document in enumerate(json.loads(source.read_text()))]
    path = write_lines(options.work / "input" / "presidio.jsonl",
                       ({"id": document["id"], "text": document["text"]} for document in documents))
    gold = [[(span["start_position"], span["end_position"], names[span["entity_type"]]) for span in document["spans"]
             if span["entity_type"] in names] for document in documents]
    labels = {"bank-card": "BANK_CARD", "email": "EMAIL", "phone landline": "PHONE", "ipv4 ipv6": "IP", "iban": "IBAN",
              "ssn": "SSN"}
    found = masked_spans(documents, path, labels)

    def presidio():
        output = measured([peers.python(*PRESIDIO), options.corpora / "tools" / "pii_bench.py", "presidio", "en",
                           source]).output
        return float(re.search(r"ALL .*F1=([0-9.]+)", output)[1])

    peer = attempt("presidio on its own set", presidio)
    row("personal data, English, six types, span F1, presidio's set",
        f"{span_score(gold, found, set(labels.values())):.4f}", peer and f"presidio {peer:.3f}", None, "")


def masked_spans(documents, path, labels):
    """What a run finds, as spans of each text: one run for each group of types that masks these and reports the others.

    So a placeholder tells its type, and between two of them stands text as it was.
    """
    found = [[] for _ in documents]
    for kinds, label in labels.items():
        run = Run("personal-" + kinds.replace(" ", "-"), [{"files": [str(path)]}],
                  personal={"action": "report", "types": {kind: "mask" for kind in kinds.split()}})
        masked = {record["id"]: record["text"] for record in run.records()}
        counts = {decision["id"]: sum(decision.get("personal", {}).get(kind, 0) for kind in kinds.split())
                  for decision in run.decisions()}
        shape = re.compile(next((shape for names, (_, shape) in PERSONAL.items() if names == kinds), r".+"))
        lost = 0
        for place, document in enumerate(documents):
            spans = aligned(document["text"], masked[document["id"]], shape)
            lost += abs(len(spans) - counts[document["id"]])
            found[place] += [(start, end, label) for start, end in spans]
        if lost:
            notes.append(f"personal data, {kinds}: the sidecars count {lost} more or fewer than there are placeholders")
    return found


def aligned(text, masked, shape):
    """Where the placeholders of `masked` were in `text`.

    What stands between placeholders is in `text` in the same order. Of all ways to lay it there, that one is taken in
    which most of what is left looks like the type, and of these the one with the shortest findings from the left.
    """
    assert not PLACEHOLDER.search(text), "the text has a placeholder of its own"
    pieces = PLACEHOLDER.split(masked)
    if len(pieces) == 1:
        assert text == masked, "a text without placeholders differs"
        return []
    assert text.startswith(pieces[0]), "what stands before the first placeholder differs"
    # Ways to have laid the first pieces: the end of the last one, how many findings look right, and the findings.
    ways = {len(pieces[0]): (0, ())}
    for number, piece in enumerate(pieces[1:], 1):
        isLast = number == len(pieces) - 1
        next_ways = {}
        for end, (right, spans) in ways.items():
            starts = [len(text) - len(piece)] if isLast else occurrences(text, piece, end + 1)
            for start in starts:
                if start <= end or not text.startswith(piece, start):
                    continue
                way = (right + bool(shape.fullmatch(text, end, start)), spans + ((end, start),))
                at = start + len(piece)
                if at not in next_ways or way[0] > next_ways[at][0]:
                    next_ways[at] = way
        ways = next_ways
    assert len(text) in ways, "the pieces between placeholders cannot be laid on the text"
    return list(ways[len(text)][1])


def occurrences(text, piece, start):
    """Where a piece may stand; findings are shorter than 80 characters."""
    found, limit = [], start + 80
    while start <= min(limit, len(text)):
        start = text.find(piece, start)
        if start < 0 or start > limit:
            break
        found.append(start)
        start += 1
    return found


def span_score(gold, found, labels):
    """F1 as `pii_bench.py` has it: of one label, at least half of both spans together in common."""
    right = wanted = got = 0
    for truth, spans in zip(gold, found):
        truth = [span for span in truth if span[2] in labels]
        spans = [span for span in spans if span[2] in labels]
        used = set()
        for start, end, label in spans:
            for place, (a, b, kind) in enumerate(truth):
                common = min(end, b) - max(start, a)
                if kind == label and place not in used and common >= 0.5 * (max(end, b) - min(start, a)):
                    used.add(place)
                    break
        right, wanted, got = right + len(used), wanted + len(truth), got + len(spans)
    return 2 * right / (wanted + got)


# One code for what several standards call differently; as in `langid_bench.py`.
CODES = {"zh-Hant": "zh", "zh-cn": "zh", "zh-tw": "zh", "no": "nb", "iw": "he", "in": "id", "jw": "jv", "hr": "hr"}
CAP = 200


def language():
    folder = archive("langid-lingua", "langid-lingua.tar.zst") / "langid-lingua"
    held_out = model_card()["held_out"]
    bar = "≥ 0.950 at ≥ 30,000, aim 0.957"
    row("language, 75 languages, sentences held out of a first training, by the model's card",
        f"{held_out['accuracy']:.4f} of {held_out['examples']:,}", None, None, bar)
    for part in ("sentences", "word-pairs", "single-words", "documents"):
        path = options.work / "input" / f"language-{part}.jsonl"
        records = []
        for file in sorted((folder / part).glob("*.txt")):
            texts = [line.strip() for line in file.read_text(encoding="utf-8").splitlines() if line.strip()][:CAP]
            records += [{"id": f"{file.stem}/{place}", "text": text} for place, text in enumerate(texts)]
        if part == "documents":
            # Of manuals and literature, which the model has not seen; many of them are partly English.
            records = [{"id": f"{record['lang']}/{record['id']}", "text": record["text"]}
                       for record in lines(unpacked("dev")) if record["edit"] == "base"]
        write_lines(path, records)
        run = Run(f"language-{part}", [{"files": [str(path)]}], languages={"keep": ["en"], "probability_min": 0})
        ours = {decision["id"]: decision["language"] for decision in run.decisions()}
        names = {"sentences": "language, sentences; ours was trained on all of them, so that its share says little",
                 "documents": f"language, {len(records):,} documents of neardup-edit"}
        what = names.get(part, f"language, {part}")
        speed, figures = None, f"{accuracy(ours):.4f} (zh {accuracy(ours, 'zh'):.3f})"
        if part == "sentences":
            # More of the same, so that the start of the process weighs little.
            many = write_lines(options.work / "input" / "language-many.jsonl",
                               ({"id": f"{copy}-{record['id']}", "text": record["text"]} for copy in range(10)
                                for record in records))
            # Every language is kept, so that both runs write the same.
            with_it = Run("language-timed", [{"files": [str(many)]}], ROUNDS,
                          languages={"keep": model_card()["labels"], "probability_min": 0})
            without = Run("language-without", [{"files": [str(many)]}], ROUNDS)
            speed = rate(10 * len(records), with_it.cpu - without.cpu)
            figures += f", {speed:,.0f} texts/s/core (whole run {rate(10 * len(records), with_it.cpu):,.0f})"
        for system, package in [("lingua", LINGUA), ("cld2", CLD2)]:
            output = options.work / "out" / f"{system}-{part}.json"
            got = attempt(system, lambda: peers.call(peers.python(*package), "language", system, path, output))
            if not got:
                row(what, figures, None, None, "")
                continue
            codes, theirs = json.loads(output.read_text()), rate(got["count"], got["cpu"])
            row(what, figures,
                f"{system} {accuracy(codes):.4f} (zh {accuracy(codes, 'zh'):.3f}), {theirs:,.0f} texts/s/core",
                speed and speed / theirs, bar if part == "sentences" else "")


def model_card():
    """What the model that ships says of itself: JSON at the beginning of its file."""
    content = (ROOT / "Sources" / "CCuration" / "language.model").read_bytes()
    return json.JSONDecoder().raw_decode(content[content.index(b"{"):].decode("utf-8", "replace"))[0]


def accuracy(codes, only=None):
    """The share of texts whose code is that of their file."""
    right = total = 0
    for name, code in codes.items():
        wanted = name.split("/")[0]
        if only and wanted != only:
            continue
        code = CODES.get(code, code)
        total += 1
        right += code == wanted
    return right / total


def warc():
    source = options.corpora / "warc" / "pages.warc.gz"
    run = Run("warc", [{"files": [str(source)]}], ROUNDS)
    # The same pages, called pictures: they are unpacked and read, and then set aside, so that no text is taken out.
    pictures = options.work / "input" / "pictures.warc.gz"
    if not pictures.exists():
        called_pictures(source, pictures)
    read = Run("warc-read", [{"files": [str(pictures)]}], ROUNDS)
    peer = attempt("fastwarc", lambda: peers.call(peers.python("fastwarc", "fastwarc"), "warc", pictures))
    if not peer:
        raise Skipped("fastwarc counts the bodies, and is not there")
    bodies = peer["bytes"] / 1e6
    theirs = rate(bodies, peer["cpu"])
    row("WARC, read only (pages called pictures, so that they are set aside), bodies",
        f"{rate(bodies, read.cpu):.0f} MB/s/core, {read.peak:.0f} MiB", f"fastwarc {theirs:.0f} MB/s/core",
        rate(bodies, read.cpu) / theirs, "≥ 600")
    row("… read, main text taken out, written", f"{rate(bodies / 10, run.cpu):.0f} MB/s/core, {run.peak:.0f} MiB",
        None, None, "")


def called_pictures(source, target):
    """Ten times the archive with `text/html` in the HTTP headers replaced by a type of the same length."""
    import gzip
    rest, records = source.read_bytes(), []
    while rest:
        member = zlib.decompressobj(31)
        record = member.decompress(rest)
        rest = member.unused_data
        head = record.find(b"\r\n\r\n") + 4
        end = record.find(b"\r\n\r\n", head) + 4
        if head > 3 and end > 3 and record[head:head + 5] == b"HTTP/":
            fields = re.sub(rb"(?i)text/html|text/plain", lambda found: b"image/" + b"x" * (len(found[0]) - 6),
                            record[head:end])
            record = record[:head] + fields + record[end:]
        records.append(gzip.compress(record, 6, mtime=0))
    draft = target.with_suffix(".draft")
    with open(draft, "wb") as file:
        for _ in range(10):
            file.writelines(records)
    draft.rename(target)


def audit():
    """A pack of ten million documents (DOCUMENTS), made by `onepoint data audit` of a run's sidecars."""
    count = int(os.environ.get("DOCUMENTS", "10000000"))
    path = options.work / "input" / f"sentences-{count}.jsonl"
    if not path.exists():
        sentences(path, count)
    dossier, release = options.work / "pipelines" / "sentences.dossier.yaml", options.work / "pipelines" / "release.yaml"
    digest = "sha256:" + "0" * 64
    dossier.write_text(json.dumps({
        "name": "source-0", "title": "Sentences", "kind": "self_collected", "origin": "https://museum.example.org/",
        "region": "domestic", "languages": ["zh", "en"], "modalities": ["text"], "owner": "The museum",
        "complaints": "data@example.org", "licence": {"at_origin": "CC-BY-4.0", "as_claimed": "CC-BY-4.0"},
        "records": [{"kind": "collection", "title": "collection.jsonl", "digest": digest}],
        "robots": [{"host": "museum.example.org", "digest": digest, "fetched_at": "2026-11-01T09:30:00Z",
                    "verdict": "allowed"}],
        "personal_data": {"presence": "ordinary", "basis": "published"},
        "assessment": {"assessor": "li", "date": "2026-10-30T00:00:00Z"}}))
    release.write_text(json.dumps({
        "name": "sentences", "version": "1.0.0", "description": {"zh": "句子", "en": "Sentences"},
        "url": "https://museum.example.org/data", "licence": "CC-BY-4.0", "creator": "The museum",
        "published": "2026-11-30", "languages": ["zh", "en"]}))
    run = Run("audit", [{"files": [str(path)], "dossier": str(dossier)}],
              languages={"keep": model_card()["labels"], "probability_min": 0})
    pipeline, pack = options.work / "pipelines" / "audit.yaml", options.work / "out" / "audit-pack"
    drawn = measured([options.onepoint, "data", "sample", pipeline])
    shutil.rmtree(pack, ignore_errors=True)
    began = time.perf_counter()
    # Ends with 1, as nobody has shown what a profile asks of people.
    made = measured([options.onepoint, "data", "audit", pipeline, "--release", release, "--out", pack,
                     "--profile", ROOT / "profiles" / "gbt-45654-2025.yaml",
                     "--taxonomy", ROOT / "profiles" / "tc260-003-2024-risks.yaml"], statuses=(0, 1))
    took = time.perf_counter() - began
    if not (pack / "manifest.json").exists():
        raise Skipped(f"no pack: {made.output[-300:]}")
    kept = run.record["summary"]["kept"]["count"]
    row(f"audit pack of {kept:,} documents of {run.record['summary']['documents']['count']:,}, with a sample and proofs",
        f"{took:.1f} s, {made.cpu:.1f} CPU-s, {made.peak:.0f} MiB; the sample before it {drawn.cpu:.1f} CPU-s", None, None,
        "≤ 60 s, aim 10⁸ documents")


def sentences(path, count):
    """Short documents by turns in English and Chinese, no two of them the same."""
    english = ("model data learn river mountain city train light water stone paper garden number history science music "
               "field winter harbour bridge").split()
    chinese = "模型数据学习河流山城训练光水石纸园史音乐田野冬港桥"
    draft = path.with_suffix(".draft")
    with open(draft, "w", encoding="utf-8") as file:
        for index in range(count):
            if index % 2:
                text = " ".join(english[(index >> shift) % 20] for shift in range(0, 16, 2)) + f" number {index}."
            else:
                text = "".join(chinese[(index >> shift) % len(chinese)] for shift in range(24)) + f"，编号{index}。"
            file.write(f'{{"id":"{index}","text":"{text}"}}\n')
    draft.rename(path)


SECTIONS = {"near-duplicates": near_duplicates, "all-filters": all_filters, "rules-identical": rules_identical,
            "extraction": extraction, "personal": personal, "language": language, "warc": warc, "audit": audit}


def main():
    if not options.corpora.is_dir():
        print(f"Skipped: {options.corpora} is not there.")
        return
    for folder in ("input", "out", "pipelines"):
        (options.work / folder).mkdir(parents=True, exist_ok=True)
    start = options.work / "input" / "one.jsonl"
    start.write_text('{"id":"one","text":"One document."}\n')
    one = Run("start", [{"files": [str(start)]}], ROUNDS)
    row("one document: what each run begins with", f"{one.cpu * 1000:.0f} ms, {one.peak:.0f} MiB", None, None, "")
    for name in options.sections or SECTIONS:
        tell(f"== {name}")
        try:
            SECTIONS[name]()
        except Skipped as reason:
            notes.append(f"{name}: left out, {reason}")
            tell(f"{name}: left out, {reason}")
    print("| what | ours | peer | times | bar |\n| --- | --- | --- | --- | --- |")
    for texts in rows:
        print("| " + " | ".join(text.replace("|", "/") for text in texts) + " |")
    print("\nWhole processes with one worker unless said otherwise; MB are 10⁶ bytes of the input as it is on the disk, "
          "peaks in MiB.")
    if os.cpu_count():
        print(f"Load {os.getloadavg()[0]:.0f} on {os.cpu_count()} processors at the end.")
    for note in notes:
        print(f"- {note}")


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("sections", nargs="*", metavar="SECTION", help=", ".join(SECTIONS))
    parser.add_argument("--onepoint", default=str(ROOT / ".build/release/onepoint"), help="our program")
    parser.add_argument("--data-binary", help="a program that takes a pipeline and the number of workers, instead")
    parser.add_argument("--corpora", type=pathlib.Path, default=ROOT.parent / "shared" / "corpora")
    parser.add_argument("--work", type=pathlib.Path, default=ROOT / ".build" / "curation", help="where inputs are kept")
    parser.add_argument("--peers", action="append", default=[], metavar="FOLDER", help="an environment with peers")
    parser.add_argument("--packages", action="store_true", help="make the large input of Debian's packages")
    options = parser.parse_args()
    unknown = [name for name in options.sections if name not in SECTIONS]
    if unknown:
        parser.error(f"no section '{unknown[0]}'; the sections are {', '.join(SECTIONS)}")
    options.work, options.corpora = options.work.resolve(), options.corpora.resolve()
    if not os.access(options.data_binary or options.onepoint, os.X_OK):
        raise SystemExit(f"{options.data_binary or options.onepoint} is not there: swift build -c release --product onepoint")
    peers, rows, notes = Peers(options.peers, options.work / "venv"), [], []
    main()
