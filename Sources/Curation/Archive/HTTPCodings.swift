/// The encodings that an HTTP response says its body has (RFC 9110, section 8.4; RFC 9112, section 7).
struct HTTPCodings {
    enum Content {
        case gzip
        case deflate
        case zstd
        case unknown
    }

    private(set) var isChunked = false
    /// In the order in which they were applied.
    private(set) var content: [Content] = []

    var isPlain: Bool { !isChunked && content.isEmpty }

    /// A response with more is not one that anybody sends in earnest.
    private static let codingsMax = 4

    mutating func addContentCodings(_ value: Span<UInt8>) {
        for name in Self.names(value) {
            let coding: Content? =
                switch name {
                case "gzip", "x-gzip": .gzip
                case "deflate": .deflate
                case "zstd": .zstd
                case "br", "compress", "x-compress", "dcb", "dcz": .unknown
                // Wrong values are common, such as `utf-8` and `none`. The body is as it should be then.
                default: nil
                }
            if let coding, content.count < Self.codingsMax { content.append(coding) }
        }
    }

    mutating func addTransferCodings(_ value: Span<UInt8>) {
        for name in Self.names(value) {
            if name == "chunked" { isChunked = true }
            if name == "gzip" || name == "x-gzip", content.count < Self.codingsMax { content.append(.gzip) }
        }
    }

    private static func names(_ value: Span<UInt8>) -> [String] {
        var names: [String] = []
        var name: [UInt8] = []
        for index in 0...value.count {
            if index == value.count || value[index] == UInt8(ascii: ",") {
                if !name.isEmpty, name.count <= 32 { names.append(String(decoding: name, as: UTF8.self)) }
                name.removeAll(keepingCapacity: true)
                if names.count > codingsMax { break }
            } else if value[index] != 32, value[index] != 9 {
                let byte = value[index]
                name.append(byte &- 65 < 26 ? byte | 0x20 : byte)
            }
        }
        return names
    }
}
