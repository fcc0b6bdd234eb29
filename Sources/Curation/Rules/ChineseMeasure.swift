/// Placeholder.
struct ChineseMeasure {
}

extension QualityRules {
    mutating func judgeChinese(_ text: UnsafePointer<UInt8>, _ count: Int, _ findings: inout [QualityFinding]) {
    }
}
