"""Plain text from manual pages: the part of the roff language that such pages use.

This is no typesetter. It keeps the words and the paragraphs, drops requests, fonts and conditional preambles, and leaves
out what does not read as text (tables, equations, pictures). Requests after groff(7), macros after man(7) and mdoc(7).
"""

import re

# Sections that repeat from page to page, or that list names and addresses rather than say something.
BOILERPLATE_SECTIONS = (
    r"COLOPHON|COPYRIGHT|COPYING|LICEN[CS]E|AUTHORS?|REPORTING BUGS|SEE ALSO|AVAILABILITY|SYNOPSIS|TRANSLAT\w+|版权|版權|版權宣告|版权声明|"
    r"版权信息|作者|作者群|著者|报告\s*BUGS?|報告\s*BUGS?|报告错误|报告程序缺陷|報告程式缺陷|参见|參見|另见|另見|参看|參看|亦見|亦见|参考|參考|中文版\S*|"
    r"\[?中文版\S*|跋|译者|譯者|翻译\S*|翻譯\S*|语法|語法|概述|概要|总览|總覽|大纲|大綱"
)
_BOILERPLATE = re.compile(rf"^\W*(?:\S+\s*)?(?:{BOILERPLATE_SECTIONS})\b|^\W*(?:{BOILERPLATE_SECTIONS})", re.IGNORECASE)

_CHARACTERS = {
    "aq": "'", "dq": '"', "lq": "“", "rq": "”", "oq": "‘", "cq": "’", "bu": "•", "co": "©", "rg": "®", "tm": "™",
    "em": "—", "en": "–", "hy": "-", "mi": "−", "pl": "+", "mu": "×", "di": "÷", "+-": "±", "->": "→", "<-": "←",
    "<=": "≤", ">=": "≥", "!=": "≠", "==": "≡", "rs": "\\", "ga": "`", "ha": "^", "ti": "~", "at": "@", "sh": "#",
    "Do": "$", "or": "|", "ba": "|", "sl": "/", "lC": "{", "rC": "}", "lB": "[", "rB": "]", "la": "<", "ra": ">",
    "de": "°", "mc": "µ", "*m": "µ", "if": "∞", "ss": "ß", "sc": "§", "Bq": "„", "Fo": "«", "Fc": "»", "12": "½",
    "14": "¼", "34": "¾", "S2": "²", "S3": "³", "lh": "", "ua": "↑", "da": "↓", "fm": "′", "sd": "″", "bv": "|",
    "o'": "ó", "e'": "é", "a'": "á", "i'": "í", "u'": "ú", "'o": "ó", "'e": "é", "'a": "á", "'i": "í", "'u": "ú",
    ":o": "ö", ":a": "ä", ":u": "ü", ":e": "ë", "`e": "è", "`a": "à", "^e": "ê", "^o": "ô", ",c": "ç", "~n": "ñ",
    "oA": "Å", "oa": "å", "/o": "ø", "/O": "Ø", ":O": "Ö", ":A": "Ä", ":U": "Ü", "ps": "¶", "dg": "†", "dd": "‡",
    "Eu": "€", "Po": "£", "ct": "¢", "Ye": "¥", "no": "¬", "ap": "∼", "~~": "≈", "sq": "□", "OK": "✓", "'c": "ć",
    "/l": "ł", "/L": "Ł", "vs": "š", "vc": "č", "vz": "ž", "nu": "ν", "*a": "α", "*b": "β", "*p": "π", "*l": "λ",
}
_STRINGS = {"lq": "“", "rq": "”", "R": "®", "Tm": "™", "``": "“", "''": "”", "C'": "'", "C`": "'", "Aq": "'", "--": "—", "C+": "C++", "PX": "POSIX", "UX": "UNIX"}

_ESCAPE = re.compile(
    r"""\\(?:
      (?P<comment>["\#].*)
    | (?P<quoted>[bhlLovwxXDHNSRZ]'[^']*')
    | f(?:\(..|\[[^\]]*\]|.)
    | F(?:\(..|\[[^\]]*\]|.)
    | s(?:[-+]?\[[^\]]*\]|[-+]?\(?\d\d?|'[^']*'|[-+]\d)
    | [mMYkgnV](?:\(..|\[[^\]]*\]|.)
    | \*(?:\((?P<string2>..)|\[(?P<stringn>[^\]]*)\]|(?P<string1>.))
    | \((?P<char2>..)
    | \[(?P<charn>[^\]]*)\]
    | C'(?P<charc>[^']*)'
    | (?P<one>.)
    | $
    )""",
    re.VERBOSE,
)
_ONE = {"e": "\\", "\\": "\\", "-": "-", "'": "'", "`": "`", "~": " ", " ": " ", "0": " ", "t": " ", ".": ".", "_": "_"}


def unescape(line: str) -> str:
    """The characters that roff would print for a line's escape sequences."""
    if "\\" not in line:
        return line

    def character(name):
        if name.startswith("u") and re.fullmatch(r"u[0-9A-Fa-f]{4,6}", name):
            return chr(int(name[1:], 16)) if int(name[1:], 16) < 0x110000 else ""
        return _CHARACTERS.get(name, "")

    def replace(match):
        for group in ("char2", "charn", "charc"):
            if match[group] is not None:
                return character(match[group])
        for group in ("string1", "string2", "stringn"):
            if match[group] is not None:
                return _STRINGS.get(match[group], "")
        if match["one"] is not None:
            return _ONE.get(match["one"], "")
        return ""

    return _ESCAPE.sub(replace, line)


def arguments(rest: str) -> list[str]:
    """A request's arguments: words, or phrases in double quotes in which a doubled quote stands for one."""
    found = re.findall(r'"((?:[^"]|"")*)"?|((?:\\ |\S)+)', rest)
    return [(quoted.replace('""', '"') if not plain else plain) for quoted, plain in found]


_CJK = r"\u2e80-\u9fff\uf900-\ufaff\uff00-\uffef\u3000-\u303f"
# Lines of Chinese are joined without a space; so is what follows a full-width punctuation mark.
_CJK_JOIN = re.compile(rf"(?<=[{_CJK}])\n(?=[{_CJK}])")
_CJK_PUNCTUATION_GAP = re.compile(r"(?<=[，。；：、！？（）“”《》]) +(?=\S)| +(?=[，。；：、！？）])")
LITERAL_LIMIT_LINES = 4  # longer examples are programs and tables, not text

BULLETS = ("•", "*", "-", "o", "–", "—", "+", "·")

_MDOC_DROPPED = {"Dd", "Dt", "Os", "Bd", "Ed", "Bl", "El", "Bk", "Ek", "Sm", "Tn", "Ns", "Rs", "Re"}
_MDOC_INLINE = {
    "Fl", "Ar", "Op", "Cm", "Nm", "Pa", "Em", "Sy", "Li", "Ev", "Va", "Xr", "Ic", "Dv", "Er", "Fn", "Ft", "Fa", "Fd",
    "In", "Nd", "Ql", "Dq", "Sq", "Pq", "Aq", "Bq", "Do", "Dc", "So", "Sc", "Po", "Pc", "Oo", "Oc", "Ad", "Ms", "No",
    "Bx", "At", "Ux", "Fx", "Nx", "Vt", "Cd", "D1", "Dl", "Qq", "Lk", "Mt", "An", "St", "Bo", "Bc", "Ao", "Ac", "Qo", "Qc",
}
_MDOC_CLOSING = {".", ",", ":", ";", ")", "]", "?", "!"}


def _mdoc(name, rest, page):
    """The text of one line of mdoc(7), whose arguments may be macros in turn."""
    words, dash, glue = [], False, False
    for word in [name] + arguments(rest):
        if word in _MDOC_INLINE or word in ("Ns", "It", "Xo", "Xc"):
            dash = word == "Fl"
            glue = glue or word == "Ns"
            if word == "Nm" and not rest:
                words.append(page)
            continue
        word = unescape(word)
        if not word:
            continue
        if dash and word not in _MDOC_CLOSING:
            word, dash = "-" + word, False
        if words and (glue or word in _MDOC_CLOSING):
            words[-1] += word
        else:
            words.append(word)
        glue = False
    return " ".join(words)


def text(source: str) -> str:
    """The readable text of a manual page, one line per paragraph.

    Returns an empty string for a page that only refers to another one (`.so`).
    """
    if re.match(r"(?:[.']\\\".*\n)*\.so ", source):
        return ""
    source = re.sub(r"\\\n", "", source)
    paragraphs, current, example = [], [], []
    literal = skip_section = False
    tag_lines = 0  # how many coming text lines are a .TP's label, to be joined with its first line
    label = ""
    page = ""
    lines = iter(source.split("\n"))

    def flush():
        nonlocal current, label
        body = _CJK_JOIN.sub("", "\n".join(current))
        if label:
            separator = " " if label[-1] in ").]:" else ": "
            body, label = (label + separator + body if body else label), ""
        body = _CJK_PUNCTUATION_GAP.sub("", re.sub(r"\s+", " ", body)).strip()
        if body and not skip_section:
            paragraphs.append(body)
        current = []

    def flush_literal():
        nonlocal example
        if len(example) <= LITERAL_LIMIT_LINES and not skip_section:
            paragraphs.extend(example)
        example = []

    def heading(title):
        nonlocal skip_section, literal, tag_lines
        flush()
        flush_literal()
        literal, tag_lines = False, 0
        title = re.sub(r"\s+", " ", unescape(title)).strip(' "')
        skip_section = bool(_BOILERPLATE.match(title))
        return title

    def add(content):
        nonlocal tag_lines, label, current
        if literal:
            if content.strip():
                example.append(re.sub(r"\s+", " ", content).strip())
            return
        if not content.strip():
            flush()
            return
        if tag_lines:
            tag_lines = 0
            flush()
            label = re.sub(r"\s+", " ", content).strip()
            if len(label) > 200:  # not a label but a page that forgot its line break
                current, label = [label], ""
            elif label in BULLETS:
                label = ""
            return
        current.append(content.strip())

    for line in lines:
        if line[:1] not in (".", "'"):
            add(unescape(line))
            continue
        match = re.match(r"[.']\s*([^\s\\\"]*)\s*(.*)$", line)
        name, rest = (match[1], match[2]) if match else ("", "")
        if name in ("de", "de1", "am", "ig"):
            end = (arguments(rest) + ["", ""])[1 if name != "ig" else 0] or "."
            for inner in lines:
                if re.match(rf"[.']\s*{re.escape(end)}", inner):
                    break
        elif name in ("if", "ie", "el", "while"):
            depth = rest.count("\\{") - rest.count("\\}")
            while depth > 0:
                inner = next(lines, None)
                if inner is None:
                    break
                depth += inner.count("\\{") - inner.count("\\}")
        elif name in ("TS", "EQ", "PS", "G1"):
            closing = {"TS": "TE", "EQ": "EN", "PS": "PE", "G1": "G2"}[name]
            flush()
            for inner in lines:
                if inner.startswith("." + closing):
                    break
        elif name in ("TH", "Dt"):
            page = (arguments(rest) + [""])[0].lower()
        elif name in ("SH", "Sh", "SS", "Ss"):
            title = rest or next(lines, "")
            if name in ("SS", "Ss"):
                if skip_section:
                    continue
                flush()
                flush_literal()
                literal, tag_lines = False, 0
                title = re.sub(r"\s+", " ", unescape(" ".join(arguments(title)))).strip()
            else:
                title = heading(" ".join(arguments(title)))
            # A heading of its own line ends in nothing that closes a sentence; that is how readers know it.
            if title and not skip_section and title.upper() not in ("NAME", "名称", "名稱", "名字", "名字 NAME"):
                paragraphs.append(title)
        elif name in ("PP", "P", "LP", "Pp", "sp", "br", "HP", "RS", "RE", "IP", "TP", "TQ", "It", "ti", "in", "bp", "ce"):
            flush()
            tag_lines = 0
            if name in ("TP", "TQ"):
                tag_lines = 1
            elif name == "IP" and rest:
                label = unescape((arguments(rest) + [""])[0]).strip()
                label = "" if label in BULLETS else label
            elif name == "It" and rest:
                label = _mdoc(name, rest, page)
        elif name in ("nf", "EX", "Vb"):
            flush()
            literal = True
        elif name in ("fi", "EE", "Ve"):
            flush()
            flush_literal()
            literal = False
        elif name in ("B", "I", "SM", "SB", "R"):
            add(unescape(" ".join(arguments(rest))) if rest else unescape(next(lines, "")))
        elif name in ("BR", "RB", "BI", "IB", "IR", "RI"):
            add(unescape("".join(arguments(rest))))
        elif name in ("UR", "MT", "UE", "ME", "URL"):
            add(unescape(arguments(rest)[0])) if name in ("UR", "MT") and rest else None
        elif name in _MDOC_DROPPED:
            flush()
        elif name in _MDOC_INLINE:
            add(_mdoc(name, rest, page))
    flush()
    flush_literal()
    return "\n".join(paragraphs)
