/// How sure we are that a clause says what a profile says it does.
///
/// `A` is read at the source, `B` seen in a secondary source, `C` known from an earlier edition or from drafts and to be
/// checked by somebody who has the text. Where a clause rests on two of them, both stand.
public enum Assurance: String, Hashable, Sendable, CaseIterable {
    case a = "A"
    case ab = "A/B"
    case b = "B"
    case bMinus = "B-"
    case bc = "B/C"
    case c = "C"
}
