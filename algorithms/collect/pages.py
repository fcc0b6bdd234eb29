"""Plain text from HTML pages and from files that are text already, one line per paragraph."""

import re
from html.parser import HTMLParser

_BLOCKS = {"p", "li", "dt", "dd", "h1", "h2", "h3", "h4", "h5", "h6", "td", "th", "div", "blockquote", "br", "tr", "table", "ul", "ol", "dl"}
_SILENT = {"script", "style", "head", "pre", "nav"}
_NAVIGATION = {"navheader", "navfooter", "toc", "indexterm", "index", "list-of-tables", "list-of-figures", "legalnotice", "copyright"}


class _Paragraphs(HTMLParser):
    """Collects the paragraphs outside of navigation, tables of contents, programs and styles."""

    def __init__(self):
        super().__init__(convert_charrefs=True)
        self.paragraphs, self._current, self._silent = [], [], []

    def handle_starttag(self, tag, attributes):
        classes = set((dict(attributes).get("class") or "").split())
        if self._silent:
            if tag == self._silent[-1]:
                self._silent.append(tag)  # of the same kind inside: its end must not be taken for ours
            return
        if tag in _SILENT or (tag in ("div", "dl", "p", "a") and classes & _NAVIGATION):
            self._silent.append(tag)
        elif tag in _BLOCKS:
            self._flush()

    def handle_endtag(self, tag):
        if self._silent:
            if tag == self._silent[-1]:
                self._silent.pop()
        elif tag in _BLOCKS:
            self._flush()

    def handle_data(self, data):
        if not self._silent:
            self._current.append(data)

    def close(self):
        super().close()
        self._flush()

    def _flush(self):
        paragraph = re.sub(r"\s+", " ", "".join(self._current)).strip()
        if paragraph:
            # "Chapter 10." and "10.3." number a book that is not here as a whole.
            self.paragraphs.append(re.sub(r"^(?:Chapter \d+\.|\d+(?:\.\d+)+\.)\s*", "", paragraph))
        self._current = []


def html(source: str) -> str:
    parser = _Paragraphs()
    parser.feed(source)
    parser.close()
    return "\n".join(parser.paragraphs)


def plain(source: str) -> str:
    """Paragraphs of wrapped text: joined lines, split at blank lines and before items of lists; underlines dropped."""
    paragraphs = []
    for block in re.split(r"\n[ \t]*\n", source.expandtabs()):
        lines = [line for line in block.split("\n") if not re.fullmatch(r"\W*", line)]
        start = 0
        for i in range(1, len(lines) + 1):
            if i == len(lines) or re.match(r"\s*(?:\d+(?:\.\d+)*\.|[-*•+]|\(\w\)|[A-Z]\.)\s", lines[i]):
                paragraphs.append(re.sub(r"\s+", " ", " ".join(lines[start:i])).strip())
                start = i
    return "\n".join(paragraph for paragraph in paragraphs if paragraph)
