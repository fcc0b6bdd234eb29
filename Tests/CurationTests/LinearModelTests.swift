import Core
import Curation
import Testing

@Suite struct LinearModelTests {
    /// Texts of made-up words of which the second kind has some more often, 10 to 40 words each.
    private static func examples(_ count: Int, seed: UInt64) -> [LinearExample] {
        var chance = SplitMix(seed: seed)
        let common = ["the", "page", "of", "a", "report", "on", "water", "and", "roads", "with", "figures"]
        let good = ["theorem", "measured", "hence", "archive", "evidence", "method"]
        let bad = ["click", "winner", "casino", "free", "prize", "subscribe"]
        return (0..<count).map { index in
            let label = index % 2
            let words = (0..<Int.random(in: 10...40, using: &chance)).map { _ in
                let isTelling = Int.random(in: 0..<8, using: &chance) == 0
                let kind = Int.random(in: 0..<10, using: &chance) == 0 ? 1 - label : label
                return (isTelling ? (kind == 0 ? good : bad) : common).randomElement(using: &chance) ?? ""
            }
            return LinearExample(Array(words.joined(separator: " ").utf8), label: label)
        }
    }

    private static func card(_ labels: [String] = ["keep", "drop"]) -> LinearModelCard {
        LinearModelCard(
            name: "quality",
            version: "1",
            labels: labels,
            trainedFrom: "made-up words",
            licence: "Apache-2.0",
            seed: 7
        )
    }

    private static let small = LinearFeatures(bits: 12, grams: 0, words: true, pairs: true, oneScript: false)

    private static func model(_ count: Int = 600, seed: UInt64 = 7) throws -> LinearModel {
        try LinearModel.train(
            examples(count, seed: 1),
            card: card(),
            features: try #require(small),
            training: LinearTraining(seed: seed, rounds: 4)
        )
    }

    @Test("a classifier of two labels learns from a few hundred texts") func learns() throws {
        let model = try Self.model()
        let trial = model.trial(Self.examples(400, seed: 2))
        #expect(trial.accuracy > 0.8, "\(trial)")
        #expect(abs(trial.confidence - trial.accuracy) < 0.15, "\(trial)")
        let heldOut = try #require(model.card.heldOut)
        #expect(heldOut.examples > 50 && abs(heldOut.accuracy - trial.accuracy) < 0.12)
    }

    @Test("the same examples and seed make the same file, which reads back as the same model") func roundTrip() throws {
        let model = try Self.model()
        let file = try model.file()
        #expect(try Self.model().file() == file)
        #expect(try Self.model(seed: 8).file() != file)
        let again = try LinearModel(reading: file.span)
        #expect(again.card == model.card && again.features == model.features)
        var (one, other) = (LinearScratch(), LinearScratch())
        for example in Self.examples(50, seed: 3) {
            #expect(
                model.classify(example.text.span, scratch: &one) == again.classify(example.text.span, scratch: &other)
            )
        }
        #expect(try again.file() == file)
    }

    @Test("a damaged or foreign file is refused and never a trap") func damage() throws {
        let file = try Self.model(40).file()
        let seed = ClassifierSupport.seed()
        var chance = SplitMix(seed: seed)
        for turn in 0..<400 {
            var bytes = file
            switch turn % 3 {
            case 0: bytes.removeLast(Int.random(in: 1...bytes.count, using: &chance))
            case 1: bytes[Int.random(in: 0..<bytes.count, using: &chance)] ^= UInt8.random(in: 1...255, using: &chance)
            default:
                // With a checksum that is right, so that what stands behind it is tried too.
                let place = Int.random(in: 8..<bytes.count - 8, using: &chance)
                bytes[place] = UInt8.random(in: 0...255, using: &chance)
                bytes.removeLast(8)
                let hash = TextHash.hash64(bytes.span)
                bytes += (0..<8).map { UInt8(truncatingIfNeeded: hash >> (8 * UInt64($0))) }
                _ = try? LinearModel(reading: bytes.span)
                continue
            }
            #expect(throws: LinearModelError.self, "seed \(seed), turn \(turn)") {
                try LinearModel(reading: bytes.span)
            }
        }
        for bytes: [UInt8] in [[], [0], Array("ONELINR1".utf8), [UInt8](repeating: 0xFF, count: 1000)] {
            #expect(throws: LinearModelError.self) { try LinearModel(reading: bytes.span) }
        }
    }

    @Test("any bytes at all are classified or have no letters") func anyBytes() throws {
        let model = try Self.model(40)
        let seed = ClassifierSupport.seed()
        var chance = SplitMix(seed: seed)
        var scratch = LinearScratch()
        for count in [0, 1, 2, 3, 7, 100, 5000] {
            let noise = (0..<count).map { _ in UInt8.random(in: 0...255, using: &chance) }
            _ = model.classify(noise.span, scratch: &scratch)
        }
        let digits = Array("12 34 ... \u{1F600}".utf8)
        #expect(model.classify(digits.span, scratch: &scratch) == nil)
        // One word, far beyond what counts as one.
        let long = [UInt8](repeating: UInt8(ascii: "a"), count: 3 << 20)
        #expect(model.classify(long.span, scratch: &scratch) != nil)
        #expect(abs(scratch.probabilities.reduce(0, +) - 1) < 1e-4)
    }

    @Test("examples that make no model are refused") func refusals() throws {
        let features = try #require(Self.small)
        let training = LinearTraining(seed: 1)
        #expect(throws: LinearModelError.self) {
            try LinearModel.train([], card: Self.card(), features: features, training: training)
        }
        #expect(throws: LinearModelError.self) {
            try LinearModel.train(
                [LinearExample([65], label: 2)],
                card: Self.card(),
                features: features,
                training: training
            )
        }
        for labels in [["one"], ["one", "one"], ["one", ""]] {
            #expect(throws: LinearModelError.self) {
                try LinearModel.train(
                    [LinearExample([65], label: 0)],
                    card: Self.card(labels),
                    features: features,
                    training: training
                )
            }
        }
        #expect(LinearFeatures(bits: 30, grams: 0, words: true, pairs: true, oneScript: false) == nil)
        #expect(LinearFeatures(bits: 12, grams: 0, words: false, pairs: false, oneScript: false) == nil)
    }
}
