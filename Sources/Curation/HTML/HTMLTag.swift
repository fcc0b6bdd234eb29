/// The elements that the parser or the extractor treat specially; all others are `other`.
///
/// `text` marks nodes of characters, which are no elements.
enum HTMLTag: UInt8, CaseIterable, Sendable {
    case text, other
    case a, abbr, address, applet, area, article, aside, audio, b, base, basefont, bgsound, big, blockquote, body, br
    case button, canvas, caption, center, cite, code, col, colgroup, dd, del, details, dialog, dir, div, dl, dt, em
    case embed, fieldset, figcaption, figure, font, footer, foreignobject, form, frame, frameset, h1, h2, h3, h4, h5,
        h6, head, header
    case hgroup, hr, html, i, iframe, image, img, input, kbd, keygen, label, legend, li, link, listing, main, map, mark
    case marquee, math, menu, meta, nav, nobr, noembed, noframes, noscript, object, ol, optgroup, option, p, param
    case picture, plaintext, pre, q, rp, rt, ruby, s, samp, script, search, section, select, small, source, span, strike
    case strong, style, sub, summary, sup, svg, table, tbody, td, template, textarea, tfoot, th, thead, time, title, tr
    case track, tt, u, ul, `var`, video, wbr, xmp

    /// What the tree's construction and the writing of text ask of an element.
    struct Traits: OptionSet, Sendable {
        let rawValue: UInt16

        /// Has no content and no end tag.
        static let void = Traits(rawValue: 1)
        /// Its start ends an open paragraph.
        static let closesParagraph = Traits(rawValue: 2)
        /// "Special" in the specification: an end tag of another name does not reach through it.
        static let special = Traits(rawValue: 4)
        /// Ends the search of "in scope".
        static let scope = Traits(rawValue: 8)
        /// Formatting: its end tag does not close blocks opened inside it.
        static let formatting = Traits(rawValue: 16)
        /// Content up to its own end tag is characters. `noscript` is, as where scripts run.
        static let raw = Traits(rawValue: 32)
        /// As `raw`, but character references count.
        static let escapable = Traits(rawValue: 64)
        /// Its text is a paragraph of its own.
        static let block = Traits(rawValue: 128)
        /// Its text is never read by people as part of the page.
        static let silent = Traits(rawValue: 256)
        /// Belongs into the head while there is no body.
        static let metadata = Traits(rawValue: 512)
        /// Closed when its parent is: `li`, `dd`, `dt`, `option`, `optgroup`, `p`, `rp`, `rt`.
        static let implied = Traits(rawValue: 1024)
        static let heading = Traits(rawValue: 2048)
    }

    private static let sets: [(Traits, String)] = [
        (
            .void,
            """
            area base basefont bgsound br col embed frame hr image img input keygen link meta param source track wbr
            """
        ),
        (
            .closesParagraph,
            """
            address article aside blockquote center details dialog dir div dl fieldset figcaption figure footer form \
            header hgroup hr main menu nav ol p pre listing search section summary table ul h1 h2 h3 h4 h5 h6 li dd dt \
            xmp plaintext
            """
        ),
        (
            .special,
            """
            address applet area article aside base basefont bgsound blockquote body br button caption center col \
            colgroup dd details dir div dl dt embed fieldset figcaption figure footer form frame frameset h1 h2 h3 h4 \
            h5 h6 head header hgroup hr html iframe img input keygen li link listing main marquee menu meta nav noembed \
            noframes noscript object ol p param plaintext pre script search section select source style summary table \
            tbody td template textarea tfoot th thead title tr track ul wbr xmp
            """
        ),
        (.scope, "applet caption html table td th marquee object template"),
        (.formatting, "a b big code em font i nobr s small strike strong tt u"),
        (.raw, "style xmp iframe noembed noframes noscript script"),
        (.escapable, "title textarea"),
        (
            .block,
            """
            address article aside blockquote body caption center dd details dialog dir div dl dt fieldset figcaption \
            figure footer form frameset h1 h2 h3 h4 h5 h6 header hgroup hr html legend li listing main menu nav ol \
            optgroup option p plaintext pre search section select summary table tbody td tfoot th thead tr ul xmp
            """
        ),
        (
            .silent,
            """
            applet area audio base button canvas dialog embed frame frameset head iframe image img input keygen link map \
            math meta noembed noframes noscript object optgroup option param rp script select source style svg template \
            textarea title track video
            """
        ),
        (.metadata, "base basefont bgsound link meta noframes noscript script style template title"),
        (.implied, "dd dt li optgroup option p rp rt"),
        (.heading, "h1 h2 h3 h4 h5 h6"),
    ]

    /// The traits of every tag, by its raw value.
    static let traits: [Traits] = {
        var traits = [Traits](repeating: [], count: 256)
        var byName: [String: HTMLTag] = [:]
        for tag in allCases { byName["\(tag)"] = tag }
        for (trait, names) in sets {
            for name in names.split(whereSeparator: { $0 == " " || $0 == "\n" }) {
                if let tag = byName[String(name)] { traits[Int(tag.rawValue)].insert(trait) }
            }
        }
        return traits
    }()

    static let names = HTMLNames(allCases.dropFirst(2).map { ("\($0)", $0.rawValue) })
}

/// The attributes that are kept.
enum HTMLAttribute: UInt8, CaseIterable, Sendable {
    case unknown
    case `class`, content, datetime, hidden, href, id, itemprop, itemtype, lang, name, property, rel, role, style, type
    case ariaHidden, httpEquiv, charset

    static let names = HTMLNames(
        allCases.dropFirst().map {
            let name =
                switch $0 {
                case .ariaHidden: "aria-hidden"
                case .httpEquiv: "http-equiv"
                default: "\($0)"
                }
            return (name, $0.rawValue)
        } + [("xml:lang", HTMLAttribute.lang.rawValue)]
    )
}

/// Lower-cased names to small numbers, by the 64-bit FNV-1a of their bytes.
///
/// A foreign name made to collide is taken for one of ours, which costs a page that plays such tricks its own text.
///
/// > Source: http://www.isthe.com/chongo/tech/comp/fnv/ (basis and prime).
struct HTMLNames: Sendable {
    static let basis: UInt64 = 0xCBF2_9CE4_8422_2325
    static let prime: UInt64 = 0x100_0000_01B3

    private let keys: [UInt64]
    private let values: [UInt8]
    private let mask: Int

    init(_ names: [(String, UInt8)]) {
        var size = 64
        while size < names.count * 4 { size *= 2 }
        var keys = [UInt64](repeating: 0, count: size)
        var values = [UInt8](repeating: 0, count: size)
        mask = size - 1
        for (name, value) in names {
            var hash = Self.basis
            for byte in name.utf8 { hash = (hash ^ UInt64(byte)) &* Self.prime }
            var slot = Int(truncatingIfNeeded: hash ^ (hash >> 32)) & mask
            while keys[slot] != 0 { slot = (slot + 1) & mask }
            keys[slot] = hash
            values[slot] = value
        }
        self.keys = keys
        self.values = values
    }

    /// The number of the name that hashes to this; 0 for a name that is none of ours.
    @inline(__always) func value(ofHash hash: UInt64) -> UInt8 {
        var slot = Int(truncatingIfNeeded: hash ^ (hash >> 32)) & mask
        while keys[slot] != 0 {
            if keys[slot] == hash { return values[slot] }
            slot = (slot + 1) & mask
        }
        return 0
    }
}
