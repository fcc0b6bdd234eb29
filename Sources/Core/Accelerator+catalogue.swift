extension Accelerator {
    /// What is known of accelerators, all vendors: dense FP16 or BF16 throughput without sparsity, as of 2026-11.
    ///
    /// Where sources disagree the confidence is low and the note says so; where nothing was published the figure is
    /// `nil`. The commonest errors of such tables are sparse figures (twice), INT8 columns (up to 2.7 times) and boards
    /// counted as chips (twice). Operators may lay a measured figure over it with ``CardGroup/measuredTflops``.
    public static let catalogue: [Accelerator] =
        nvidia + amd + intel + huawei + cambricon + hygon + mooreThreads + biren + iluvatar + kunlunxin + enflame
        + metax + tHead

    /// The entry of that model; `nil` when the catalogue has none.
    public static func named(_ model: String) -> Accelerator? { byModel[model] }

    private static let byModel: [String: Accelerator] = Dictionary(
        catalogue.map { ($0.model, $0) },
        uniquingKeysWith: { first, _ in first }
    )

    /// One row: memory in 10⁹ or 2³⁰ bytes as vendors count it, taken as GiB; throughput in TFLOPS.
    private static func row(
        _ vendor: String,
        _ model: String,
        _ title: String,
        _ memory: Int64?,
        _ tflops: Double?,
        _ unit: Unit,
        _ sourceKind: SourceKind,
        _ confidence: Confidence,
        _ source: String
    ) -> Accelerator {
        Accelerator(
            model: model,
            vendor: vendor,
            title: title,
            memory: memory.map { .gibi($0) },
            fp16DenseTflops: tflops,
            unit: unit,
            sourceKind: sourceKind,
            source: source,
            confidence: confidence,
            asOf: "2026-11"
        )
    }

    private static let nvidia: [Accelerator] = [
        row(
            "NVIDIA",
            "v100-sxm2",
            "Tesla V100 SXM2",
            nil,
            125,
            .board,
            .vendor,
            .high,
            "datasheet; FP16 only, 16 or 32 GB"
        ),
        row(
            "NVIDIA",
            "v100-pcie",
            "Tesla V100 PCIe",
            nil,
            112,
            .board,
            .vendor,
            .high,
            "datasheet; FP16 only, 16 or 32 GB"
        ),
        row("NVIDIA", "t4", "T4", 16, 65, .board, .vendor, .high, "datasheet; FP16 only"),
        row("NVIDIA", "a10", "A10", 24, 125, .board, .vendor, .high, "datasheet"),
        row(
            "NVIDIA",
            "a10g",
            "A10G",
            24,
            70,
            .board,
            .derived,
            .low,
            "cloud variant with fewer tensor operations than the A10; sources also give 125"
        ),
        row("NVIDIA", "a30", "A30", 24, 165, .board, .vendor, .high, "datasheet"),
        row("NVIDIA", "a40", "A40", 48, 149.7, .board, .vendor, .high, "datasheet"),
        row("NVIDIA", "a100-40gb", "A100 40 GB", 40, 312, .board, .vendor, .high, "datasheet"),
        row("NVIDIA", "a100-80gb", "A100 80 GB", 80, 312, .board, .vendor, .high, "datasheet"),
        row("NVIDIA", "a800", "A800", 80, 312, .board, .vendor, .high, "datasheet; as A100 with NVLink at 400 GB/s"),
        row("NVIDIA", "l4", "L4", 24, 121, .board, .vendor, .high, "datasheet, whose 242 is with sparsity"),
        row("NVIDIA", "l20", "L20", 48, 119.5, .board, .press, .medium, "specification tables"),
        row("NVIDIA", "l40", "L40", 48, 181, .board, .vendor, .high, "datasheet"),
        row("NVIDIA", "l40s", "L40S", 48, 362, .board, .vendor, .high, "datasheet"),
        row(
            "NVIDIA",
            "rtx-4090",
            "GeForce RTX 4090",
            24,
            165,
            .board,
            .vendor,
            .high,
            "architecture paper; FP32 accumulation, 330 with FP16"
        ),
        row(
            "NVIDIA",
            "rtx-5090",
            "GeForce RTX 5090",
            32,
            209.5,
            .board,
            .vendor,
            .medium,
            "architecture paper; FP32 accumulation, 419 with FP16"
        ),
        row(
            "NVIDIA",
            "h100-sxm5",
            "H100 SXM5",
            80,
            989,
            .board,
            .vendor,
            .high,
            "datasheet, half of the figure with sparsity"
        ),
        row(
            "NVIDIA",
            "h100-pcie",
            "H100 PCIe",
            80,
            756,
            .board,
            .vendor,
            .high,
            "datasheet, half of the figure with sparsity"
        ),
        row(
            "NVIDIA",
            "h100-nvl",
            "H100 NVL",
            94,
            835,
            .board,
            .vendor,
            .high,
            "datasheet, half of the figure with sparsity"
        ),
        row(
            "NVIDIA",
            "h800-sxm",
            "H800 SXM",
            80,
            989,
            .board,
            .vendor,
            .high,
            "datasheet; as H100 with NVLink at 400 GB/s"
        ),
        row(
            "NVIDIA",
            "h200-sxm",
            "H200 SXM",
            141,
            989,
            .board,
            .vendor,
            .high,
            "datasheet, half of the figure with sparsity"
        ),
        row(
            "NVIDIA",
            "h20",
            "H20 96 GB",
            96,
            148,
            .board,
            .vendor,
            .high,
            "datasheet; 296 seen elsewhere is with sparsity"
        ),
        row("NVIDIA", "h20-141gb", "H20 141 GB", 141, 148, .board, .press, .medium, "as H20 96 GB"),
        row("NVIDIA", "gh200", "GH200 (GPU)", nil, 990, .package, .vendor, .medium, "datasheet; 96 or 144 GB"),
        row(
            "NVIDIA",
            "b200-sxm",
            "B200 SXM",
            180,
            2_250,
            .package,
            .vendor,
            .high,
            "datasheet; of 192 GB HGX shows 180 as usable"
        ),
        row(
            "NVIDIA",
            "gb200",
            "GB200 (one GPU of NVL72)",
            186,
            2_500,
            .package,
            .derived,
            .medium,
            "360 PFLOPS with sparsity of NVL72, by 72 and by 2"
        ),
        row(
            "NVIDIA",
            "b300",
            "B300 or GB300 (one GPU)",
            nil,
            2_250,
            .package,
            .press,
            .low,
            "2,250 to 2,500 and 270 to 288 GB are reported; the lower is taken"
        ),
    ]

    private static let amd: [Accelerator] = [
        row("AMD", "mi100", "Instinct MI100", 32, 184.6, .board, .vendor, .medium, "datasheet"),
        row("AMD", "mi210", "Instinct MI210", 64, 181, .board, .vendor, .high, "datasheet"),
        row("AMD", "mi250", "Instinct MI250", 128, 362, .board, .vendor, .high, "datasheet; the board has two dies"),
        row("AMD", "mi250-gcd", "Instinct MI250, one die", 64, 181, .die, .derived, .high, "half of the board"),
        row("AMD", "mi250x", "Instinct MI250X", 128, 383, .board, .vendor, .high, "datasheet; the board has two dies"),
        row("AMD", "mi250x-gcd", "Instinct MI250X, one die", 64, 191.5, .die, .derived, .high, "half of the board"),
        row("AMD", "mi300a", "Instinct MI300A", 128, 981, .package, .vendor, .high, "datasheet"),
        row("AMD", "mi300x", "Instinct MI300X", 192, 1_307, .package, .vendor, .high, "datasheet"),
        row("AMD", "mi325x", "Instinct MI325X", 256, 1_307, .package, .vendor, .high, "datasheet"),
        row(
            "AMD",
            "mi350x",
            "Instinct MI350X",
            288,
            2_307,
            .package,
            .vendor,
            .medium,
            "datasheet; about 2,300 elsewhere"
        ),
        row(
            "AMD",
            "mi355x",
            "Instinct MI355X",
            288,
            2_517,
            .package,
            .vendor,
            .medium,
            "datasheet; about 2,300 elsewhere"
        ),
    ]

    private static let intel: [Accelerator] = [
        row("Intel", "gaudi2", "Gaudi 2", 96, 432, .board, .vendor, .high, "white paper"),
        row("Intel", "gaudi3", "Gaudi 3 (OAM)", 128, 1_835, .board, .vendor, .medium, "white paper; BF16 equals FP8"),
        row("Intel", "max-1550", "Data Center GPU Max 1550", 128, 839, .board, .vendor, .medium, "datasheet"),
    ]

    private static let huawei: [Accelerator] = [
        row(
            "Huawei",
            "ascend-310p",
            "Ascend 310P (Atlas 300I Pro)",
            24,
            70,
            .package,
            .derived,
            .medium,
            "half of the Atlas 300I Duo"
        ),
        row(
            "Huawei",
            "atlas-300i-duo",
            "Atlas 300I Duo (two 310P)",
            nil,
            140,
            .board,
            .vendor,
            .high,
            "datasheet; 280 is INT8; 48 or 96 GB"
        ),
        row(
            "Huawei",
            "ascend-910a",
            "Ascend 910A",
            32,
            256,
            .package,
            .vendor,
            .medium,
            "datasheet; variants from 256 to 320"
        ),
        row("Huawei", "ascend-910b1", "Ascend 910B1", 64, 414, .package, .press, .low, "378 to 414 are reported"),
        row(
            "Huawei",
            "ascend-910b2",
            "Ascend 910B2",
            64,
            376,
            .package,
            .vendor,
            .medium,
            "device name ATLAS_800_A2_376T_64G in the vendor's modelling tool"
        ),
        row(
            "Huawei",
            "ascend-910b3",
            "Ascend 910B3",
            64,
            313,
            .package,
            .press,
            .medium,
            "two independent tables; about 320 elsewhere"
        ),
        row("Huawei", "ascend-910b4", "Ascend 910B4", 32, 280, .package, .press, .medium, "specification tables"),
        row(
            "Huawei",
            "ascend-910c",
            "Ascend 910C (package of two dies)",
            128,
            752,
            .package,
            .vendor,
            .medium,
            "device name ATLAS_800_A3_752T_128G_DIE; 781 follows from 300 PFLOPS of 384 cards"
        ),
        row(
            "Huawei",
            "ascend-910c-die",
            "Ascend 910C, one die",
            64,
            376,
            .die,
            .derived,
            .medium,
            "half of the package"
        ),
        row(
            "Huawei",
            "ascend-950pr",
            "Ascend 950PR",
            nil,
            nil,
            .package,
            .press,
            .low,
            "only FP8 and FP4 are published; 112 to 128 GB"
        ),
    ]

    private static let cambricon: [Accelerator] = [
        row("Cambricon", "mlu370-s4", "MLU370-S4", 24, 72, .board, .vendor, .medium, "product page"),
        row("Cambricon", "mlu370-x4", "MLU370-X4", 24, 96, .board, .vendor, .medium, "product page"),
        row("Cambricon", "mlu370-x8", "MLU370-X8", 48, 96, .board, .vendor, .high, "product page; 256 is INT8"),
        row("Cambricon", "mlu590", "MLU590", nil, 314, .board, .press, .low, "300 to 314 are reported; 80 or 96 GB"),
    ]

    private static let hygon: [Accelerator] = [
        row(
            "Hygon",
            "dcu-z100",
            "DCU Z100",
            32,
            nil,
            .board,
            .press,
            .low,
            "only a vector rate of 24 to 28 is published"
        ),
        row(
            "Hygon",
            "dcu-z100l",
            "DCU Z100L",
            32,
            nil,
            .board,
            .press,
            .low,
            "only a vector rate of 24 to 28 is published"
        ),
        row("Hygon", "dcu-k100", "DCU K100", 64, 100, .board, .press, .medium, "specification tables"),
        row("Hygon", "dcu-k100-ai", "DCU K100-AI", 64, 192, .board, .press, .medium, "specification tables; INT8 392"),
        row("Hygon", "dcu-bw1000", "DCU BW1000", nil, 480, .board, .press, .low, "about 480 is reported"),
    ]

    private static let mooreThreads: [Accelerator] = [
        row("Moore Threads", "mtt-s4000", "MTT S4000", 48, 100, .board, .vendor, .high, "documentation; 200 is INT8"),
        row("Moore Threads", "mtt-s5000", "MTT S5000", 80, nil, .board, .press, .low, "no vendor figure found"),
    ]

    private static let biren: [Accelerator] = [
        row("Biren", "br100", "BR100", 64, 1_024, .package, .vendor, .medium, "Hot Chips 34, BF16"),
        row("Biren", "br104", "BR104", 32, 512, .package, .vendor, .medium, "Hot Chips 34, BF16; 256 is seen too"),
        row("Biren", "biren-106", "Biren 106", nil, nil, .board, .press, .low, "not published"),
        row("Biren", "biren-166", "Biren 166", nil, nil, .board, .press, .low, "not published"),
    ]

    private static let iluvatar: [Accelerator] = [
        row("Iluvatar", "bi-v100", "BI-V100", 32, 147, .board, .vendor, .high, "product page"),
        row(
            "Iluvatar",
            "bi-v150",
            "BI-V150 (two chips)",
            64,
            192,
            .board,
            .press,
            .medium,
            "specification tables; 256 is seen too"
        ),
        row("Iluvatar", "mr-v100", "MR-V100", 32, 96, .board, .press, .low, "no agreed figure"),
    ]

    private static let kunlunxin: [Accelerator] = [
        row(
            "Kunlunxin",
            "kunlun-r200",
            "Kunlun R200",
            nil,
            128,
            .board,
            .press,
            .medium,
            "specification tables; 16 or 32 GB"
        ),
        row(
            "Kunlunxin",
            "kunlun-p800",
            "Kunlun P800",
            96,
            345,
            .board,
            .press,
            .low,
            "128 and 345 TFLOPS, 64 to 128 GB are reported"
        ),
    ]

    private static let enflame: [Accelerator] = [
        row("Enflame", "enflame-i20", "CloudBlazer i20", 16, 128, .board, .press, .low, "TF32 128 elsewhere"),
        row(
            "Enflame",
            "enflame-t20",
            "CloudBlazer T20",
            32,
            128,
            .board,
            .press,
            .low,
            "128 to 160 are reported; the lower is taken"
        ),
        row("Enflame", "enflame-s60", "S60", 48, nil, .board, .press, .low, "no FP16 figure by the vendor found"),
    ]

    private static let metax: [Accelerator] = [
        row("MetaX", "metax-c500", "C500 (PCIe)", 64, 240, .board, .press, .medium, "specification tables"),
        row("MetaX", "metax-c500-oam", "C500 (OAM)", 64, 280, .board, .press, .medium, "specification tables"),
        row("MetaX", "metax-c550", "C550", 64, nil, .board, .press, .low, "240 to 280 are reported, without agreement"),
    ]

    private static let tHead: [Accelerator] = [
        row("T-Head", "ppu-zw810e", "PPU ZW810E", 96, 120, .board, .press, .low, "about 120 is reported")
    ]
}
