/// What the page says about itself.
extension PageExtractor {
    mutating func readFacts(_ page: Span<UInt8>, _ facts: inout PageFacts) {}
}
