public import Core

/// What a corpus is when it is handed out: the part of its card that only people know.
public struct ReleaseDocument: Hashable, Sendable {
    public var name = ""
    public var version = ""
    /// What it is, in both languages.
    public var descriptionChinese = ""
    public var descriptionEnglish = ""
    /// Where it can be had.
    public var url = ""
    /// SPDX identifier, or the licence's address.
    public var licence = ""
    public var creator = ""
    public var creatorURL: String?
    public var published = Instant(milliseconds: 0)
    public var languages: [String] = []
    public var keywords: [String] = []
    public var purposes: [String] = []

    static let keys = [
        "name", "version", "description", "url", "licence", "creator", "creator_url", "published", "languages",
        "keywords", "purposes",
    ]

    /// Reads a release file.
    ///
    /// - Throws: ``Failure`` of code `invalid` with every fault; messages name the line.
    public static func read(yaml bytes: [UInt8], file: String) throws(Failure) -> ReleaseDocument {
        try YAMLDocument.read(bytes, file) { json throws(Failure) in
            var reader = DocumentReader()
            let release = reader.release(json)
            try reader.finish("release")
            return release
        }
    }
}

extension YAMLDocument {
    /// Reads a value out of a file that a person wrote; faults name their lines.
    ///
    /// - Throws: ``Failure`` of code `invalid` with every fault.
    public static func read<Value>(
        _ bytes: [UInt8],
        _ file: String,
        _ read: (JSON) throws(Failure) -> Value
    ) throws(Failure) -> Value {
        let document: YAMLDocument
        do {
            document = try YAMLDocument.parse(utf8: bytes)
        } catch {
            throw Failure(
                .invalid,
                "\(file) cannot be read.",
                violations: error.faults.map { Violation("", "line \($0.position.line): \($0.message)") }
            )
        }
        do {
            return try read(document.json)
        } catch {
            throw Failure(
                error.code,
                "\(file): \(error.violations.count == 1 ? "a fault" : "\(error.violations.count) faults").",
                violations: error.violations.map {
                    Violation($0.pointer, "line \(document.position(of: $0.pointer).line): \($0.message)")
                }
            )
        }
    }
}

extension DocumentReader {
    fileprivate mutating func release(_ json: JSON) -> ReleaseDocument {
        var release = ReleaseDocument()
        var missing = ["name", "version", "description", "url", "licence", "creator", "published", "languages"]
        for (key, value) in members(json, at: "") {
            missing.removeAll { $0 == key }
            let base = "/" + escaped(key)
            switch key {
            case "name": release.name = string(value, 1...128, at: base) ?? ""
            case "version": release.version = string(value, 1...64, at: base) ?? ""
            case "description":
                for (key, value) in members(value, at: base) {
                    let text = string(value, 1...8192, at: base + "/" + escaped(key)) ?? ""
                    switch key {
                    case "zh": release.descriptionChinese = text
                    case "en": release.descriptionEnglish = text
                    default: unknownKey(key, among: ["zh", "en"], at: base)
                    }
                }
            case "url": release.url = string(value, 1...2048, at: base) ?? ""
            case "licence": release.licence = string(value, 1...512, at: base) ?? ""
            case "creator": release.creator = string(value, 1...512, at: base) ?? ""
            case "creator_url": release.creatorURL = string(value, 1...2048, at: base)
            case "published":
                let text = string(value, 10...40, at: base) ?? ""
                if let instant = Instant(rfc3339: text.count == 10 ? text + "T00:00:00Z" : text) {
                    release.published = instant
                } else {
                    fault(base, "must be a day such as 2026-11-29, or a time of RFC 3339")
                }
            case "languages": release.languages = texts(value, at: base)
            case "keywords": release.keywords = texts(value, at: base)
            case "purposes": release.purposes = texts(value, at: base)
            default: unknownKey(key, among: ReleaseDocument.keys, at: "")
            }
        }
        if case .object = json { for key in missing { fault("/" + key, "is missing") } }
        return release
    }

    private mutating func texts(_ value: JSON, at base: String) -> [String] {
        items(value, of: "words", 1...200, at: base).enumerated().compactMap {
            string($1, 1...512, at: "\(base)/\($0)")
        }
    }
}
