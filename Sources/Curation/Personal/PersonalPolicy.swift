/// What is done with each kind of personal data.
public struct PersonalPolicy: Hashable, Sendable {
    public enum Action: UInt8, Sendable {
        /// The finding is counted; the text stays.
        case report
        /// A placeholder of the kind takes its place.
        case mask
        /// The whole document is left out.
        case drop
    }

    private var actions: [Action]

    /// One action for every kind; change single kinds by subscript.
    public init(_ action: Action = .mask) {
        actions = Array(repeating: action, count: PersonalKind.allCases.count)
    }

    public subscript(kind: PersonalKind) -> Action {
        get { actions[Int(kind.rawValue)] }
        set { actions[Int(kind.rawValue)] = newValue }
    }
}
