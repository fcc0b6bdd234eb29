/// A table from words of 64 bits to numbers of 32, open and never full, so that a look costs one or two cache lines.
struct WordTable: Sendable {
    private var keys: [UInt64]
    private var values: [UInt32]
    private var shift: UInt64
    private(set) var count = 0

    init(capacity: Int) {
        var bits = 4
        while 1 << bits < 2 * max(1, capacity) { bits += 1 }
        keys = [UInt64](repeating: 0, count: 1 << bits)
        values = [UInt32](repeating: 0, count: 1 << bits)
        shift = UInt64(64 - bits)
    }

    /// 0 marks what is empty.
    private static func marked(_ key: UInt64) -> UInt64 { key == 0 ? 0x9E37_79B9_7F4A_7C15 : key }

    @inline(__always)
    private func home(_ key: UInt64) -> Int { Int((key &* 0x9E37_79B9_7F4A_7C15) >> shift) }

    subscript(key: UInt64) -> UInt32? {
        let key = Self.marked(key)
        var place = home(key)
        while keys[place] != 0 {
            if keys[place] == key { return values[place] }
            place = (place + 1) & (keys.count - 1)
        }
        return nil
    }

    /// The last value set for a key is the one that stays.
    mutating func set(_ key: UInt64, _ value: UInt32) {
        if 2 * (count + 1) > keys.count { grow() }
        let key = Self.marked(key)
        var place = home(key)
        while keys[place] != 0, keys[place] != key { place = (place + 1) & (keys.count - 1) }
        if keys[place] == 0 { count += 1 }
        keys[place] = key
        values[place] = value
    }

    private mutating func grow() {
        var larger = WordTable(capacity: keys.count)
        for place in keys.indices where keys[place] != 0 { larger.set(keys[place], values[place]) }
        self = larger
    }
}
