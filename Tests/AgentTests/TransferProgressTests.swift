import Core
import Testing

@testable import Agent

@Suite struct TransferProgressTests {
    private let model = digest(of: "model".utf8)

    /// A file of 100 GiB that comes with 100 MiB each second.
    private func words(seconds: Int) -> [(at: Int, text: String)] {
        var progress = TransferProgress("staging model.bin", at: .zero)
        return (1...seconds).compactMap { second in
            progress.advance(
                model,
                to: .mebi(100) * second,
                received: .mebi(100),
                of: .gibi(100),
                at: .seconds(second)
            ).map { (second, $0) }
        }
    }

    @Test("what comes within two seconds is not worth a word, and then there is one every few seconds")
    func early() {
        let words = words(seconds: 20)
        #expect(words.map(\.at) == [2, 7, 12, 17])
        #expect(words.first?.text == "staging model.bin: 200 MiB of 100 GiB, 100 MiB/s")
        #expect(words.last?.text == "staging model.bin: 1.7 GiB of 100 GiB, 100 MiB/s")
    }

    @Test("a day of staging costs less than two hundred words")
    func late() {
        let words = words(seconds: 24 * 3600)
        #expect(words.count < 200)
        #expect(zip(words, words.dropFirst()).allSatisfy { $1.at - $0.at >= 5 })
    }

    @Test("of a folder all files count, and only what has come counts as speed")
    func folder() {
        var progress = TransferProgress("uploading data", total: .gibi(4), settled: .gibi(1), at: .zero)
        progress.settle(model, .gibi(1))
        let other = digest(of: "other".utf8)
        #expect(progress.advance(other, to: .mebi(256), received: .mebi(20), of: .gibi(1), at: .seconds(1)) == nil)
        let text = progress.advance(model, to: .mebi(256), received: .mebi(20), of: .gibi(2), at: .seconds(4))
        #expect(text == "uploading data: 2.5 GiB of 4 GiB, 10 MiB/s")
    }
}
