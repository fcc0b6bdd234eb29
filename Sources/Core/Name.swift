/// A short name chosen by people that identifies a thing for its whole life: a project, a centre, a user.
///
/// 1 to 63 characters of `a-z`, `0-9` and `-`, beginning and ending with a letter or digit: a DNS label (RFC 1123,
/// section 2.1), so it can stand in host names, paths, metrics and Kubernetes objects unchanged.
public struct Name<Tag>: Hashable, Sendable, Comparable, LosslessStringConvertible {
    public let text: String

    public init?(_ text: String) {
        guard (1...63).contains(text.utf8.count), text.utf8.allSatisfy(isLabelByte),
            text.utf8.first != UInt8(ascii: "-"), text.utf8.last != UInt8(ascii: "-")
        else { return nil }
        self.text = text
    }

    public var description: String { text }

    public static func < (a: Self, b: Self) -> Bool { a.text < b.text }

    /// What to tell a person whose text is not a name.
    public static var rule: String {
        "use 1 to 63 characters of a-z, 0-9 and '-', beginning and ending with a letter or digit"
    }
}

private func isLabelByte(_ byte: UInt8) -> Bool {
    switch byte {
    case UInt8(ascii: "a")...UInt8(ascii: "z"), UInt8(ascii: "0")...UInt8(ascii: "9"), UInt8(ascii: "-"): true
    default: false
    }
}

extension Name: TextCoded {
    public static var misread: String { rule }
}

public enum ProjectTag {}
public enum CentreTag {}
public enum UserTag {}
public enum ReservationTag {}
public enum SimulationTag {}

public typealias ProjectName = Name<ProjectTag>
public typealias CentreName = Name<CentreTag>
public typealias UserName = Name<UserTag>
public typealias ReservationName = Name<ReservationTag>
public typealias SimulationName = Name<SimulationTag>
