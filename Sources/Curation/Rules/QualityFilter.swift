/// A published set of quality rules that is chosen as a whole.
public enum QualityFilter: UInt8, CaseIterable, Sendable {
    /// The limit on what is judged at all; always on.
    case size
    case gopherRepetition
    case gopherQuality
    case c4
    case fineWeb
    case chinese

    /// What a configuration and a report call it.
    public var name: String {
        switch self {
        case .size: "size"
        case .gopherRepetition: "gopher-repetition"
        case .gopherQuality: "gopher-quality"
        case .c4: "c4"
        case .fineWeb: "fineweb"
        case .chinese: "chinese"
        }
    }

    public init?(name: String) {
        guard let filter = Self.allCases.first(where: { $0.name == name && $0 != .size }) else { return nil }
        self = filter
    }
}
