/// Which of several keywords that overlap are reported.
public enum KeywordPolicy: UInt8, Sendable {
    /// Every occurrence of every word, in order of start, longer before shorter.
    case all
    /// From the left, the longest word; then from its end on.
    case leftmostLongest
}
