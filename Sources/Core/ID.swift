/// What a kind of identifier is called in text: `job-01j…`, `wf-01j…`.
public protocol IDTag: Sendable {
    /// Lower-case letters only; a hyphen and 26 base32 characters follow it in text.
    static var prefix: StaticString { get }
}

/// A 128-bit identifier that sorts by the time of its making and is typed by what it names.
///
/// 48 bits of milliseconds since 1970, then 80 random bits, as in ULID. In text: the tag's prefix, a hyphen and
/// 26 characters of Crockford's base32 in lower case, so that it is a valid DNS label and a valid Slurm job name.
public struct ID<Tag: IDTag>: Hashable, Sendable {
    public let high: UInt64
    public let low: UInt64

    public init(high: UInt64, low: UInt64) {
        self.high = high
        self.low = low
    }

    /// Makes a new identifier. `now` before 1970 counts as 1970.
    public init(now: Instant, using generator: inout some RandomNumberGenerator) {
        let time = UInt64(clamping: now.milliseconds) & 0xFFFF_FFFF_FFFF
        self.high = time << 16 | UInt64(UInt16.random(in: .min ... .max, using: &generator))
        self.low = generator.next()
    }
}

extension ID: Comparable {
    public static func < (a: Self, b: Self) -> Bool {
        (a.high, a.low) < (b.high, b.low)
    }
}

extension ID: LosslessStringConvertible {
    /// The 26 base32 characters without the prefix.
    public var base32: String {
        String(unsafeUninitializedCapacity: Base32.length) { buffer in
            Base32.write(high, low, to: buffer[...])
            return Base32.length
        }
    }

    public var description: String {
        let prefix = Tag.prefix.bytes
        let length = prefix.count + 1 + Base32.length
        return String(unsafeUninitializedCapacity: length) { buffer in
            _ = buffer.update(fromContentsOf: prefix)
            buffer[prefix.count] = UInt8(ascii: "-")
            Base32.write(high, low, to: buffer[(prefix.count + 1)...])
            return length
        }
    }

    /// Reads the text form; `nil` unless prefix, length, alphabet and range are all right.
    public init?(_ description: String) {
        var text = description
        guard let id = text.withUTF8({ Self(utf8: $0) }) else { return nil }
        self = id
    }

    /// The same where it stands.
    public init?(utf8 bytes: UnsafeBufferPointer<UInt8>) {
        let prefix = Tag.prefix.bytes
        guard bytes.count == prefix.count + 1 + Base32.length, bytes.starts(with: prefix),
            bytes[prefix.count] == UInt8(ascii: "-"), let words = Base32.read(bytes[(prefix.count + 1)...])
        else { return nil }
        self.init(high: words.high, low: words.low)
    }

    /// Reads the 26 characters that follow the prefix.
    public init?(base32 text: Substring) {
        var text = text
        guard let words = text.withUTF8({ Base32.read($0[...]) }) else { return nil }
        self.init(high: words.high, low: words.low)
    }
}

extension ID: TextCoded {
    public static var misread: String { "not a \(Tag.prefix) identifier" }
}

extension StaticString {
    fileprivate var bytes: UnsafeBufferPointer<UInt8> { .init(start: utf8Start, count: utf8CodeUnitCount) }
}

/// 128 bits in Crockford's base32, without i, l, o and u. Source: https://www.crockford.com/base32.html
enum Base32 {
    /// Characters of 128 bits; the first has only three.
    static let length = 26
    private static let alphabet: StaticString = "0123456789abcdefghjkmnpqrstvwxyz"

    /// - Parameter buffer: Room for ``length`` bytes.
    static func write(_ high: UInt64, _ low: UInt64, to buffer: Slice<UnsafeMutableBufferPointer<UInt8>>) {
        var (buffer, high, low) = (buffer, high, low)
        for index in stride(from: length - 1, through: 0, by: -1) {
            buffer[buffer.startIndex + index] = alphabet.utf8Start[Int(low & 31)]
            low = low >> 5 | high << 59
            high >>= 5
        }
    }

    static func read(_ bytes: Slice<UnsafeBufferPointer<UInt8>>) -> (high: UInt64, low: UInt64)? {
        guard bytes.count == length, bytes[bytes.startIndex] <= UInt8(ascii: "7") else { return nil }
        var (high, low): (UInt64, UInt64) = (0, 0)
        for byte in bytes {
            guard let value = value(of: byte) else { return nil }
            high = high << 5 | low >> 59
            low = low << 5 | UInt64(value)
        }
        return (high, low)
    }

    private static func value(of byte: UInt8) -> UInt8? {
        switch byte {
        case UInt8(ascii: "0")...UInt8(ascii: "9"): byte - UInt8(ascii: "0")
        case UInt8(ascii: "a")...UInt8(ascii: "h"): byte - UInt8(ascii: "a") + 10
        case UInt8(ascii: "j")...UInt8(ascii: "k"): byte - UInt8(ascii: "j") + 18
        case UInt8(ascii: "m")...UInt8(ascii: "n"): byte - UInt8(ascii: "m") + 20
        case UInt8(ascii: "p")...UInt8(ascii: "t"): byte - UInt8(ascii: "p") + 22
        case UInt8(ascii: "v")...UInt8(ascii: "z"): byte - UInt8(ascii: "v") + 27
        default: nil
        }
    }
}

public enum JobTag: IDTag { public static let prefix: StaticString = "job" }
public enum ArrayTag: IDTag { public static let prefix: StaticString = "arr" }
public enum WorkflowTag: IDTag { public static let prefix: StaticString = "wf" }
public enum TokenTag: IDTag { public static let prefix: StaticString = "tok" }
public enum AgentTag: IDTag { public static let prefix: StaticString = "agt" }
public enum UploadTag: IDTag { public static let prefix: StaticString = "up" }

public typealias JobID = ID<JobTag>
public typealias ArrayID = ID<ArrayTag>
public typealias WorkflowID = ID<WorkflowTag>
public typealias TokenID = ID<TokenTag>
public typealias AgentID = ID<AgentTag>
public typealias UploadID = ID<UploadTag>
