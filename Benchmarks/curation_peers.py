#!/usr/bin/env python3
"""What the peers of `curation.py` do, each in an environment that has it: `curation_peers.py WHAT ARGUMENT…`.

Prints one JSON object. CPU seconds are of the work itself: imports, models and reading files are left out, which is in
the peers' favour, since ours are of whole processes.
"""
import gzip, json, os, sys, time, zlib


def records(path):
    with open(path, "rb") as file:
        return [json.loads(line) for line in file]


def rules(path, output):
    """Decisions of datatrove's filters on every document, each filter for itself, and C4's text."""
    from datatrove.data import Document
    from datatrove.pipeline.filters import (C4QualityFilter, FineWebQualityFilter, GopherQualityFilter,
                                            GopherRepetitionFilter)
    filters = {
        "gopher-repetition": GopherRepetitionFilter(),
        "gopher-quality": GopherQualityFilter(),
        "c4": C4QualityFilter(filter_no_terminal_punct=False),
        "fineweb": FineWebQualityFilter(),
    }
    with open(output, "w") as file:
        for record in records(path):
            row = {"id": record["id"]}
            for name, rule in filters.items():
                document = Document(text=record["text"], id=record["id"])
                try:
                    verdict = rule.filter(document)
                except ZeroDivisionError:
                    row[name] = ["raises"]
                    continue
                reason = verdict[1] if isinstance(verdict, tuple) else "" if verdict else "failed"
                row[name] = [reason] if reason else ["", zlib.crc32(document.text.encode())]
            file.write(json.dumps(row) + "\n")
    return {}


def extraction(system, folder, output):
    """Main texts of the pages in a folder."""
    if system == "trafilatura":
        import trafilatura

        def extract(page):
            return trafilatura.extract(page, include_comments=False) or ""
    else:
        from resiliparse.extract.html2text import extract_plain_text
        from resiliparse.parse.html import HTMLTree

        def extract(page):
            return extract_plain_text(HTMLTree.parse(page), main_content=True, alt_texts=False, links=False,
                                      list_bullets=False, preserve_formatting=True)
    pages = {}
    for name in sorted(os.listdir(folder)):
        path = os.path.join(folder, name)
        content = gzip.open(path).read() if name.endswith(".gz") else open(path, "rb").read()
        pages[name] = content.decode("utf-8", "replace")
    extract("<html><body><p>Once, so that everything is loaded.</p></body></html>")
    texts = {}
    began = time.process_time()
    for name, page in pages.items():
        try:
            texts[name] = extract(page)
        except Exception:  # a page that a peer cannot read has no text
            texts[name] = ""
    seconds = time.process_time() - began
    with open(output, "w") as file:
        json.dump(texts, file)
    return {"cpu": seconds, "count": len(pages)}


def language(system, path, output):
    """A code for every record."""
    if system == "cld2":
        import pycld2

        def detect(text):
            try:
                return pycld2.detect(text.encode("utf-8", "ignore"), bestEffort=True)[2][0][1]
            except Exception:
                return "un"
    else:
        from lingua import LanguageDetectorBuilder
        detector = LanguageDetectorBuilder.from_all_languages().with_preloaded_language_models().build()

        def detect(text):
            found = detector.detect_language_of(text)
            return found.iso_code_639_1.name.lower() if found else "un"
    rows = records(path)
    began = time.process_time()
    codes = [detect(row["text"]) for row in rows]
    seconds = time.process_time() - began
    with open(output, "w") as file:
        json.dump({row["id"]: code for row, code in zip(rows, codes)}, file)
    return {"cpu": seconds, "count": len(rows)}


def personal(path):
    """presidio's pattern recognizers over every record, for their speed; `pii_bench.py` scores them."""
    import spacy
    from presidio_analyzer import AnalyzerEngine, RecognizerRegistry
    from presidio_analyzer.nlp_engine import SpacyNlpEngine

    class Blank(SpacyNlpEngine):
        def __init__(self):
            super().__init__(models=[{"lang_code": "en", "model_name": "blank"}])
            self.nlp = {"en": spacy.blank("en")}

        def load(self):
            pass

        def is_loaded(self):
            return True

    registry = RecognizerRegistry()
    registry.load_predefined_recognizers(languages=["en"])
    engine = AnalyzerEngine(registry=registry, nlp_engine=Blank(), supported_languages=["en"])
    kinds = ["CREDIT_CARD", "EMAIL_ADDRESS", "PHONE_NUMBER", "IP_ADDRESS", "IBAN_CODE", "US_SSN"]
    rows = records(path)
    began = time.process_time()
    found = sum(len(engine.analyze(row["text"], language="en", entities=kinds)) for row in rows)
    return {"cpu": time.process_time() - began, "found": found}


def warc(path):
    """Reads every response with its HTTP headers and its body."""
    from fastwarc.warc import ArchiveIterator, WarcRecordType
    began = time.process_time()
    bodies = count = 0
    with open(path, "rb") as file:
        for record in ArchiveIterator(file, record_types=WarcRecordType.response, parse_http=True):
            bodies += len(record.reader.read())
            count += 1
    return {"cpu": time.process_time() - began, "bytes": bodies, "count": count}


if __name__ == "__main__":
    known = {"rules": rules, "extraction": extraction, "language": language, "personal": personal, "warc": warc}
    print(json.dumps(known[sys.argv[1]](*sys.argv[2:])))
