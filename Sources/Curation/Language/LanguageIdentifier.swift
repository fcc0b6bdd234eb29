import CCuration

/// Says what language a text is in, by a ``LinearModel`` over n-grams of characters.
///
/// Each worker keeps one: it holds the scratch. Copies share the model.
public struct LanguageIdentifier: Sendable {
    public let model: LinearModel
    private var scratch = LinearScratch()
    /// Of each language, the sum over the windows of one text.
    private var shares: [Float]

    /// Texts up to this are looked at whole, and of longer ones some windows.
    static let wholeBytesMax = 512
    static let windowBytes = 256
    static let windowsMax = 8
    /// When so many windows, from all over a text, are sure of one language, the others are not looked at.
    static let windowsEnough = 3
    static let sureness: Float = 0.9

    /// The model that ships with the product.
    ///
    /// - Throws: ``LinearModelError`` never, unless the program is damaged.
    public init() throws(LinearModelError) {
        var count = 0
        guard let bytes = onepoint_language_model(&count) else {
            throw LinearModelError("The program has no language model.")
        }
        // The model is a constant of the program.
        self.init(model: try LinearModel(reading: UnsafeBufferPointer(start: bytes, count: count).span))
    }

    /// - Parameter model: With codes of languages as its labels.
    public init(model: LinearModel) {
        self.model = model
        shares = [Float](repeating: 0, count: model.card.labels.count)
    }

    /// Says what language a text is in.
    ///
    /// - Parameter text: UTF-8 of any length; malformed bytes separate words.
    /// - Complexity: Bounded: at most 2 KiB of the text are looked at, and most often 768 bytes.
    public mutating func identify(_ text: Span<UInt8>) -> LanguageGuess {
        let isWhole = text.count <= Self.wholeBytesMax
        let windows = isWhole ? 1 : min(Self.windowsMax, text.count / Self.windowBytes)
        let length = isWhole ? text.count : Self.windowBytes
        let spread = text.count - length
        // From the middle on, in steps that reach every window once and lie apart: what stands at the beginning of a
        // page is the least of its text.
        let step = windows.isMultiple(of: 3) ? 5 : 3
        for place in shares.indices { shares[place] = 0 }
        var seen: Float = 0
        var agreed = 0
        var last = -1
        for turn in 0..<windows {
            let index = (windows / 2 + turn * step) % windows
            let start = windows == 1 ? 0 : spread / (windows - 1) * index
            let window = text.extracting(start..<start + length)
            // The figures of a window are shared out among its scripts: two languages can stand in one line.
            let bytes = Letters.bytes(in: window)
            let all = bytes[1] + bytes[2] + bytes[3]
            for letters in Letters.allCases {
                let some = bytes[Int(letters.rawValue)]
                guard some > 0, some >= all / 8 else { continue }
                guard let verdict = model.classify(window, letters: letters, scratch: &scratch) else { continue }
                let weight = Float(some) / Float(all)
                let probabilities = scratch.probabilities
                shares.withUnsafeMutableBufferPointer {
                    onepoint_linear_add_share(probabilities, $0.count, weight, $0.baseAddress)
                }
                seen += weight
                agreed = verdict.probability < Self.sureness ? 0 : verdict.label == last ? agreed + 1 : 1
                last = verdict.label
            }
            if agreed == Self.windowsEnough, agreed == turn + 1 { break }
        }
        guard seen > 0 else { return .none }
        for place in shares.indices { shares[place] /= seen }
        let verdict = LinearVerdict(shares.span)
        let code = model.card.labels[verdict.label]
        return LanguageGuess(
            code: code,
            probability: verdict.probability,
            second: model.card.labels[verdict.second],
            secondProbability: verdict.secondProbability,
            script: code == "zh" ? ChineseScript.most(in: text.extracting(first: 4 * Self.windowBytes)) : nil
        )
    }
}
