@_spi(_Unicode) import Swift

/// A rule that changes text before a tokenizer cuts it.
enum TextNormalizer: Sendable, Hashable {
    /// Unicode's composed form.
    case nfc
    case replace([UInt8], with: [UInt8])
    case prepend([UInt8])
    case lowercase
    /// BERT's: controls go, white space becomes blanks, ideographs stand alone, accents may go, and capitals.
    case bert(cleans: Bool, separatesIdeographs: Bool, stripsAccents: Bool, lowercases: Bool)

    func apply(to text: inout [UInt8], _ classes: CharacterClasses) {
        switch self {
        case .nfc:
            guard Self.hasUnstable(text.span, classes) else { return }
            text = Self.utf8(String(decoding: text, as: UTF8.self)._nfc)
        case .replace(let old, let new): text = Self.replace(old, new, in: text.span)
        case .prepend(let prefix): if !text.isEmpty { text.insert(contentsOf: prefix, at: 0) }
        case .lowercase: text = Self.lowercase(text.span)
        case .bert(let cleans, let separates, let strips, let lowercases):
            if cleans { text = Self.clean(text.span, classes) }
            if separates { text = Self.separate(text.span) }
            if strips, text.contains(where: { $0 >= 0x80 }) { text = Self.strip(text) }
            if lowercases { text = Self.lowercase(text.span) }
        }
    }

    private static func hasUnstable(_ text: Span<UInt8>, _ classes: CharacterClasses) -> Bool {
        var at = 0
        while at < text.count {
            if text[at] < 0x80 {
                at += 1
                continue
            }
            let next = text.scalar(at: at)
            if classes.of(next.value) & CharacterClasses.unstable != 0 { return true }
            at = next.next
        }
        return false
    }

    private static func utf8(_ characters: some Sequence<Unicode.Scalar>) -> [UInt8] {
        var out: [UInt8] = []
        for scalar in characters { append(scalar, to: &out) }
        return out
    }

    private static func append(_ scalar: Unicode.Scalar, to out: inout [UInt8]) {
        for byte in UTF8.encode(scalar) ?? UTF8.encodedReplacementCharacter { out.append(byte) }
    }

    private static func replace(_ old: [UInt8], _ new: [UInt8], in text: Span<UInt8>) -> [UInt8] {
        var out: [UInt8] = []
        out.reserveCapacity(text.count + text.count / 4)
        var at = 0
        while at < text.count {
            if text[at] == old[0], text.matches(old, at: at) {
                out += new
                at += old.count
            } else {
                out.append(text[at])
                at += 1
            }
        }
        return out
    }

    private static func lowercase(_ text: Span<UInt8>) -> [UInt8] {
        var out: [UInt8] = []
        out.reserveCapacity(text.count)
        var at = 0
        while at < text.count {
            let next = text.scalar(at: at)
            if next.value < 0x80 {
                out.append(text[at] >= 0x41 && text[at] <= 0x5A ? text[at] | 0x20 : text[at])
            } else if let scalar = Unicode.Scalar(next.value) {
                out += scalar.properties.lowercaseMapping.utf8
            }
            at = next.next
        }
        return out
    }

    private static func clean(_ text: Span<UInt8>, _ classes: CharacterClasses) -> [UInt8] {
        var out: [UInt8] = []
        out.reserveCapacity(text.count)
        var at = 0
        while at < text.count {
            let next = text.scalar(at: at)
            let kind = classes.of(next.value)
            if kind & CharacterClasses.space != 0, next.value != 0x85 {
                out.append(0x20)
            } else if kind & CharacterClasses.other == 0, next.value != 0xFFFD {
                for place in at..<next.next { out.append(text[place]) }
            }
            at = next.next
        }
        return out
    }

    private static func separate(_ text: Span<UInt8>) -> [UInt8] {
        var out: [UInt8] = []
        out.reserveCapacity(text.count + text.count / 2)
        var at = 0
        while at < text.count {
            let next = text.scalar(at: at)
            let isIdeograph =
                switch next.value {
                case 0x4E00...0x9FFF, 0x3400...0x4DBF, 0x20000...0x2A6DF, 0x2A700...0x2B73F, 0x2B740...0x2B81F,
                    0x2B920...0x2CEAF, 0xF900...0xFAFF, 0x2F800...0x2FA1F:
                    true
                default: false
                }
            if isIdeograph { out.append(0x20) }
            for place in at..<next.next { out.append(text[place]) }
            if isIdeograph { out.append(0x20) }
            at = next.next
        }
        return out
    }

    private static func strip(_ text: [UInt8]) -> [UInt8] {
        utf8(
            String(decoding: text, as: UTF8.self)._nfd.filter { $0.properties.generalCategory != .nonspacingMark }
        )
    }
}

extension Span<UInt8> {
    /// Whether some bytes stand at a place.
    func matches(_ bytes: [UInt8], at place: Int) -> Bool {
        guard place + bytes.count <= count else { return false }
        for offset in bytes.indices where self[place + offset] != bytes[offset] { return false }
        return true
    }
}
