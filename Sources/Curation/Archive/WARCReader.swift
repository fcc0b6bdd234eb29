/// Reads web archives (WARC 0.17 to 1.1 and WET): not compressed, gzip member by member, or as one gzip stream.
///
/// The reader touches no file. Its caller hands it a window of the file that begins at ``offset``, and looks at what
/// ``step(_:isLast:)`` says:
///
///     var reader = WARCReader()
///     loop: while true {
///         // `window` begins at `reader.offset`, which may also go back.
///         switch reader.step(window.span, isLast: reachesEndOfFile) {
///         case .record: use(reader.record, reader.bytes)
///         case .fault(let fault): count(fault)
///         case .needMore(let bytes): // make the window at least that long, or reach the end of the file
///         case .end: break loop
///         }
///     }
///
/// After a fault reading goes on at the next record that can be found, so that one bad record costs no other. Memory is
/// bounded by ``WARCLimits``: the window, twice the largest record, and about 20 MiB.
///
/// Time is linear in the file's length. A search after damage goes back to where the damaged member began only as far as
/// what was read well before pays for.
///
/// `@unchecked Sendable`: the decompression states have one owner, which this value is.
public struct WARCReader: ~Copyable, @unchecked Sendable {
    public enum Step: Equatable, Sendable {
        /// ``record`` and ``bytes`` hold the next record, until the next step.
        case record
        case fault(WARCFault)
        /// Nothing more can be said before the window, which begins at ``offset``, has so many bytes or ends the file.
        case needMore(windowBytes: Int)
        case end
    }

    enum Form {
        case unknown
        case gzip
        case plain
    }

    /// Where the next bytes come from.
    enum Source {
        /// The file's next bytes are plain, or begin a gzip member.
        case boundary
        /// Inside a gzip member that is read in pieces.
        case member
        /// The beginning of the next member or record is looked for.
        case seeking
        case ended
    }

    /// What is expected at `begin`.
    enum Expectation {
        case record
        /// The rest of the block of `record`, whose head has been read.
        case block
        /// So many bytes of a record that is not given.
        case skip(Int)
        /// The beginning of any record.
        case anyRecord
    }

    let limits: WARCLimits

    /// Where the next window must begin, as an offset in the file.
    public internal(set) var offset: Int
    /// Where a new reader may begin, to read what comes after the records given so far. It stands still inside a
    /// gzip member that holds several records.
    public internal(set) var resumeOffset: Int
    /// Records passed over because of their kind: requests, metadata, revisits.
    public internal(set) var skipped = 0
    public internal(set) var record = WARCRecord()
    /// The bytes that the ranges of ``record`` are positions in. There are more bytes in it than the record's.
    public internal(set) var bytes: [UInt8]
    /// The fields of the record's header, in order.
    public internal(set) var fields: [WARCField] = []

    // What was read and not yet used is `bytes[begin..<end]`.
    var begin = 0
    var end = 0
    /// How far from `begin` the end of a header was looked for.
    var scanned = 0
    var form = Form.unknown
    var source: Source
    var expectation: Expectation
    /// The gzip member begun last: where it begins in the file, and in `bytes` what it holds.
    var memberOffset: Int
    var memberBegin = 0
    /// What was found in the source, to be told after the records that were read before it.
    var pending: WARCFault?
    /// The end of the file, once a record's length reached beyond it.
    var knownEnd: Int?
    /// Where the bytes of a record begin that is skipped, to come back to when its length turns out to be wrong.
    var skipOffset = 0
    /// How many bytes may be read twice in searches.
    var backtrackBytes = 16 << 20

    var body: [UInt8] = []
    var spareBody: [UInt8] = []
    var isBodyDecoded = false

    var inflater = Inflater(.gzip)
    let decoder = MemberDecoder()

    static let pieceBytes = 256 << 10
    static let windowBytes = 1 << 20
    /// Members that hold more are read in pieces.
    static let wholeMemberMaxBytes = 16 << 20
    /// How much of a member is looked at to see whether a record begins in it.
    static let probeBytes = 8 << 10

    /// - Parameters:
    ///   - offset: Where to begin in the file.
    ///   - isAligned: Whether a record begins there. If not, the reader begins with the first record that begins at or
    ///     after the offset, so that a file can be cut anywhere: a part has the records whose ``WARCRecord/offset``
    ///     lies in it. Not one whose gzip members do not all begin with a record: there the first record of the part
    ///     that a reader begins with is a later one than that at which the reader of the part before stops.
    public init(limits: WARCLimits = WARCLimits(), startingAt offset: Int = 0, isAligned: Bool = true) {
        self.limits = limits
        self.offset = max(0, offset)
        resumeOffset = self.offset
        memberOffset = self.offset
        source = isAligned ? .boundary : .seeking
        expectation = isAligned ? .record : .anyRecord
        bytes = [UInt8](repeating: 0, count: Self.pieceBytes)
    }

    /// Takes the next step with a window that begins at ``offset``.
    ///
    /// - Parameter isLast: Whether the window reaches the end of the file.
    public mutating func step(_ window: Span<UInt8>, isLast: Bool) -> Step {
        let origin = offset
        while true {
            switch carve() {
            case .record: return .record
            case .fault(let fault): return .fault(fault)
            case .none: break
            }
            if let fault = pending {
                pending = nil
                dropPlain()
                return .fault(fault)
            }
            if case .ended = source { return .end }
            // The reader has gone back to where a damaged member or a wrong length began.
            guard offset >= origin, offset - origin <= window.count else {
                return .needMore(windowBytes: Self.windowBytes)
            }
            switch fill(window.extracting((offset - origin)...), isLast: isLast) {
            case .filled: continue
            case .fault(let fault): return .fault(fault)
            case .needMore(let bytes): return .needMore(windowBytes: bytes)
            }
        }
    }

    /// Gives the record's body: its payload with the transfer and content encodings of HTTP undone.
    public borrowing func withBody<Result>(_ use: (Span<UInt8>) -> Result) -> Result {
        isBodyDecoded ? use(body.span) : use(bytes.span.extracting(record.payload))
    }

    /// A field's text. Bytes that are not UTF-8 are replaced, and a folded value is joined by single spaces.
    public borrowing func text(_ range: Range<Int>) -> String {
        let text = String(decoding: bytes[range], as: UTF8.self)
        guard bytes[range].contains(10) else { return text }
        return text.split { $0.isNewline || $0 == " " || $0 == "\t" }.joined(separator: " ")
    }

    /// The value of the record's first header field of that name, or an empty range.
    ///
    /// - Parameter name: In lower case.
    public borrowing func field(_ name: StaticString) -> Range<Int> {
        for field in fields where Self.matches(bytes, field.name, name) { return field.value }
        return 0..<0
    }

    mutating func dropPlain() {
        begin = 0
        end = 0
        scanned = 0
        memberBegin = 0
        expectation = form == .gzip ? .record : .anyRecord
    }

    /// Where `bytes[begin]` is in the file.
    var position: Int { form == .plain ? offset - (end - begin) : memberOffset }

    /// Where the record begins that is being read.
    var expectedOffset: Int {
        switch expectation {
        case .block, .skip: record.offset
        case .record, .anyRecord: position
        }
    }

    mutating func noteResumption() {
        if form == .plain {
            resumeOffset = position
        } else if begin == end {
            if case .boundary = source { resumeOffset = offset }
        } else if begin == memberBegin {
            resumeOffset = memberOffset
        }
    }
}
