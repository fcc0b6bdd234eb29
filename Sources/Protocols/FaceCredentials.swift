import Core

/// What an `Authorization` header carries: `Bearer <token>`, or `Basic` with the token as the password.
///
/// The name before the password does not count: clients have all sorts of habits there, and the token says whose it is.
enum FaceCredentials: Hashable, Sendable {
    case none
    case token(String)

    /// - Throws: `.unauthenticated` for a header that is neither.
    init(header: String?) throws(Failure) {
        guard let header else {
            self = .none
            return
        }
        let parts = header.split(separator: " ", maxSplits: 1)
        switch (parts.first?.lowercased(), parts.count) {
        case ("bearer", 2): self = .token(try Self.checked(String(parts[1])))
        case ("basic", 2):
            guard let bytes = Base64.decoded(parts[1]), let colon = bytes.firstIndex(of: UInt8(ascii: ":")),
                let password = String(validating: bytes[(colon + 1)...], as: UTF8.self)
            else { throw Self.unreadable }
            self = .token(try Self.checked(password))
        default: throw Self.unreadable
        }
    }

    private static func checked(_ token: String) throws(Failure) -> String {
        guard (1...512).contains(token.utf8.count) else { throw unreadable }
        return token
    }

    private static let unreadable = Failure(
        .unauthenticated,
        "The Authorization header must be 'Bearer <token>', or 'Basic' with a token as the password."
    )
}

/// RFC 4648, section 4.
enum Base64 {
    /// `nil` for anything but whole groups of four in the standard alphabet.
    static func decoded(_ text: some StringProtocol) -> [UInt8]? {
        var digits = Array(text.utf8)
        guard digits.count % 4 == 0 else { return nil }
        var padding = 0
        while padding < 2, digits.last == UInt8(ascii: "=") {
            digits.removeLast()
            padding += 1
        }
        var bytes: [UInt8] = []
        bytes.reserveCapacity(digits.count * 3 / 4)
        var (bits, count): (UInt32, Int) = (0, 0)
        for digit in digits {
            guard let value = value(digit) else { return nil }
            bits = bits << 6 | UInt32(value)
            count += 6
            guard count >= 8 else { continue }
            count -= 8
            bytes.append(UInt8(truncatingIfNeeded: bits >> UInt32(count)))
        }
        return bytes
    }

    private static func value(_ digit: UInt8) -> UInt8? {
        switch digit {
        case UInt8(ascii: "A")...UInt8(ascii: "Z"): digit - UInt8(ascii: "A")
        case UInt8(ascii: "a")...UInt8(ascii: "z"): digit - UInt8(ascii: "a") + 26
        case UInt8(ascii: "0")...UInt8(ascii: "9"): digit - UInt8(ascii: "0") + 52
        case UInt8(ascii: "+"): 62
        case UInt8(ascii: "/"): 63
        default: nil
        }
    }
}
