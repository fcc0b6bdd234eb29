/// Output of a program as text for a page: without what only a terminal understands.
enum LogText {
    /// - Parameter isComplete: Nothing follows, so that a broken character at the end is just broken.
    /// - Returns: The text, and how many of the bytes it stands for; a character cut in two waits for its rest.
    static func decode(_ bytes: [UInt8], isComplete: Bool) -> (text: String, used: Int) {
        let used = isComplete ? bytes.count : bytes.count - unfinished(bytes)
        return (plain(bytes[..<used]), used)
    }

    /// How many bytes at the end begin a UTF-8 character that does not end there.
    private static func unfinished(_ bytes: [UInt8]) -> Int {
        for back in 1...3 where back <= bytes.count {
            let byte = bytes[bytes.count - back]
            switch byte {
            case 0x80...0xBF: continue
            case 0xC2...0xDF: return back < 2 ? back : 0
            case 0xE0...0xEF: return back < 3 ? back : 0
            case 0xF0...0xF4: return back < 4 ? back : 0
            default: return 0
            }
        }
        return 0
    }

    /// Drops escape sequences (ECMA-48, section 5.4) and carriage returns before line feeds; a bare carriage return,
    /// with which progress bars begin their line anew, becomes a line feed.
    private static func plain(_ bytes: ArraySlice<UInt8>) -> String {
        var out: [UInt8] = []
        out.reserveCapacity(bytes.count)
        var index = bytes.startIndex
        while index < bytes.endIndex {
            let byte = bytes[index]
            index += 1
            switch byte {
            case 0x1B: index = afterEscape(bytes, index)
            case 0x0D:
                if index < bytes.endIndex, bytes[index] != 0x0A { out.append(0x0A) }
            case 0x09, 0x0A, 0x20...0x7E, 0x80...0xFF: out.append(byte)
            default: break
            }
        }
        return String(decoding: out, as: UTF8.self)
    }

    private static func afterEscape(_ bytes: ArraySlice<UInt8>, _ start: Int) -> Int {
        guard start < bytes.endIndex else { return start }
        var index = start + 1
        switch bytes[start] {
        case UInt8(ascii: "["):
            while index < bytes.endIndex, !(0x40...0x7E).contains(bytes[index]) { index += 1 }
            return min(index + 1, bytes.endIndex)
        case UInt8(ascii: "]"):
            while index < bytes.endIndex, bytes[index] != 0x07, bytes[index] != 0x1B, bytes[index] != 0x0A {
                index += 1
            }
            return index < bytes.endIndex && bytes[index] == 0x07 ? index + 1 : index
        default: return index
        }
    }
}
