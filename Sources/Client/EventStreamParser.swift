import Core

/// Takes server-sent events out of a stream of bytes, wherever its pieces are cut.
///
/// > Source: WHATWG HTML, section 9.2.6.
struct EventStreamParser: Sendable {
    struct Message: Hashable, Sendable {
        /// `message` when the stream names none.
        var event: String
        var data: String
        /// The last identifier seen, which may be an earlier message's.
        var id: String?
    }

    /// One message is refused beyond this.
    static let messageBytesMax = 8 << 20

    private var line: [UInt8] = []
    private var data: [UInt8] = []
    private var hasData = false
    private var event = ""
    private var id: String?
    private var endedByCarriageReturn = false
    private var isAtStart = true

    /// Takes the next piece; the messages that it completes.
    mutating func push(_ bytes: some Sequence<UInt8>) throws(Failure) -> [Message] {
        var messages: [Message] = []
        for byte in bytes {
            if byte == 0x0A, endedByCarriageReturn {
                endedByCarriageReturn = false
                continue
            }
            endedByCarriageReturn = byte == 0x0D
            guard byte == 0x0A || byte == 0x0D else {
                guard line.count + data.count < Self.messageBytesMax else {
                    throw Failure(.tooLarge, "The point sent an event of more than \(Self.messageBytesMax) bytes.")
                }
                line.append(byte)
                continue
            }
            if isAtStart, line.starts(with: [0xEF, 0xBB, 0xBF]) { line.removeFirst(3) }
            isAtStart = false
            if line.isEmpty {
                if let message = dispatch() { messages.append(message) }
            } else {
                takeLine()
                line.removeAll(keepingCapacity: true)
            }
        }
        return messages
    }

    private mutating func takeLine() {
        let colon = line.firstIndex(of: UInt8(ascii: ":")) ?? line.endIndex
        let field = line[..<colon]
        var value = colon < line.endIndex ? line[(colon + 1)...] : []
        if value.first == 0x20 { value = value.dropFirst() }
        if field.elementsEqual("data".utf8) {
            if hasData { data.append(0x0A) }
            data.append(contentsOf: value)
            hasData = true
        } else if field.elementsEqual("event".utf8) {
            event = String(decoding: value, as: UTF8.self)
        } else if field.elementsEqual("id".utf8), !value.contains(0) {
            id = String(decoding: value, as: UTF8.self)
        }
    }

    private mutating func dispatch() -> Message? {
        defer {
            data.removeAll(keepingCapacity: true)
            hasData = false
            event = ""
        }
        guard hasData else { return nil }
        return Message(event: event.isEmpty ? "message" : event, data: String(decoding: data, as: UTF8.self), id: id)
    }
}
