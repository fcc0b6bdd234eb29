import Core

/// Turns stored values into JSON.
enum ParquetValue {
    static func json(_ bytes: Span<UInt8>, _ type: ParquetLeafType) -> JSON {
        switch type.physical {
        case .boolean: .bool(bytes.count > 0 && bytes[0] != 0)
        case .int32: json(Int64(Int32(truncatingIfNeeded: little(bytes))), type)
        case .int64: json(little(bytes), type)
        case .float: number(Double(Float(bitPattern: UInt32(truncatingIfNeeded: little(bytes)))))
        case .double: number(Double(bitPattern: UInt64(bitPattern: little(bytes))))
        case .int96: legacyTimestamp(bytes)
        case .byteArray, .fixed: json(binary: bytes, type)
        }
    }

    static func json(_ value: Int64, _ type: ParquetLeafType) -> JSON {
        switch type.meaning {
        case .unsigned:
            if type.physical == .int32 { return .integer(Int64(UInt32(truncatingIfNeeded: value))) }
            return value >= 0 ? .integer(value) : .number(Double(UInt64(bitPattern: value)))
        case .decimal(let scale): return .string(decimal(String(value), scale: scale))
        case .date: return .string(date(days: Int(value)))
        case .timestamp(let perSecond): return .string(timestamp(value, perSecond: Int64(perSecond)))
        case .plain, .text, .uuid, .float16: return .integer(value)
        }
    }

    /// JSON has no infinities and no NaN.
    private static func number(_ value: Double) -> JSON { value.isFinite ? .number(value) : .null }

    private static func json(binary bytes: Span<UInt8>, _ type: ParquetLeafType) -> JSON {
        switch type.meaning {
        case .text: return .string(bytes.withUnsafeBufferPointer { String(decoding: $0, as: UTF8.self) })
        case .uuid:
            var text = ""
            for index in 0..<bytes.count {
                if index == 4 || index == 6 || index == 8 || index == 10 { text += "-" }
                let hex = String(bytes[index], radix: 16)
                text += hex.utf8.count < 2 ? "0" + hex : hex
            }
            return .string(text)
        case .float16: return number(half(UInt16(bytes[0]) | UInt16(bytes[1]) << 8))
        case .decimal(let scale) where bytes.count <= 16: return .string(decimal(bigEndian(bytes), scale: scale))
        case .plain, .unsigned, .decimal, .date, .timestamp:
            // Older writers do not say which of their bytes are text.
            let text = bytes.withUnsafeBufferPointer { String(validating: $0, as: UTF8.self) }
            return .string(text ?? base64(bytes))
        }
    }

    private static func little(_ bytes: Span<UInt8>) -> Int64 {
        var value: UInt64 = 0
        for index in 0..<min(8, bytes.count) { value |= UInt64(bytes[index]) << UInt64(8 * index) }
        return Int64(bitPattern: value)
    }

    /// IEEE 754 of 16 bits.
    private static func half(_ bits: UInt16) -> Double {
        let fraction = Double(bits & 0x3FF)
        let exponent = Int(bits >> 10 & 0x1F)
        let magnitude: Double =
            switch exponent {
            case 0: Double(sign: .plus, exponent: -24, significand: fraction)
            case 31: fraction == 0 ? .infinity : .nan
            default: Double(sign: .plus, exponent: exponent - 25, significand: 1_024 + fraction)
            }
        return bits >> 15 == 1 ? -magnitude : magnitude
    }

    private static func decimal(_ digits: String, scale: Int) -> String {
        guard scale > 0 else { return digits }
        let isNegative = digits.hasPrefix("-")
        var text = isNegative ? String(digits.dropFirst()) : digits
        if text.utf8.count <= scale { text = String(repeating: "0", count: scale + 1 - text.utf8.count) + text }
        return (isNegative ? "-" : "") + text.dropLast(scale) + "." + text.suffix(scale)
    }

    /// The digits of a two's complement number of up to 16 bytes.
    private static func bigEndian(_ bytes: Span<UInt8>) -> String {
        var value: Int128 = bytes.count > 0 && bytes[0] >= 0x80 ? -1 : 0
        for index in 0..<bytes.count { value = value << 8 | Int128(bytes[index]) }
        return String(value)
    }

    private static func padded(_ value: Int, _ width: Int) -> String {
        let digits = String(value.magnitude)
        return (value < 0 ? "-" : "") + String(repeating: "0", count: max(0, width - digits.utf8.count)) + digits
    }

    /// A day of the proleptic Gregorian calendar, counted from 1970-01-01.
    ///
    /// > Source: Hinnant, "chrono-Compatible Low-Level Date Algorithms", `civil_from_days`.
    private static func date(days: Int) -> String {
        let shifted = days + 719_468
        let era = (shifted >= 0 ? shifted : shifted - 146_096) / 146_097
        let dayOfEra = shifted - era * 146_097
        let yearOfEra = (dayOfEra - dayOfEra / 1_460 + dayOfEra / 36_524 - dayOfEra / 146_096) / 365
        let dayOfYear = dayOfEra - (365 * yearOfEra + yearOfEra / 4 - yearOfEra / 100)
        let month = (5 * dayOfYear + 2) / 153
        let day = dayOfYear - (153 * month + 2) / 5 + 1
        let year = yearOfEra + era * 400 + (month >= 10 ? 1 : 0)
        return padded(year, 4) + "-" + padded(month < 10 ? month + 3 : month - 9, 2) + "-" + padded(day, 2)
    }

    private static func timestamp(_ value: Int64, perSecond: Int64) -> String {
        let seconds = value >= 0 ? value / perSecond : ~(~value / perSecond)
        // Not by the difference, which the least of all numbers would overflow.
        let remainder = Int(value % perSecond)
        let fraction = remainder < 0 ? remainder + Int(perSecond) : remainder
        let days = seconds >= 0 ? seconds / 86_400 : ~(~seconds / 86_400)
        let second = Int(seconds - days * 86_400)
        var text = date(days: Int(days)) + "T" + padded(second / 3_600, 2) + ":" + padded(second / 60 % 60, 2)
        text += ":" + padded(second % 60, 2)
        if fraction > 0 { text += "." + padded(fraction, String(perSecond).utf8.count - 1) }
        return text
    }

    /// Nanoseconds of a day and the day by the Julian count, as Impala and old versions of Spark wrote timestamps.
    private static func legacyTimestamp(_ bytes: Span<UInt8>) -> JSON {
        guard bytes.count == 12 else { return .null }
        let nanoseconds = little(bytes.extracting(0..<8))
        let day = Int(little(bytes.extracting(8..<12))) - 2_440_588
        guard (0..<86_400_000_000_000).contains(nanoseconds) else { return .null }
        let time = timestamp(nanoseconds, perSecond: 1_000_000_000)
        return .string(date(days: day) + time.dropFirst(10))
    }

    /// RFC 4648, section 4.
    private static func base64(_ bytes: Span<UInt8>) -> String {
        let alphabet = Array("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/".utf8)
        var text: [UInt8] = []
        text.reserveCapacity((bytes.count + 2) / 3 * 4)
        for start in stride(from: 0, to: bytes.count, by: 3) {
            let count = min(3, bytes.count - start)
            var bits = 0
            for index in 0..<3 { bits = bits << 8 | (index < count ? Int(bytes[start + index]) : 0) }
            for letter in 0..<4 {
                text.append(letter <= count ? alphabet[bits >> (18 - 6 * letter) & 63] : UInt8(ascii: "="))
            }
        }
        return String(decoding: text, as: UTF8.self)
    }
}
