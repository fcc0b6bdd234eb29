import CCuration
import Core

/// Trains a ``LinearModel``, one text at a time: stochastic gradient descent with a rate for each weight (AdaGrad).
///
/// What it makes depends on the texts, their order and the seed alone. Texts come in any order but sorted by label;
/// ``LinearModel/train(_:card:features:training:)`` sees to that, to several rounds and to a held-out part. Memory is
/// 8 bytes for each row and label.
///
/// > Source: Duchi, Hazan and Singer, "Adaptive Subgradient Methods for Online Learning and Stochastic Optimization"
/// > (2011), with the diagonal matrix of figure 1.
public struct LinearTrainer {
    let features: LinearFeatures
    let training: LinearTraining
    let labels: Int
    private let stride: Int
    private var weights: [Float]
    private var squares: [Float]
    private var bias: [Float]
    private var biasSquares: [Float]
    private var chance: SplitMix
    private var rows: [UInt32]
    private var scores: [Float]

    /// Features of a text beyond so many are not learned from.
    public static let featuresMax = 1 << 16

    /// - Parameter labels: How many labels there are: 2 to 512.
    public init(labels: Int, features: LinearFeatures, training: LinearTraining = LinearTraining(seed: 1)) {
        precondition(LinearModel.labelsRange.contains(labels), "a model has 2 to 512 labels")
        self.features = features
        self.training = training
        self.labels = labels
        stride = LinearModel.stride(labels: labels)
        weights = [Float](repeating: 0, count: features.rows * stride)
        squares = weights
        bias = [Float](repeating: 0, count: labels)
        biasSquares = bias
        chance = SplitMix(seed: training.seed)
        rows = [UInt32](repeating: 0, count: Self.featuresMax)
        scores = [Float](repeating: 0, count: stride)
    }

    /// Learns that a text has a label.
    ///
    /// - Parameter label: Below the number of labels.
    public mutating func learn(_ text: Span<UInt8>, as label: Int) {
        precondition(label >= 0 && label < labels, "a label is below the number of labels")
        let count = read(text)
        guard count > 0 else { return }
        let part = excerpt(of: count)
        let scale = 1 / Float(part.count).squareRoot()
        score(part, scale: scale)
        var isMoved = false
        for place in 0..<labels {
            let slope = scores[place] - (place == label ? 1 : 0)
            biasSquares[place] += slope * slope
            bias[place] -= 0.1 * training.rate * slope / (biasSquares[place] + 1e-3).squareRoot()
            // What is nearly right is left alone: it would only fill the table with noise.
            scores[place] = abs(slope) < 1e-3 ? 0 : slope * scale
            isMoved = isMoved || scores[place] != 0
        }
        guard isMoved else { return }
        for place in labels..<stride { scores[place] = 0 }
        descend(part)
    }

    /// The model as it is now.
    ///
    /// - Parameters:
    ///   - card: With as many labels.
    ///   - sharpness: What scores are multiplied by, above 0; 1 for as they are.
    public func model(card: LinearModelCard, sharpness: Float = 1) -> LinearModel {
        precondition(card.labels.count == labels, "the card names every label")
        var sum = 0.0
        var count = 0
        for weight in weights where weight != 0 {
            sum += Double(weight) * Double(weight)
            count += 1
        }
        // Half a standard deviation: finer steps gain nothing that held-out texts show, and take more bytes.
        let step = count == 0 ? 1 : Float((sum / Double(count)).squareRoot() * 0.6)
        var table = [Int8](repeating: 0, count: weights.count)
        for place in weights.indices where weights[place] != 0 {
            table[place] = Int8(max(-127, min(127, (weights[place] / step).rounded())))
        }
        return LinearModel(
            card: card,
            features: features,
            bias: bias,
            step: step,
            sharpness: sharpness,
            stride: stride,
            table: table
        )
    }

    private mutating func read(_ text: Span<UInt8>) -> Int {
        let text = text.extracting(first: LinearModel.textBytesMax)
        var shape = features.shape(features.oneScript ? Letters.most(in: text) : nil)
        var position = 0
        var previous: UInt64 = 0
        return rows.withUnsafeMutableBufferPointer { rows in
            text.withUnsafeBufferPointer { text in
                onepoint_linear_features(
                    &shape,
                    text.baseAddress,
                    text.count,
                    &position,
                    &previous,
                    rows.baseAddress,
                    rows.count
                )
            }
        }
    }

    /// All features, or, for the share of texts that training asks, a run of them of any length, short ones as often
    /// as long ones: so that short texts are known as well.
    private mutating func excerpt(of count: Int) -> Range<Int> {
        guard training.excerpts > 0, count > 8, chance.share() < training.excerpts else { return 0..<count }
        // A power of two of some bits' random length and a random rest: log-uniform without a logarithm, which is not
        // the same on every machine.
        let octaves = Double(Int.bitWidth - count.leadingZeroBitCount - 4)
        let octave = chance.share() * (octaves + 1)
        let base = 8 << Int(octave)
        let length = min(count, base + Int(Double(base) * (octave - octave.rounded(.down))))
        let start = Int(chance.share() * Double(count - length + 1))
        return start..<start + length
    }

    /// Leaves the probabilities of the labels in `scores`.
    private mutating func score(_ part: Range<Int>, scale: Float) {
        for place in 0..<stride { scores[place] = 0 }
        scores.withUnsafeMutableBufferPointer { scores in
            rows.withUnsafeBufferPointer { rows in
                weights.withUnsafeBufferPointer { weights in
                    let rows = UnsafeBufferPointer(rebasing: rows[part])
                    onepoint_linear_add_weights(
                        weights.baseAddress,
                        stride,
                        rows.baseAddress,
                        rows.count,
                        scores.baseAddress
                    )
                }
            }
            for place in 0..<labels { scores[place] = scores[place] * scale + bias[place] }
            onepoint_linear_softmax(scores.baseAddress, labels)
        }
    }

    /// Moves the weights of the features down the slope in `scores`.
    private mutating func descend(_ part: Range<Int>) {
        weights.withUnsafeMutableBufferPointer { weights in
            squares.withUnsafeMutableBufferPointer { squares in
                rows.withUnsafeBufferPointer { rows in
                    scores.withUnsafeBufferPointer { slope in
                        let rows = UnsafeBufferPointer(rebasing: rows[part])
                        onepoint_linear_step(
                            weights.baseAddress,
                            squares.baseAddress,
                            stride,
                            rows.baseAddress,
                            rows.count,
                            slope.baseAddress,
                            training.rate
                        )
                    }
                }
            }
        }
    }
}

extension SplitMix {
    /// A number from 0 up to, not including, 1.
    mutating func share() -> Double { Double(next() >> 11) * 0x1p-53 }
}
