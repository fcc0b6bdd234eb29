import Curation
import Testing

@Suite struct NearDuplicateTests {
    private let strict = NearDuplicateSettings.standard

    @Test("the result is that of comparing all pairs that share a band, one document after another", arguments: 0..<6)
    func bruteForce(_ round: Int) throws {
        var random = DuplicateRandom.ofTests(round)
        let settings = try #require(NearDuplicateSettings(bands: 10, rows: 2, threshold: [0.3, 0.5, 0.8][round % 3]))
        var texts: [String] = []
        for _ in 0..<120 {
            if let base = texts.randomElement(using: &random), Int.random(in: 0..<4, using: &random) > 0 {
                texts.append(edited(base, Int.random(in: 0..<8, using: &random), &random))
            } else {
                texts.append(words(Int.random(in: 0..<40, using: &random), &random))
            }
        }
        let firstOwn = round % 2 == 0 ? 0 : 20
        #expect(
            nearDuplicates(of: texts, settings, firstOwn: firstOwn)
                == expectedRemovals(texts, settings, firstOwn: firstOwn)
        )
    }

    @Test("neither the order of blocks and partitions nor the number of workers changes the result")
    func order() {
        var random = DuplicateRandom.ofTests(20)
        var texts = (0..<60).map { _ in words(150, &random) }
        texts += texts.map { edited($0, 1, &random) } + texts.map { edited($0, 3, &random) }
        let straight = nearDuplicates(of: texts, strict)
        #expect(straight.count > 60)
        for round in 0..<4 { #expect(nearDuplicates(of: texts, strict, shuffledBy: UInt64(round)) == straight) }
        for workers in [2, 7] {
            #expect(
                nearDuplicates(of: texts, strict, firstOwn: 9, workers: workers)
                    == nearDuplicates(of: texts, strict, firstOwn: 9)
            )
        }
    }

    @Test("pairs at 0.8 and above are found after random edits, in words and in Chinese")
    func recall() {
        var random = DuplicateRandom.ofTests(30)
        for spacing in [" ", ""] {
            var near = 0
            var found = 0
            for _ in 0..<100 {
                let base = words(200, &random, spacing: spacing)
                let other = edited(base, Int.random(in: 0...5, using: &random), &random, spacing: spacing)
                guard jaccard(base, other) >= 0.8 else { continue }
                near += 1
                found += nearDuplicates(of: [base, other], strict).count
            }
            #expect(near > 60)
            // At 0.8 one in 400 is missed, and fewer above: three of a hundred would be a fault.
            #expect(near - found <= 2)
        }
    }

    @Test("instruction sets give the same sketches")
    func instructionSets() throws {
        var random = DuplicateRandom.ofTests(40)
        let settings = try #require(NearDuplicateSettings(bands: 7, rows: 5, threshold: 0.8))
        for count in [0, 1, 4, 5, 6, 100, 1023, 1024, 1025, 1030, 5000] {
            let text = Array(words(count, &random).utf8)
            let sketches = InstructionSet.available.map { instructionSet in
                var sketcher = DocumentSketcher(settings, on: instructionSet)
                sketcher.sketch(text.span)
                #expect(sketcher.wordCount == count)
                return sketcher.bandKeys
            }
            #expect(Set(sketches).count == 1)
        }
    }

    @Test("sketches are those of earlier releases, or their version is another")
    func golden() {
        #expect(DocumentSketcher.version == 1)
        var sketcher = DocumentSketcher(.standard)
        sketcher.sketch(Array("The quick brown fox jumps over 13 lazy dogs. 静夜思：床前明月光，疑是地上霜。ÄÖÜ Привет".utf8).span)
        #expect(sketcher.wordCount == 24)
        #expect(sketcher.identity == TextHash(high: 8_521_383_392_304_051_907, low: 3_696_834_217_649_943_576))
        #expect(sketcher.bandKeys.prefix(2) == [11_491_398_044_897_332_795, 16_131_333_195_875_568_481])
    }

    @Test("a text in pieces is sketched as the whole, wherever it is cut")
    func pieces() {
        var random = DuplicateRandom.ofTests(50)
        var text = Array((words(1500, &random) + "中文Ünï𠀀ça\u{301}😀 x" + words(700, &random, spacing: "")).utf8)
        text.append(contentsOf: [0xE4, 0xB8])
        var whole = DocumentSketcher(strict)
        whole.sketch(text.span)
        for longest in [1, 2, 3, 7, 1000, 5000] {
            var sketcher = DocumentSketcher(strict)
            sketcher.begin()
            var start = 0
            while start < text.count {
                let end = min(text.count, start + Int.random(in: 1...longest, using: &random))
                sketcher.add(text.span.extracting(start..<end))
                start = end
            }
            sketcher.end()
            #expect(sketcher.bandKeys == whole.bandKeys)
            #expect(sketcher.identity == whole.identity)
            #expect(sketcher.wordCount == whole.wordCount)
        }
    }

    @Test("texts without words are near to nothing, and short ones only to the same words")
    func short() {
        let texts = ["", "", "!?", "…", "a", "A.", "a b", "b a", "好", "好！", "a b c d", "a b c d e", "A-B-C-D", "a b c"]
        let removals = nearDuplicates(of: texts, strict)
        #expect(removals.map(\.document) == [5, 9, 12])
        #expect(removals.map(\.representative) == [4, 8, 10])
        #expect(removals.allSatisfy { $0.jaccard == 1 })
    }

    @Test("a chain of small steps keeps what is unlike its first")
    func chain() throws {
        let settings = try #require(NearDuplicateSettings(bands: 64, rows: 1, threshold: 0.6))
        let texts = (0..<40).map { start in (start..<start + 44).map { "w\($0)" }.joined(separator: " ") }
        let removals = nearDuplicates(of: texts, settings)
        #expect(removals.map(\.document) == (1..<40).filter { $0 % 11 != 0 }.map(UInt64.init))
        for removal in removals {
            #expect(removal.representative == removal.document / 11 * 11)
            #expect(removal.jaccard == jaccard(texts[Int(removal.document)], texts[Int(removal.representative)]))
        }
    }

    @Test("a giant bucket takes linear work, whether its members are alike or not")
    func giantBucket() {
        let alike = 12_000
        var buckets = (0..<UInt64(alike)).map { BucketEntry(document: $0, bucket: 0) }
        var removals: [DuplicateRemoval] = []
        var check = NearDuplicateCheck(strict, bucketCount: 1)
        let text = Array("one text for all of the documents in it".utf8)
        check.check(&buckets, into: &removals) { _, piece in piece(text.span) }
        #expect(removals.count == alike - 1)
        #expect(check.readCount == alike)

        let unlike = 1000
        buckets = (0..<UInt64(unlike)).map { BucketEntry(document: $0, bucket: 0) }
        removals = []
        check = NearDuplicateCheck(strict, bucketCount: 1)
        check.check(&buckets, into: &removals) { document, piece in piece(Array("number \(document)".utf8).span) }
        #expect(removals.isEmpty)
        #expect(check.comparisonCount <= unlike * NearDuplicateCheck.leadersMax)
        #expect(check.readCount == unlike)
    }

    @Test("a text too long to hold is compared exactly all the same, in bounded rounds")
    func longTexts() throws {
        var random = DuplicateRandom.ofTests(60)
        let base = words(9000, &random, vocabulary: 100_000)
        let other = edited(base, 200, &random)
        let unlike = words(9000, &random, vocabulary: 100_000)
        let text = [unlike, base, "short", other].map { Array($0.utf8) }
        var all: [[DuplicateRemoval]] = []
        for shinglesMax in [1024, 1 << 20] {
            var buckets = [0, 1, 2, 3].map { BucketEntry(document: $0, bucket: 0) }
            var removals: [DuplicateRemoval] = []
            var check = NearDuplicateCheck(strict, bucketCount: 1, shinglesMax: shinglesMax)
            check.check(&buckets, into: &removals) { document, piece in
                let text = text[Int(document)]
                let middle = text.count / 2
                piece(text.span.extracting(..<middle))
                piece(text.span.extracting(middle...))
            }
            all.append(removals)
        }
        #expect(all[0] == all[1])
        #expect(all[0] == [DuplicateRemoval(document: 3, representative: 1, jaccard: jaccard(base, other))])
    }

    @Test("documents compared against stay, and represent ours")
    func against() {
        var random = DuplicateRandom.ofTests(70)
        let base = words(100, &random)
        let texts = [base, base, edited(base, 1, &random), base, edited(base, 1, &random), words(100, &random)]
        let removals = nearDuplicates(of: texts, strict, firstOwn: 3)
        #expect(removals.map(\.document) == [3, 4])
        #expect(removals.map(\.representative) == [0, 0])
        #expect(removals[0].jaccard == 1 && removals[1].jaccard < 1)
    }

    @Test("settings out of range are refused")
    func settings() {
        #expect(NearDuplicateSettings(bands: 0, rows: 1, threshold: 0.5) == nil)
        #expect(NearDuplicateSettings(bands: 1, rows: 33, threshold: 0.5) == nil)
        #expect(NearDuplicateSettings(bands: 1, rows: 1, threshold: 0) == nil)
        #expect(NearDuplicateSettings(bands: 1, rows: 1, threshold: .nan) == nil)
        #expect(NearDuplicateSettings(bands: 128, rows: 32, threshold: 1) != nil)
    }
}

// What the driver does, in memory.
private func nearDuplicates(
    of texts: [String],
    _ settings: NearDuplicateSettings,
    firstOwn: Int = 0,
    shuffledBy seed: UInt64? = nil,
    workers: Int = 1
) -> [DuplicateRemoval] {
    var random = DuplicateRandom(seed: seed ?? 0)
    var order = Array(texts.indices)
    var partitions = [[BandEntry]](repeating: [], count: 4)
    if seed != nil { order.shuffle(using: &random) }
    var sketcher = DocumentSketcher(settings)
    var exact: [ExactEntry] = []
    var bands: [BandEntry] = []
    for index in order {
        sketcher.sketch(Array(texts[index].utf8).span)
        sketcher.appendBands(of: UInt64(index), to: &bands)
        sketcher.appendIdentity(of: UInt64(index), to: &exact)
    }
    for entry in bands { partitions[Int(entry.key >> 62)].append(entry) }
    if seed != nil { partitions.shuffle(using: &random) }
    let removals = ExactDuplicates.removals(among: &exact, firstOwn: UInt64(firstOwn))
    var skipped = DocumentSet()
    for removal in removals { skipped.insert(removal.document) }
    var join = NearDuplicateJoin(firstOwn: UInt64(firstOwn))
    var buckets: [BucketEntry] = []
    for index in partitions.indices { join.join(&partitions[index], skipping: skipped, into: &buckets) }
    var components = BucketComponents(documentCount: UInt64(texts.count))
    components?.join(buckets)
    var near: [DuplicateRemoval] = []
    for worker in 0..<workers {
        var check = NearDuplicateCheck(
            settings,
            bucketCount: join.bucketCount,
            firstOwn: UInt64(firstOwn),
            cacheBytes: 20_000
        )
        let middle = UInt64(texts.count / 2)
        for half in [true, false] {
            var range = buckets.filter { ($0.document < middle) == half }
            range.removeAll { Int(components?.component(of: $0.document) ?? 0) % workers != worker }
            check.check(&range, into: &near) { document, piece in piece(Array(texts[Int(document)].utf8).span) }
        }
    }
    near.sort { $0.document < $1.document }
    return DuplicateRemoval.joined(exact: removals, near: near)
}

// The definition, word for word: the first document with the same words or what represents it, else the first that
// stays, shares a band and is near.
private func expectedRemovals(
    _ texts: [String],
    _ settings: NearDuplicateSettings,
    firstOwn: Int
) -> [DuplicateRemoval] {
    var sketcher = DocumentSketcher(settings)
    let keys = texts.map { text in
        sketcher.sketch(Array(text.utf8).span)
        return sketcher.wordCount == 0 ? [] : Set(sketcher.bandKeys)
    }
    var staying: [Int] = []
    var removals: [Int: DuplicateRemoval] = [:]
    for document in texts.indices {
        var representative: Int?
        let twin = texts[..<document].firstIndex(of: texts[document])
        if document >= firstOwn, !keys[document].isEmpty {
            representative =
                twin.map { removals[$0].map { Int($0.representative) } ?? $0 }
                ?? staying.first { other in
                    !keys[document].isDisjoint(with: keys[other])
                        && jaccard(texts[document], texts[other]) >= settings.threshold
                }
        }
        if let representative {
            removals[document] = DuplicateRemoval(
                document: UInt64(document),
                representative: UInt64(representative),
                jaccard: jaccard(texts[document], texts[representative])
            )
        } else {
            staying.append(document)
        }
    }
    return removals.values.sorted { $0.document < $1.document }
}

// Of runs of five words; a word is what stands between spaces, or a character beyond ASCII.
private func jaccard(_ a: String, _ b: String) -> Double {
    func shingles(_ text: String) -> Set<[Substring]> {
        let words = text.allSatisfy(\.isASCII) ? text.split(separator: " ") : text.indices.map { text[$0...$0] }
        guard words.count > 5 else { return [words] }
        return Set((0...words.count - 5).map { Array(words[$0..<$0 + 5]) })
    }
    let (a, b) = (shingles(a), shingles(b))
    let common = a.intersection(b).count
    return Double(common) / Double(a.count + b.count - common)
}

private func words(
    _ count: Int,
    _ random: inout DuplicateRandom,
    spacing: String = " ",
    vocabulary: Int = 2000
) -> String {
    (0..<count).map { _ in word(Int.random(in: 0..<vocabulary, using: &random), spacing) }.joined(separator: spacing)
}

private func word(_ number: Int, _ spacing: String) -> String {
    spacing.isEmpty ? String(UnicodeScalar(0x4E00 + UInt32(number % 20_000)) ?? "中") : "w\(number)"
}

private func edited(_ text: String, _ edits: Int, _ random: inout DuplicateRandom, spacing: String = " ") -> String {
    var words = spacing.isEmpty ? text.map(String.init) : text.split(separator: " ").map(String.init)
    for _ in 0..<edits where !words.isEmpty {
        let index = Int.random(in: words.indices, using: &random)
        switch Int.random(in: 0..<3, using: &random) {
        case 0: words[index] = word(Int.random(in: 0..<2000, using: &random), spacing)
        case 1: words.remove(at: index)
        default: words.insert(word(Int.random(in: 0..<2000, using: &random), spacing), at: index)
        }
    }
    return words.joined(separator: spacing)
}
