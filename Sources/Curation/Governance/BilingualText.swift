/// Words for the two kinds of people who read a profile: those who file in China, and those who work with them.
public struct BilingualText: Hashable, Sendable {
    public var chinese: String
    public var english: String

    public init(chinese: String, english: String) { (self.chinese, self.english) = (chinese, english) }
}

extension FieldReader {
    mutating func bilingual(_ fields: Fields, _ key: String, isRequired: Bool = true) -> BilingualText? {
        guard let json = value(fields, key, isRequired: isRequired) else { return nil }
        let inner = self.fields(json, at: fields.at(key), known: ["zh", "en"])
        let chinese = text(inner, "zh")
        let english = text(inner, "en")
        guard let chinese, let english else { return nil }
        return BilingualText(chinese: chinese, english: english)
    }
}
