import Core
import NIOCore
import Testing

@testable import Hub

@Suite struct XetLayoutTests {
    @Test("any range of any file comes out of its xorbs as it is in the file")
    func ranges() async throws {
        var random = SplitMix(seed: freshSeed("ranges"))
        let xorb = XetLayout.chunkBytes * XetLayout.chunksPerXorb
        let sizes: [Int64] = [1, 7, 65_535, 65_536, 65_537, xorb - 1, xorb, xorb + 1]
        let last = Int64.random(in: xorb...2 * xorb, using: &random)
        // Of a period that no chunk has.
        let file = [UInt8](unsafeUninitializedCapacity: Int(last)) { bytes, count in
            for index in 0..<Int(last) { bytes[index] = UInt8(index % 251) }
            count = Int(last)
        }
        for size in sizes + [last] {
            let layout = XetLayout(of: sha256([1]), size: Bytes(size))
            for edge in [0, 65_536, xorb, size - 1] where edge < size {
                let first = Int64.random(in: max(0, edge - 70_000)...edge, using: &random)
                let range = first..<Int64.random(in: first..<min(size, first + 200_000), using: &random) + 1
                let (terms, start) = layout.terms(covering: range)
                var plain: [UInt8] = []
                for term in terms {
                    #expect(term.packed.upperBound <= layout.packedBytes(ofXorb: term.xorb) ?? 0)
                    let part = layout.plain(ofXorb: term.xorb, packed: term.packed)
                    #expect(Int64(part.count) == term.plainBytes)
                    let bytes = Array(file[Int(part.lowerBound)..<Int(part.upperBound)])
                    let pieceBytes = Int.random(in: 1000...200_000, using: &random)
                    plain += try await unpacked(layout, term, bytes, pieceBytes: pieceBytes)
                }
                let skipped = Int(range.lowerBound - start)
                let expected = file[Int(range.lowerBound)..<Int(range.upperBound)]
                #expect(plain[skipped...].starts(with: expected), "\(size): \(range)")
            }
        }
    }

    /// What the chunks of a term are, by the unpacker that clients' uploads go through.
    private func unpacked(
        _ layout: XetLayout,
        _ term: XetLayout.Term,
        _ plain: [UInt8],
        pieceBytes: Int
    ) async throws -> [UInt8] {
        let pieces = stream(plain, pieceBytes: pieceBytes)
        var packed = ByteBuffer()
        for try await var piece in PackedXorb(layout: layout, xorb: term.xorb, packed: term.packed, plain: pieces) {
            packed.writeBuffer(&piece)
        }
        #expect(Int64(packed.readableBytes) == Int64(term.packed.count))
        let (table, unpacker) = (XorbTable(), XorbUnpacker())
        var (step, output) = (unpacker, ByteBuffer())
        while try step.step(&packed, into: &output, table) {}
        #expect(packed.readableBytes == 0 && table.chunks.count == term.chunks.count)
        return Array(output.readableBytesView)
    }

    @Test("a part of a xorb, wherever it is cut, is that part of the whole")
    func parts() async throws {
        var random = SplitMix(seed: freshSeed("parts"))
        let file = random.bytes(300_000)
        let layout = XetLayout(of: sha256(file), size: 300_000)
        let total = try #require(layout.packedBytes(ofXorb: 0))
        func packed(_ range: Range<Int64>) async throws -> [UInt8] {
            let plain = layout.plain(ofXorb: 0, packed: range)
            let pieces = stream(Array(file[Int(plain.lowerBound)..<Int(plain.upperBound)]))
            var bytes: [UInt8] = []
            for try await piece in PackedXorb(layout: layout, xorb: 0, packed: range, plain: pieces) {
                bytes += piece.readableBytesView
            }
            return bytes
        }
        let whole = try await packed(0..<total)
        #expect(Int64(whole.count) == total)
        for cut in [0, 1, 7, 8, 9, 65_543, 65_544, 65_545, 65_552, total - 1] {
            #expect(try await packed(0..<cut) + packed(cut..<total) == whole, "\(cut)")
        }
        #expect(layout.packedBytes(ofXorb: 1) == nil && layout.packedBytes(ofXorb: -1) == nil)
    }

    @Test("xorbs of different files, and of one, have different names")
    func names() {
        let layouts = [sha256([1]), sha256([2])].map { XetLayout(of: $0, size: .gibi(1)) }
        let names = layouts.flatMap { layout in [0, 1, 31].map { layout.name(ofXorb: $0) } }
        #expect(Set(names).count == 6 && names.allSatisfy { XetHash($0) != nil })
    }
}
