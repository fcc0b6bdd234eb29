extension WARCReader {
    /// Takes the header of the record apart. Nothing for kinds of records that are passed over.
    mutating func parseHead() -> WARCRecord.Kind? {
        fields.removeAll(keepingCapacity: true)
        Self.parseFields(bytes, skippingLineOf: record.head, into: &fields)
        var kind: WARCRecord.Kind?
        for field in fields {
            let value = field.value
            switch field.name.count {
            case 9 where Self.matches(bytes, field.name, "warc-type"):
                kind =
                    if Self.matches(bytes, value, "response") {
                        .response
                    } else if Self.matches(bytes, value, "conversion") {
                        .conversion
                    } else if Self.matches(bytes, value, "resource") {
                        .resource
                    } else if Self.matches(bytes, value, "warcinfo") {
                        .warcinfo
                    } else {
                        nil
                    }
            case 9 where Self.matches(bytes, field.name, "warc-date"): record.date = value
            case 12 where Self.matches(bytes, field.name, "content-type"): record.contentType = value
            case 14 where Self.matches(bytes, field.name, "warc-record-id"): record.id = value
            case 14 where Self.matches(bytes, field.name, "warc-truncated"): record.truncated = value
            case 15 where Self.matches(bytes, field.name, "warc-target-uri"): record.targetURI = unbracketed(value)
            case 17 where Self.matches(bytes, field.name, "warc-block-digest"): record.blockDigest = value
            case 19 where Self.matches(bytes, field.name, "warc-payload-digest"): record.payloadDigest = value
            case 32 where Self.matches(bytes, field.name, "warc-identified-content-language"): record.language = value
            default: break
            }
        }
        return kind
    }

    /// Some writers of WARC/1.0 put the address between angle brackets, as its grammar said by mistake.
    private func unbracketed(_ value: Range<Int>) -> Range<Int> {
        guard value.count >= 2, bytes[value.lowerBound] == UInt8(ascii: "<"),
            bytes[value.upperBound - 1] == UInt8(ascii: ">")
        else { return value }
        return (value.lowerBound + 1)..<(value.upperBound - 1)
    }

    /// Finds the payload in the block, and undoes its encodings if it has any.
    ///
    /// - Returns: Why the record must be set aside, if it must.
    mutating func openBlock() -> WARCFault.Kind? {
        record.payload = record.block
        isBodyDecoded = false
        var codings = HTTPCodings()
        if record.kind == .response, let length = httpHeadLength() {
            let head = record.block.lowerBound..<(record.block.lowerBound + length)
            record.payload = head.upperBound..<record.block.upperBound
            record.status = Self.status(bytes, head)
            record.contentType = 0..<0
            var httpFields: [WARCField] = []
            Self.parseFields(bytes, skippingLineOf: head, into: &httpFields)
            for field in httpFields {
                switch field.name.count {
                case 12 where Self.matches(bytes, field.name, "content-type"):
                    if record.contentType.isEmpty { record.contentType = field.value }
                case 16 where Self.matches(bytes, field.name, "content-encoding"):
                    codings.addContentCodings(bytes.span.extracting(field.value))
                case 17 where Self.matches(bytes, field.name, "transfer-encoding"):
                    codings.addTransferCodings(bytes.span.extracting(field.value))
                default: break
                }
            }
        }
        record.charset = Self.charset(bytes, in: record.contentType)
        return codings.isPlain ? nil : decodeBody(codings)
    }

    /// The length of the HTTP head that the block begins with, or nothing when it begins with something else.
    private func httpHeadLength() -> Int? {
        let block = bytes.span.extracting(record.block)
        guard block.count >= 5, block[0] == UInt8(ascii: "H"), block[1] == UInt8(ascii: "T"),
            block[2] == UInt8(ascii: "T"), block[3] == UInt8(ascii: "P"), block[4] == UInt8(ascii: "/")
        else { return nil }
        let searched = block.extracting(..<min(block.count, limits.headMaxBytes))
        if let length = Self.endOfHead(searched, from: 0) { return length }
        // A response without a body may end with its last field.
        return searched.count == block.count ? block.count : nil
    }

    private static func status(_ bytes: [UInt8], _ head: Range<Int>) -> Int {
        var index = head.lowerBound
        while index < head.upperBound, bytes[index] != 32, bytes[index] != 10 { index += 1 }
        while index < head.upperBound, bytes[index] == 32 { index += 1 }
        var status = 0
        var digits = 0
        while index < head.upperBound, isDigit(bytes[index]), digits < 3 {
            status = status * 10 + Int(bytes[index] - 48)
            digits += 1
            index += 1
        }
        return digits == 3 ? status : 0
    }

    /// The value of the parameter `charset` of a content type (RFC 9110, section 8.3.1), read leniently.
    static func charset(_ bytes: [UInt8], in type: Range<Int>) -> Range<Int> {
        var index = type.lowerBound
        while index + 8 < type.upperBound {
            guard bytes[index] | 0x20 == UInt8(ascii: "c"), matches(bytes, index..<(index + 7), "charset") else {
                index += 1
                continue
            }
            index += 7
            while index < type.upperBound, isSpace(bytes[index]) { index += 1 }
            guard index < type.upperBound, bytes[index] == UInt8(ascii: "=") else { continue }
            index += 1
            while index < type.upperBound, isSpace(bytes[index]) || isQuote(bytes[index]) { index += 1 }
            var stop = index
            while stop < type.upperBound, !isSpace(bytes[stop]), !isQuote(bytes[stop]),
                bytes[stop] != UInt8(ascii: ";"),
                bytes[stop] != UInt8(ascii: ",")
            {
                stop += 1
            }
            return index..<stop
        }
        return 0..<0
    }

    private static func isSpace(_ byte: UInt8) -> Bool { byte == 32 || byte == 9 }
    private static func isQuote(_ byte: UInt8) -> Bool { byte == UInt8(ascii: "\"") || byte == UInt8(ascii: "'") }

    /// Takes the fields of a header apart: names in any case, lines that end with CR LF or LF, values that go on in
    /// lines which begin with a space. Lines without a colon are passed over.
    static func parseFields(_ bytes: [UInt8], skippingLineOf head: Range<Int>, into fields: inout [WARCField]) {
        var index = head.lowerBound
        var isFirst = true
        while index < head.upperBound {
            var stop = index
            while stop < head.upperBound, bytes[stop] != 10 { stop += 1 }
            let next = stop + 1
            if stop > index, bytes[stop - 1] == 13 { stop -= 1 }
            defer { index = next }
            if isFirst {
                isFirst = false
                continue
            }
            guard stop > index else { continue }
            if isSpace(bytes[index]) {
                guard let last = fields.indices.last else { continue }
                let more = trimmed(bytes, index..<stop)
                let value = fields[last].value
                if !more.isEmpty {
                    fields[last].value = (value.isEmpty ? more.lowerBound : value.lowerBound)..<more.upperBound
                }
                continue
            }
            var colon = index
            while colon < stop, bytes[colon] != UInt8(ascii: ":") { colon += 1 }
            guard colon < stop, fields.count < fieldsMax else { continue }
            fields.append(
                WARCField(name: trimmed(bytes, index..<colon), value: trimmed(bytes, (colon + 1)..<stop))
            )
        }
    }

    /// Further fields of a header are passed over.
    private static let fieldsMax = 1_000

    private static func trimmed(_ bytes: [UInt8], _ range: Range<Int>) -> Range<Int> {
        var lower = range.lowerBound
        var upper = range.upperBound
        while lower < upper, isSpace(bytes[lower]) { lower += 1 }
        while upper > lower, isSpace(bytes[upper - 1]) { upper -= 1 }
        return lower..<upper
    }

    /// Whether the bytes are that word, which is in lower case, in any case.
    static func matches(_ bytes: [UInt8], _ range: Range<Int>, _ word: StaticString) -> Bool {
        guard range.count == word.utf8CodeUnitCount else { return false }
        return word.withUTF8Buffer { word in
            for index in 0..<word.count {
                let byte = bytes[range.lowerBound + index]
                let lower = byte &- 65 < 26 ? byte | 0x20 : byte
                if lower != word[index] { return false }
            }
            return true
        }
    }

    /// A decimal number, or nothing when the text is no such number or too large a one.
    static func number(_ bytes: [UInt8], _ range: Range<Int>) -> Int? {
        guard !range.isEmpty, range.count <= 18 else { return nil }
        var value = 0
        for index in range {
            guard isDigit(bytes[index]) else { return nil }
            value = value * 10 + Int(bytes[index] - 48)
        }
        return value
    }
}
