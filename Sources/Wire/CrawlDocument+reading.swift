public import Core

extension CrawlDocument {
    static let keys = [
        "name", "product", "contact", "seeds", "sitemaps", "scope", "limits", "delay", "output", "previous",
    ]

    /// Reads a crawl's file.
    ///
    /// - Throws: ``Failure`` of code `invalid` with every fault; messages name the line.
    public static func read(yaml bytes: [UInt8], file: String) throws(Failure) -> CrawlDocument {
        try YAMLDocument.read(bytes, file) { json throws(Failure) in
            var reader = DocumentReader()
            let crawl = reader.crawl(json)
            try reader.finish("crawl")
            return crawl
        }
    }
}

extension DocumentReader {
    fileprivate mutating func crawl(_ json: JSON) -> CrawlDocument {
        var crawl = CrawlDocument(name: "", product: "", contact: "")
        var missing = ["name", "product", "contact", "output"]
        for (key, value) in members(json, at: "") {
            missing.removeAll { $0 == key }
            let base = "/" + escaped(key)
            switch key {
            case "name": if let name: Name<CrawlDocument> = name(value, at: base) { crawl.name = name.text }
            case "product": crawl.product = product(value, at: base) ?? ""
            case "contact": crawl.contact = contact(value, at: base) ?? ""
            case "seeds": crawl.seeds = addresses(value, at: base)
            case "sitemaps": crawl.sitemaps = addresses(value, at: base)
            case "scope": crawl.scope = scope(value, at: base)
            case "limits": crawl.limits = limits(value, at: base)
            case "delay":
                if let number = value.numberValue, 0...CrawlLimits.delaySecondsMax ~= number {
                    crawl.delay = number
                } else {
                    fault(base, "must be seconds from 0 to \(Int(CrawlLimits.delaySecondsMax))")
                }
            case "output": crawl.output = string(value, 1...PipelineLimits.pathBytesMax, at: base) ?? ""
            case "previous": crawl.previous = string(value, 1...PipelineLimits.pathBytesMax, at: base)
            default: unknownKey(key, among: CrawlDocument.keys, at: "")
            }
        }
        if case .object = json {
            for key in missing { fault("/" + key, "is missing") }
            if json["seeds"] == nil, json["sitemaps"] == nil { fault("/seeds", "is missing, and so are sitemaps") }
        }
        return crawl
    }

    private mutating func product(_ value: JSON, at base: String) -> String? {
        guard let text = string(value, 1...64, at: base) else { return nil }
        let isToken = text.utf8.allSatisfy {
            ($0 | 32) &- UInt8(ascii: "a") < 26 || $0 == UInt8(ascii: "-") || $0 == UInt8(ascii: "_")
        }
        if isToken { return text }
        fault(base, "must be of letters, '-' and '_', so that robots.txt can name it")
        return nil
    }

    private mutating func contact(_ value: JSON, at base: String) -> String? {
        guard let text = string(value, 3...CrawlLimits.contactBytesMax, at: base) else { return nil }
        let isPlain = text.utf8.allSatisfy { $0 > 32 && $0 < 127 && $0 != UInt8(ascii: "(") && $0 != UInt8(ascii: ")") }
        if isPlain, text.contains("@") || text.hasPrefix("https://") || text.hasPrefix("http://") { return text }
        fault(base, "must be a mail address or the address of a page, where a site's owner reaches you")
        return nil
    }

    private mutating func addresses(_ value: JSON, at base: String) -> [String] {
        let given = items(value, of: "addresses", 1...CrawlLimits.seedsMax, at: base)
        return given.enumerated().compactMap { index, value in
            guard let text = string(value, 1...CrawlLimits.addressBytesMax, at: "\(base)/\(index)") else { return nil }
            if text.hasPrefix("http://") || text.hasPrefix("https://") { return text }
            fault("\(base)/\(index)", "must begin with http:// or https://")
            return nil
        }
    }

    private mutating func scope(_ json: JSON, at base: String) -> CrawlDocument.Scope {
        var scope = CrawlDocument.Scope()
        for (key, value) in members(json, at: base) {
            let place = base + "/" + escaped(key)
            switch key {
            case "hosts":
                let hosts = items(value, of: "hosts", 1...CrawlLimits.hostsMax, at: place)
                scope.hosts = hosts.enumerated().compactMap { host($1, at: "\(place)/\($0)") }
            case "paths":
                for (index, value) in items(value, of: "paths", 1...CrawlLimits.pathsMax, at: place).enumerated() {
                    let path = string(value, 1...CrawlLimits.addressBytesMax, at: "\(place)/\(index)") ?? "/"
                    if !path.hasPrefix("/") { fault("\(place)/\(index)", "must begin with '/'") }
                    scope.paths.append(path)
                }
            default: unknownKey(key, among: ["hosts", "paths"], at: base)
            }
        }
        return scope
    }

    private mutating func host(_ value: JSON, at base: String) -> CrawlDocument.Host? {
        if case .string = value { return string(value, 1...255, at: base).map { CrawlDocument.Host(name: $0) } }
        var host = CrawlDocument.Host(name: "")
        for (key, value) in members(value, at: base) {
            let place = base + "/" + escaped(key)
            switch key {
            case "name": host.name = string(value, 1...255, at: place) ?? ""
            case "allow_private": host.allowPrivate = bool(value, at: place) ?? false
            default: unknownKey(key, among: ["name", "allow_private"], at: base)
            }
        }
        if host.name.isEmpty { fault(base + "/name", "is missing") }
        if host.allowPrivate, host.name.hasPrefix("*") {
            fault(base + "/allow_private", "is for one host; name each that may have a private address")
        }
        return host
    }

    private mutating func limits(_ json: JSON, at base: String) -> CrawlDocument.Limits {
        var limits = CrawlDocument.Limits()
        for (key, value) in members(json, at: base) {
            let place = base + "/" + escaped(key)
            switch key {
            case "pages": limits.pages = integer(value, 1...1_000_000_000, at: place) ?? 1
            case "host_pages": limits.hostPages = integer(value, 1...1_000_000_000, at: place) ?? 1
            case "depth": limits.depth = integer(value, 0...100, at: place) ?? 0
            case "bytes": limits.bytes = integer(value, 1...(1 << 50), at: place) ?? 1
            case "body_bytes": limits.bodyBytes = integer(value, 1024...(256 << 20), at: place) ?? 1024
            case "requests": limits.requests = integer(value, 1...256, at: place) ?? 1
            case "attempts": limits.attempts = integer(value, 1...10, at: place) ?? 1
            case "timeout": limits.seconds = seconds(value, 1...3600, at: place) ?? 1
            default:
                unknownKey(
                    key,
                    among: ["pages", "host_pages", "depth", "bytes", "body_bytes", "requests", "attempts", "timeout"],
                    at: base
                )
            }
        }
        return limits
    }
}
