import Core

extension LinearModelCard {
    /// What is wrong with the labels; `nil` when nothing is.
    var fault: String? {
        guard LinearModel.labelsRange.contains(labels.count) else { return "A model has 2 to 512 labels." }
        guard labels.allSatisfy({ (1...64).contains($0.utf8.count) }) else { return "A label has 1 to 64 bytes." }
        guard Set(labels).count == labels.count else { return "Two labels of the model are equal." }
        return nil
    }

    var members: [(key: String, value: JSON)] {
        var members: [(key: String, value: JSON)] = [
            ("name", .string(name)), ("version", .string(version)), ("trained_from", .string(trainedFrom)),
            ("licence", .string(licence)), ("seed", .string(String(seed))), ("examples", .integer(Int64(examples))),
            ("labels", .array(labels.map(JSON.string))),
        ]
        if let heldOut {
            members.append(
                (
                    "held_out",
                    .object([
                        ("examples", .integer(Int64(heldOut.examples))), ("accuracy", .number(heldOut.accuracy)),
                        ("macro_accuracy", .number(heldOut.macroAccuracy)),
                        ("confidence", .number(heldOut.confidence)),
                    ])
                )
            )
        }
        return members
    }

    init(_ json: JSON) throws(LinearModelError) {
        guard let name = json["name"]?.stringValue, let version = json["version"]?.stringValue,
            let trainedFrom = json["trained_from"]?.stringValue, let licence = json["licence"]?.stringValue,
            let seed = json["seed"]?.stringValue.flatMap({ UInt64($0) }),
            let examples = json["examples"]?.integerValue, let labels = json["labels"]?.arrayValue
        else {
            throw LinearModelError("The card of the model lacks its name, version, origin, licence, seed or labels.")
        }
        let names = labels.compactMap(\.stringValue)
        guard names.count == labels.count else { throw LinearModelError("A label of the model is no text.") }
        self.init(
            name: name,
            version: version,
            labels: names,
            trainedFrom: trainedFrom,
            licence: licence,
            seed: seed
        )
        if let fault { throw LinearModelError(fault) }
        self.examples = Int(clamping: examples)
        guard let trial = json["held_out"] else { return }
        guard let count = trial["examples"]?.integerValue, let accuracy = trial["accuracy"]?.numberValue,
            let macroAccuracy = trial["macro_accuracy"]?.numberValue, let confidence = trial["confidence"]?.numberValue
        else { throw LinearModelError("The figures of the model cannot be read.") }
        heldOut = Trial(
            examples: Int(clamping: count),
            accuracy: accuracy,
            macroAccuracy: macroAccuracy,
            confidence: confidence
        )
    }
}
