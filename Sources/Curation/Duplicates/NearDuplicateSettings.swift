/// What makes two documents near-duplicates, and how they are found.
///
/// Two documents become candidates when they agree on all `rows` minima of at least one band, which at similarity `s`
/// happens with probability `1 - (1 - s^rows)^bands`; candidates count only if the exact Jaccard similarity of their
/// sets of 5-word shingles reaches `threshold`.
///
/// > Source: Broder, "On the resemblance and containment of documents" (1997); banding after Leskovec, Rajaraman and
/// > Ullman, *Mining of Massive Datasets*, section 3.4.
public struct NearDuplicateSettings: Sendable, Hashable {
    /// Keys a document has, 1 to 128.
    public let bands: Int
    /// Minima a key is made of, 1 to 32.
    public let rows: Int
    /// The least exact Jaccard similarity of a document to its representative, above 0, at most 1.
    public let threshold: Double

    /// Nil if a value is outside of its range.
    public init?(bands: Int, rows: Int, threshold: Double) {
        guard (1...128).contains(bands), (1...32).contains(rows), threshold > 0, threshold <= 1 else { return nil }
        self.init(unchecked: bands, rows, threshold)
    }

    private init(unchecked bands: Int, _ rows: Int, _ threshold: Double) {
        self.bands = bands
        self.rows = rows
        self.threshold = threshold
    }

    /// 20 bands of 6 rows, verified at 0.8.
    ///
    /// At a similarity of 0.8 a pair is missed with a probability of 0.0023. The 14 bands of 8 rows of FineWeb and
    /// datatrove miss 0.076 there; the price is 48 bytes more for a document and some more candidates, which the
    /// check refuses.
    public static let standard = NearDuplicateSettings(unchecked: 20, 6, 0.8)

    static func jaccard(common: Int, _ a: Int, _ b: Int) -> Double { Double(common) / Double(a + b - common) }

    /// The least number in common that could be enough; a little less where rounding is in doubt.
    func leastCommon(_ a: Int, _ b: Int) -> Int {
        let least = threshold / (1 + threshold) * Double(a + b)
        return Int((least - least * 1e-12).rounded(.up))
    }
}
