import Core
import Curation
import Testing

@Suite struct AdmissionTests {
    @Test("177 of 4,000, 38 of 1,000 and 16 of 500 are the most bad items that prove less than 5 % at 95 %")
    func acceptanceNumbers() {
        for (trials, most) in [(4000, 177), (1000, 38), (500, 16), (59, 0)] {
            #expect(Binomial.acceptanceNumber(trials: trials, limit: 0.05, confidence: 0.95) == most)
        }
        #expect(Binomial.acceptanceNumber(trials: 58, limit: 0.05, confidence: 0.95) == nil)
        #expect(Binomial.trialsNeeded(rate: 0, limit: 0.05, confidence: 0.95) == 59)
        #expect(Binomial.trialsNeeded(rate: 0.05, limit: 0.05, confidence: 0.95) == nil)
    }

    // By scipy 1.17.1: binom.cdf and beta.ppf.
    @Test("tails and bounds are those of an independent implementation")
    func bounds() {
        func isNear(_ a: Double, _ b: Double, _ relative: Double = 1e-8) -> Bool { abs(a - b) <= relative * abs(b) }
        #expect(isNear(Binomial.cumulative(177, trials: 4000, probability: 0.05), 0.049302086928473335))
        #expect(isNear(Binomial.cumulative(3, trials: 1_000_000, probability: 1e-5), 0.010335785844903855))
        #expect(isNear(Binomial.upperBound(160, of: 4000, confidence: 0.95), 0.04547707530782718))
        let interval = Binomial.interval(7, of: 50, confidence: 0.95)
        #expect(isNear(interval.lowerBound, 0.05819170034037209))
        #expect(isNear(interval.upperBound, 0.2673960024970084))
        #expect(Binomial.interval(0, of: 10, confidence: 0.95).lowerBound == 0)
        #expect(Binomial.interval(10, of: 10, confidence: 0.95).upperBound == 1)
    }

    @Test("numbers that make no sense give bounds that say nothing", arguments: [0.0, 1.0, -1.0, 2.0, Double.nan])
    func nonsense(_ confidence: Double) {
        #expect(Binomial.interval(1, of: 2, confidence: confidence).contains(0.5))
        #expect(Binomial.acceptanceNumber(trials: 10, limit: 0.5, confidence: confidence) == nil)
        #expect(Binomial.upperBound(5, of: 2, confidence: 0.95) == 1)
        #expect(Binomial.upperBound(-5, of: .max, confidence: 0.95) == 1)
        #expect(Binomial.lowerBound(.max, of: .max, confidence: 0.95) == 0)
        #expect(Proportion(-1, of: -7).ratio == nil)
    }

    @Test("a sample is admitted exactly up to the acceptance number, whatever its size")
    func verdicts() {
        var chance = SplitMix(seed: Governance.seed("verdicts"))
        for _ in 0..<40 {
            let trials = Int.random(in: 59...3000, using: &chance)
            guard let most = Binomial.acceptanceNumber(trials: trials, limit: 0.05, confidence: 0.95) else {
                Issue.record("no acceptance number for \(trials)")
                continue
            }
            let at = Admission(stage: .assessment, bad: Proportion(most, of: trials), limit: 0.05, confidence: 0.95)
            let above = Admission(
                stage: .assessment,
                bad: Proportion(most + 1, of: trials),
                limit: 0.05,
                confidence: 0.95
            )
            #expect(at.outcome == .admitted && at.upperBound <= 0.05)
            #expect(above.outcome != .admitted && above.upperBound > 0.05)
        }
    }

    @Test("verdicts say what was found and what to do")
    func sentences() {
        func judged(_ bad: Int, _ total: Int) -> Admission {
            Admission(stage: .verification, bad: Proportion(bad, of: total), limit: 0.05, confidence: 0.95)
        }
        #expect(
            judged(160, 4000).sentence
                == "160 of 4000 items judged are bad; up to 177 were allowed: fewer than 4.55 % of the whole are bad, "
                + "at 95 % confidence, and the limit is 5 %. Admitted."
        )
        #expect(judged(300, 4000).outcome == .refused)
        #expect(judged(20, 500).outcome == .undecided)
        #expect(judged(20, 500).sentence.hasSuffix("Judge 1415 in all, or leave the source out."))
        // One of three is above the limit and proves nothing; three of three prove it.
        #expect(judged(1, 3).outcome == .undecided)
        #expect(judged(3, 3).outcome == .refused)
        #expect(judged(0, 0).sentence == "Nothing was judged yet.")
    }

    @Test("a sequential test decides clean and filthy sources early, and stops there")
    func sequential() throws {
        var clean = try #require(SequentialTest(acceptable: 0.02, limit: 0.05, confidence: 0.95))
        while clean.judge(isBad: false) == .undecided {}
        #expect(clean.decision == .accepted && clean.judged == clean.acceptanceMin && clean.judged == 97)
        clean.judge(isBad: true)
        #expect(clean.bad == 0)
        var filthy = try #require(SequentialTest(acceptable: 0.02, limit: 0.05, confidence: 0.95))
        for item in 0... where filthy.judge(isBad: item.isMultiple(of: 5)) != .undecided { break }
        #expect(filthy.decision == .rejected && filthy.judged < 50)
        #expect(Admission(stage: .assessment, test: filthy).outcome == .refused)
        #expect(SequentialTest(acceptable: 0.05, limit: 0.05, confidence: 0.95) == nil)
    }

    @Test("a source at the limit is accepted by a sequential test no more often than it says")
    func sequentialError() throws {
        var chance = SplitMix(seed: Governance.seed("sequentialError"))
        var accepted = 0
        let runs = 400
        for _ in 0..<runs {
            var test = try #require(SequentialTest(acceptable: 0.02, limit: 0.05, confidence: 0.95))
            while test.decision == .undecided, test.judged < 1500 {
                test.judge(isBad: Double.random(in: 0..<1, using: &chance) < 0.05)
            }
            if test.decision == .accepted { accepted += 1 }
        }
        // Five in a hundred are 20 of 400; 39 are four standard deviations more.
        #expect(accepted <= 39, "\(accepted) of \(runs)")
    }

    @Test("a classifier's rate is corrected by how well it does")
    func corrected() throws {
        // Of 10,000, 100 bad: 80 found, and 1 % of the good flagged: 179.
        let rate = try #require(
            CorrectedRate(
                flagged: Proportion(179, of: 10_000),
                recall: Proportion(800, of: 1000),
                specificity: Proportion(9900, of: 10_000),
                confidence: 0.95
            )
        )
        #expect(abs(rate.rate - 0.01) < 1e-9)
        #expect(rate.interval.contains(0.01) && rate.interval.upperBound < 0.02)
        let same = try #require(
            CorrectedRate(
                flagged: Proportion(179, of: 10_000),
                recall: Proportion(800, of: 1000),
                precision: Proportion(80, of: 179),
                confidence: 0.95
            )
        )
        #expect(abs(same.rate - 0.01) < 1e-9 && same.interval.contains(0.01))
        let clean = Admission(stage: .verification, rate: rate, limit: 0.05)
        #expect(clean.outcome == .admitted && clean.sentence.hasPrefix("179 of 10000 items are flagged: fewer than 1."))
        #expect(Admission(stage: .verification, rate: rate, limit: 0.01).outcome == .undecided)
        #expect(Admission(stage: .verification, rate: rate, limit: 0.0001).outcome == .refused)
        let nothing = Proportion(0, of: 0)
        let half = Proportion(1, of: 2)
        #expect(CorrectedRate(flagged: half, recall: half, specificity: half, confidence: 0.95) == nil)
        #expect(CorrectedRate(flagged: half, recall: nothing, specificity: half, confidence: 0.95) == nil)
        #expect(CorrectedRate(flagged: half, recall: Proportion(0, of: 9), precision: half, confidence: 0.95) == nil)
    }
}
