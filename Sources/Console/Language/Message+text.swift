import Entry

extension Message {
    /// The message in a language, gaps unfilled.
    func text(in language: Language) -> String {
        guard let texts = Self.catalogue[self] else { return rawValue }
        return language == .en ? texts.en : texts.zh
    }

    private static let catalogue: [Message: (en: String, zh: String)] = Dictionary(
        uniqueKeysWithValues: allCases.map { message in
            let parts = message.rawValue.split(separator: "¦", maxSplits: 1).map { String($0).trimmed }
            return (message, (parts.first ?? "", parts.last ?? ""))
        }
    )
}
