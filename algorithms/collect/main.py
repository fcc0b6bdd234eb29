"""Collects and cleans English and Chinese text from the documentation of Debian packages; one element's share of it."""

import gzip
import hashlib
import json
import os
import re
import time
from collections import Counter
from dataclasses import dataclass
from pathlib import Path

import pages
import roff
from contract import BadInput, Contract, main, say, write_json

FILE_LIMIT_BYTES = 8 * 1024 * 1024
DOCUMENT_MINIMUM_CHARACTERS = 200
# Below this much raw text the named packages are mostly absent, and English manual pages of any package are taken too.
SUPPLEMENT_BELOW_BYTES = 3_000_000
SUPPLEMENT_LIMIT_BYTES = 6_000_000

_CJK = re.compile(r"[\u3400-\u9fff\uf900-\ufaff]")
_LETTER = re.compile(r"[A-Za-z\u00c0-\u024f\u0370-\u04ff\u3400-\u9fff\uf900-\ufaff]")
_MANUAL = re.compile(r"share/man/(?:(?P<locale>[a-z]{2}(?:_[A-Z]{2})?)/)?man\d\w*/(?P<page>[^/]+)$")
_LEGAL = re.compile(
    r"^(?:Copyright|版权所有|著作权|This (?:man )?page is part of|Permission is granted|License GPL|许可证 ?GPL|授权条款|"
    r"This is free software|本软件是自由软件|这是自由软件|这是免费的软件|本软件没有任何担保|在法律允许的范围|在法律所允许|由 .{1,40} (?:编写|撰写)|"
    r"Written by|GNU coreutils (?:online|的)|GNU coreutils .{0,8}help|关于 .{1,30} 的(?:完整|全部)文档|请向|将.{0,12}错误报告|"
    r"完整文档请|完整文档|或者在本地使用|.{0,30}的完整文档|(?:要)?获取(?:完整|更多)文档|如果 info 和 .{1,20}程序)",
    re.IGNORECASE,
)

_PROJECT = re.compile(r"翻译计划|翻譯計劃|cmpp\.linuxforum|man-pages-zh|中文 ?man ?手册")
# Some translators put a space after every word, which Chinese does not do: then the spaces say nothing.
_SPACED = re.compile(r"(?<=[\u3400-\u9fff\uff00-\uffef\u3000-\u303f]) +(?=[\u3400-\u9fff\uff00-\uffef\u3000-\u303f])")
SPACED_SHARE = 0.04


@dataclass
class Source:
    """A file that may become a document."""

    path: str
    package: str | None
    content: str

    @property
    def locale(self):
        match = _MANUAL.search(self.path)
        return (match["locale"] or "en") if match else None

    @property
    def group(self) -> str:
        """One key for a page and its translations, so that they stay together in a share and in a split."""
        match = _MANUAL.search(self.path)
        return "man/" + match["page"].removesuffix(".gz").lower() if match else self.path


def listed_files(database: Path, packages: list[str]) -> dict[str, str]:
    """Path to package, after the lists of dpkg. Reading them is thousands of times faster than asking `dpkg -S`."""
    owners = {}
    for package in packages:
        for name in [f"{package}.list", *(f"{package}:{arch}.list" for arch in ("amd64", "arm64"))]:
            try:
                lines = (database / name).read_text(encoding="utf-8", errors="replace").splitlines()
            except OSError:
                continue
            for line in lines:
                owners[line] = package
    return owners


def wanted(path: str, paths) -> bool:
    """Whether the file is text to be read by people: a manual page, or a document that is not there twice."""
    name = os.path.basename(path).removesuffix(".gz")
    manual = _MANUAL.search(path)
    if manual:
        return manual["locale"] in (None, "zh_CN", "zh_TW")
    if "/share/doc/" not in path or re.match(r"(?i)copyright|changelog|changes|todo|news|thanks|posix-manpages|index\.", name):
        return False
    if not (name.endswith((".html", ".txt", ".md")) or "." not in name):
        return False
    # A text or a book in one piece beside its own chapters, and the past versions of a document beside the last one.
    stem = re.sub(r"(?:\.en)?\.(?:html|txt|md)$", "", path.removesuffix(".gz"))
    if stem.endswith("debian-faq"):
        return False
    current = re.sub(r"\.\d+\.\d+$", "", stem)
    return current == stem or not any(f"{current}{end}" in paths for end in (".txt", ".txt.gz", ".html"))


def read(path: str) -> str | None:
    """The text of a file, decompressed; nothing when it is a link to another page, too long, or not text."""
    try:
        if os.path.islink(path) or not os.path.isfile(path):
            return None
        with open(path, "rb") as file:
            content = file.read(FILE_LIMIT_BYTES + 1)
        if content[:2] == b"\x1f\x8b":
            with gzip.open(path, "rb") as file:
                content = file.read(FILE_LIMIT_BYTES + 1)
    except (OSError, EOFError):
        return None
    if len(content) > FILE_LIMIT_BYTES or b"\0" in content:
        return None
    try:
        return content.decode("utf-8")
    except UnicodeDecodeError:
        return content.decode("latin-1") if _MANUAL.search(path) and "/zh" not in path else None


def candidates(root: Path, packages: list[str]) -> tuple[list[Source], bool]:
    """All files there are, sorted by path, without repeats; the same list in every element.

    The flag says whether manual pages of other packages had to be added.
    """
    database = root / "var/lib/dpkg/info"
    owners = listed_files(database, packages)
    paths = {path: package for path, package in owners.items() if wanted(path, owners)}
    if not paths:  # no dpkg database: look at the places where these packages put their files
        for folder in ("usr/share/man/zh_CN", "usr/share/man/zh_TW", "usr/share/doc/debian"):
            found = {"/" + str(p.relative_to(root)): None for p in sorted((root / folder).rglob("*")) if p.is_file()}
            paths.update((path, None) for path in found if wanted(path, found))
    sources = _sources(root, paths)
    supplemented = sum(len(source.content) for source in sources) < SUPPLEMENT_BELOW_BYTES
    if supplemented:
        others = []
        for section in ("man7", "man5", "man8", "man1"):
            others += ["/" + str(p.relative_to(root)) for p in sorted((root / "usr/share/man" / section).glob("*"))]
        room = SUPPLEMENT_LIMIT_BYTES
        for path in others:
            if room <= 0:
                break  # a machine may have tens of thousands of pages
            for source in _sources(root, {path: None} if path not in paths else {}):
                room -= len(source.content)
                sources.append(source)
    seen, unique = set(), []
    for source in sorted(sources, key=lambda source: source.path):
        digest = hashlib.sha256(source.content.encode()).digest()
        if digest not in seen:
            seen.add(digest)
            unique.append(source)
    return unique, supplemented


def _sources(root, paths):
    read_ones = ((path, package, read(str(root).rstrip("/") + path)) for path, package in sorted(paths.items()))
    return [Source(path, package, content) for path, package, content in read_ones if content]


def share_of(group: str, count: int) -> int:
    """The element that a group of documents belongs to; of the name alone, so no element needs to ask another."""
    return int.from_bytes(hashlib.sha256(group.encode()).digest()[:8], "big") % count


def clean(source: Source, counts: Counter) -> str:
    """The source's paragraphs that are text in its language."""
    if source.locale is not None:
        text = roff.text(source.content)
    elif source.path.removesuffix(".gz").endswith(".html"):
        text = pages.html(source.content)
    else:
        text = pages.plain(source.content)
    kept = []
    for paragraph in text.split("\n"):
        paragraph = re.sub(r"[\x00-\x08\x0b-\x1f\x7f-\x9f\u200b\u200e\u200f\ufeff\ufffd]", "", paragraph)
        paragraph = re.sub(r"[ \t\u00a0\u3000]+", " ", paragraph).strip()
        letters = len(_LETTER.findall(paragraph))
        if len(paragraph) < 2 or letters < 0.5 * len(re.sub(r"\s", "", paragraph)):
            counts["paragraphs_without_words"] += 1
        elif source.locale in ("zh_CN", "zh_TW") and not _CJK.search(paragraph):
            counts["paragraphs_untranslated"] += 1
        elif _LEGAL.match(paragraph):
            counts["paragraphs_legal"] += 1
        elif _PROJECT.search(paragraph) or re.fullmatch(r"\S*(?:https?://|@)\S*", paragraph):
            counts["paragraphs_addresses"] += 1
        else:
            kept.append(paragraph)
    joined = "\n".join(kept)
    if len(_SPACED.findall(joined)) > SPACED_SHARE * len(_CJK.findall(joined)):
        counts["files_respaced"] += 1
        joined = _SPACED.sub("", joined)
    return joined


def language(text: str) -> str:
    """`zh` when at least a fifth of the letters are Chinese characters: commands and options stay English anyway."""
    letters = len(_LETTER.findall(text))
    return "zh" if letters and len(_CJK.findall(text)) >= 0.2 * letters else "en"


def collect(sources: list[Source], index: int, count: int, traditional: bool) -> tuple[list[dict], Counter]:
    """The documents of one share, in the order of their paths, and what was left out of it and why."""
    counts = Counter()
    documents, seen = [], set()
    own = [source for source in sources if share_of(source.group, count) == index]
    simplified = {source.group for source in own if source.locale == "zh_CN"}
    counts["files_in_share"] = len(own)
    for source in own:
        # Most pages in Traditional Chinese are the Simplified ones, converted: the same text a second time.
        if source.locale == "zh_TW" and source.group in simplified and not traditional:
            counts["files_in_the_other_script"] += 1
            continue
        paragraphs = []
        for paragraph in clean(source, counts).split("\n"):
            # Families of pages share whole paragraphs; short ones (headings, options) may well come again.
            if len(paragraph) >= 60 and paragraph in seen:
                counts["paragraphs_repeated"] += 1
                continue
            seen.add(paragraph)
            paragraphs.append(paragraph)
        text = "\n".join(paragraphs)
        if len(text) < (DOCUMENT_MINIMUM_CHARACTERS if source.locale not in ("zh_CN", "zh_TW") else DOCUMENT_MINIMUM_CHARACTERS // 2):
            counts["files_too_short"] += 1
            continue
        documents.append(
            {
                "id": hashlib.sha256(text.encode()).hexdigest()[:16],
                "source": source.path,
                "package": source.package,
                "group": source.group,
                "language": language(text),
                "text": text,
            }
        )
    return documents, counts


def program(contract: Contract):
    started = time.monotonic()
    contract.heed_sigterm(at_once=True)
    packages = [name for name in re.split(r"[\s,]+", contract.parameter("packages", str, "manpages,manpages-zh,doc-debian,debian-faq")) if name]
    if not packages or not all(re.fullmatch(r"[a-z0-9][a-z0-9.+-]*", name) for name in packages):
        raise BadInput("the parameter 'packages' must name at least one Debian package, separated by commas")
    root = Path(contract.parameter("root", str, "/"))
    sources, supplemented = candidates(root, packages)
    say(f"found {len(sources)} files, {sum(len(s.content) for s in sources)} characters before cleaning")
    if supplemented:
        say(f"the packages {', '.join(packages)} bring too little text here; English manual pages of others are added")
    documents, counts = collect(sources, contract.array_index, contract.array_count, contract.parameter("traditional", bool, False))
    size = sum(len(document["text"].encode()) for document in documents)
    minimum = contract.parameter("minimum_bytes", int, 100_000)
    if size < minimum:
        raise BadInput(
            f"this share has only {size} bytes of text where at least {minimum} are asked for; "
            f"are the packages {', '.join(packages)} installed on this machine?"
        )
    folder = contract.output("text")
    with (folder / "documents.jsonl").open("w", encoding="utf-8") as file:
        for document in documents:
            file.write(json.dumps(document, ensure_ascii=False) + "\n")
    by_language = {
        name: {
            "documents": sum(d["language"] == name for d in documents),
            "bytes": sum(len(d["text"].encode()) for d in documents if d["language"] == name),
        }
        for name in ("en", "zh")
    }
    stats = {
        "element": contract.array_index,
        "elements": contract.array_count,
        "documents": len(documents),
        "bytes": size,
        "languages": by_language,
        "packages": dict(sorted(Counter(d["package"] or "unknown" for d in documents).items())),
        "supplemented": supplemented,
        "left_out": {name: number for name, number in sorted(counts.items()) if name != "files_in_share"},
        "files_in_share": counts["files_in_share"],
        "seconds": round(time.monotonic() - started, 3),
    }
    write_json(folder / "stats.json", stats)
    say(
        f"element {contract.array_index + 1} of {contract.array_count}: {len(documents)} documents, {size} bytes "
        f"(English {by_language['en']['bytes']}, Chinese {by_language['zh']['bytes']}) in {stats['seconds']:.1f} s"
    )


if __name__ == "__main__":
    main(program)
