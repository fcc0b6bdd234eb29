/// How long a passage that occurs again must be to go.
public enum RepeatedTextLength: Sendable, Hashable {
    /// Words after case folding, whatever stands between them; each Han character and kana is one. 1 to 1,000.
    case words(Int)
    /// Bytes of UTF-8, exactly as they are. 1 to 1,000.
    case bytes(Int)

    var count: Int {
        switch self {
        case .words(let count), .bytes(let count): min(max(1, count), 1000)
        }
    }
}
