/// Writes the compact protocol of Thrift, in which Parquet keeps its metadata.
struct ThriftWriter {
    private(set) var bytes: [UInt8] = []
    /// The number of the last field of every struct that is open.
    private var last: [Int] = [0]

    private mutating func varint(_ value: UInt64) {
        var left = value
        while left >= 0x80 {
            bytes.append(UInt8(left & 0x7F) | 0x80)
            left >>= 7
        }
        bytes.append(UInt8(left))
    }

    private mutating func head(_ id: Int, _ type: UInt8) {
        let step = id - last[last.count - 1]
        last[last.count - 1] = id
        // Fields come in rising order with small steps, which is all that is written here.
        bytes.append(UInt8(step) << 4 | type)
    }

    mutating func int(_ id: Int, _ value: Int, type: UInt8 = 5) {
        head(id, type)
        number(value)
    }

    mutating func long(_ id: Int, _ value: Int) { int(id, value, type: 6) }

    /// A number of a list.
    mutating func number(_ value: Int) { varint(UInt64(bitPattern: Int64(value << 1 ^ value >> 63))) }

    mutating func string(_ id: Int, _ value: String) {
        head(id, 8)
        string(value)
    }

    /// A string of a list.
    mutating func string(_ value: String) {
        varint(UInt64(value.utf8.count))
        bytes.append(contentsOf: value.utf8)
    }

    /// The types of elements are 5 for numbers, 8 for strings, 12 for structs.
    mutating func list(_ id: Int, count: Int, of type: UInt8) {
        head(id, 9)
        if count < 15 {
            bytes.append(UInt8(count) << 4 | type)
        } else {
            bytes.append(0xF0 | type)
            varint(UInt64(count))
        }
    }

    mutating func beginStruct(_ id: Int) {
        head(id, 12)
        last.append(0)
    }

    /// A struct of a list.
    mutating func beginElement() { last.append(0) }

    mutating func end() {
        bytes.append(0)
        if last.count > 1 { last.removeLast() }
    }
}
