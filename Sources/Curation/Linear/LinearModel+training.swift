import Core

extension LinearModel {
    /// Trains a model: several rounds over the examples in a shuffled order, twice when some are held out.
    ///
    /// The same examples, card, features and training give the same model on every machine.
    /// - Parameters:
    ///   - examples: Texts with labels, in any order. Equal texts are held out together, never in part.
    ///   - card: What it will say of itself; its figures are filled in here.
    /// - Throws: ``LinearModelError`` when there are no examples, or a label is not on the card.
    /// - Complexity: Linear in the text, the rounds and the labels: half a microsecond for a byte, round and 100 labels.
    public static func train(
        _ examples: [LinearExample],
        card: LinearModelCard,
        features: LinearFeatures,
        training: LinearTraining
    ) throws(LinearModelError) -> LinearModel {
        if let fault = card.fault { throw LinearModelError(fault) }
        guard !examples.isEmpty else { throw LinearModelError("There are no examples to train on.") }
        guard examples.allSatisfy({ card.labels.indices.contains($0.label) }) else {
            throw LinearModelError("An example has a label that the model does not have.")
        }
        var chance = SplitMix(seed: training.seed)
        let order = Array(examples.indices).shuffled(using: &chance)
        let limit = UInt64(training.heldOut * 0x1p53)
        var kept: [Int] = []
        var held: [Int] = []
        for index in order {
            let text = examples[index].text
            let isHeld = examples[index].mayBeHeldOut && TextHash.hash64(text.span, seed: training.seed) >> 11 < limit
            if isHeld { held.append(index) } else { kept.append(index) }
        }
        var card = card
        card.examples = examples.count
        guard !held.isEmpty, !kept.isEmpty else {
            return fit(examples, order, card, features, training).model(card: card)
        }
        let trial = fit(examples, kept, card, features, training)
        let sharpness = sharpness(of: trial.model(card: card), examples, held)
        card.heldOut = trial.model(card: card, sharpness: sharpness).trial(held.map { examples[$0] })
        return fit(examples, order, card, features, training).model(card: card, sharpness: sharpness)
    }

    /// How the model does on examples that it was not trained on. Texts without a letter count as missed.
    public func trial(_ examples: [LinearExample]) -> LinearModelCard.Trial {
        var scratch = LinearScratch()
        var right = [Int](repeating: 0, count: card.labels.count)
        var all = right
        var confidence = 0.0
        for example in examples where all.indices.contains(example.label) {
            all[example.label] += 1
            guard let verdict = classify(example.text.span, scratch: &scratch) else { continue }
            confidence += Double(verdict.probability)
            if verdict.label == example.label { right[example.label] += 1 }
        }
        let count = all.reduce(0, +)
        let seen = all.indices.filter { all[$0] > 0 }
        return LinearModelCard.Trial(
            examples: count,
            accuracy: Double(right.reduce(0, +)) / Double(max(1, count)),
            macroAccuracy: seen.reduce(0) { $0 + Double(right[$1]) / Double(all[$1]) } / Double(max(1, seen.count)),
            confidence: confidence / Double(max(1, count))
        )
    }

    private static func fit(
        _ examples: [LinearExample],
        _ order: [Int],
        _ card: LinearModelCard,
        _ features: LinearFeatures,
        _ training: LinearTraining
    ) -> LinearTrainer {
        guard training.dropsMislabelled, order.count > 3 else {
            return learn(examples, order, card, features, training)
        }
        let halves = [Array(order[..<(order.count / 2)]), Array(order[(order.count / 2)...])]
        let labels = card.labels.count
        // What each example is taken for by a model of the other half that is sure; its own label else.
        var taken: [(index: Int, label: Int)] = []
        var confusions = [Int](repeating: 0, count: labels * labels)
        var all = [Int](repeating: 0, count: labels)
        var scratch = LinearScratch()
        for (half, other) in [(halves[0], halves[1]), (halves[1], halves[0])] {
            let judge = learn(examples, other, card, features, training).model(card: card)
            for index in half {
                let example = examples[index]
                let own = example.label
                all[own] += 1
                guard let verdict = judge.classify(example.text.span, scratch: &scratch) else { continue }
                let isSure = verdict.probability >= 0.9 && scratch.probabilities[own] < 0.02
                taken.append((index, isSure ? verdict.label : own))
                if isSure { confusions[own * labels + verdict.label] += 1 }
            }
        }
        // Two labels that are often taken for each other are alike, which is no mistake of who labelled them.
        let credible = taken.filter { index, label in
            let own = examples[index].label
            return label == own || confusions[own * labels + label] * 100 > all[own] * 3
        }
        return learn(examples, credible.map(\.index), card, features, training)
    }

    private static func learn(
        _ examples: [LinearExample],
        _ order: [Int],
        _ card: LinearModelCard,
        _ features: LinearFeatures,
        _ training: LinearTraining
    ) -> LinearTrainer {
        var trainer = LinearTrainer(labels: card.labels.count, features: features, training: training)
        var chance = SplitMix(seed: training.seed &+ 1)
        var order = order
        for _ in 0..<training.rounds {
            for index in order {
                let example = examples[index]
                trainer.learn(example.text.span, as: example.label)
            }
            order.shuffle(using: &chance)
        }
        return trainer
    }

    /// The factor under which the probabilities come nearest to the held-out labels, by the squares of the differences
    /// (Brier's score, which needs no logarithm).
    private static func sharpness(of model: LinearModel, _ examples: [LinearExample], _ held: [Int]) -> Float {
        var best = (factor: Float(1), loss: Double.infinity)
        var scratch = LinearScratch()
        for percent in Swift.stride(from: 20, through: 200, by: 5) {
            let sharpened = model.sharpened(Float(percent) / 100)
            var loss = 0.0
            // A sample is enough to choose one number by.
            for place in Swift.stride(from: 0, to: held.count, by: max(1, held.count / 4000)) {
                loss += sharpened.loss(on: examples[held[place]], scratch: &scratch)
            }
            if loss < best.loss { best = (Float(percent) / 100, loss) }
        }
        return best.factor
    }

    private func loss(on example: LinearExample, scratch: inout LinearScratch) -> Double {
        guard let _ = classify(example.text.span, scratch: &scratch) else { return 0 }
        var loss = 0.0
        for (label, probability) in scratch.probabilities.enumerated() {
            let difference = Double(probability) - (label == example.label ? 1 : 0)
            loss += difference * difference
        }
        return loss
    }

    private func sharpened(_ factor: Float) -> LinearModel {
        LinearModel(
            card: card,
            features: features,
            bias: bias,
            step: step,
            sharpness: factor,
            stride: stride,
            table: table
        )
    }
}
