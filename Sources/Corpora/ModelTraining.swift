public import Core
public import Curation
import Wire

/// Trains a classifier from labelled records.
public enum ModelTraining {
    public struct Options: Sendable {
        public var name: String
        public var version: String
        public var trainedFrom: String
        public var licence: String
        public var seed: UInt64
        /// What of a text is looked at.
        public var features: LinearFeatures

        public init(name: String, version: String, trainedFrom: String, licence: String, seed: UInt64) {
            self.name = name
            self.version = version
            self.trainedFrom = trainedFrom
            self.licence = licence
            self.seed = seed
            features = .content
        }
    }

    /// Trains a model of all labels that the records have, and writes it.
    ///
    /// - Parameters:
    ///   - paths: JSON Lines, packed or not, with `text` and `label`.
    ///   - path: Where to write the model.
    /// - Returns: What the model says of itself, with how it did on what was held out.
    /// - Throws: ``Failure`` when a record is no labelled text, naming it.
    public static func train(_ paths: [String], to path: String, _ options: Options) throws(Failure) -> LinearModelCard
    {
        var labels: [String] = []
        var examples: [LinearExample] = []
        for path in paths {
            guard let format = PipelineFile.Format(path: path, as: .jsonl) else { continue }
            let input = PipelineFile.Source.File(path: path, format: format, bytes: try InputFile(path).count)
            var blocks = try LineBlocks(input, limits: BlockLimits())
            var number = 0
            while let lines = try blocks.next() {
                for line in lines.split(separator: 0x0A, omittingEmptySubsequences: false) {
                    number += 1
                    guard !line.isEmpty else { continue }
                    guard let json = try? JSON(parsing: line), let text = json["text"]?.stringValue,
                        let label = json["label"]?.stringValue
                    else {
                        throw Failure(.invalid, "\(path), line \(number): needs 'text' and 'label', both strings.")
                    }
                    if !labels.contains(label) { labels.append(label) }
                    guard let place = labels.firstIndex(of: label) else { continue }
                    examples.append(LinearExample(Array(text.utf8), label: place))
                }
                if let fault = blocks.setAside.keys.min() { throw Failure(.invalid, "\(path) is damaged: \(fault).") }
            }
        }
        let trained: (card: LinearModelCard, file: [UInt8])
        do throws(LinearModelError) {
            let card = LinearModelCard(
                name: options.name,
                version: options.version,
                labels: labels,
                trainedFrom: options.trainedFrom,
                licence: options.licence,
                seed: options.seed
            )
            let model = try LinearModel.train(
                examples,
                card: card,
                features: options.features,
                training: LinearTraining(seed: options.seed)
            )
            trained = (model.card, try model.file())
        } catch {
            throw Failure(.invalid, error.message)
        }
        try Disk.publish(trained.file, at: path)
        return trained.card
    }
}

extension ModelTraining {
    /// Trains the model that tells languages apart from folders with a file for each language.
    ///
    /// - Parameters:
    ///   - sentences: The folder whose texts are learned and measured by.
    ///   - supplement: A folder whose texts are only learned.
    ///   - path: Where to write the model.
    /// - Returns: What the model says of itself, with how it did on what was held out.
    public static func trainLanguages(
        sentences: String,
        supplement: String?,
        to path: String,
        version: String,
        trainedFrom: String,
        licence: String,
        seed: UInt64
    ) throws(Failure) -> LinearModelCard {
        var sources: [LanguageIdentifier.Source] = []
        for (folder, isMeasure) in [(sentences, true)] + (supplement.map { [($0, false)] } ?? []) {
            for name in try Disk.names(in: folder) where name.hasSuffix(".txt") {
                let bytes = try Disk.read("\(folder)/\(name)")
                sources.append(.init(stem: String(name.dropLast(4)), bytes: bytes, isMeasure: isMeasure))
            }
        }
        let trained: (card: LinearModelCard, file: [UInt8])
        do throws(LinearModelError) {
            let model = try LanguageIdentifier.train(
                sources,
                version: version,
                trainedFrom: trainedFrom,
                licence: licence,
                seed: seed
            )
            trained = (model.card, try model.file())
        } catch {
            throw Failure(.invalid, error.message)
        }
        try Disk.publish(trained.file, at: path)
        return trained.card
    }
}
