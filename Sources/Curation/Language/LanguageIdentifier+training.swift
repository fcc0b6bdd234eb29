extension LanguageIdentifier {
    /// A file of texts in one language.
    public struct Source: Sendable, Hashable {
        /// The name of the file up to its ending: a code of a language, perhaps with a script.
        public let stem: String
        /// UTF-8, one text a line.
        public let bytes: [UInt8]
        /// Whether texts of it may be held out to measure by; not so for a supplement.
        public let isMeasure: Bool

        public init(stem: String, bytes: [UInt8], isMeasure: Bool) {
            self.stem = stem
            self.bytes = bytes
            self.isMeasure = isMeasure
        }
    }

    /// Trains a model of the languages that the sources name, half of the measure held out from a first training.
    ///
    /// Supplements name what ``code(of:)`` knows; others of them are left out.
    /// - Throws: ``LinearModelError`` when there are fewer than two languages.
    /// - Complexity: Some 100 s of one core from 10 MB of text.
    public static func train(
        _ sources: [Source],
        version: String,
        trainedFrom: String,
        licence: String,
        seed: UInt64
    ) throws(LinearModelError) -> LinearModel {
        var texts: [(code: String, text: [UInt8], isMeasure: Bool)] = []
        for source in sources {
            guard let code = source.isMeasure ? source.stem : code(of: source.stem) else { continue }
            for line in source.bytes.split(separator: 0x0A) {
                let text = Array(line)
                // What is shorter is a heading or a number.
                if !source.isMeasure, text.count <= 20 { continue }
                if text.allSatisfy({ $0 <= 0x20 }) { continue }
                texts.append((code, text, source.isMeasure))
            }
        }
        let labels = Set(texts.map(\.code)).sorted()
        var places: [String: Int] = [:]
        for (place, label) in labels.enumerated() { places[label] = place }
        return try LinearModel.train(
            texts.map { LinearExample($0.text, label: places[$0.code] ?? 0, mayBeHeldOut: $0.isMeasure) },
            card: LinearModelCard(
                name: "language",
                version: version,
                labels: labels,
                trainedFrom: trainedFrom,
                licence: licence,
                seed: seed
            ),
            features: .language,
            training: LinearTraining(seed: seed, excerpts: 0.5, heldOut: 0.5, dropsMislabelled: true)
        )
    }

    /// The label of a supplement by its name; `nil` for one that is not used, because too little is known of how the
    /// model does on it.
    static func code(of stem: String) -> String? {
        if let code = renamed[stem] { return code }
        return supplements.contains(stem) ? stem : nil
    }

    private static let renamed = [
        "az-Cyrl": "az", "gug": "gn", "ha-NG": "ha", "plt": "mg", "sr-Cyrl": "sr", "sr-Latn": "sr", "uz-Cyrl": "uz",
        "zh-Hans": "zh", "zh-Hant": "zh",
    ]
    private static let supplements: Set<String> = [
        "af", "am", "ar", "az", "be", "bg", "bn", "bo", "br", "bs", "ca", "ckb", "cs", "cy", "da", "de", "dv", "el",
        "en", "eo", "es", "et", "eu", "fa", "fi", "fo", "fr", "fy", "ga", "gd", "gl", "gu", "haw", "he", "hi", "hr",
        "ht", "hu", "hy", "id", "is", "it", "ja", "ka", "kk", "km", "kn", "ko", "ky", "la", "lb", "lg", "lo", "lt",
        "lv", "mi", "mk", "ml", "mn", "mr", "ms", "mt", "my", "nb", "ne", "nl", "nn", "nso", "ny", "oc", "om", "pa",
        "pl", "pt", "ro", "ru", "rw", "si", "sk", "sl", "so", "sq", "st", "sv", "sw", "ta", "tg", "th", "ti", "tk",
        "tl", "tn", "tr", "ts", "tt", "ug", "uk", "ur", "uz", "vi", "xh", "yi", "yo", "zu",
    ]
}
