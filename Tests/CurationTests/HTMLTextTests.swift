import Curation
import Testing

/// The parser, seen through the text it leads to.
@Suite struct HTMLTextTests {
    static func text(_ html: String) -> String {
        var extractor = PageExtractor()
        var text: [UInt8] = []
        _ = extractor.extract(Array(html.utf8).span, into: &text)
        return String(decoding: text, as: UTF8.self)
    }

    @Test(
        "tags, omitted tags and what is no text follow the standard",
        arguments: [
            ("<p>one<p>two<div>three</div>four", "one\n\ntwo\n\nthree\n\nfour"),
            ("<ul><li>a<li>b<ul><li>c</ul><li>d</ul>", "- a\n- b\n- c\n- d"),
            ("<dl><dt>word<dd>meaning<dt>other<dd>sense</dl>", "- word\n- meaning\n- other\n- sense"),
            ("<table><tr><td>a<td>b<tr><td>c<th>d</table>", "a | b\nc | d"),
            ("<table><tbody><tr><td><table><tr><td>in</table>out</table>after", "in\n\nout\n\nafter"),
            ("<b><p>bold</b> and not</p><i>end</i>", "bold and not\n\nend"),
            ("one<br>two<br/>three<br><br>four", "one\ntwo\nthree\n\nfour"),
            ("<p>a</p ignored='>'>b</P>c", "a\n\nbc"),
            ("<script>var x = '<p>no</p>'; // </scripture>\n</script >yes", "yes"),
            ("<script><!-- <script> </script> --> no</script>yes", "yes"),
            (
                "<style>p { }</style><textarea>no</textarea><title>no</title>yes<xmp> <b>as is</b></xmp>",
                "yes\n\n <b>as is</b>"
            ),
            ("a<!-- no > -->b<!-->c<!--->d<!-- x --!>e<!bogus>f<?php no ?>g</>h</3>i", "abcdefghi"),
            ("a <b>b</b> <i>c</i>d<span> </span>e", "a b cd e"),
            ("1 < 2 && 3 > 2, <3 <", "1 < 2 && 3 > 2, <3 <"),
            ("<p title='a > b' data-x=\"</p>\" hidden=>gone</p><p>here</p>", "here"),
            ("<svg><title>no</title><path/><text>no</text></svg>yes<math><mi>no</mi></math>", "yes"),
            ("<pre>\n  a\n\tb  \n\nc</pre>", "  a\n\tb  \n\nc"),
            ("<select><option>no<option>no</select><button>no</button>yes", "yes"),
            ("<head><p>body</head>text</body>more</html>end", "bodytextmoreend"),
            ("<p>x<noscript><p>no</noscript><template><p>no</template>yes", "xyes"),
            ("<p>a<table><tr><td>b</table>", "a\n\nb"),
            ("x<plaintext><p>rest</plaintext>", "x\n\n<p>rest</plaintext>"),
            ("<IMG SRC=a><A HREF='b'>link</A> and the text that goes with it", "link and the text that goes with it"),
            ("cut off <a href=\"never closed", "cut off"), ("cut off <!-- never closed", "cut off"), ("", ""),
            ("<", "<"),
            ("</", ""), ("<!", ""), ("&", "&"), ("\u{0}\r\n \t", ""),
        ]
    )
    func tags(html: String, text: String) {
        #expect(Self.text(html) == text)
    }

    @Test(
        "character references follow the standard",
        arguments: [
            ("&amp;&lt;&gt;&quot;&eacute;&nbsp;x", "&<>\"é x"), ("x &copy &copy; &copyright", "x © © ©right"),
            ("&notit; &notin; &not", "¬it; ∉ ¬"), ("&ngE; &fjlig;", "≧\u{338} fj"),
            ("&CounterClockwiseContourIntegral;", "∳"), ("&unknown; &; &x", "&unknown; &; &x"),
            ("&#20320;&#x4f60;&#X4F60", "你你你"), ("&#128;&#x9f;&#x81;", "€Ÿ\u{81}"),
            ("&#0;&#xD800;&#x110000;&#99999999999999;", "\u{FFFD}\u{FFFD}\u{FFFD}\u{FFFD}"),
            ("&#; &#x; &#xg", "&#; &#x; &#xg"),
            ("&#x1F600;", "😀"),
        ]
    )
    func references(html: String, text: String) {
        #expect(Self.text("<p>" + html) == text)
    }

    @Test("references in attributes do not break queries") func attributes() {
        var extractor = PageExtractor()
        var text: [UInt8] = []
        let page = "<link rel=canonical href='/a?x=1&copy=2&amp;y=3&lt;&not'><p>text"
        #expect(extractor.extract(Array(page.utf8).span, into: &text).canonical == "/a?x=1&copy=2&y=3<¬")
    }
}
