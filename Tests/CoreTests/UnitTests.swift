import Core
import Testing

@Suite struct UnitTests {
    static let extremes: [Int64] = [.min, .min + 1, -1, 0, 1, 1000, .max - 1, .max]

    @Test("arithmetic of amounts saturates and never traps", arguments: extremes, extremes)
    func saturation(a: Int64, b: Int64) {
        func exact(_ value: Int128) -> Int64 { Int64(clamping: value) }
        let (sum, difference) = (exact(Int128(a) + Int128(b)), exact(Int128(a) - Int128(b)))
        let product = exact(Int128(a) * Int128(b))
        #expect((Bytes(a) + Bytes(b)).count == sum)
        #expect((Bytes(a) - Bytes(b)).count == difference)
        #expect((Bytes(a) * Int(b)).count == product)
        #expect((MilliCores(a) + MilliCores(b)).count == sum)
        #expect((MilliCores(a) - MilliCores(b)).count == difference)
        #expect((MilliCores(a) * Int(b)).count == product)
        #expect((MicroCredits(a) + MicroCredits(b)).count == sum)
        #expect((MicroCredits(a) - MicroCredits(b)).count == difference)
        #expect((-MicroCredits(a)).count == exact(-Int128(a)))
        #expect(Bytes.mebi(a).count == exact(Int128(a) << 20))
        #expect(Bytes.gibi(a).count == exact(Int128(a) << 30))
        #expect(MilliCores.cores(Int(a)).count == exact(Int128(a) * 1000))
        #expect(MicroCredits.credits(a).count == exact(Int128(a) * 1_000_000))
        // No text of an amount traps either.
        _ = (Bytes(a).description, MilliCores(a).description, MicroCredits(a).description)
    }

    @Test(
        "amounts of bytes are read with binary and decimal units",
        arguments: [
            ("0", 0), ("1", 1), ("512MiB", 512 << 20), ("2GiB", 2 << 30), ("1.5 TiB", 3 << 39), ("10MB", 10_000_000),
            ("1kB", 1000), ("1KB", 1000), ("1 B", 1), ("0.5KiB", 512), ("4096PiB", 1 << 62),
            ("9007199254740993", 9_007_199_254_740_993), ("1GB", 1_000_000_000), ("2TB", 2_000_000_000_000),
            ("1PB", 1_000_000_000_000_000),
        ] as [(String, Int64)]
    )
    func bytes(text: String, count: Int64) { #expect(Bytes(text)?.count == count, "\(text)") }

    @Test(
        "what is no amount of bytes is refused",
        arguments: [
            "", " ", "-1", "+1", "1e3", "1..5", ".", ".5", "1.", "GiB", "1gib", "1 Gib", "1,5GiB", "4097PiB", "inf",
            "nan", "0x10", "9223372036854775807", "99999999999999999999", "½GiB", "٣MiB", "1GiB ", "1\tGiB", "1GiBs",
        ]
    )
    func byteRefusals(text: String) { #expect(Bytes(text) == nil, "\(text)") }

    @Test(
        "amounts of bytes print with at most one decimal, and never as 1024 of a unit",
        arguments: [
            (0, "0 B"), (1, "1 B"), (1023, "1023 B"), (1024, "1 KiB"), (1536, "1.5 KiB"), (512 << 20, "512 MiB"),
            (1_048_575, "1 MiB"), (1_048_576, "1 MiB"), (3 << 39, "1.5 TiB"), (-1536, "-1.5 KiB"), (.max, "8192 PiB"),
            (.min, "-8192 PiB"),
        ] as [(Int64, String)]
    )
    func byteText(count: Int64, text: String) { #expect(Bytes(count).description == text) }

    @Test("what is printed reads back within the rounding of its one decimal")
    func byteTextProperty() {
        var generator = seeded("bytes")
        for _ in 0..<5000 {
            let count = Int64.random(in: 0...1 << Int64.random(in: 1...61, using: &generator), using: &generator)
            guard let read = Bytes(Bytes(count).description) else {
                Issue.record("'\(Bytes(count))' does not read back")
                return
            }
            #expect((Double(read.count) - Double(count)).magnitude <= max(1, Double(count) * 0.06), "\(count)")
        }
    }

    @Test("cores print without needless decimals")
    func cores() {
        #expect(MilliCores(2000).description == "2")
        #expect(MilliCores(500).description == "0.5")
        #expect(MilliCores(1).description == "0.001")
        #expect(MilliCores(-1500).description == "-1.5")
        #expect(MilliCores.cores(3) == 3000)
        #expect(MilliCores(1500).cores == 1.5)
    }

    @Test(
        "credits print exactly",
        arguments: [
            (0, "0"), (1, "0.000001"), (-1, "-0.000001"), (1_250_000, "1.25"), (1_000_000, "1"), (-500_000, "-0.5"),
            (.max, "9223372036854.775807"), (.min, "-9223372036854.775808"),
        ] as [(Int64, String)]
    )
    func credits(count: Int64, text: String) { #expect(MicroCredits(count).description == text) }

    @Test("a charge for one unit is exact, rounded half away from zero, and grows with time")
    func charge() {
        var generator = seeded("charges")
        #expect(MicroCredits.charge(perHour: 1_000_000, milliseconds: 3_600_000, units: 1) == 1_000_000)
        #expect(MicroCredits.charge(perHour: 1, milliseconds: 1_800_000, units: 1) == 1)
        #expect(MicroCredits.charge(perHour: 1, milliseconds: 1_799_999, units: 1) == 0)
        #expect(MicroCredits.charge(perHour: -1, milliseconds: 1_800_000, units: 1) == -1)
        #expect(
            MicroCredits.charge(perHour: 9_007_199_254_740_993, milliseconds: 3_600_000, units: 1).count
                == 9_007_199_254_740_993
        )
        for _ in 0..<2000 {
            let rate = MicroCredits(Int64.random(in: 0...1_000_000_000_000, using: &generator))
            let short = Int64.random(in: 0...10_000_000_000, using: &generator)
            let long = short + Int64.random(in: 0...1_000_000, using: &generator)
            #expect(
                MicroCredits.charge(perHour: rate, milliseconds: short, units: 1)
                    <= .charge(perHour: rate, milliseconds: long, units: 1)
            )
        }
    }

    @Test("a charge never traps", arguments: extremes, extremes)
    func chargeExtremes(rate: Int64, milliseconds: Int64) {
        for units in [1, 0, -1, 0.5, .infinity, -.infinity, .nan, .greatestFiniteMagnitude] {
            _ = MicroCredits.charge(perHour: MicroCredits(rate), milliseconds: milliseconds, units: units)
        }
        #expect(MicroCredits.charge(perHour: .init(.max), milliseconds: .max, units: 1).count == .max)
        #expect(MicroCredits.charge(perHour: .init(.max), milliseconds: .min, units: 1).count == .min)
        #expect(MicroCredits.charge(perHour: 0, milliseconds: 1, units: .infinity) == 0)
    }
}

@Suite struct PriceTests {
    @Test("an hour costs cores and cards of every task; emulated cards cost nothing; unknown models the default")
    func perHour() {
        let prices = PriceTable(coreHour: 20_000, cardHour: ["a": 3_000_000], cardHourDefault: 1_000_000)
        let resources = TaskResources(cores: 1500, cards: 2, card: nil)
        func price(_ nodes: NodeShare...) -> MicroCredits { prices.perHour(resources: resources, nodes: nodes) }
        #expect(price(NodeShare(node: "n", tasks: 1, card: "a")) == 6_030_000)
        #expect(price(NodeShare(node: "n", tasks: 3, card: "b")) == 6_090_000)
        #expect(price(NodeShare(node: "n", tasks: 1, card: "a", emulated: true)) == 30_000)
        #expect(
            price(NodeShare(node: "n", tasks: 1, card: "a"), NodeShare(node: "m", tasks: 1, card: "b")) == 8_060_000
        )
        #expect(prices.perHour(resources: resources, nodes: []) == 0)
    }

    @Test("a part of a millionth is rounded up, per task")
    func rounding() {
        let prices = PriceTable(coreHour: 1, cardHourDefault: 0)
        #expect(prices.perHour(resources: TaskResources(cores: 1), nodes: [NodeShare(node: "n", tasks: 5)]) == 5)
    }

    @Test("the dearest price on the largest job is right, and beyond 64 bits it saturates")
    func extremes() {
        let dear = PriceTable(coreHour: 1_000_000_000_000, cardHourDefault: 1_000_000_000_000)
        let large = TaskResources(cores: 4_096_000, cards: 1)
        #expect(
            dear.perHour(resources: large, nodes: [NodeShare(node: "n", tasks: 1)]).count
                == 4_096_000_000_000_000 + 1_000_000_000_000
        )
        let huge = TaskResources(cores: MilliCores(.max), cards: .max)
        #expect(dear.perHour(resources: huge, nodes: [NodeShare(node: "n", tasks: .max)]).count == .max)
        #expect(PriceTable.reservation(perHour: MicroCredits(.max), timeLimitSeconds: .max).count == .max)
    }

    @Test("a run that keeps its time limit never costs more than was reserved for it")
    func reservation() {
        var generator = seeded("reservations")
        for _ in 0..<2000 {
            let rate = MicroCredits(Int64.random(in: 0...10_000_000_000, using: &generator))
            let limit = Int.random(in: 1...2_592_000, using: &generator)
            let spent = Int64.random(in: 0...Int64(limit) * 1000, using: &generator)
            #expect(
                MicroCredits.charge(perHour: rate, milliseconds: spent, units: 1)
                    <= PriceTable.reservation(perHour: rate, timeLimitSeconds: limit)
            )
        }
    }
}
