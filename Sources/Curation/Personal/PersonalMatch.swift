/// A piece of personal data in a text: byte offsets `start ..< end` and what it is.
public struct PersonalMatch: Hashable, Sendable {
    public let start: Int
    public let end: Int
    public let kind: PersonalKind

    public init(start: Int, end: Int, kind: PersonalKind) {
        self.start = start
        self.end = end
        self.kind = kind
    }
}
