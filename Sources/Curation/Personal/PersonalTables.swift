import CCuration

/// What the scanner knows about characters: one byte of bits for each code point, and a few sorted lists of pairs.
///
/// The lists of surnames, characters of given names and place names are general knowledge, written down for this scanner.
final class PersonalTables: Sendable {
    static let surname: UInt8 = 1
    static let given: UInt8 = 2
    /// Never in a name, and a word boundary beside one.
    static let particle: UInt8 = 4
    /// What a door's number follows: 路, 街, 村, …
    static let road: UInt8 = 8
    /// Never inside an address.
    static let addressStop: UInt8 = 16
    static let cue = UInt8(ONEPOINT_PERSONAL_CUE)
    static let plate = UInt8(ONEPOINT_PERSONAL_PLATE)

    let flags: [UInt8]
    private let compounds: [UInt32]
    private let words: [UInt32]
    private let places: [UInt32]

    init() {
        var flags = [UInt8](repeating: 0, count: 65_536)
        func mark(_ characters: String, _ bit: UInt8) {
            for scalar in characters.unicodeScalars where scalar.value < 65_536 { flags[Int(scalar.value)] |= bit }
        }
        mark(Self.surnames, Self.surname)
        mark(Self.givenCharacters, Self.given)
        mark(Self.particles, Self.particle)
        mark(Self.roadEnds, Self.road)
        mark(Self.addressStops, Self.addressStop)
        mark(Self.cues, Self.cue)
        mark(Self.plates, Self.plate)
        self.flags = flags
        compounds = Self.pairs(Self.compoundSurnames)
        words = Self.pairs(Self.notNames)
        places = Self.pairs(Self.placeNames)
    }

    /// The first two characters of each word, in order.
    private static func pairs(_ list: String) -> [UInt32] {
        list.split(separator: " ").compactMap { word in
            let scalars = word.unicodeScalars
            guard let first = scalars.first, let second = scalars.dropFirst().first else { return nil }
            return pair(first.value, second.value)
        }.sorted()
    }

    private static func pair(_ first: UInt32, _ second: UInt32) -> UInt32 { first << 16 | second & 0xFFFF }

    private static func contains(_ list: [UInt32], _ value: UInt32) -> Bool {
        var low = 0
        var high = list.count
        while low < high {
            let middle = (low + high) / 2
            if list[middle] < value { low = middle + 1 } else { high = middle }
        }
        return low < list.count && list[low] == value
    }

    @inline(__always)
    func has(_ bit: UInt8, _ character: UInt32) -> Bool { character < 65_536 && flags[Int(character)] & bit != 0 }

    func isCompound(_ first: UInt32, _ second: UInt32) -> Bool { Self.contains(compounds, Self.pair(first, second)) }

    /// Whether a common word that is no name begins with the two characters, though a surname does.
    func isWord(_ first: UInt32, _ second: UInt32) -> Bool { Self.contains(words, Self.pair(first, second)) }

    /// Whether a province or a city of prefecture level begins with the two characters.
    func isPlace(_ first: UInt32, _ second: UInt32) -> Bool { Self.contains(places, Self.pair(first, second)) }

    /// Characters that cues are looked for at; `PersonalScanner.judgeCharacter` knows the words.
    private static let cues = "姓户联表持件货款办责请托护险保疑害患司乘车业叫先女志微告房犯租旅顾家学员本收汇址"
    private static let plates = "京津沪渝冀豫云辽黑湘皖鲁新苏浙赣鄂桂甘晋蒙陕吉闽贵粤青藏川宁琼"
    private static let roadEnds = "路街道巷弄里村镇同段组园苑区厦场寓桥口坊湾径环线屯庄院城楼郡府居队坡岭沟寨洼"
    private static let addressStops = "在到从的是与了至住址往寄送或我你他她它们说请把被让给叫为"
    private static let particles =
        "的了是在有和与及或等被把将于从向对由为以因而且但也都就已还不没无这那其之我你他她它们个些么吗呢吧啊哦请致电话机号码线拨打询箱邮件证卡账户银行部门室处科公司局厂店校院所"
}
