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
        String(unsafeUninitializedCapacity: 26) { buffer in
            var (high, low) = (high, low)
            for index in stride(from: 25, through: 0, by: -1) {
                buffer[index] = Base32.alphabet[Int(low & 31)]
                low = low >> 5 | high << 59
                high >>= 5
            }
            return 26
        }
    }

    public var description: String { "\(Tag.prefix)-\(base32)" }

    /// Reads the text form; `nil` unless prefix, length, alphabet and range are all right.
    public init?(_ description: String) {
        let bytes = description.utf8
        let length = Tag.prefix.utf8CodeUnitCount
        guard bytes.count == length + 27, bytes.starts(with: Tag.prefix.bytes),
            bytes.dropFirst(length).first == UInt8(ascii: "-")
        else { return nil }
        self.init(base32: description[bytes.index(bytes.startIndex, offsetBy: length + 1)...])
    }

    /// Reads the 26 characters that follow the prefix.
    public init?(base32 text: Substring) {
        guard text.utf8.count == 26, let first = text.utf8.first, first <= UInt8(ascii: "7") else { return nil }
        var (high, low): (UInt64, UInt64) = (0, 0)
        for byte in text.utf8 {
            guard let value = Base32.value(of: byte) else { return nil }
            high = high << 5 | low >> 59
            low = low << 5 | UInt64(value)
        }
        self.init(high: high, low: low)
    }
}

extension ID: Codable {
    public init(from decoder: any Decoder) throws {
        let container = try decoder.singleValueContainer()
        let text = try container.decode(String.self)
        guard let id = Self(text) else {
            throw DecodingError.dataCorruptedError(in: container, debugDescription: "not a \(Tag.prefix) identifier")
        }
        self = id
    }

    public func encode(to encoder: any Encoder) throws {
        var container = encoder.singleValueContainer()
        try container.encode(description)
    }
}

extension StaticString {
    fileprivate var bytes: UnsafeBufferPointer<UInt8> { .init(start: utf8Start, count: utf8CodeUnitCount) }
}

/// Crockford's base32 without i, l, o and u. Source: https://www.crockford.com/base32.html
enum Base32 {
    static let alphabet = Array("0123456789abcdefghjkmnpqrstvwxyz".utf8)

    private static let values: [UInt8] = {
        var values = [UInt8](repeating: 255, count: 256)
        for (value, byte) in alphabet.enumerated() { values[Int(byte)] = UInt8(value) }
        return values
    }()

    static func value(of byte: UInt8) -> UInt8? {
        let value = values[Int(byte)]
        return value == 255 ? nil : value
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
