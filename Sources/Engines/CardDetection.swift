internal import Core

/// One accelerator as its maker's own tool reports it.
struct DetectedCard: Hashable, Sendable {
    /// As the catalogue writes vendors.
    var vendor: String
    /// In the vendor's own numbering, which its visibility variable takes.
    var index: Int
    /// The product name as printed.
    var name: String
    var memory: Bytes?

    /// Catalogue model, or a slug of the printed name where the catalogue has none.
    var model: String { CardNames.model(vendor: vendor, name: name, memory: memory) }
}

/// Reads what the vendors' tools print. Pure functions; the samples they are tested with are in the tests.
enum CardDetection {
    /// Asks all tools that are there. Without any, there are no cards.
    static func detect() -> [DetectedCard] {
        var cards: [DetectedCard] = []
        if let text = Tool("nvidia-smi")?
            .output(["--query-gpu=index,name,memory.total", "--format=csv,noheader,nounits"])
        {
            cards += nvidia(text)
        }
        if let text = Tool("amd-smi", folders: ["/opt/rocm/bin"])?.output(["static", "--asic", "--vram", "--json"]) {
            cards += amd(text)
        }
        if !cards.contains(where: { $0.vendor == "AMD" }),
            let text = Tool("rocm-smi", folders: ["/opt/rocm/bin"])?
                .output(["--showproductname", "--showmeminfo", "vram", "--json"])
        {
            cards += rocm(text)
        }
        if let text = Tool("npu-smi", folders: ["/usr/local/Ascend/driver/tools"])?.output(["info"]) {
            cards += ascend(text)
        }
        return cards
    }

    /// `nvidia-smi --query-gpu=index,name,memory.total --format=csv,noheader,nounits`: one line a card, in MiB.
    static func nvidia(_ text: String) -> [DetectedCard] {
        text.split(whereSeparator: \.isNewline).compactMap { line in
            let fields = line.split(separator: ",", omittingEmptySubsequences: false).map { trimmed($0) }
            guard fields.count >= 3, let index = Int(fields[0]), let last = fields.last else { return nil }
            let name = fields[1..<fields.count - 1].joined(separator: ", ")
            guard !name.isEmpty else { return nil }
            return DetectedCard(vendor: "NVIDIA", index: index, name: name, memory: Int64(last).map { .mebi($0) })
        }
    }

    /// `amd-smi static --asic --vram --json`: a list of cards, since ROCm 7 under `gpu_data`.
    static func amd(_ text: String) -> [DetectedCard] {
        guard let json = try? JSON(parsing: text.utf8.drop { $0 != UInt8(ascii: "[") && $0 != UInt8(ascii: "{") }),
            let list = json.arrayValue ?? json["gpu_data"]?.arrayValue
        else { return [] }
        return list.compactMap { item in
            guard let index = item["gpu"]?.integerValue, let name = item["asic"]?["market_name"]?.stringValue else {
                return nil
            }
            let size = item["vram"]?["size"]
            let memory = size?["value"]?.integerValue.map { value in
                size?["unit"]?.stringValue == "GB" ? Bytes.gibi(value) : Bytes.mebi(value)
            }
            return DetectedCard(vendor: "AMD", index: Int(index), name: name, memory: memory)
        }
    }

    /// `rocm-smi --showproductname --showmeminfo vram --json`: an object of cards.
    static func rocm(_ text: String) -> [DetectedCard] {
        guard let json = try? JSON(parsing: text.utf8.drop { $0 != UInt8(ascii: "{") }),
            case .object(let members) = json
        else { return [] }
        return members.compactMap { key, card in
            guard key.hasPrefix("card"), let index = Int(key.dropFirst(4)) else { return nil }
            let name = card["Card Series"] ?? card["Card series"] ?? card["Device Name"]
            guard let name = name?.stringValue else { return nil }
            let memory = (card["VRAM Total Memory (B)"]?.stringValue).flatMap { Int64($0) }.map { Bytes($0) }
            return DetectedCard(vendor: "AMD", index: index, name: name, memory: memory)
        }
        .sorted { $0.index < $1.index }
    }

    /// `npu-smi info`: a table with two lines a chip, the first with the product's name and health, the second with
    /// the bus address and memory. On boards with two dies the second line also has the physical number.
    static func ascend(_ text: String) -> [DetectedCard] {
        var cards: [DetectedCard] = []
        var board: (name: String, healthy: Bool)?
        var chips = 0
        for line in text.split(whereSeparator: \.isNewline) where line.first == "|" {
            let cells = line.split(separator: "|", omittingEmptySubsequences: false).dropFirst().map { trimmed($0) }
            guard cells.count >= 3 else { continue }
            let words = cells[0].split(separator: " ")
            if ["OK", "Warning", "Alarm", "Critical", "UNKNOWN"].contains(cells[1]), words.count >= 2 {
                board = (words.dropFirst().joined(separator: " "), cells[1] == "OK" || cells[1] == "Warning")
            } else if let found = board, cells[1].split(separator: ":").count == 3, cells[1].contains(".") {
                board = nil
                let index = words.count >= 2 ? Int(words[1]) : nil
                let total = cells[2].split(separator: "/").last.flatMap { Int64(trimmed($0)) }
                let card = DetectedCard(
                    vendor: "Huawei",
                    index: index ?? chips,
                    name: found.name,
                    memory: total.map { .mebi($0) }
                )
                chips += 1
                if found.healthy { cards.append(card) }
            }
        }
        return cards
    }

    private static func trimmed(_ text: some StringProtocol) -> String {
        let start = text.drop { $0 == " " || $0 == "\t" }
        let end = start.lastIndex { $0 != " " && $0 != "\t" }
        return end.map { String(start[...$0]) } ?? ""
    }
}

/// From product names as printed to models of the catalogue.
enum CardNames {
    static func model(vendor: String, name: String, memory: Bytes?) -> String {
        let words = Set(tokens(name))
        let gibi = memory.map { Double($0.count) / 0x1p30 } ?? 0
        for rule in rules where rule.vendor == vendor && rule.words.isSubset(of: words) {
            guard gibi == 0 || rule.memory.contains(gibi) else { continue }
            return rule.model
        }
        return tokens(name).filter { !["nvidia", "amd", "huawei", "instinct"].contains($0) }.joined(separator: "-")
    }

    /// Lower-case runs of letters and digits.
    static func tokens(_ name: String) -> [String] {
        name.lowercased().split { !($0.isASCII && ($0.isLetter || $0.isNumber)) }.map(String.init)
    }

    private struct Rule {
        var vendor: String
        var words: Set<String>
        var model: String
        /// In GiB; tells variants of one name apart.
        var memory: ClosedRange<Double>

        init(_ vendor: String, _ words: Set<String>, _ model: String, _ memory: ClosedRange<Double> = 0...10_000) {
            self.vendor = vendor
            self.words = words
            self.model = model
            self.memory = memory
        }
    }

    /// The first rule that fits counts: special names go before general ones.
    private static let rules: [Rule] = [
        Rule("NVIDIA", ["h200", "nvl"], "h200-nvl"), Rule("NVIDIA", ["gh200"], "gh200"),
        Rule("NVIDIA", ["h200"], "h200-sxm"), Rule("NVIDIA", ["h100", "nvl"], "h100-nvl"),
        Rule("NVIDIA", ["h100", "pcie"], "h100-pcie"), Rule("NVIDIA", ["h100"], "h100-sxm5", 70...90),
        Rule("NVIDIA", ["h800", "pcie"], "h800-pcie"), Rule("NVIDIA", ["h800"], "h800-sxm"),
        Rule("NVIDIA", ["h20"], "h20", 0...100), Rule("NVIDIA", ["h20"], "h20-141gb"),
        Rule("NVIDIA", ["gb300"], "b300"), Rule("NVIDIA", ["b300"], "b300"), Rule("NVIDIA", ["gb200"], "gb200"),
        Rule("NVIDIA", ["b200"], "b200-sxm"), Rule("NVIDIA", ["a100"], "a100-40gb", 30...45),
        Rule("NVIDIA", ["a100"], "a100-80gb"), Rule("NVIDIA", ["a800"], "a800"),
        Rule("NVIDIA", ["v100", "sxm2"], "v100-sxm2"), Rule("NVIDIA", ["v100", "pcie"], "v100-pcie"),
        Rule("NVIDIA", ["t4"], "t4"), Rule("NVIDIA", ["a10g"], "a10g"), Rule("NVIDIA", ["a10"], "a10"),
        Rule("NVIDIA", ["a30"], "a30"), Rule("NVIDIA", ["a40"], "a40"), Rule("NVIDIA", ["l40s"], "l40s"),
        Rule("NVIDIA", ["l40"], "l40"), Rule("NVIDIA", ["l20"], "l20"), Rule("NVIDIA", ["l4"], "l4"),
        Rule("NVIDIA", ["rtx", "4090", "d"], "rtx-4090-d"), Rule("NVIDIA", ["rtx", "4090"], "rtx-4090"),
        Rule("NVIDIA", ["rtx", "5090", "d"], "rtx-5090-d"), Rule("NVIDIA", ["rtx", "5090"], "rtx-5090"),
        Rule("AMD", ["mi100"], "mi100"), Rule("AMD", ["mi210"], "mi210"),
        // Tools list each of a board's two dies as a card.
        Rule("AMD", ["mi250x"], "mi250x-gcd", 0...66), Rule("AMD", ["mi250x"], "mi250x"),
        Rule("AMD", ["mi250"], "mi250-gcd", 0...66), Rule("AMD", ["mi250"], "mi250"),
        Rule("AMD", ["mi300a"], "mi300a"), Rule("AMD", ["mi300x"], "mi300x"), Rule("AMD", ["mi325x"], "mi325x"),
        Rule("AMD", ["mi350x"], "mi350x"), Rule("AMD", ["mi355x"], "mi355x"),
        Rule("Huawei", ["910b1"], "ascend-910b1"), Rule("Huawei", ["910b2"], "ascend-910b2"),
        Rule("Huawei", ["910b2c"], "ascend-910b2"), Rule("Huawei", ["910b3"], "ascend-910b3"),
        Rule("Huawei", ["910b4"], "ascend-910b4"), Rule("Huawei", ["310p3"], "ascend-310p"),
        Rule("Huawei", ["310p"], "ascend-310p"), Rule("Huawei", ["910a"], "ascend-910a"),
        Rule("Huawei", ["ascend910a"], "ascend-910a"),
        // Atlas A3 prints `Ascend910` for each die of a 910C; the 32 GB of the first 910 tell it apart.
        Rule("Huawei", ["ascend910"], "ascend-910c-die", 50...70),
        Rule("Huawei", ["ascend910"], "ascend-910a", 20...40),
    ]
}
