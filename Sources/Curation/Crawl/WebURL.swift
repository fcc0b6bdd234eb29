/// An absolute `http` or `https` address in one spelling: what a crawler queues, compares and asks for.
///
/// Normalised: scheme and host in small letters, no default port, no dot segments, no fragment, no percent-encoding of
/// characters that need none, capital hexadecimal digits. So two spellings of one address are one address.
///
/// > Source: RFC 3986, sections 5.2 and 6.2.2; https://url.spec.whatwg.org/ for what browsers forgive (backslashes, tabs,
/// > line ends, characters that should have been encoded).
public struct WebURL: Hashable, Sendable {
    public let isSecure: Bool
    /// A name in small ASCII letters, an IPv4 address, or an IPv6 address in brackets.
    public let host: String
    public let port: Int
    /// Begins with a slash.
    public let path: String
    /// Without the question mark; `nil` when there is none.
    public let query: String?

    /// Longer addresses are refused. Sitemaps may not have any, and servers need not read them.
    ///
    /// > Source: https://www.sitemaps.org/protocol.html, "loc".
    public static let bytesMax = 2048

    /// Reads an absolute address; `nil` for other schemes, names and passwords, and what is no address.
    public init?(_ text: String) {
        self.init(Array(text.utf8)[...], base: nil)
    }

    /// Resolves a reference as it stands in a page; `nil` as for the initialiser.
    public func resolving(_ reference: String) -> WebURL? {
        WebURL(Array(reference.utf8)[...], base: self)
    }

    /// The scheme, host and, unless it is the scheme's own, port: what one `robots.txt` is for.
    public var origin: String {
        let scheme = isSecure ? "https://" : "http://"
        return port == (isSecure ? 443 : 80) ? scheme + host : "\(scheme)\(host):\(port)"
    }

    /// The path and the query.
    public var target: String { query.map { "\(path)?\($0)" } ?? path }

    public var text: String { origin + target }

    /// Where the rules of its origin are.
    public var robots: WebURL { WebURL(isSecure: isSecure, host: host, port: port, path: "/robots.txt", query: nil) }

    private init(isSecure: Bool, host: String, port: Int, path: String, query: String?) {
        self.isSecure = isSecure
        self.host = host
        self.port = port
        self.path = path
        self.query = query
    }

    init?(_ given: ArraySlice<UInt8>, base: WebURL?) {
        // Three times what is allowed: white space goes, and what must be encoded grows.
        guard given.count <= 3 * Self.bytesMax else { return nil }
        var bytes = given
        while let first = bytes.first, first <= 0x20 { bytes.removeFirst() }
        while let last = bytes.last, last <= 0x20 { bytes.removeLast() }
        bytes.removeAll { $0 == 9 || $0 == 10 || $0 == 13 }
        if let hash = bytes.firstIndex(of: UInt8(ascii: "#")) { bytes = bytes[..<hash] }

        var isSecure = base?.isSecure ?? false
        var hasAuthority = false
        if let (scheme, rest) = Self.scheme(bytes) {
            guard scheme == "http" || scheme == "https" else { return nil }
            // `https:page` beside an https page is a relative reference, as browsers have it.
            hasAuthority = base == nil || (scheme == "https") != base?.isSecure || Self.isSlash(rest.first)
            isSecure = scheme == "https"
            bytes = rest
            if Self.isSlash(rest.first), !Self.isSlash(rest.dropFirst().first), base?.isSecure == isSecure {
                hasAuthority = false
            }
        } else if base == nil {
            return nil
        } else if Self.isSlash(bytes.first), Self.isSlash(bytes.dropFirst().first) {
            hasAuthority = true
        }

        var host = base?.host ?? ""
        var port = base?.port ?? 0
        if hasAuthority {
            bytes = bytes.drop { Self.isSlash($0) }
            let end = bytes.firstIndex { Self.isSlash($0) || $0 == UInt8(ascii: "?") } ?? bytes.endIndex
            guard let authority = WebHost(bytes[..<end], isSecure: isSecure) else { return nil }
            host = authority.name
            port = authority.port
            bytes = bytes[end...]
        }
        let mark = bytes.firstIndex(of: UInt8(ascii: "?")) ?? bytes.endIndex
        let path = bytes[..<mark]
        var query: String? =
            mark == bytes.endIndex ? nil : PercentCoding.normalized(bytes[(mark + 1)...], escaping: PercentCoding.query)
        let full: [UInt8]
        if hasAuthority || Self.isSlash(path.first) {
            full = Array(path)
        } else if let base, path.isEmpty {
            full = Array(base.path.utf8)
            if mark == bytes.endIndex { query = base.query }
        } else {
            let base = Array((base?.path ?? "/").utf8)
            full = Array(base[...(base.lastIndex(of: UInt8(ascii: "/")) ?? 0)] + path)
        }
        self.init(isSecure: isSecure, host: host, port: port, path: Self.cleaned(full), query: query)
        guard text.utf8.count <= Self.bytesMax else { return nil }
    }

    private static func isSlash(_ byte: UInt8?) -> Bool {
        byte == UInt8(ascii: "/") || byte == UInt8(ascii: "\\")
    }

    private static func scheme(_ bytes: ArraySlice<UInt8>) -> (name: String, rest: ArraySlice<UInt8>)? {
        var at = bytes.startIndex
        while at < bytes.endIndex {
            let byte = bytes[at]
            let isLetter = (byte | 32) &- UInt8(ascii: "a") < 26
            let isOther =
                byte &- UInt8(ascii: "0") < 10 || byte == UInt8(ascii: "+") || byte == UInt8(ascii: "-")
                || byte == UInt8(ascii: ".")
            if byte == UInt8(ascii: ":"), at > bytes.startIndex {
                return (String(decoding: bytes[..<at].map { $0 | 32 }, as: UTF8.self), bytes[(at + 1)...])
            }
            guard isLetter || (isOther && at > bytes.startIndex) else { return nil }
            at += 1
        }
        return nil
    }

    /// A path without dot segments, in one encoding.
    private static func cleaned(_ path: [UInt8]) -> String {
        var out: [[UInt8]] = []
        var segments = path.split(omittingEmptySubsequences: false) { isSlash($0) }[...]
        if segments.first?.isEmpty == true { segments.removeFirst() }
        for (index, segment) in zip(segments.indices, segments) {
            let text = PercentCoding.normalized(segment, escaping: PercentCoding.path)
            let isLast = index == segments.endIndex - 1
            if text == ".." {
                _ = out.popLast()
                if isLast { out.append([]) }
            } else if text == "." {
                if isLast { out.append([]) }
            } else {
                out.append(Array(text.utf8))
            }
        }
        return "/" + out.map { String(decoding: $0, as: UTF8.self) }.joined(separator: "/")
    }
}

extension WebURL: CustomStringConvertible {
    public var description: String { text }
}
