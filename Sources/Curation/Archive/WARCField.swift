/// One field of a header, as positions in ``WARCReader/bytes``. The value has no space around it.
public struct WARCField: Equatable, Sendable {
    public let name: Range<Int>
    public internal(set) var value: Range<Int>
}
