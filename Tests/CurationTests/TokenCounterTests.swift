import Core
import Curation
import Testing

/// The fixtures are small vocabularies trained on the sentences of these tests with the package `tokenizers` 0.23.3 of
/// Hugging Face, and the counts that it makes of some texts, odd ones and ones drawn by chance.
@Suite struct TokenCounterTests {
    private static func counter(_ name: String) throws -> TokenCounter {
        let json = try #require(ClassifierSupport.fixture(name + ".json"))
        return try TokenCounter(json: json.span)
    }

    private static func cases() throws -> JSON {
        try JSON(parsing: try #require(ClassifierSupport.fixture("cases.json")))
    }

    @Test(
        "counts are those of Hugging Face's tokenizers",
        arguments: ["gpt2", "llama3", "qwen", "deepseek", "unigram", "wordpiece", "characters"]
    ) func peer(name: String) throws {
        var counter = try Self.counter(name)
        let cases = try Self.cases()
        let texts = try #require(cases["texts"]?.arrayValue)
        let counts = try #require(cases["counts"]?[name]?.arrayValue)
        #expect(texts.count > 100 && texts.count == counts.count)
        // Twice, for the second time comes from the words seen.
        for _ in 0..<2 {
            for (text, count) in zip(texts, counts) {
                let bytes = Array((text.stringValue ?? "").utf8)
                #expect(counter.count(bytes.span) == count.integerValue.map(Int.init), "\(name): \(text)")
            }
        }
    }

    @Test("what is not understood is refused by its name") func refusals() throws {
        let model = #""model":{"type":"BPE","vocab":{"a":0},"merges":[]}"#
        for (json, name) in [
            (#"{"normalizer":{"type":"Precompiled"},"# + model + "}", "Precompiled"),
            (#"{"pre_tokenizer":{"type":"UnicodeScripts"},"# + model + "}", "UnicodeScripts"),
            (
                #"{"pre_tokenizer":{"type":"Split","pattern":{"Regex":"[ab]+"},"behavior":"Isolated"},"# + model + "}",
                "[ab]+"
            ),
            (#"{"model":{"type":"Other","vocab":{}}}"#, "Other"),
            (#"{"model":{"type":"BPE","vocab":{"a":0},"merges":["a b"]}}"#, "Merge 0"),
            (#"{"model":{"type":"BPE","vocab":{"a":-1},"merges":[]}}"#, "number"),
            (#"{"version":"1.0"}"#, "no model"),
        ] {
            let bytes = Array(json.utf8)
            let error = #expect(throws: TokenizerError.self) { try TokenCounter(json: bytes.span) }
            #expect(error?.message.contains(name) == true, "\(String(describing: error))")
        }
    }

    @Test("a damaged file ends in a counter or an error") func damage() throws {
        let json = try #require(ClassifierSupport.fixture("unigram.json"))
        var chance = SplitMix(seed: ClassifierSupport.seed())
        for _ in 0..<60 {
            var bytes = json
            for _ in 0..<Int.random(in: 1...3, using: &chance) {
                bytes[Int.random(in: 0..<bytes.count, using: &chance)] = UInt8.random(in: 0...255, using: &chance)
            }
            if Bool.random(using: &chance) { bytes.removeLast(Int.random(in: 0..<bytes.count, using: &chance)) }
            guard var counter = try? TokenCounter(json: bytes.span) else { continue }
            #expect(counter.count(json.span.extracting(first: 200)) >= 0)
        }
        for bytes: [UInt8] in [[], [0x7B], Array("[".utf8), [UInt8](repeating: 0x5B, count: 10_000)] {
            #expect(throws: TokenizerError.self) { try TokenCounter(json: bytes.span) }
        }
    }

    @Test("a text that nothing cuts has as many tokens as its length says", arguments: ["llama3", "characters"])
    func longPiece(name: String) throws {
        var counter = try Self.counter(name)
        let short = [UInt8](repeating: UInt8(ascii: "z"), count: 1000)
        let long = [UInt8](repeating: UInt8(ascii: "z"), count: 20_000)
        let (one, twenty) = (counter.count(short.span), counter.count(long.span))
        #expect(one > 0 && abs(twenty - 20 * one) <= 40)
    }

    @Test("any bytes at all are counted") func anyBytes() throws {
        var chance = SplitMix(seed: ClassifierSupport.seed())
        for name in ["gpt2", "qwen", "unigram", "wordpiece", "characters"] {
            var counter = try Self.counter(name)
            for count in [1, 2, 3, 40, 600] {
                let noise = (0..<count).map { _ in UInt8.random(in: 0...255, using: &chance) }
                #expect(counter.count(noise.span) >= 0)
            }
        }
    }
}
