import Core
import Testing

@Suite("The catalogue of accelerators")
struct CatalogueTests {
    @Test("every model has one entry, found by its name")
    func unique() {
        #expect(Set(Accelerator.catalogue.map(\.model)).count == Accelerator.catalogue.count)
        #expect(Accelerator.catalogue.count >= 60)
        for entry in Accelerator.catalogue {
            #expect(Accelerator.named(entry.model) == entry)
            #expect(entry.model.allSatisfy { $0.isLowercase || $0.isNumber || $0 == "-" }, "\(entry.model)")
        }
        #expect(Accelerator.named("abacus") == nil)
    }

    @Test("figures are dense, of one unit, and within what can be")
    func bounds() {
        for entry in Accelerator.catalogue {
            if let tflops = entry.fp16DenseTflops { #expect((20...3000).contains(tflops), "\(entry.model)") }
            if let memory = entry.memory {
                #expect((Bytes.gibi(8)...Bytes.gibi(400)).contains(memory), "\(entry.model)")
            }
            #expect(!entry.source.isEmpty && !entry.title.isEmpty && entry.asOf == "2026-11", "\(entry.model)")
        }
    }

    @Test(
        "so many cards are 1,000 PFLOPS and one less is not",
        arguments: [
            ("h100-sxm5", 1012), ("h800-sxm", 1012), ("a100-80gb", 3206), ("a800", 3206), ("h20", 6757),
            ("ascend-910b3", 3195), ("ascend-910c", 1330), ("dcu-k100-ai", 5209),
        ]
    )
    func petaflops(_ model: String, _ count: Int) throws {
        let one = try #require(Accelerator.named(model)?.fp16DenseTflops)
        #expect(Double(count) * one >= 1_000_000)
        #expect(Double(count - 1) * one < 1_000_000)
    }

    @Test("halves are halves")
    func halves() throws {
        for (die, board) in [("mi250-gcd", "mi250"), ("mi250x-gcd", "mi250x"), ("ascend-910c-die", "ascend-910c")] {
            let (one, both) = try (#require(Accelerator.named(die)), #require(Accelerator.named(board)))
            #expect(one.fp16DenseTflops.map { $0 * 2 } == both.fp16DenseTflops)
            #expect(one.memory.map { $0 * 2 } == both.memory)
            #expect(one.unit == .die)
        }
    }
}
