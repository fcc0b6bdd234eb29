import Testing

@testable import Console

@Suite struct StyleTests {
    /// Text colours and what they stand on.
    static let pairs = [
        ("ink", "paper"), ("ink", "raised"), ("ink", "sunk"), ("soft", "paper"), ("soft", "raised"), ("soft", "sunk"),
        ("accent", "paper"), ("accent", "raised"), ("accent-ink", "accent"), ("failed", "paper"), ("failed", "raised"),
        ("unseen", "paper"), ("unseen", "raised"), ("queued", "queued-bg"), ("active", "active-bg"),
        ("succeeded", "succeeded-bg"), ("failed", "failed-bg"), ("cancelled", "cancelled-bg"), ("unseen", "unseen-bg"),
        ("queued", "paper"), ("active", "paper"), ("succeeded", "paper"), ("cancelled", "paper"),
    ]

    @Test("text stands out from its ground by 4.5 to 1 in both themes (WCAG 2.2, 1.4.3)")
    func contrast() throws {
        let blocks = Style.sheet.split(separator: ":root {", omittingEmptySubsequences: false).dropFirst()
        #expect(blocks.count == 2)
        for (theme, block) in zip(["light", "dark"], blocks) {
            let colours = Self.colours(block.prefix { $0 != "}" })
            for (text, ground) in Self.pairs {
                let a = Self.luminance(try #require(colours[text], "--\(text) of \(theme)"))
                let b = Self.luminance(try #require(colours[ground], "--\(ground) of \(theme)"))
                let ratio = (max(a, b) + 0.05) / (min(a, b) + 0.05)
                #expect(ratio >= 4.5, "\(theme): \(text) on \(ground) is \(ratio)")
            }
        }
    }

    @Test("the style sheet and the script load nothing from elsewhere")
    func selfContained() {
        for text in [Style.sheet, Script.source] {
            for piece in ["http:", "https:", "//", "@import", "url("] {
                let isThere = text.split(separator: "\n").contains { line in
                    line.contains(piece) && !line.trimmingPrefix(while: \.isWhitespace).hasPrefix("//")
                }
                #expect(!isThere, "\(piece)")
            }
        }
    }

    @Test("every colour that is used is defined")
    func variables() {
        let defined = Set(Self.names(in: Style.sheet, after: "--", before: ":"))
        for name in Self.names(in: Style.sheet, after: "var(--", before: ")") {
            #expect(defined.contains(name), "--\(name)")
        }
    }

    private static func names(in text: String, after start: String, before end: Character) -> [String] {
        text.split(separator: start).dropFirst().compactMap { piece in
            let name = piece.prefix { $0.isLetter || $0 == "-" }
            return piece.dropFirst(name.count).first == end ? String(name) : nil
        }
    }

    private static func colours(_ block: Substring) -> [String: [Double]] {
        var found: [String: [Double]] = [:]
        for declaration in block.split(separator: ";") {
            let parts = declaration.split(separator: ":").map { $0.trimmingPrefix(while: \.isWhitespace) }
            guard parts.count == 2, parts[0].hasPrefix("--"), parts[1].hasPrefix("#"), parts[1].count == 7 else {
                continue
            }
            let digits = Array(parts[1].dropFirst())
            found[String(parts[0].dropFirst(2))] = stride(from: 0, to: 6, by: 2).map {
                Double(Int(String(digits[$0..<$0 + 2]), radix: 16) ?? 0) / 255
            }
        }
        return found
    }

    /// Relative luminance of an sRGB colour.
    private static func luminance(_ colour: [Double]) -> Double {
        let linear = colour.map { value -> Double in
            guard value > 0.04045 else { return value / 12.92 }
            return power((value + 0.055) / 1.055)
        }
        return 0.2126 * linear[0] + 0.7152 * linear[1] + 0.0722 * linear[2]
    }

    /// x to the 2.4th, by x² and the fifth root of x² by Newton's method.
    private static func power(_ x: Double) -> Double {
        let square = x * x
        var root = max(square, 0.2)
        for _ in 0..<60 { root -= (root * root * root * root * root - square) / (5 * root * root * root * root) }
        return square * root
    }
}
