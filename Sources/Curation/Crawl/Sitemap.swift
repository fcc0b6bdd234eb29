/// A sitemap: addresses of pages, or of further sitemaps.
///
/// The form is told from the bytes: XML (`urlset`, `sitemapindex`) or a text of one address a line, either of them
/// packed with gzip or not. XML is scanned forgivingly: what is not well-formed loses its own entry and no other.
///
/// > Source: https://www.sitemaps.org/protocol.html
public struct Sitemap: Sendable, Equatable {
    public struct Entry: Sendable, Equatable {
        /// As it stands there, with references resolved.
        public var location: String
        /// The date of the last change as it stands there.
        public var lastModified: String?
        /// Whether it is an address of a sitemap.
        public var isSitemap: Bool
    }

    public private(set) var entries: [Entry] = []
    /// Whether there was more than ``entriesMax`` or ``bytesMax``, or the packed bytes were damaged.
    public private(set) var isTruncated = false

    public static let entriesMax = 50_000
    /// Unpacked.
    public static let bytesMax = 50 << 20

    public init(_ bytes: Span<UInt8>) {
        guard bytes.count > 2, bytes[0] == 0x1F, bytes[1] == 0x8B else {
            isTruncated = bytes.count > Self.bytesMax
            read(bytes.extracting(..<min(bytes.count, Self.bytesMax)))
            return
        }
        var gunzip = Gunzip(cap: ExpansionCap(outputMaxBytes: Self.bytesMax, ratioMax: .max))
        var plain: [UInt8] = []
        var at = 0
        do {
            while true {
                let before = plain.count
                let rest = bytes.extracting(at...)
                let used = try gunzip.decompress(rest, isLast: true, into: &plain, outputMax: 1 << 20)
                at += used
                if used == 0 && plain.count == before { break }
            }
        } catch {
            isTruncated = true
        }
        read(plain.span)
    }

    private mutating func read(_ bytes: Span<UInt8>) {
        var at = 0
        if bytes.count >= 3, bytes[0] == 0xEF, bytes[1] == 0xBB, bytes[2] == 0xBF { at = 3 }
        while at < bytes.count, bytes[at] <= 32 { at += 1 }
        guard at < bytes.count else { return }
        if bytes[at] == UInt8(ascii: "<") { readXML(bytes, at) } else { readLines(bytes, at) }
    }

    private mutating func add(_ entry: Entry) {
        guard !entry.location.isEmpty else { return }
        guard entries.count < Self.entriesMax else {
            isTruncated = true
            return
        }
        entries.append(entry)
    }

    private mutating func readLines(_ bytes: Span<UInt8>, _ start: Int) {
        var at = start
        while at < bytes.count, !isTruncated || entries.count < Self.entriesMax {
            var end = at
            while end < bytes.count, bytes[end] != 10, bytes[end] != 13 { end += 1 }
            let text = Self.text(bytes, at, end)
            if text.hasPrefix("http://") || text.hasPrefix("https://") {
                add(Entry(location: text, lastModified: nil, isSitemap: false))
            }
            at = end + 1
        }
    }

    /// The text of a range without white space around it; nothing when it is too long for an address.
    private static func text(_ bytes: Span<UInt8>, _ from: Int, _ to: Int) -> String {
        var from = from
        var to = to
        while from < to, bytes[from] <= 32 { from += 1 }
        while to > from, bytes[to - 1] <= 32 { to -= 1 }
        guard to - from <= 2 * WebURL.bytesMax else { return "" }
        return bytes.extracting(from..<to).withUnsafeBufferPointer { String(decoding: $0, as: UTF8.self) }
    }

    /// What is collected between the tags of one entry. Names count with their prefix, so that an `image:loc` is not
    /// the page's.
    private struct Open {
        var prefix: ArraySlice<UInt8>
        var entry: Entry
        var field: Field?

        enum Field { case location, lastModified }
    }

    private mutating func readXML(_ bytes: Span<UInt8>, _ start: Int) {
        var open: Open?
        var value: [UInt8] = []
        var at = start
        while at < bytes.count, entries.count < Self.entriesMax || !isTruncated {
            if bytes[at] != UInt8(ascii: "<") {
                var end = at
                while end < bytes.count, bytes[end] != UInt8(ascii: "<") { end += 1 }
                if open?.field != nil, end - at <= 2 * WebURL.bytesMax {
                    HTMLReferences.decode(bytes, at, end, inAttribute: false, into: &value)
                }
                at = end
            } else if Self.stands("<![CDATA[", bytes, at) {
                let end = Self.find("]]>", bytes, at + 9)
                if open?.field != nil, end - at <= 2 * WebURL.bytesMax {
                    for index in (at + 9)..<max(end, at + 9) { value.append(bytes[index]) }
                }
                at = end + 3
            } else if Self.stands("<!--", bytes, at) {
                at = Self.find("-->", bytes, at + 4) + 3
            } else {
                var end = at + 1
                while end < bytes.count, bytes[end] != UInt8(ascii: ">") { end += 1 }
                tag(bytes, at + 1, end, &open, &value)
                at = end + 1
            }
        }
    }

    private mutating func tag(
        _ bytes: Span<UInt8>,
        _ start: Int,
        _ end: Int,
        _ open: inout Open?,
        _ value: inout [UInt8]
    ) {
        let isClosing = start < end && bytes[start] == UInt8(ascii: "/")
        var name: [UInt8] = []
        var at = isClosing ? start + 1 : start
        while at < end, name.count <= 64, bytes[at] > 32, bytes[at] != UInt8(ascii: "/") {
            name.append(bytes[at] &- UInt8(ascii: "A") < 26 ? bytes[at] | 32 : bytes[at])
            at += 1
        }
        let colon = name.lastIndex(of: UInt8(ascii: ":")).map { $0 + 1 } ?? 0
        let prefix = name[..<colon]
        switch String(decoding: name[colon...], as: UTF8.self) {
        case "url", "sitemap":
            if let found = open, found.prefix == prefix || !isClosing {
                add(found.entry)
                open = nil
            }
            guard !isClosing else { return }
            let isSitemap = name[colon...].elementsEqual("sitemap".utf8)
            open = Open(prefix: prefix, entry: Entry(location: "", lastModified: nil, isSitemap: isSitemap))
        case "loc" where open?.prefix == prefix: field(.location, isClosing, &open, &value)
        case "lastmod" where open?.prefix == prefix: field(.lastModified, isClosing, &open, &value)
        default: return
        }
    }

    private func field(_ field: Open.Field, _ isClosing: Bool, _ open: inout Open?, _ value: inout [UInt8]) {
        if isClosing, open?.field == field {
            let text = Self.text(value.span, 0, value.count)
            switch field {
            case .location: open?.entry.location = text
            case .lastModified: if 1...64 ~= text.utf8.count { open?.entry.lastModified = text }
            }
        }
        open?.field = isClosing ? nil : field
        value.removeAll(keepingCapacity: true)
    }

    private static func stands(_ word: StaticString, _ bytes: Span<UInt8>, _ at: Int) -> Bool {
        guard bytes.count - at >= word.utf8CodeUnitCount else { return false }
        var offset = 0
        while offset < word.utf8CodeUnitCount, bytes[at + offset] == word.utf8Start[offset] { offset += 1 }
        return offset == word.utf8CodeUnitCount
    }

    /// Where the word stands, or the end.
    private static func find(_ word: StaticString, _ bytes: Span<UInt8>, _ start: Int) -> Int {
        var at = min(start, bytes.count)
        while at < bytes.count, !stands(word, bytes, at) { at += 1 }
        return at
    }
}
