/// Which encoding makes the bytes beyond ASCII into the characters that texts are mostly made of.
///
/// Each encoding of two bytes is walked over the sample: pairs that are no characters count against it, the few dozen
/// characters that make up a good part of any text in its language count for it. Single-byte encodings are told by how
/// bytes beyond ASCII come: in runs (Cyrillic, Greek) or alone (Latin), and which of them are frequent.
struct CharsetStatistics {
    /// Bytes beyond ASCII that are looked at, at most.
    private static let sampleMax = 1 << 15

    private var double: [Tally] = []
    private var high = [Int](repeating: 0, count: 256)
    private var highTotal = 0
    /// Bytes beyond ASCII that stand in runs of at least three.
    private var inRuns = 0
    /// Bytes beyond ASCII between ASCII letters.
    private var amongLetters = 0

    private struct Tally {
        var encoding: Encoding
        var pairs = 0
        var broken = 0
        var frequent = 0
    }

    private enum Encoding: String, CaseIterable {
        case gb18030, big5, shiftJIS = "shift_jis", eucJP = "euc-jp", eucKR = "euc-kr"
    }

    init(_ bytes: Span<UInt8>) {
        double = Encoding.allCases.map { Tally(encoding: $0) }
        for index in double.indices { Self.walk(bytes, &double[index]) }
        var run = 0
        var seen = 0
        for at in 0..<bytes.count {
            let byte = bytes[at]
            if byte >= 0x80 {
                high[Int(byte)] += 1
                highTotal += 1
                run += 1
                if at > 0, at + 1 < bytes.count, isLetter(bytes[at - 1]), isLetter(bytes[at + 1]) { amongLetters += 1 }
                seen += 1
            } else {
                if run >= 3 { inRuns += run }
                run = 0
                if seen >= Self.sampleMax { break }
            }
        }
        if run >= 3 { inRuns += run }
    }

    /// The encoding's name, or nil when nothing speaks for any but the fallback.
    func guess() -> String? {
        guard highTotal > 0 else { return nil }
        var best: Tally?
        for tally in double where tally.pairs >= 2 && tally.broken * 20 <= tally.pairs {
            guard let other = best else {
                best = tally
                continue
            }
            if tally.frequent * other.pairs > other.frequent * tally.pairs { best = tally }
        }
        // In running text a sixth of the characters and more are among the frequent; by chance one in fifty is.
        if let best,
            best.frequent * 14 >= best.pairs || (best.pairs < 40 && best.frequent > 0 && inRuns * 2 > highTotal)
        {
            return best.encoding.rawValue
        }
        if let single = singleByte() { return single }
        if let best, best.broken * 50 <= best.pairs, inRuns * 10 > highTotal * 8 { return best.encoding.rawValue }
        return nil
    }

    /// Walks the sample as one of the encodings of two bytes.
    private static func walk(_ bytes: Span<UInt8>, _ tally: inout Tally) {
        var at = 0
        var seen = 0
        while at < bytes.count && seen < sampleMax {
            let lead = bytes[at]
            at += 1
            guard lead >= 0x80 else { continue }
            seen += 1
            if tally.encoding == .shiftJIS && lead >= 0xA1 && lead <= 0xDF {
                // Half-width katakana: one byte, and rare.
                tally.pairs += 1
                continue
            }
            guard at < bytes.count else { break }
            let trail = bytes[at]
            if tally.encoding == .gb18030 && trail >= 0x30 && trail <= 0x39 && lead >= 0x81 && lead <= 0xFE {
                at += 3
                tally.pairs += 1
                continue
            }
            guard isPair(lead, trail, tally.encoding) else {
                tally.broken += 1
                continue
            }
            at += 1
            seen += 1
            tally.pairs += 1
            if isFrequent(lead, trail, tally.encoding) { tally.frequent += 1 }
        }
    }

    private static func isPair(_ lead: UInt8, _ trail: UInt8, _ encoding: Encoding) -> Bool {
        switch encoding {
        case .gb18030: lead >= 0x81 && lead <= 0xFE && trail >= 0x40 && trail != 0x7F && trail <= 0xFE
        case .big5:
            lead >= 0x81 && lead <= 0xFE && ((trail >= 0x40 && trail <= 0x7E) || (trail >= 0xA1 && trail <= 0xFE))
        case .shiftJIS:
            ((lead >= 0x81 && lead <= 0x9F) || (lead >= 0xE0 && lead <= 0xFC)) && trail >= 0x40 && trail != 0x7F
                && trail <= 0xFC
        case .eucJP, .eucKR: lead >= 0xA1 && lead <= 0xFE && trail >= 0xA1 && trail <= 0xFE
        }
    }

    // The characters, in their encodings' own bytes: 的 一 是 不 了 在 人 有 我 他 这 中 大 来 上 国 和 个 到 说 为 们 地 出 年
    // 时 要 就 会 以 生 ， 。 、 and for Korean the commonest syllables, for Japanese all of hiragana and its marks.
    private static let simplified: Set<UInt16> = [
        0xB5C4, 0xD2BB, 0xCAC7, 0xB2BB, 0xC1CB, 0xD4DA, 0xC8CB, 0xD3D0, 0xCED2, 0xCBFB, 0xD5E2, 0xD6D0, 0xB4F3, 0xC0B4,
        0xC9CF, 0xB9FA, 0xBACD, 0xB8F6, 0xB5BD, 0xCBB5, 0xCEAA, 0xC3C7, 0xB5D8, 0xB3F6, 0xC4EA, 0xCAB1, 0xD2AA, 0xBECD,
        0xBBE1, 0xD2D4, 0xC9FA, 0xA3AC, 0xA1A3, 0xA1A2,
    ]
    private static let traditional: Set<UInt16> = [
        0xAABA, 0xA440, 0xAC4F, 0xA4A3, 0xA446, 0xA662, 0xA448, 0xA6B3, 0xA7DA, 0xA54C, 0xB36F, 0xA4A4, 0xA46A, 0xA8D3,
        0xA457, 0xB0EA, 0xA94D, 0xADD3, 0xA8EC, 0xBBA1, 0xACB0, 0xADCC, 0xA661, 0xA558, 0xA67E, 0xAEC9, 0xAD6E, 0xB44E,
        0xB77C, 0xA548, 0xA5CD, 0xA141, 0xA143, 0xA142,
    ]
    private static let korean: Set<UInt16> = [
        0xC0CC, 0xB4D9, 0xB4C2, 0xBFA1, 0xC0C7, 0xB0A1, 0xC0BB, 0xC7CF, 0xB0ED, 0xC1F6, 0xB8A6, 0xC0BA, 0xB7CE, 0xC7D1,
        0xB1E2, 0xBBE7, 0xC0DA, 0xBCAD, 0xB5B5, 0xB8AE, 0xBEC6, 0xBDC3, 0xB6F3, 0xC0CE, 0xB1D7, 0xB5E9, 0xBDBA,
    ]

    private static func isFrequent(_ lead: UInt8, _ trail: UInt8, _ encoding: Encoding) -> Bool {
        let pair = UInt16(lead) << 8 | UInt16(trail)
        return switch encoding {
        case .gb18030: simplified.contains(pair)
        case .big5: traditional.contains(pair)
        case .eucKR: korean.contains(pair)
        case .eucJP: (lead == 0xA4 && trail <= 0xF3) || pair == 0xA1A2 || pair == 0xA1A3
        case .shiftJIS: (lead == 0x82 && trail >= 0x9F && trail <= 0xF1) || pair == 0x8141 || pair == 0x8142
        }
    }

    private func singleByte() -> String? {
        if inRuns * 10 >= highTotal * 6 {
            // а е и о н т, in each of the Cyrillic encodings, and α ε ι ο τ.
            let candidates: [(String, [UInt8])] = [
                ("windows-1251", [0xE0, 0xE5, 0xE8, 0xEE, 0xED, 0xF2]),
                ("koi8-r", [0xC1, 0xC5, 0xC9, 0xCF, 0xCE, 0xD4]),
                ("ibm866", [0xA0, 0xA5, 0xA8, 0xAE, 0xAD, 0xE2]), ("iso-8859-5", [0xD0, 0xD5, 0xD8, 0xDE, 0xDD, 0xE2]),
                ("windows-1253", [0xE1, 0xE5, 0xE9, 0xEF, 0xF4, 0xED]),
            ]
            var best = ""
            var most = 0
            for (name, frequent) in candidates {
                let count = frequent.reduce(0) { $0 + high[Int($1)] }
                if count > most {
                    most = count
                    best = name
                }
            }
            // Six letters of thirty-three are more than four tenths of Russian, five and ν a third of Greek.
            return most * 10 >= highTotal * 3 ? best : nil
        }
        guard amongLetters > 0 else { return nil }
        // ł ą ż ę ś, where windows-1252 has signs that do not stand inside words.
        let signs = high[0xB3] + high[0xB9] + high[0xBF] + high[0x9C]
        if signs * 4 > highTotal { return "windows-1250" }
        if (high[0xB1] + high[0xB6] + high[0xBF] + high[0xB3]) * 3 > highTotal { return "iso-8859-2" }
        return nil
    }
}
