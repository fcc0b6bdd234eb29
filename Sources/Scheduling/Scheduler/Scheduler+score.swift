internal import Core

extension Scheduler {
    /// How good a state is for one task of a class, 0 to 100.
    mutating func score(_ number: Int, _ state: Int32) -> Int32 {
        guard weighs else { return fitScore(number, state) }
        if state >= classes[number].scores.count {
            let missing = Int(state) + 64 - classes[number].scores.count
            classes[number].scores.append(contentsOf: repeatElement(-1, count: missing))
        }
        let known = classes[number].scores[Int(state)]
        if known >= 0 { return Int32(known) }
        let made = bestOption(number, state).score
        classes[number].scores[Int(state)] = Int16(made)
        return made
    }

    /// Whether nodes are chosen by a measure.
    private var weighs: Bool {
        switch rules.placement {
        case .bestFit: false
        case .leastFragmentation: true
        case .leastLoss: mix.hasShares
        }
    }

    private func measure(_ state: NodeState, model: Int) -> Double {
        rules.placement == .leastFragmentation
            ? mix.fragmentation(state, model: model) : mix.loss(state, model: model)
    }

    /// The measure was made anew.
    mutating func forgetScores(_ number: Int) {
        classes[number].epoch = mix.epoch
        classes[number].scores.removeAll(keepingCapacity: true)
        for index in classes[number].candidates.indices { classes[number].candidates[index].version = -1 }
    }

    /// Best fit after the artifact of the FGD paper: what is left of cores and cards, each in parts of the largest
    /// node's, counts half.
    private func fitScore(_ number: Int, _ state: Int32) -> Int32 {
        let need = classes[number].need
        let free = states[state]
        let taken = need.cards * (need.isShare ? need.cardMilli : 1000)
        let cores = Double(Int(free.milliCores) - need.milliCores) / Double(heaviest.milliCores)
        let cards = Double(free.freeCardMilli - taken) / Double(heaviest.cardMilli)
        return Int32(((1 - 0.5 * (cores + cards)) * 100).rounded(.down))
    }

    /// Which of a node's cards a share takes, by how much of it is free; 1000 for an unused one.
    func bestCard(_ number: Int, _ state: Int32) -> UInt16 {
        if weighs { return bestOption(number, state).card }
        let milli = UInt16(classes[number].need.cardMilli)
        let shared = states[state].shared
        for lane in stride(from: 7, through: 0, by: -1) where shared[lane] >= milli { return shared[lane] }
        return 1000
    }

    /// The card whose use loses the least, and the score of that.
    private func bestOption(_ number: Int, _ id: Int32) -> (score: Int32, card: UInt16) {
        let need = classes[number].need
        let state = states[id]
        let model = states.kinds[Int(state.kind)].model
        let before = measure(state, model: model)
        var after = state
        after.milliCores -= Int32(need.milliCores)
        after.memoryMiB -= Int32(need.memoryMiB)
        guard need.isShare else {
            after.wholeCards -= Int32(need.cards)
            return (grade(before - measure(after, model: model)), 1000)
        }
        let milli = UInt16(need.cardMilli)
        var best: (score: Int32, card: UInt16) = (-1, 1000)
        var last: UInt16 = 0
        for lane in 0..<8 where state.shared[lane] >= milli && state.shared[lane] != last {
            last = state.shared[lane]
            var option = after
            option.replaceShared(last, by: last - milli)
            let score = grade(before - measure(option, model: model))
            if score > best.score { best = (score, last) }
        }
        if state.mayOpenCard {
            var option = after
            option.openCard(left: 1000 - milli)
            let score = grade(before - measure(option, model: model))
            if score > best.score { best = (score, 1000) }
        }
        return best
    }

    /// How much the loss falls, as a grade from 0 to 100: nearly equal placements get one grade, and then the order of
    /// nodes decides, which packs better than exact figures do.
    ///
    /// > Source: the FGD artifact's score, `floor(100 / (1 + exp(-fall / 1000)))`, here by its thresholds.
    private func grade(_ fall: Double) -> Int32 {
        let fall = rules.placement == .leastFragmentation ? fall : fall / Self.coarseness
        return Int32(Self.thresholds.partitioningIndex { $0 > fall })
    }

    /// Our measure is in whole fillings of a node, not in single jobs, and takes coarser grades. Tried on the openb
    /// trace from 1/4 to 64: 8 packs best over its variants.
    private static let coarseness = 8.0

    /// From which fall on each grade from 1 to 99 is given, in thousandths of a card: `1000 ln(g / (100 - g))`.
    private static let thresholds: [Double] = (1...99).map { grade in
        1000 * (PortableMath.log2(Double(grade)) - PortableMath.log2(Double(100 - grade))) * 0.693_147_180_559_945_3
    }
}
