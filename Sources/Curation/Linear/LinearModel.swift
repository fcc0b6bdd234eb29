import CCuration

/// A linear classifier of text over hashed features: multinomial logistic regression with weights of 8 bits.
///
/// The score of a label is its bias and the sum of its weights at the features of the text, over the square root of how
/// many there are; the softmax of the scores, made milder or sharper by what held-out texts showed, is the probability.
///
/// > Source: Joulin et al., "Bag of Tricks for Efficient Text Classification" (2016) and "FastText.zip" (2016), for the
/// > hashed features and the quantising; without the hidden layer, which at this size costs more accuracy than it saves
/// > bytes. Guo et al., "On Calibration of Modern Neural Networks" (2017), section 4.2, for the temperature.
public struct LinearModel: Sendable {
    public let card: LinearModelCard
    public let features: LinearFeatures
    /// One for each label.
    let bias: [Float]
    /// What one unit of a weight is worth.
    let step: Float
    /// What scores are multiplied by before they become probabilities: above 0.
    let sharpness: Float
    /// Columns of a row of `table`.
    let stride: Int
    /// The weights: a row for each hash of a feature, a column for each label, and columns of 0 up to `stride`.
    let table: [Int8]

    /// What of a longer text is looked at: its beginning.
    public static let textBytesMax = 1 << 20

    /// The columns that so many labels take, so that wide registers are filled.
    static func stride(labels: Int) -> Int { labels <= 8 ? labels : (labels + 15) / 16 * 16 }

    /// Says what label a text has.
    ///
    /// - Parameters:
    ///   - text: UTF-8; beyond ``textBytesMax`` it is not looked at.
    ///   - scratch: Any; holds the probabilities of all labels afterwards.
    /// - Returns: `nil` when there is no letter in the text.
    /// - Complexity: Linear in the text; some 20 to 40 MB of text a second with a hundred labels.
    public func classify(_ text: Span<UInt8>, scratch: inout LinearScratch) -> LinearVerdict? {
        let text = text.extracting(first: Self.textBytesMax)
        return classify(text, letters: features.oneScript ? Letters.most(in: text) : nil, scratch: &scratch)
    }

    /// Says what label the words of a text have that are in letters of one kind.
    ///
    /// - Parameter text: At most ``textBytesMax``.
    func classify(_ text: Span<UInt8>, letters: Letters?, scratch: inout LinearScratch) -> LinearVerdict? {
        if scratch.sums.count != stride { scratch.sums = [Int32](repeating: 0, count: stride) }
        let count = sum(text, letters: letters, into: &scratch.sums)
        guard count > 0 else { return nil }
        if scratch.probabilities.count != bias.count {
            scratch.probabilities = [Float](repeating: 0, count: bias.count)
        }
        let scale = sharpness * step / Float(count).squareRoot()
        scratch.probabilities.withUnsafeMutableBufferPointer { probabilities in
            onepoint_linear_scores(bias, scratch.sums, bias.count, sharpness, scale, probabilities.baseAddress)
            onepoint_linear_softmax(probabilities.baseAddress, probabilities.count)
        }
        return LinearVerdict(scratch.probabilities.span)
    }

    /// The sums of the rows of a text's features.
    ///
    /// - Returns: How many features there are.
    private func sum(_ text: Span<UInt8>, letters: Letters?, into sums: inout [Int32]) -> Int {
        // The kernel borrows the text, the table and the sums for the time of the call; rows are below `1 << bits` by
        // its hash, and `table` has as many of `stride` columns.
        var shape = features.shape(letters)
        return sums.withUnsafeMutableBufferPointer { sums in
            sums.update(repeating: 0)
            return table.withUnsafeBufferPointer { table in
                text.withUnsafeBufferPointer { text in
                    onepoint_linear_sum(
                        &shape,
                        table.baseAddress,
                        stride,
                        text.baseAddress,
                        text.count,
                        sums.baseAddress
                    )
                }
            }
        }
    }
}
