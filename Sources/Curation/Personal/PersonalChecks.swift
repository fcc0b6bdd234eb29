/// Check characters and the rules for parts of numbers. All take ASCII, by index into the bytes; none traps on any bytes.
enum PersonalChecks {
    /// ISO 7064 MOD 11-2 over 18 characters, the last of which may be X (GB 11643-1999, 5.1).
    static func nationalID(_ digits: Span<UInt8>, at start: Int) -> Bool {
        guard isNationalIDShaped(digits, at: start) else { return false }
        // The weight of place i, from the right and from 1, is 2^(i-1) mod 11: Horner's rule does without a table.
        var sum = 0
        for i in start..<start + 17 { sum = (sum + Int(digits[i] &- 0x30)) * 2 % 11 }
        let last = digits[start + 17]
        let value = last | 0x20 == 0x78 ? 10 : Int(last &- 0x30)
        return (sum + value) % 11 == 1
    }

    /// Whether 18 characters have a region and a birth date where an identity number has them.
    static func isNationalIDShaped(_ digits: Span<UInt8>, at start: Int) -> Bool {
        let year = number(digits, start + 6, 4)
        return isRegion(digits, at: start) && year >= 1880 && year <= 2035
            && isDay(month: number(digits, start + 10, 2), day: number(digits, start + 12, 2), year: year)
    }

    /// Whether 15 digits have a region and a birth date of the 20th century where the old identity number has them.
    static func isOldNationalIDShaped(_ digits: Span<UInt8>, at start: Int) -> Bool {
        isRegion(digits, at: start)
            && isDay(
                month: number(digits, start + 8, 2),
                day: number(digits, start + 10, 2),
                year: 1900 + number(digits, start + 6, 2)
            )
    }

    /// Province codes of GB/T 2260 with 71, 81, 82 and 83 for residents from Taiwan, Hong Kong and Macao.
    static func isRegion(_ digits: Span<UInt8>, at start: Int) -> Bool {
        switch number(digits, start, 2) {
        case 11...15, 21...23, 31...37, 41...46, 50...54, 61...65, 71, 81...83: number(digits, start + 2, 2) <= 90
        default: false
        }
    }

    static func isDay(month: Int, day: Int, year: Int) -> Bool {
        guard (1...12).contains(month), day >= 1 else { return false }
        switch month {
        case 2: return day <= (year % 4 == 0 && (year % 100 != 0 || year % 400 == 0) ? 29 : 28)
        case 4, 6, 9, 11: return day <= 30
        default: return day <= 31
        }
    }

    static func number(_ digits: Span<UInt8>, _ start: Int, _ count: Int) -> Int {
        var value = 0
        for i in start..<start + count { value = value * 10 + Int(digits[i] &- 0x30) }
        return value
    }

    /// Issuer prefix, length and Luhn (ISO/IEC 7812-1, annex B) of `count` digits without separators.
    static func bankCard(_ digits: Span<UInt8>, at start: Int, count: Int) -> Bool {
        guard (13...19).contains(count), isIssuer(number(digits, start, 4), count: count) else { return false }
        return luhn(digits, at: start, count: count)
    }

    static func luhn(_ digits: Span<UInt8>, at start: Int, count: Int) -> Bool {
        var sum = 0
        var isDoubled = false
        var i = start + count - 1
        while i >= start {
            var digit = Int(digits[i] &- 0x30)
            if isDoubled {
                digit *= 2
                if digit > 9 { digit -= 9 }
            }
            sum += digit
            isDoubled.toggle()
            i -= 1
        }
        return sum % 10 == 0
    }

    /// Whether a network issues cards of that length that begin with those four digits.
    private static func isIssuer(_ prefix: Int, count: Int) -> Bool {
        switch prefix {
        case 4000...4999: count == 13 || count == 16 || count == 19  // Visa
        case 5100...5599, 2221...2720: count == 16  // Mastercard
        case 6200...6299, 8100...8171: count >= 16  // UnionPay
        case 3400...3499, 3700...3799: count == 15  // American Express
        // Diners Club.
        case 3000...3059, 3095, 3600...3699, 3800...3999: count == 14 || count == 16 || count == 19
        case 3528...3589: count >= 16  // JCB
        case 2131, 1800: count == 15  // JCB, old
        case 6011, 6440...6599: count >= 16  // Discover
        case 5000...5099, 5600...5899, 6300...6399, 6700...6799: count == 16 || count >= 18  // Maestro
        case 6000...6099, 6400...6439, 6800...6999, 9558...9559: count == 16 || count >= 18  // banks' own
        default: false
        }
    }

    /// The values of GB 32100-2015's 31 characters, and 255 for I, O, S, V, Z and whatever is not among them.
    @inline(__always)
    static func creditCodeValue(_ character: UInt8) -> UInt8 {
        switch character {
        case 0x30...0x39: return character - 0x30
        case 0x41...0x48: return character - 0x41 + 10  // A-H
        case 0x4A...0x4E: return character - 0x4A + 18  // J-N
        case 0x50...0x52: return character - 0x50 + 23  // P-R
        case 0x54, 0x55: return character - 0x54 + 26  // T, U
        case 0x57...0x59: return character - 0x57 + 28  // W-Y
        default: return 255
        }
    }

    /// The check character of 18 (GB 32100-2015, 4.5: weights 3^(i-1) mod 31), a known registering department, a region.
    static func creditCode(_ code: Span<UInt8>, at start: Int) -> Bool {
        let department = code[start]
        switch department {
        case 0x31...0x37, 0x39, 0x41, 0x4E, 0x59: break  // 1-7, 9, A, N, Y
        default: return false
        }
        for i in start + 2..<start + 8 where !(0x30...0x39).contains(code[i]) { return false }
        var sum = 0
        var weight = 1
        for i in start..<start + 17 {
            let value = creditCodeValue(code[i])
            guard value != 255 else { return false }
            sum += Int(value) * weight
            weight = weight * 3 % 31
        }
        return Int(creditCodeValue(code[start + 17])) == (31 - sum % 31) % 31
    }

    /// Lengths of the SWIFT registry of ISO 13616; 0 for a country that has no IBAN.
    static func ibanLength(_ first: UInt8, _ second: UInt8) -> Int {
        let table: StaticString = """
            AD24AE23AL28AT20AZ28BA20BE16BG22BH22BI27BR29BY28CH21CR22CY28CZ24DE22DJ27DK18DO28EE20EG29ES24FI18FK18FO18FR27\
            GB22GE22GI23GL18GR27GT28HR21HU28IE22IL23IQ23IS26IT27JO30KW30KZ20LB28LC32LI21LT20LU20LV21LY25MC27MD24ME22MK19\
            MN20MR27MT31MU30NI28NL18NO15OM23PK24PL28PS29PT25QA29RO24RS22RU33SA24SC31SD18SE24SI19SK24SM27SO23ST25SV28TL23\
            TN24TR26UA29VA22VG24XK20YE30
            """
        return table.withUTF8Buffer { bytes in
            var i = 0
            while i + 3 < bytes.count {
                if bytes[i] == first, bytes[i + 1] == second {
                    return Int(bytes[i + 2] - 0x30) * 10 + Int(bytes[i + 3] - 0x30)
                }
                i += 4
            }
            return 0
        }
    }

    /// ISO 7064 MOD 97-10 of capitals and digits without spaces.
    static func iban(_ code: Span<UInt8>) -> Bool {
        guard code.count >= 15, ibanLength(code[0], code[1]) == code.count else { return false }
        var rest = 0
        for k in 0..<code.count {
            let character = code[(k + 4) % code.count]
            switch character {
            case 0x30...0x39: rest = (rest * 10 + Int(character - 0x30)) % 97
            case 0x41...0x5A: rest = (rest * 100 + Int(character - 0x41) + 10) % 97
            default: return false
            }
        }
        return rest == 1
    }
}
