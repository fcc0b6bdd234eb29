/// Kubernetes' way to write amounts: `500m`, `2`, `1.5Gi`, `128974848`, `1e3`.
///
/// > Source: `k8s.io/apimachinery/pkg/api/resource`, the grammar above `Quantity`.
enum KubernetesQuantity {
    private static let suffixes: [(text: String, factor: Double)] = [
        ("Ki", 0x1p10), ("Mi", 0x1p20), ("Gi", 0x1p30), ("Ti", 0x1p40), ("Pi", 0x1p50), ("Ei", 0x1p60),
        ("n", 1e-9), ("u", 1e-6), ("m", 1e-3), ("k", 1e3), ("M", 1e6), ("G", 1e9), ("T", 1e12), ("P", 1e15),
        ("E", 1e18),
    ]

    /// - Returns: `nil` for what is no quantity, or one below zero.
    static func value(_ text: String) -> Double? {
        for (suffix, factor) in suffixes where text.hasSuffix(suffix) {
            return number(text.dropLast(suffix.count)).map { $0 * factor }
        }
        return number(text[...])
    }

    private static func number(_ text: Substring) -> Double? {
        guard !text.isEmpty, text.allSatisfy({ $0.isASCII && ($0.isNumber || "+.eE-".contains($0)) }),
            let value = Double(text), value.isFinite, value >= 0
        else { return nil }
        return value
    }
}
