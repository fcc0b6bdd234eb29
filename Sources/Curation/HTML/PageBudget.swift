/// What one page may cost. Beyond it the parser stops, and what was found so far is the result.
public struct PageBudget: Sendable {
    /// Bytes of the page that are read.
    public var bytesMax = 16 << 20
    /// Elements and runs of text. A node takes about 60 bytes of scratch.
    public var nodesMax = 1 << 19
    /// Open elements within each other; deeper ones become children of the last that fits.
    public var depthMax = 256
    /// Steps of searches among the open elements for each byte of the page.
    public var stepsPerByte = 16

    public init() {}

    /// Which limit ended the reading of a page.
    public enum Limit: UInt8, Sendable {
        case bytes, nodes, steps
    }
}
