import Core

/// Reads the lines of a `robots.txt` for one crawler.
struct RobotsReader {
    struct Group {
        var rules: [RobotsRules.Rule] = []
        var delay: Duration?
    }

    var own = Group()
    var others = Group()
    /// Whether a group names the crawler.
    var isNamed = false
    var sitemaps: [String] = []

    private let product: [UInt8]
    private var isForUs = false
    private var isForOthers = false
    /// Whether the lines before this one named crawlers, so that another name joins them.
    private var isInNames = false

    init(product: String) { self.product = product.utf8.map { Self.lowered($0) } }

    mutating func read(_ file: Span<UInt8>) {
        var count = file.count
        if count > RobotsRules.bytesMax {
            // Half a line would be another rule.
            count = RobotsRules.bytesMax
            while count > 0, !Self.isLineEnd(file[count - 1]) { count -= 1 }
        }
        var at = count >= 3 && file[0] == 0xEF && file[1] == 0xBB && file[2] == 0xBF ? 3 : 0
        var number = 0
        var bytes: [UInt8] = []
        while at < count {
            bytes.removeAll(keepingCapacity: true)
            while at < count, !Self.isLineEnd(file[at]) {
                bytes.append(file[at])
                at += 1
            }
            if at + 1 < count, file[at] == 13, file[at + 1] == 10 { at += 1 }
            at += 1
            number += 1
            line(bytes[...], number)
        }
    }

    private mutating func line(_ bytes: ArraySlice<UInt8>, _ number: Int) {
        let text = bytes.prefix { $0 != UInt8(ascii: "#") }
        guard let colon = text.firstIndex(of: UInt8(ascii: ":")) else { return }
        let key = String(decoding: Self.trimmed(text[..<colon]).map { Self.lowered($0) }, as: UTF8.self)
        let value = Self.trimmed(text[(colon + 1)...])
        switch key {
        case "user-agent":
            if !isInNames {
                isForUs = false
                isForOthers = false
            }
            isInNames = true
            if value.first == UInt8(ascii: "*"), value.count == 1 || Self.isBlank(value[value.startIndex + 1]) {
                isForOthers = true
            } else if value.prefix(while: RobotsRules.isOfToken).map({ Self.lowered($0) }) == product {
                isForUs = true
                isNamed = true
            }
        case "allow", "disallow":
            isInNames = false
            guard !value.isEmpty, isForUs || isForOthers, let pattern = RobotsPattern(value) else { return }
            let rule = RobotsRules.Rule(pattern: pattern, isAllowed: key == "allow", line: number)
            if isForUs { own.rules.append(rule) }
            if isForOthers { others.rules.append(rule) }
        case "crawl-delay":
            guard let delay = Self.delay(value) else { return }
            if isForUs { own.delay = max(own.delay ?? .zero, delay) }
            if isForOthers { others.delay = max(others.delay ?? .zero, delay) }
        case "sitemap":
            // An address may hold a `#` only as a fragment, which is nothing to us.
            guard !value.isEmpty, value.count <= WebURL.bytesMax, sitemaps.count < RobotsRules.sitemapsMax else {
                return
            }
            sitemaps.append(String(decoding: value, as: UTF8.self))
        default: return
        }
    }

    /// Seconds with or without a fraction; `nil` for anything else.
    private static func delay(_ value: ArraySlice<UInt8>) -> Duration? {
        guard value.count <= 32, let first = value.first, first &- UInt8(ascii: "0") < 10 || first == UInt8(ascii: "."),
            let seconds = Double(String(decoding: value, as: UTF8.self)), seconds.isFinite, seconds >= 0
        else { return nil }
        let limit = RobotsRules.crawlDelayMax.seconds
        return .milliseconds(Int64((min(seconds, limit) * 1000).rounded(.up)))
    }

    private static func trimmed(_ bytes: ArraySlice<UInt8>) -> ArraySlice<UInt8> {
        var bytes = bytes
        while let first = bytes.first, isBlank(first) { bytes.removeFirst() }
        while let last = bytes.last, isBlank(last) { bytes.removeLast() }
        return bytes
    }

    private static func isBlank(_ byte: UInt8) -> Bool { byte == 32 || byte == 9 }
    private static func isLineEnd(_ byte: UInt8) -> Bool { byte == 10 || byte == 13 }
    private static func lowered(_ byte: UInt8) -> UInt8 { byte &- UInt8(ascii: "A") < 26 ? byte | 32 : byte }
}
