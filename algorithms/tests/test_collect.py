"""Collecting: roff and HTML become text, shares are disjoint and complete, nothing comes twice."""

import gzip
import json
import shutil
import sys
import tempfile
import unittest
from pathlib import Path

ALGORITHMS = Path(__file__).resolve().parent.parent
sys.path.insert(0, str(ALGORITHMS / "common"))
sys.path.insert(0, str(ALGORITHMS / "collect"))
sys.path.insert(0, str(Path(__file__).resolve().parent))
import contract_fake
import pages
import roff

PAGE = r"""'\" t
.\" a comment
.de XX
.tm never seen
..
.ie n .ds Aq '
.TH PROBE 1 2024-01-01 "tests" "User Commands"
.SH NAME
probe \- looks at {name}
.SH SYNOPSIS
.B probe
[\fIoption\fP]...
.SH DESCRIPTION
The
.BR probe (1)
command \fBlooks\fP at things\(emcarefully.
It does so for a long time, since looking is {name} what this command is about and nothing else.
.PP
See the file \fI/etc/probe\-{name}.conf\fR; it\(aqs read at the start of every run of the command.
.TP
.BR \-v ", " \-\-verbose
Say more than the command would say without it, on the standard error stream.
.TS
l l.
a	b
.TE
.nf
one
two
three
four
five
.fi
.SH COPYRIGHT
Copyright of nobody.
"""
CHINESE = """.TH PROBE 1
.SH 名称
probe \\- 查看 %s 文件
.SH 描述
.PP
这个 命令 查看 文件 的 内容，
并且 把 结果 写到 标准 输出。 %s
.PP
This paragraph was never translated and is left out.
.TP
\\fB\\-v\\fP
显示 %s 的更多信息，在标准错误输出中说明每一个步骤，以及命令为什么这样做，直到命令结束为止。
再说一遍：这个选项只改变命令说什么，不改变命令做什么；没有这个选项的时候，命令只在出错的时候才说话。
.SH 作者
某人
"""


class Text(unittest.TestCase):
    def test_a_manual_page_becomes_paragraphs(self):
        text = roff.text(PAGE.replace("{name}", "it"))
        self.assertEqual(
            text.split("\n"),
            [
                "probe - looks at it",
                "DESCRIPTION",
                "The probe(1) command looks at things—carefully. It does so for a long time, since looking is it what this "
                "command is about and nothing else.",
                "See the file /etc/probe-it.conf; it's read at the start of every run of the command.",
                "-v, --verbose: Say more than the command would say without it, on the standard error stream.",
            ],
        )

    def test_chinese_lines_join_without_spaces(self):
        self.assertIn("内容，并且", roff.text(CHINESE))

    def test_a_page_that_only_refers_is_empty(self):
        self.assertEqual(roff.text(".so man1/probe.1\n"), "")

    def test_html_without_navigation(self):
        source = "<html><head><title>x</title></head><body><div class='navheader'><p>Next</p></div><h1>1.2. Why</h1>" \
            "<p>Because\nof <em>this</em> &amp; that.</p><div class='toc'><div>deep</div>toc</div><pre>code</pre><ul><li>one</ul></body>"
        self.assertEqual(pages.html(source).split("\n"), ["Why", "Because of this & that.", "one"])

    def test_plain_text_joins_lines_and_keeps_items(self):
        source = "Title\n=====\n\nA line\n  goes on.\n\n  1. first\n     item\n  2. second\n"
        self.assertEqual(pages.plain(source).split("\n"), ["Title", "A line goes on.", "1. first item", "2. second"])


class Shares(unittest.TestCase):
    def setUp(self):
        self.folder = Path(tempfile.mkdtemp())
        self.addCleanup(shutil.rmtree, self.folder)
        self.root = self.folder / "root"
        listed = []
        for i in range(30):
            listed.append(self.write(f"usr/share/man/man7/probe{i}.7.gz", PAGE.replace("{name}", f"number{i}")))
            listed.append(self.write(f"usr/share/man/zh_CN/man7/probe{i}.7.gz", CHINESE % (i, i, i)))
            listed.append(self.write(f"usr/share/man/zh_TW/man7/probe{i}.7.gz", CHINESE % (i, f"（{i}）", i)))
        listed.append(self.write("usr/share/man/man7/copy.7.gz", PAGE.replace("{name}", "number3")))
        listed.append(self.write("usr/share/man/de/man7/probe1.7.gz", PAGE))
        database = self.root / "var/lib/dpkg/info"
        database.mkdir(parents=True)
        (database / "probes.list").write_text("/.\n/usr\n" + "\n".join(listed) + "\n")

    def write(self, path, text):
        target = self.root / path
        target.parent.mkdir(parents=True, exist_ok=True)
        target.write_bytes(gzip.compress(text.encode()))
        return "/" + path

    def collect(self, name, index, count, **parameters):
        parameters = {"root": str(self.root), "packages": "probes", "minimum_bytes": 0, **parameters}
        statuses, log = contract_fake.run("collect", self.folder / name, element=(index, count), parameters=parameters)
        return statuses, log, self.folder / name / "outputs/text"

    def documents(self, name, index, count):
        statuses, log, output = self.collect(name, index, count)
        self.assertEqual(statuses, [0], log)
        lines = (output / "documents.jsonl").read_text(encoding="utf-8").splitlines()
        stats = json.loads((output / "stats.json").read_text())
        self.assertEqual(stats["documents"], len(lines))
        return [json.loads(line) for line in lines]

    def test_are_disjoint_and_complete_and_repeatable(self):
        shares = [self.documents(f"share{i}", i, 4) for i in range(4)]
        together = sorted(d["source"] for share in shares for d in share)
        self.assertEqual(len(together), len(set(together)))
        self.assertEqual(together, sorted(d["source"] for d in self.documents("whole", 0, 1)))
        # 30 English pages (the copy and the German one left out) and 30 in Simplified Chinese.
        self.assertEqual(len(together), 60)
        self.assertEqual({d["language"] for share in shares for d in share}, {"en", "zh"})
        self.assertEqual(self.documents("again", 2, 4), shares[2])
        for share in shares:  # a page and its translation are never parted
            groups = {d["group"] for d in share}
            self.assertFalse(groups & {d["group"] for other in shares if other is not share for d in other})

    def test_say_where_a_document_is_from(self):
        document = next(d for d in self.documents("whole", 0, 1) if d["source"].endswith("zh_CN/man7/probe4.7.gz"))
        self.assertEqual(document["package"], "probes")
        self.assertEqual(document["language"], "zh")
        self.assertNotIn("never translated", document["text"])
        self.assertIn("这个命令查看文件的内容，并且把结果写到标准输出。", document["text"])

    def test_absence_of_text_is_one_line_and_status_2(self):
        for name, parameters in (("little", {"minimum_bytes": 10**7}), ("names", {"packages": "../etc"})):
            statuses, log, _ = self.collect(name, 0, 1, **parameters)
            self.assertEqual(statuses, [2], log)
            self.assertEqual(log.strip().splitlines()[-1][:7], "error: ", log)
            self.assertNotIn("Traceback", log)

    def test_works_without_a_package_database(self):
        shutil.rmtree(self.root / "var")
        statuses, log, output = self.collect("nolists", 0, 1)
        self.assertEqual(statuses, [0], log)
        documents = [json.loads(line) for line in (output / "documents.jsonl").read_text().splitlines()]
        self.assertEqual({d["package"] for d in documents}, {None})


if __name__ == "__main__":
    unittest.main()
