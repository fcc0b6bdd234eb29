import Core
import Testing

@testable import Engines

@Suite("Cards are detected by their makers' tools")
struct CardDetectionTests {
    @Test("nvidia-smi lists one card a line")
    func nvidia() {
        let text = """
            0, NVIDIA H100 80GB HBM3, 81559
            1, NVIDIA H100 80GB HBM3, 81559
            2, NVIDIA A100-SXM4-40GB, 40960
            3, NVIDIA H20, 97871
            4, Tesla V100-SXM2-32GB, 32768
            5, NVIDIA Future Card X, 1000000
            not a card

            """
        let cards = CardDetection.nvidia(text)
        #expect(cards.map(\.index) == [0, 1, 2, 3, 4, 5])
        #expect(
            cards.map(\.model) == ["h100-sxm5", "h100-sxm5", "a100-40gb", "h20", "v100-sxm2", "future-card-x"]
        )
        #expect(cards[0].memory == .mebi(81559))
    }

    @Test(
        "names as printed become models of the catalogue",
        arguments: [
            ("NVIDIA", "NVIDIA H100 PCIe", 79, "h100-pcie"), ("NVIDIA", "NVIDIA H100 NVL", 93, "h100-nvl"),
            ("NVIDIA", "NVIDIA H200", 140, "h200-sxm"), ("NVIDIA", "NVIDIA H20-3e", 140, "h20-141gb"),
            ("NVIDIA", "NVIDIA GeForce RTX 4090", 24, "rtx-4090"), ("NVIDIA", "NVIDIA L40S", 45, "l40s"),
            ("NVIDIA", "NVIDIA A10G", 22, "a10g"), ("NVIDIA", "Tesla T4", 15, "t4"),
            ("NVIDIA", "NVIDIA GH200 480GB", 95, "gh200"), ("NVIDIA", "NVIDIA B200", 179, "b200-sxm"),
            ("NVIDIA", "NVIDIA A800-SXM4-80GB", 79, "a800"), ("AMD", "AMD Instinct MI300X", 191, "mi300x"),
            ("AMD", "AMD Instinct MI250X / MI250", 64, "mi250x-gcd"), ("Huawei", "910B2C", 64, "ascend-910b2"),
            ("Huawei", "910B4", 32, "ascend-910b4"), ("Huawei", "310P3", 21, "ascend-310p"),
            ("Huawei", "Ascend910", 64, "ascend-910c-die"),
        ]
    )
    func names(_ vendor: String, _ name: String, _ gibi: Int64, _ model: String) {
        #expect(CardNames.model(vendor: vendor, name: name, memory: .gibi(gibi)) == model)
        #expect(Accelerator.named(model)?.vendor == vendor)
    }

    @Test("amd-smi lists cards, before and since ROCm 7")
    func amd() {
        let list = """
            [{"gpu": 0, "asic": {"market_name": "AMD Instinct MI300X", "vendor_id": "0x1002", "num_compute_units": 304},
              "vram": {"type": "HBM", "vendor": "N/A", "size": {"value": 196592, "unit": "MB"}}},
             {"gpu": 1, "asic": {"market_name": "AMD Instinct MI300X"}, "vram": {"size": {"value": 196592, "unit": "MB"}}}]
            """
        let cards = CardDetection.amd(list)
        #expect(cards.map(\.model) == ["mi300x", "mi300x"])
        #expect(cards.map(\.index) == [0, 1])
        #expect(cards.first?.memory == .mebi(196_592))
        #expect(CardDetection.amd("{\"gpu_data\": \(list)}") == cards)
        #expect(CardDetection.amd("WARNING: User is missing the following required groups: render\n\(list)") == cards)
    }

    @Test("rocm-smi names cards by key")
    func rocm() {
        let text = """
            {"card1": {"VRAM Total Memory (B)": "34342961152", "Card Series": "Arcturus GL-XL [AMD Instinct MI100]",
                       "Card Model": "0x0c34", "Card Vendor": "Advanced Micro Devices, Inc. [AMD/ATI]"},
             "card0": {"VRAM Total Memory (B)": "68702699520", "Card series": "AMD Instinct MI210"},
             "system": {"Driver version": "6.7.0"}}
            """
        let cards = CardDetection.rocm(text)
        #expect(cards.map(\.model) == ["mi210", "mi100"])
        #expect(cards.map(\.index) == [0, 1])
    }

    @Test("npu-smi's table is read, one chip a board")
    func ascend() {
        let text = """
            +------------------------------------------------------------------------------------------------+
            | npu-smi 24.1.rc2                 Version: 24.1.rc2                                             |
            +---------------------------+---------------+----------------------------------------------------+
            | NPU   Name                | Health        | Power(W)    Temp(C)           Hugepages-Usage(page)|
            | Chip                      | Bus-Id        | AICore(%)   Memory-Usage(MB)  HBM-Usage(MB)        |
            +===========================+===============+====================================================+
            | 0     910B3               | OK            | 98.4        50                0    / 0             |
            | 0                         | 0000:C1:00.0  | 0           0    / 0          3369 / 65536         |
            +===========================+===============+====================================================+
            | 1     910B3               | Critical      | 96.5        53                0    / 0             |
            | 0                         | 0000:01:00.0  | 0           0    / 0          3368 / 65536         |
            +===========================+===============+====================================================+
            | 2     910B3               | OK            | 96.5        53                0    / 0             |
            | 0                         | 0000:02:00.0  | 0           0    / 0          65489/ 65536         |
            +===========================+===============+====================================================+
            +---------------------------+---------------+----------------------------------------------------+
            | NPU     Chip              | Process id    | Process name             | Process memory(MB)      |
            +===========================+===============+====================================================+
            | 0       0                 | 12345         | python3                  | 3000                    |
            | No running processes found in NPU 1                                                            |
            +===========================+===============+====================================================+
            """
        let cards = CardDetection.ascend(text)
        #expect(cards.map(\.model) == ["ascend-910b3", "ascend-910b3"])
        #expect(cards.map(\.index) == [0, 2], "a sick board keeps its number to itself")
        #expect(cards.first?.memory == .mebi(65_536))
    }

    @Test("npu-smi's table is read, two dies a board")
    func ascendDies() {
        let text = """
            | NPU   Name                | Health        | Power(W)    Temp(C)           Hugepages-Usage(page)|
            | Chip  Phy-ID              | Bus-Id        | AICore(%)   Memory-Usage(MB)  HBM-Usage(MB)        |
            +===========================+===============+====================================================+
            | 0     Ascend910           | OK            | 178.5       36                0    / 0             |
            | 0     0                   | 0000:9D:00.0  | 0           0    / 0          3416 / 65536         |
            +------------------------------------------------------------------------------------------------+
            | 0     Ascend910           | OK            | -           36                0    / 0             |
            | 1     1                   | 0000:9F:00.0  | 0           0    / 0          3195 / 65536         |
            +===========================+===============+====================================================+
            """
        let cards = CardDetection.ascend(text)
        #expect(cards.map(\.index) == [0, 1])
        #expect(cards.map(\.model) == ["ascend-910c-die", "ascend-910c-die"])
    }

    @Test(
        "nonsense is no card",
        arguments: ["", "No devices were found", "{}", "[]", "| a | b |", "{\"card0\": 1}", "[1]"]
    )
    func nonsense(_ text: String) {
        #expect(CardDetection.nvidia(text).isEmpty)
        #expect(CardDetection.amd(text).isEmpty)
        #expect(CardDetection.rocm(text).isEmpty)
        #expect(CardDetection.ascend(text).isEmpty)
    }

    @Test("cards are given out whole, of one model, and emulated ones only when asked for")
    func choice() {
        let cards = PhysicalCard.all(
            detected: [DetectedCard(vendor: "NVIDIA", index: 0, name: "NVIDIA L4", memory: nil)],
            emulated: [CardGroup(model: "h100-sxm5", count: 2, emulated: true)]
        )
        #expect(cards.map(\.index) == [0, 1, 2])
        #expect(PhysicalCard.groups(cards).map(\.count) == [1, 2])
        func choose(_ count: Int, _ model: String?, _ emulated: Bool, taken: Set<Int> = []) -> [Int]? {
            PhysicalCard.choose(
                count,
                of: cards,
                free: { !taken.contains($0.index) },
                model: model,
                emulated: emulated
            )?
            .map(\.index)
        }
        #expect(choose(1, nil, false) == [0])
        #expect(choose(2, nil, false) == nil)
        #expect(choose(1, "h100-sxm5", false) == nil)
        #expect(choose(2, "h100-sxm5", true) == [1, 2])
        #expect(choose(1, nil, true, taken: [1]) == [2])
        let variables = PhysicalCard.environment([cards[1], cards[2]], present: ["NVIDIA"])
        #expect(
            variables.map { "\($0.0)=\($0.1)" } == [
                "ONEPOINT_CARDS=1,2", "ONEPOINT_CARD_MODEL=h100-sxm5", "ONEPOINT_CARDS_EMULATED=1",
                "CUDA_VISIBLE_DEVICES=1,2",
            ]
        )
        #expect(PhysicalCard.environment([], present: ["NVIDIA"]).map(\.1) == ["", "-1"])
    }
}
