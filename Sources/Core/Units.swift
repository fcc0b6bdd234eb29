/// An amount of memory, storage or traffic in bytes. Arithmetic saturates: sums over figures from outside never trap.
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

    public static func mebi(_ count: Int64) -> Bytes { Bytes(saturating(count, times: 1 << 20)) }
    public static func gibi(_ count: Int64) -> Bytes { Bytes(saturating(count, times: 1 << 30)) }
    public static func < (a: Bytes, b: Bytes) -> Bool { a.count < b.count }
    public static func + (a: Bytes, b: Bytes) -> Bytes { Bytes(saturating(a.count, plus: b.count)) }
    public static func - (a: Bytes, b: Bytes) -> Bytes { Bytes(saturating(a.count, minus: b.count)) }
    public static func * (a: Bytes, factor: Int) -> Bytes { Bytes(saturating(a.count, times: Int64(factor))) }

    /// Reads `512MiB`, `2GiB`, `1.5 TiB`, `10MB` or a plain number of bytes; `nil` for anything else or above 2⁶².
    public init?(_ text: String) {
        let digits = text.prefix { $0.isNumber || $0 == "." }
        let unit = text.dropFirst(digits.count).drop { $0 == " " }
        guard let first = digits.utf8.first, first != UInt8(ascii: "."), digits.utf8.last != UInt8(ascii: "."),
            let value = Double(digits), let scale = Self.scales[String(unit)]
        else { return nil }
        if let whole = Int64(digits) {
            // Whole numbers stay exact beyond the 53 bits of a Double.
            let (bytes, overflow) = whole.multipliedReportingOverflow(by: Int64(scale))
            guard !overflow, bytes <= 1 << 62 else { return nil }
            self.init(bytes)
        } else {
            let bytes = (value * scale).rounded()
            guard bytes <= 0x1p62 else { return nil }
            self.init(Int64(bytes))
        }
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
        // What would be rounded up to 1024 of a unit is 1 of the next.
        for next in ["KiB", "MiB", "GiB", "TiB", "PiB"] where (value.magnitude * 10).rounded() >= 10_240 {
            value /= 1024
            unit = next
        }
        let tenths = (value * 10).rounded() / 10
        return tenths == tenths.rounded() ? "\(Int64(tenths)) \(unit)" : "\(tenths) \(unit)"
    }
}

/// Processor time capacity in thousandths of a core. Arithmetic saturates.
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

    public static func cores(_ count: Int) -> MilliCores { MilliCores(saturating(Int64(count), times: 1000)) }
    public static func < (a: MilliCores, b: MilliCores) -> Bool { a.count < b.count }
    public static func + (a: MilliCores, b: MilliCores) -> MilliCores { MilliCores(saturating(a.count, plus: b.count)) }
    public static func - (a: MilliCores, b: MilliCores) -> MilliCores {
        MilliCores(saturating(a.count, minus: b.count))
    }
    public static func * (a: MilliCores, factor: Int) -> MilliCores {
        MilliCores(saturating(a.count, times: Int64(factor)))
    }

    public var cores: Double { Double(count) / 1000 }
}

extension MilliCores: CustomStringConvertible {
    /// In cores: `2`, `0.5`.
    public var description: String { count % 1000 == 0 ? "\(count / 1000)" : "\(Double(count) / 1000)" }
}

/// Money in millionths of a credit. Integers, because ledgers must balance exactly.
///
/// Arithmetic saturates at about ±9.2 × 10¹² credits; whoever takes in an amount caps it far below that, since a
/// saturated booking would not balance.
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

    public static func credits(_ count: Int64) -> MicroCredits { MicroCredits(saturating(count, times: 1_000_000)) }
    public static func < (a: MicroCredits, b: MicroCredits) -> Bool { a.count < b.count }
    public static func + (a: MicroCredits, b: MicroCredits) -> MicroCredits {
        MicroCredits(saturating(a.count, plus: b.count))
    }
    public static func - (a: MicroCredits, b: MicroCredits) -> MicroCredits {
        MicroCredits(saturating(a.count, minus: b.count))
    }
    public static func * (a: MicroCredits, factor: Int) -> MicroCredits {
        MicroCredits(saturating(a.count, times: Int64(factor)))
    }
    public static prefix func - (a: MicroCredits) -> MicroCredits { 0 - a }

    /// `rate` per hour held for `milliseconds`, in `units`; rounded half away from zero; saturates at ±2⁶³.
    ///
    /// One unit is reckoned in integers and exact; other numbers of units in binary floating point.
    public static func charge(perHour rate: MicroCredits, milliseconds: Int64, units: Double) -> MicroCredits {
        if units == 1 {
            let product = Int128(rate.count) * Int128(milliseconds)
            let half: Int128 = product < 0 ? -1_800_000 : 1_800_000
            return MicroCredits(Int64(clamping: (product + half) / 3_600_000))
        }
        let amount = (Double(rate.count) * Double(milliseconds) / 3_600_000 * units).rounded()
        return MicroCredits(saturating(amount))
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

/// Sums, products and roundings that stop at the ends of `Int64`.
func saturating(_ a: Int64, plus b: Int64) -> Int64 {
    let (sum, overflow) = a.addingReportingOverflow(b)
    return overflow ? (b < 0 ? .min : .max) : sum
}

func saturating(_ a: Int64, minus b: Int64) -> Int64 {
    let (difference, overflow) = a.subtractingReportingOverflow(b)
    return overflow ? (b < 0 ? .max : .min) : difference
}

func saturating(_ a: Int64, times b: Int64) -> Int64 {
    let (product, overflow) = a.multipliedReportingOverflow(by: b)
    return overflow ? ((a < 0) == (b < 0) ? .max : .min) : product
}

/// What is no number counts as zero.
func saturating(_ value: Double) -> Int64 {
    if value.isNaN { return 0 }
    return Int64(exactly: value.rounded()) ?? (value < 0 ? .min : .max)
}
