#!/usr/bin/env python3
"""Write a few inputs of each kind for `scripts/fuzz` to begin with: seeds.py FOLDER FIXTURES."""
import gzip
import json
import pathlib
import shutil
import subprocess
import sys

folder, fixtures = pathlib.Path(sys.argv[1]), pathlib.Path(sys.argv[2])


def seed(target, name, data):
    (folder / target).mkdir(parents=True, exist_ok=True)
    (folder / target / name).write_bytes(data.encode() if isinstance(data, str) else data)


text = "The first sentence. 第二句话，有逗号。\nhttp://a.example/x?y=z 13812345678 anna@example.org\n" * 4
page = ("<!doctype html><html lang=zh><head><meta charset=gb2312><title>T</title></head><body><nav><a href=/a>b</a></nav>"
        "<article><h1>标题</h1><p>" + "一段正文，有标点。" * 20 + "</p><table><tr><td colspan=9>x</table><pre>a\n b</pre>"
        "</article><script>if (a<b) {}</script></body></html>")
warc = ("WARC/1.0\r\nWARC-Type: response\r\nWARC-Record-ID: <urn:uuid:1>\r\nWARC-Target-URI: http://a.example/\r\n"
        "WARC-Date: 2026-01-01T00:00:00Z\r\nContent-Type: application/http; msgtype=response\r\nContent-Length: {}\r\n\r\n{}"
        "\r\n\r\n")
http = "HTTP/1.1 200 OK\r\nContent-Type: text/html; charset=utf-8\r\nTransfer-Encoding: chunked\r\n\r\n5\r\n<p>ab\r\n0\r\n\r\n"
record = warc.format(len(http), http)
for target, packed in [("gzip", gzip.compress(text.encode()) * 2), ("sitemap", gzip.compress(b"<urlset/>"))]:
    seed(target, "packed", (b"\x20" if target == "gzip" else b"") + packed)
if shutil.which("zstd"):
    packed = subprocess.run(["zstd", "-q", "-c"], input=text.encode(), stdout=subprocess.PIPE, check=True).stdout
    seed("zstd", "packed", b"\x20" + packed)
seed("warc", "plain", "\0" + record * 2)
seed("warc", "packed", b"\0" + gzip.compress(record.encode()) * 2)
seed("jsonl", "record", '{"id":"1","text":"a\\n\\u4e2d\\ud83d\\ude00\\"","n":[1.5e3,{"text":null}],"t":true}')
for path in sorted(fixtures.glob("Parquet/*")):
    if path.stat().st_size < 60000:
        seed("parquet", path.name, path.read_bytes())
seed("html", "page", page)
for encoding in ["gb18030", "big5", "euc-kr", "shift_jis", "euc-jp", "iso-2022-jp", "utf-16"]:
    for number, label in enumerate(["none", "utf-8", "gb18030", "gbk", "big5", "euc-kr", "shift_jis", "euc-jp"]):
        if number in (0, 5):
            seed("charset", f"{encoding}-{label}", bytes([0x80 | number]) + "<meta charset=x>中文字 テスト 한국어".encode(encoding, "replace"))
for path in sorted(fixtures.glob("Tokens/**/*.json")):
    if path.stat().st_size < 60000:
        seed("tokenizer", path.name, path.read_bytes())
vocabulary = {chr(97 + n): n for n in range(26)} | {"ab": 26}
seed("tokenizer", "bpe", json.dumps({"model": {"type": "BPE", "vocab": vocabulary, "merges": ["a b"]},
                                     "pre_tokenizer": {"type": "ByteLevel", "add_prefix_space": False, "use_regex": True}}))
seed("tokenizer", "unigram", json.dumps({"model": {"type": "Unigram", "unk_id": 0, "vocab": [["<unk>", 0], ["a", -1.5]]}}))
seed("tokenizer", "wordpiece", json.dumps({"normalizer": {"type": "BertNormalizer"}, "pre_tokenizer": {"type": "BertPreTokenizer"},
                                           "model": {"type": "WordPiece", "unk_token": "[UNK]", "vocab": {"[UNK]": 0, "a": 1, "##b": 2}}}))
seed("yaml", "pipeline", "name: web\nsources:\n  - {name: a, files: [a/*.jsonl], fields: {text: t}}\nrules: {sets: [c4], thresholds: {a/b: 1}}\n"
     "personal: {action: mask, types: {phone: drop}}\nduplicates: {near: {jaccard_min: 0.8}, substrings: {}}\noutput: {folder: out}\n")
seed("yaml", "crawl", "name: m\nproduct: p\ncontact: a@b\nseeds: ['https://a/']\nscope: {hosts: [a, {name: b, allow_private: true}]}\noutput: o\n")
seed("yaml", "odd", "a: &x [1, 0x1F, .5, ~, 'b', \"\\u4e2d\", |\n  block\n]\nb: *x\n? c\n: !!str d\n")
seed("robots", "file", "\ufeffUser-agent: *\r\nDisallow: /a*b$\nAllow: /%E4%B8%AD\nCrawl-delay: 1.5\nUser-Agent: Fuzz\nSitemap: http://a/\n")
seed("sitemap", "xml", "<?xml version='1.0'?><urlset><url><loc>http://a.example/&amp;&#20013;</loc><lastmod>2026</lastmod></url><![CDATA[x]]></urlset>")
seed("sitemap", "address", "http://user@a.example:80/../b/./c?d#e")
seed("personal", "text", text + " 身份证11010519491231002X 京A12345 [2001:db8::1] 4111 1111 1111 1111 北京市海淀区中关村大街1号 联系人：王小明")
seed("keywords", "pack", "word\tcategory\t3\n敏感词\nａｂｃ\n\0a 敏 感*词 ABC word 詞")
for number, body in enumerate([text, page, "# " + "一句话。" * 60]):
    seed("rules", str(number), bytes([number]) + body.encode())
    seed("repeats", str(number), body)
