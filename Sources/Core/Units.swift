/// An amount of memory, storage or traffic in bytes.
public struct Bytes: Hashable, Sendable, Comparable, Codable, ExpressibleByIntegerLiteral {
    public let count: Int64

    public init(_ count: Int64) { self.count = count }
    public init(integerLiteral value: Int64) { self.init(value) }
    public init(from decoder: any Decoder) throws {
        count = try decoder.singleValueContainer().decode(Int64.self)
    }
    public func encode(to encoder: any Encoder) throws {
        var container = encoder.singleValueContainer()
        try container.encode(count)
    }

    public static func mebi(_ count: Int64) -> Bytes { Bytes(count << 20) }
    public static func gibi(_ count: Int64) -> Bytes { Bytes(count << 30) }
    public static func < (a: Bytes, b: Bytes) -> Bool { a.count < b.count }
    public static func + (a: Bytes, b: Bytes) -> Bytes { Bytes(a.count + b.count) }
    public static func - (a: Bytes, b: Bytes) -> Bytes { Bytes(a.count - b.count) }
    public static func * (a: Bytes, factor: Int) -> Bytes { Bytes(a.count * Int64(factor)) }

    /// Reads `512MiB`, `2GiB`, `1.5 TiB`, `10MB` or a plain number of bytes; `nil` for anything else or above 2⁶².
    public init?(_ text: String) {
        let digits = text.prefix { $0.isNumber || $0 == "." }
        let unit = text.dropFirst(digits.count).drop { $0 == " " }
        guard let value = Double(digits), value >= 0, let scale = Self.scales[String(unit)] else { return nil }
        let bytes = (value * scale).rounded()
        guard bytes <= 0x1p62 else { return nil }
        self.init(Int64(bytes))
    }

    private static let scales: [String: Double] = [
        "": 1, "B": 1, "kB": 1e3, "KB": 1e3, "MB": 1e6, "GB": 1e9, "TB": 1e12, "PB": 1e15,
        "KiB": 0x1p10, "MiB": 0x1p20, "GiB": 0x1p30, "TiB": 0x1p40, "PiB": 0x1p50,
    ]
}

extension Bytes: CustomStringConvertible {
    /// At most one decimal and a binary unit: `512 MiB`, `1.5 GiB`.
    public var description: String {
        var value = Double(count)
        var unit = "B"
        for next in ["KiB", "MiB", "GiB", "TiB", "PiB"] where value.magnitude >= 1024 {
            value /= 1024
            unit = next
        }
        let tenths = (value * 10).rounded() / 10
        return tenths == tenths.rounded() ? "\(Int64(tenths)) \(unit)" : "\(tenths) \(unit)"
    }
}

/// Processor time capacity in thousandths of a core.
public struct MilliCores: Hashable, Sendable, Comparable, Codable, ExpressibleByIntegerLiteral {
    public let count: Int64

    public init(_ count: Int64) { self.count = count }
    public init(integerLiteral value: Int64) { self.init(value) }
    public init(from decoder: any Decoder) throws {
        count = try decoder.singleValueContainer().decode(Int64.self)
    }
    public func encode(to encoder: any Encoder) throws {
        var container = encoder.singleValueContainer()
        try container.encode(count)
    }

    public static func cores(_ count: Int) -> MilliCores { MilliCores(Int64(count) * 1000) }
    public static func < (a: MilliCores, b: MilliCores) -> Bool { a.count < b.count }
    public static func + (a: MilliCores, b: MilliCores) -> MilliCores { MilliCores(a.count + b.count) }
    public static func - (a: MilliCores, b: MilliCores) -> MilliCores { MilliCores(a.count - b.count) }
    public static func * (a: MilliCores, factor: Int) -> MilliCores { MilliCores(a.count * Int64(factor)) }

    public var cores: Double { Double(count) / 1000 }
}

extension MilliCores: CustomStringConvertible {
    /// In cores: `2`, `0.5`.
    public var description: String { count % 1000 == 0 ? "\(count / 1000)" : "\(Double(count) / 1000)" }
}

/// Money in millionths of a credit. Integers, because ledgers must balance exactly.
public struct MicroCredits: Hashable, Sendable, Comparable, Codable, ExpressibleByIntegerLiteral {
    public let count: Int64

    public init(_ count: Int64) { self.count = count }
    public init(integerLiteral value: Int64) { self.init(value) }
    public init(from decoder: any Decoder) throws {
        count = try decoder.singleValueContainer().decode(Int64.self)
    }
    public func encode(to encoder: any Encoder) throws {
        var container = encoder.singleValueContainer()
        try container.encode(count)
    }

    public static func credits(_ count: Int64) -> MicroCredits { MicroCredits(count * 1_000_000) }
    public static func < (a: MicroCredits, b: MicroCredits) -> Bool { a.count < b.count }
    public static func + (a: MicroCredits, b: MicroCredits) -> MicroCredits { MicroCredits(a.count + b.count) }
    public static func - (a: MicroCredits, b: MicroCredits) -> MicroCredits { MicroCredits(a.count - b.count) }
    public static prefix func - (a: MicroCredits) -> MicroCredits { MicroCredits(-a.count) }

    /// `rate` per hour held for `milliseconds`, in `units`; rounded half up; saturates at ±2⁶³.
    public static func charge(perHour rate: MicroCredits, milliseconds: Int64, units: Double) -> MicroCredits {
        let amount = (Double(rate.count) * Double(milliseconds) / 3_600_000 * units).rounded()
        return MicroCredits(Int64(exactly: amount) ?? (amount < 0 ? .min : .max))
    }
}

extension MicroCredits: CustomStringConvertible {
    /// In credits with up to six decimals: `1.25`, `-0.000001`.
    public var description: String {
        let magnitude = count.magnitude
        var fraction = String(magnitude % 1_000_000)
        fraction = String(repeating: "0", count: 6 - fraction.count) + fraction
        while fraction.last == "0" { fraction.removeLast() }
        return (count < 0 ? "-" : "") + "\(magnitude / 1_000_000)" + (fraction.isEmpty ? "" : "." + fraction)
    }
}
