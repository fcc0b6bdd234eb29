/// Reads the compact protocol of Thrift, in which Parquet keeps its metadata.
///
/// > Source: https://github.com/apache/thrift/blob/master/doc/specs/thrift-compact-protocol.md
struct ThriftReader {
    /// A field's number and the type of what follows. A new one begins every struct.
    struct Field {
        var id = 0
        var type: UInt8 = 0
    }

    private(set) var position: Int
    private let end: Int

    private static let depthMax = 24

    init(from position: Int, to end: Int) {
        self.position = position
        self.end = end
    }

    private mutating func byte(_ bytes: Span<UInt8>) throws(ParquetFault) -> UInt8 {
        guard position < end else { throw .damaged("metadata that ends early") }
        position += 1
        return bytes[position - 1]
    }

    mutating func varint(_ bytes: Span<UInt8>) throws(ParquetFault) -> UInt64 {
        var value: UInt64 = 0
        var shift: UInt64 = 0
        while shift < 64 {
            let next = try byte(bytes)
            value |= UInt64(next & 0x7F) << shift
            if next < 0x80 { return value }
            shift += 7
        }
        throw .damaged("a number of metadata")
    }

    private mutating func zigzag(_ bytes: Span<UInt8>) throws(ParquetFault) -> Int {
        let value = try varint(bytes)
        return Int(bitPattern: UInt(value >> 1)) ^ -Int(value & 1)
    }

    /// Moves to the next field of a struct; false at the struct's end.
    mutating func next(_ bytes: Span<UInt8>, _ field: inout Field) throws(ParquetFault) -> Bool {
        let head = try byte(bytes)
        if head == 0 { return false }
        field.type = head & 0x0F
        let step = Int(head >> 4)
        let id = step == 0 ? try zigzag(bytes) : field.id + step
        guard (0...0x7FFF).contains(id) else { throw .damaged("a field of metadata") }
        field.id = id
        return true
    }

    mutating func int(_ bytes: Span<UInt8>, _ field: Field) throws(ParquetFault) -> Int {
        switch field.type {
        case 3: return Int(Int8(bitPattern: try byte(bytes)))
        case 4, 5, 6: return try zigzag(bytes)
        default: throw .damaged("a field of metadata that should be a number")
        }
    }

    mutating func bool(_ field: Field) throws(ParquetFault) -> Bool {
        guard field.type == 1 || field.type == 2 else { throw .damaged("a field of metadata that should be a flag") }
        return field.type == 1
    }

    mutating func range(_ bytes: Span<UInt8>, _ field: Field) throws(ParquetFault) -> Range<Int> {
        guard field.type == 8 else { throw .damaged("a field of metadata that should be a string") }
        return try range(bytes)
    }

    private mutating func range(_ bytes: Span<UInt8>) throws(ParquetFault) -> Range<Int> {
        let count = try varint(bytes)
        guard count <= UInt64(end - position) else { throw .damaged("a string of metadata") }
        position += Int(count)
        return (position - Int(count))..<position
    }

    mutating func string(_ bytes: Span<UInt8>, _ field: Field) throws(ParquetFault) -> String {
        let range = try range(bytes, field)
        return bytes.extracting(range).withUnsafeBufferPointer { String(decoding: $0, as: UTF8.self) }
    }

    /// The count of a list of structs.
    mutating func structs(_ bytes: Span<UInt8>, _ field: Field) throws(ParquetFault) -> Int {
        guard field.type == 9 else { throw .damaged("a field of metadata that should be a list") }
        let (count, type) = try list(bytes)
        guard type == 12 || count == 0 else { throw .damaged("a list of metadata") }
        return count
    }

    func expectStruct(_ field: Field) throws(ParquetFault) {
        guard field.type == 12 else { throw .damaged("a field of metadata that should be a struct") }
    }

    /// Every element takes a byte at least, so the count is bounded by the bytes that are left.
    private mutating func list(_ bytes: Span<UInt8>) throws(ParquetFault) -> (count: Int, type: UInt8) {
        let head = try byte(bytes)
        var count = UInt64(head >> 4)
        if count == 15 { count = try varint(bytes) }
        guard count <= UInt64(end - position) else { throw .damaged("a list of metadata") }
        return (Int(count), head & 0x0F)
    }

    mutating func skip(_ bytes: Span<UInt8>, _ field: Field) throws(ParquetFault) {
        try skip(bytes, type: field.type, isElement: false, depth: 0)
    }

    private mutating func skip(_ bytes: Span<UInt8>, type: UInt8, isElement: Bool, depth: Int) throws(ParquetFault) {
        guard depth < Self.depthMax else { throw .damaged("metadata that is nested too deeply") }
        switch type {
        // A flag of a struct is its type; one of a list is a byte.
        case 1, 2: if isElement { _ = try byte(bytes) }
        case 3: _ = try byte(bytes)
        case 4, 5, 6: _ = try varint(bytes)
        case 7:
            guard end - position >= 8 else { throw .damaged("metadata that ends early") }
            position += 8
        case 8: _ = try range(bytes)
        case 9, 10:
            let (count, type) = try list(bytes)
            for _ in 0..<count { try skip(bytes, type: type, isElement: true, depth: depth + 1) }
        case 11:
            let count = try varint(bytes)
            guard count <= UInt64(end - position) else { throw .damaged("a map of metadata") }
            guard count > 0 else { return }
            let types = try byte(bytes)
            for _ in 0..<count {
                try skip(bytes, type: types >> 4, isElement: true, depth: depth + 1)
                try skip(bytes, type: types & 0x0F, isElement: true, depth: depth + 1)
            }
        case 12:
            var field = Field()
            while try next(bytes, &field) { try skip(bytes, type: field.type, isElement: false, depth: depth + 1) }
        default: throw .damaged("a type of metadata")
        }
    }
}
