import Core
import Curation
import Testing

@Suite struct StreamTests {
    /// What a stream gave, and how it ended.
    struct Outcome: Equatable {
        var bytes: [UInt8] = []
        var fault: StreamFault?
    }

    static func gunzip(_ file: [UInt8], piece: Int = 1 << 20, outputMax: Int = 1 << 20, cap: ExpansionCap = .none)
        -> Outcome
    {
        var stream = Gunzip(cap: cap)
        return unpack(file, piece) { input, isLast, output throws(StreamFault) in
            try stream.decompress(input, isLast: isLast, into: &output, outputMax: outputMax)
        }
    }

    static func unzstd(_ file: [UInt8], piece: Int = 1 << 20, outputMax: Int = 1 << 20, cap: ExpansionCap = .none)
        -> Outcome
    {
        var stream = Unzstd(cap: cap)
        return unpack(file, piece) { input, isLast, output throws(StreamFault) in
            try stream.decompress(input, isLast: isLast, into: &output, outputMax: outputMax)
        }
    }

    private static func unpack(
        _ file: [UInt8],
        _ piece: Int,
        _ decompress: (Span<UInt8>, Bool, inout [UInt8]) throws(StreamFault) -> Int
    ) -> Outcome {
        var outcome = Outcome()
        var position = 0
        do throws(StreamFault) {
            while true {
                let stop = min(file.count, position + piece)
                let before = outcome.bytes.count
                position += try decompress(
                    file.span.extracting(position..<stop),
                    stop == file.count,
                    &outcome.bytes
                )
                if position == file.count, outcome.bytes.count == before { break }
            }
        } catch {
            outcome.fault = error
        }
        return outcome
    }

    @Test("a stream of several members comes back, in pieces of any size")
    func pieces() {
        var random = SplitMix(seed: ArchiveSupport.seed())
        for _ in 0..<20 {
            var whole: [UInt8] = []
            var gzip: [UInt8] = []
            var zstd: [UInt8] = []
            for _ in 0..<Int.random(in: 1...4, using: &random) {
                let text = ArchiveSupport.text(Int.random(in: 0...3_000, using: &random), using: &random)
                whole += text
                gzip += Gzip.compress(text.span, level: Int.random(in: 0...13, using: &random))
                zstd += Zstd.compress(text.span, level: Int.random(in: -1...9, using: &random))
            }
            let piece = Int.random(in: 1...400, using: &random)
            let outputMax = Int.random(in: 1...1_000, using: &random)
            #expect(Self.gunzip(gzip, piece: piece, outputMax: outputMax) == Outcome(bytes: whole))
            #expect(Self.unzstd(zstd, piece: piece, outputMax: outputMax) == Outcome(bytes: whole))
        }
    }

    @Test("the same bytes give the same compressed bytes")
    func determinism() {
        var random = SplitMix(seed: 5)
        let text = ArchiveSupport.text(50_000, using: &random)
        #expect(Gzip.compress(text.span) == Gzip.compress(text.span))
        #expect(Zstd.compress(text.span) == Zstd.compress(text.span))
    }

    @Test("what could be read of a stream that was cut off is given before the fault")
    func truncation() {
        var random = SplitMix(seed: 6)
        let first = ArchiveSupport.text(40_000, using: &random)
        let second = ArchiveSupport.text(300_000, using: &random)
        let gzip = Gzip.compress(first.span) + Gzip.compress(second.span)
        let cut = Array(gzip.dropLast(20_000))
        let outcome = Self.gunzip(cut)
        #expect(outcome.fault == StreamFault(.truncated, offset: cut.count))
        #expect(outcome.bytes.count > first.count && (first + second).starts(with: outcome.bytes))

        let zstd = Zstd.compress(first.span) + Zstd.compress(second.span)
        let cutFrame = Array(zstd.dropLast(20_000))
        let frames = Self.unzstd(cutFrame)
        #expect(frames.fault == StreamFault(.truncated, offset: cutFrame.count))
        #expect(frames.bytes.count >= first.count && (first + second).starts(with: frames.bytes))
    }

    @Test("damage is told by its kind and where it is")
    func damage() {
        let text = Array("some text, some text, some text".utf8)
        var gzip = Gzip.compress(text.span)
        #expect(Self.gunzip(gzip + [0, 0, 0]) == Outcome(bytes: text))
        #expect(Self.gunzip(gzip + Array("rest".utf8)).fault == StreamFault(.garbage, offset: gzip.count))
        #expect(Self.gunzip(gzip + [0, 1]).fault == StreamFault(.garbage, offset: gzip.count + 1))
        #expect(Self.gunzip(Array("no gzip".utf8)).fault == StreamFault(.garbage, offset: 0))
        #expect(Self.gunzip([]) == Outcome())
        #expect(Self.gunzip([0x1F]).fault == StreamFault(.truncated, offset: 1))
        gzip[gzip.count - 6] ^= 1
        let outcome = Self.gunzip(gzip)
        #expect(outcome.bytes == text && outcome.fault?.kind == .checksum)

        var zstd = Zstd.compress(text.span)
        #expect(Self.unzstd(zstd + Array("rest".utf8)).fault?.kind == .garbage)
        #expect(Self.unzstd(Array("no zstd at all".utf8)).fault?.kind == .damaged)
        #expect(Self.unzstd([]) == Outcome())
        #expect(Self.unzstd([0x28]).fault?.kind == .truncated)
        zstd[zstd.count - 1] ^= 1
        #expect(Self.unzstd(zstd).fault?.kind == .checksum)
    }

    @Test("a zstd window above 128 MiB is refused by its own reason")
    func window() {
        // A frame header of RFC 8878, section 3.1.1.1, with a window of 2^28 or 2^27 bytes, and one raw block of one byte.
        let long: [UInt8] = [0x28, 0xB5, 0x2F, 0xFD, 0x00, 18 << 3, 0x09, 0, 0, 65]
        let allowed: [UInt8] = [0x28, 0xB5, 0x2F, 0xFD, 0x00, 17 << 3, 0x09, 0, 0, 65]
        #expect(Self.unzstd(long).fault?.kind == .window)
        #expect(Self.unzstd(allowed) == Outcome(bytes: [65]))
        #expect(Unzstd.windowMaxBytes == 1 << 27)
    }

    @Test("a bomb ends at the caller's cap of size or of ratio")
    func bombs() {
        let zeros = [UInt8](repeating: 0, count: 40 << 20)
        let gzip = Gzip.compress(zeros.span)
        let zstd = Zstd.compress(zeros.span)
        let size = ExpansionCap(outputMaxBytes: 1_000_000, ratioMax: .max)
        let ratio = ExpansionCap(outputMaxBytes: .max, ratioMax: 100)
        for outcome in [Self.gunzip(gzip, cap: size), Self.unzstd(zstd, cap: size)] {
            #expect(outcome.fault?.kind == .expansion && outcome.bytes.count < 1_500_000)
        }
        for outcome in [Self.gunzip(gzip, cap: ratio), Self.unzstd(zstd, cap: ratio)] {
            #expect(outcome.fault?.kind == .expansion && outcome.bytes.count < 18 << 20)
        }
    }

    @Test("no mutation of a stream does more than end it")
    func mutations() {
        var random = SplitMix(seed: ArchiveSupport.seed())
        let text = ArchiveSupport.text(2_000, using: &random)
        let streams = [Gzip.compress(text.span) + Gzip.compress(text.span), Zstd.compress(text.span) + [1, 2]]
        let cap = ExpansionCap(outputMaxBytes: 1 << 20, ratioMax: .max)
        for round in 0..<4_000 {
            var file = streams[round % 2]
            for _ in 0..<Int.random(in: 1...3, using: &random) {
                file[Int.random(in: 0..<file.count, using: &random)] = UInt8.random(in: 0...255, using: &random)
            }
            let piece = Int.random(in: 1...500, using: &random)
            _ = Self.gunzip(file, piece: piece, cap: cap)
            _ = Self.unzstd(file, piece: piece, cap: cap)
        }
    }
}
