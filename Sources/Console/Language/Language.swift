import Entry

/// The languages that the console speaks.
enum Language: String, Sendable, Hashable, CaseIterable {
    case en, zh

    /// The `lang` attribute of a page.
    var tag: String {
        switch self {
        case .en: "en"
        case .zh: "zh-Hans"
        }
    }

    /// Its name in itself.
    var name: String {
        switch self {
        case .en: "English"
        case .zh: "中文"
        }
    }

    /// The viewer's choice when made, else the best of `Accept-Language`, else English.
    ///
    /// - Parameters:
    ///   - choice: The value of the `lang` cookie.
    ///   - accepted: The header's value. > Source: RFC 9110, section 12.5.4.
    static func negotiate(choice: String?, accepted: String?) -> Language {
        if let choice = choice.flatMap({ Language(rawValue: $0) }) { return choice }
        var best: (language: Language, weight: Double) = (.en, 0)
        for part in (accepted ?? "").split(separator: ",").prefix(32) {
            let pieces = part.split(separator: ";").map { String($0).trimmed }
            guard let range = pieces.first?.lowercased() else { continue }
            let weight = pieces.dropFirst().first { $0.hasPrefix("q=") }.flatMap { Double($0.dropFirst(2)) } ?? 1
            let primary = range.split(separator: "-").first.map(String.init) ?? range
            guard let language = Language(rawValue: primary), weight > best.weight else { continue }
            best = (language, weight)
        }
        return best.language
    }
}
