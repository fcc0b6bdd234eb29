/// Markup that is safe to send: what is interpolated into it is escaped unless it is markup itself.
///
/// A literal is trusted, because somebody wrote it here; a `String` never is. The compiler tells them apart, so a page
/// cannot forget to escape: `"<b>\(job.name)</b>"` as `HTML` escapes the name. Attribute values stand in double quotes.
struct HTML: Sendable, Hashable {
    /// The markup as text.
    private(set) var text: String

    /// Nothing.
    static let empty = HTML(text: "")

    private init(text: String) { self.text = text }

    /// Plain text, escaped.
    init(escaping plain: String) {
        text = ""
        Self.escape(plain, into: &text)
    }

    /// Many pieces, one after the other.
    init(_ pieces: some Sequence<HTML>) {
        text = ""
        for piece in pieces { text += piece.text }
    }

    var isEmpty: Bool { text.isEmpty }

    static func + (a: HTML, b: HTML) -> HTML { HTML(text: a.text + b.text) }
    static func += (a: inout HTML, b: HTML) { a.text += b.text }

    /// Escapes the five characters that mean something in text or in quoted attribute values, and drops control
    /// characters: those that HTML forbids, and those of direction, which can make a name look like another.
    private static func escape(_ plain: String, into out: inout String) {
        var plain = plain
        let isClean = plain.withUTF8 { bytes in
            bytes.allSatisfy { byte in
                switch byte {
                case UInt8(ascii: "&"), UInt8(ascii: "<"), UInt8(ascii: ">"), UInt8(ascii: "\""), UInt8(ascii: "'"):
                    false
                case 0x09, 0x0A: true
                // 0xE2 begins, among others, the controls of direction.
                case 0..<0x20, 0x7F, 0xE2: false
                default: true
                }
            }
        }
        if isClean {
            out += plain
            return
        }
        for scalar in plain.unicodeScalars {
            switch scalar {
            case "&": out += "&amp;"
            case "<": out += "&lt;"
            case ">": out += "&gt;"
            case "\"": out += "&quot;"
            case "'": out += "&#39;"
            case "\t", "\n": out.unicodeScalars.append(scalar)
            case "\u{0}"..<" ", "\u{7F}", "\u{202A}"..."\u{202E}", "\u{2066}"..."\u{2069}": break
            default: out.unicodeScalars.append(scalar)
            }
        }
    }
}

extension HTML: ExpressibleByStringInterpolation {
    init(stringLiteral value: String) { text = value }
    init(stringInterpolation: StringInterpolation) { text = stringInterpolation.text }

    struct StringInterpolation: StringInterpolationProtocol {
        fileprivate var text = ""

        init(literalCapacity: Int, interpolationCount: Int) {
            text.reserveCapacity(literalCapacity + interpolationCount * 24)
        }

        mutating func appendLiteral(_ literal: String) { text += literal }
        /// Untrusted text.
        mutating func appendInterpolation(_ plain: String) { HTML.escape(plain, into: &text) }
        /// Identifiers, names and numbers by their text.
        mutating func appendInterpolation(_ value: some LosslessStringConvertible) {
            HTML.escape(value.description, into: &text)
        }
        mutating func appendInterpolation(_ html: HTML) { text += html.text }
        mutating func appendInterpolation(_ html: HTML?) { if let html { text += html.text } }
        mutating func appendInterpolation(_ pieces: [HTML]) { for piece in pieces { text += piece.text } }
    }
}

extension Sequence {
    /// The pieces of markup that each element makes, one after the other.
    func html(_ piece: (Element) -> HTML) -> HTML {
        var out = HTML.empty
        for element in self { out += piece(element) }
        return out
    }
}
