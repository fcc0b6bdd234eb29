/// A point in time: whole milliseconds since 1970-01-01T00:00:00Z, without leap seconds.
///
/// Whole milliseconds because binary fractions of a second print wrongly and databases compare integers well.
public struct Instant: Hashable, Sendable, Comparable, Codable {
    public let milliseconds: Int64

    public init(milliseconds: Int64) { self.milliseconds = milliseconds }

    public init(from decoder: any Decoder) throws {
        let container = try decoder.singleValueContainer()
        guard let instant = Instant(rfc3339: try container.decode(String.self)) else {
            throw DecodingError.dataCorruptedError(in: container, debugDescription: "not an RFC 3339 time")
        }
        self = instant
    }

    public func encode(to encoder: any Encoder) throws {
        var container = encoder.singleValueContainer()
        try container.encode(rfc3339)
    }

    public static func < (a: Instant, b: Instant) -> Bool { a.milliseconds < b.milliseconds }

    /// Adds a duration, truncated to milliseconds; saturates instead of overflowing.
    public static func + (instant: Instant, duration: Duration) -> Instant {
        Instant(milliseconds: saturating(instant.milliseconds, plus: duration.milliseconds))
    }

    public static func - (instant: Instant, duration: Duration) -> Instant { instant + (.zero - duration) }

    /// The time from `b` to `a`; negative when `a` is the earlier; saturates.
    public static func - (a: Instant, b: Instant) -> Duration {
        .milliseconds(saturating(a.milliseconds, minus: b.milliseconds))
    }
}

extension Duration {
    /// Whole milliseconds, truncated towards zero; saturates.
    public var milliseconds: Int64 {
        let (seconds, attoseconds) = components
        return saturating(saturating(seconds, times: 1000), plus: attoseconds / 1_000_000_000_000_000)
    }

    /// Seconds as a floating-point number, for figures shown to people and for rates.
    public var seconds: Double { Double(components.seconds) + Double(components.attoseconds) * 1e-18 }
}

extension Instant: CustomStringConvertible {
    public var description: String { rfc3339 }

    /// RFC 3339 in UTC with milliseconds: `2026-01-31T09:30:00.000Z`.
    ///
    /// The format knows the years 0000 to 9999; what lies outside prints as the nearest time inside.
    public var rfc3339: String {
        let writable = min(max(milliseconds, Self.textMin), Self.textMax)
        let (days, dayMilliseconds) = floorDivide(writable, 86_400_000)
        let (year, month, day) = civil(fromDays: days)
        let seconds = dayMilliseconds / 1000
        return String(unsafeUninitializedCapacity: Self.textLength) { buffer in
            var position = 0
            func put(_ value: Int64, _ width: Int, _ separator: Character) {
                var rest = value
                for index in stride(from: position + width - 1, through: position, by: -1) {
                    buffer[index] = UInt8(ascii: "0") + UInt8(rest % 10)
                    rest /= 10
                }
                buffer[position + width] = separator.asciiValue ?? 0
                position += width + 1
            }
            put(year, 4, "-")
            put(month, 2, "-")
            put(day, 2, "T")
            put(seconds / 3600, 2, ":")
            put(seconds / 60 % 60, 2, ":")
            put(seconds % 60, 2, ".")
            put(dayMilliseconds % 1000, 3, "Z")
            return position
        }
    }

    private static let textLength = 24

    /// 0000-01-01T00:00:00.000Z
    private static let textMin: Int64 = -62_167_219_200_000
    /// 9999-12-31T23:59:59.999Z
    private static let textMax: Int64 = 253_402_300_799_999

    /// Reads RFC 3339 with any offset and any number of fractional digits (those after the third are dropped).
    ///
    /// A leap second is read as the second after it. A day that its month does not have is refused.
    public init?(rfc3339 text: String) {
        var text = text
        guard let instant = text.withUTF8({ Self(rfc3339: $0) }) else { return nil }
        self = instant
    }

    private init?(rfc3339 bytes: UnsafeBufferPointer<UInt8>) {
        func number(_ start: Int, _ count: Int) -> Int64? {
            guard start + count <= bytes.count else { return nil }
            var value: Int64 = 0
            for byte in bytes[start..<start + count] {
                guard (UInt8(ascii: "0")...UInt8(ascii: "9")).contains(byte) else { return nil }
                value = value * 10 + Int64(byte - UInt8(ascii: "0"))
            }
            return value
        }
        guard bytes.count >= 20, bytes[4] == UInt8(ascii: "-"), bytes[7] == UInt8(ascii: "-"),
            bytes[10] | 0x20 == UInt8(ascii: "t") || bytes[10] == UInt8(ascii: " "),
            bytes[13] == UInt8(ascii: ":"), bytes[16] == UInt8(ascii: ":"),
            let year = number(0, 4), let month = number(5, 2), let day = number(8, 2), let hour = number(11, 2),
            let minute = number(14, 2), let second = number(17, 2), (1...12).contains(month),
            (1...daysOf(month: month, year: year)).contains(day), hour < 24, minute < 60, second < 61
        else { return nil }
        var position = 19
        var fraction: Int64 = 0
        if bytes[position] == UInt8(ascii: ".") {
            var scale: Int64 = 100
            position += 1
            let start = position
            while position < bytes.count, let digit = number(position, 1) {
                fraction += digit * scale
                scale /= 10
                position += 1
            }
            guard position > start else { return nil }
        }
        guard position < bytes.count else { return nil }
        var offsetMinutes: Int64 = 0
        switch bytes[position] {
        case UInt8(ascii: "Z"), UInt8(ascii: "z"):
            guard bytes.count == position + 1 else { return nil }
        case UInt8(ascii: "+"), UInt8(ascii: "-"):
            guard bytes.count == position + 6, let hours = number(position + 1, 2),
                bytes[position + 3] == UInt8(ascii: ":"), let minutes = number(position + 4, 2), hours < 24,
                minutes < 60
            else { return nil }
            offsetMinutes = (hours * 60 + minutes) * (bytes[position] == UInt8(ascii: "-") ? -1 : 1)
        default: return nil
        }
        let days = days(fromCivil: (year, month, day))
        let clock = (hour * 60 + minute - offsetMinutes) * 60 + second
        self.init(milliseconds: days * 86_400_000 + clock * 1000 + fraction)
    }
}

private func floorDivide(_ a: Int64, _ b: Int64) -> (quotient: Int64, remainder: Int64) {
    let (quotient, remainder) = a.quotientAndRemainder(dividingBy: b)
    return remainder < 0 ? (quotient - 1, remainder + b) : (quotient, remainder)
}

private func daysOf(month: Int64, year: Int64) -> Int64 {
    switch month {
    case 2: year.isMultiple(of: 4) && (!year.isMultiple(of: 100) || year.isMultiple(of: 400)) ? 29 : 28
    case 4, 6, 9, 11: 30
    default: 31
    }
}

/// Days since 1970 to a proleptic Gregorian date, by eras of 400 years that begin on 1 March.
private func civil(fromDays days: Int64) -> (year: Int64, month: Int64, day: Int64) {
    let (era, dayOfEra) = floorDivide(days + 719_468, 146_097)
    let yearOfEra = (dayOfEra - dayOfEra / 1460 + dayOfEra / 36_524 - dayOfEra / 146_096) / 365
    let dayOfYear = dayOfEra - (365 * yearOfEra + yearOfEra / 4 - yearOfEra / 100)
    let shiftedMonth = (5 * dayOfYear + 2) / 153
    let month = shiftedMonth < 10 ? shiftedMonth + 3 : shiftedMonth - 9
    return (yearOfEra + era * 400 + (month <= 2 ? 1 : 0), month, dayOfYear - (153 * shiftedMonth + 2) / 5 + 1)
}

private func days(fromCivil date: (year: Int64, month: Int64, day: Int64)) -> Int64 {
    let year = date.month <= 2 ? date.year - 1 : date.year
    let (era, yearOfEra) = floorDivide(year, 400)
    let dayOfYear = (153 * (date.month + (date.month > 2 ? -3 : 9)) + 2) / 5 + date.day - 1
    return era * 146_097 + yearOfEra * 365 + yearOfEra / 4 - yearOfEra / 100 + dayOfYear - 719_468
}
