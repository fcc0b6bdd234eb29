extension EnglishChunk {
    /// Whether a chunk's characters are a URL, or a host with or without what stands around it in one.
    ///
    /// A scheme with "://" and anything up to an "@" may stand before the host, a port and a path behind it. The host
    /// is names with dots or an IPv4 address that is not private. The pattern has no two ways to read a host, so that
    /// each place where one may begin is tried once, and the whole is linear.
    func isURL(_ low: Int, _ high: Int) -> Bool {
        guard hasInnerDot(low, high) else { return false }
        if isHost(low, high) { return true }
        if let start = schemeEnd(low, high), isHost(start, high) { return true }
        for at in low..<high where at > low && byte(at) == UInt8(ascii: "@") {
            if isHost(at + 1, high) { return true }
        }
        return false
    }

    /// No host is without a dot that has something on both sides.
    private func hasInnerDot(_ low: Int, _ high: Int) -> Bool {
        guard low + 3 <= high else { return false }
        for at in (low + 1)..<(high - 1) where byte(at) == UInt8(ascii: ".") { return true }
        return false
    }

    /// Where the text behind a scheme and "://" begins.
    private func schemeEnd(_ low: Int, _ high: Int) -> Int? {
        var at = low
        while at < high {
            let character = byte(at)
            let isPart =
                masks[at] & CharacterClass.word != 0 || character == UInt8(ascii: "+")
                || character == UInt8(ascii: "-") || character == UInt8(ascii: ".")
            if !isPart { break }
            at += 1
        }
        guard at - low >= 2, at + 3 <= high, byte(at) == UInt8(ascii: ":") else { return nil }
        guard byte(at + 1) == UInt8(ascii: "/"), byte(at + 2) == UInt8(ascii: "/") else { return nil }
        return at + 3
    }

    private func isHost(_ low: Int, _ high: Int) -> Bool {
        isAddress(low, high) || isDomain(low, high)
    }

    /// Labels of one to 64 characters, each with a dot behind it, then two to 63 letters.
    private func isDomain(_ low: Int, _ high: Int) -> Bool {
        var start = low
        while true {
            var at = start
            while at < high, at - start <= 64 {
                let isPart =
                    masks[at] & CharacterClass.host != 0 || byte(at) == UInt8(ascii: "-")
                    || byte(at) == UInt8(ascii: "_")
                if !isPart { break }
                at += 1
            }
            guard at < high, byte(at) == UInt8(ascii: ".") else { break }
            let length = at - start
            guard (1...64).contains(length) else { return false }
            guard masks[start] & masks[at - 1] & CharacterClass.host != 0 else { return false }
            start = at + 1
        }
        guard start > low else { return false }
        var at = start
        while at < high, at - start < 64, masks[at] & CharacterClass.lower != 0 { at += 1 }
        return (2...63).contains(at - start) && isTail(at, high)
    }

    /// Four numbers with dots between, of which the first two do not mark a private or local network.
    private func isAddress(_ low: Int, _ high: Int) -> Bool {
        var at = low
        var first = (0, 0)
        for octet in 0..<4 {
            let start = at
            while at < high, at - start < 4, masks[at] & CharacterClass.digit != 0 { at += 1 }
            guard (1...3).contains(at - start), isOctet(start, at, octet) else { return false }
            if octet == 0 { first = (start, at) }
            if octet == 1, isPrivate(first, (start, at)) { return false }
            if octet < 3 {
                guard at < high, byte(at) == UInt8(ascii: ".") else { return false }
                at += 1
            }
        }
        return isTail(at, high)
    }

    /// Whether one to three digits are a number of an address; digits of other scripts stand for any but a leading one.
    private func isOctet(_ low: Int, _ high: Int, _ octet: Int) -> Bool {
        // A digit of ASCII, or ten for one of another script.
        func value(_ at: Int) -> Int {
            masks[at] & CharacterClass.asciiDigit != 0 ? Int(byte(at)) - 0x30 : 10
        }
        let first = value(low)
        switch high - low {
        case 1:
            return octet == 0 || octet == 3 ? (1...9).contains(first) : true
        case 2:
            return octet == 0 || octet == 3 ? (1...9).contains(first) : true
        default:
            if first == 1 { return true }
            guard first == 2 else { return false }
            let second = value(low + 1)
            let third = value(low + 2)
            switch octet {
            case 0: return second <= 1 || (second == 2 && third <= 3)
            case 3: return second <= 4 || (second == 5 && third <= 4)
            default: return second <= 4 || (second == 5 && third <= 5)
            }
        }
    }

    private func isPrivate(_ first: (Int, Int), _ second: (Int, Int)) -> Bool {
        func number(_ range: (Int, Int)) -> Int {
            var value = 0
            for at in range.0..<range.1 {
                // A digit of another script makes a number that no network has.
                let isASCII = masks[at] & CharacterClass.asciiDigit != 0
                value = isASCII ? value * 10 + Int(byte(at)) - 0x30 : 10_000
            }
            return value
        }
        let leading = number(first)
        if leading == 10 || leading == 127 { return true }
        let next = number(second)
        let isPlain = second.1 - second.0 == 3
        if leading == 169, next == 254, isPlain { return true }
        if leading == 192, next == 168, isPlain { return true }
        // The second digit of 20 to 29 may be of any script.
        guard leading == 172, second.1 - second.0 == 2 else { return false }
        if byte(second.0) == UInt8(ascii: "2") { return true }
        return (16...19).contains(next) || next == 30 || next == 31
    }

    /// A port and a path, each of which may be wanting, and then the end.
    private func isTail(_ low: Int, _ high: Int) -> Bool {
        var at = low
        if at < high, byte(at) == UInt8(ascii: ":") {
            at += 1
            let start = at
            while at < high, at - start < 6, masks[at] & CharacterClass.digit != 0 { at += 1 }
            guard (2...5).contains(at - start) else { return false }
        }
        guard at < high else { return true }
        let character = byte(at)
        return character == UInt8(ascii: "/") || character == UInt8(ascii: "?") || character == UInt8(ascii: "#")
    }
}
