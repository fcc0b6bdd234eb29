/// A rule about a document's quality; its raw value is its number in sidecars, never given to another rule.
///
/// A document passes a rule when the measured value is not beyond the bound. Rules of one filter stand in the order in
/// which they are tried, except that C4's first two are tried line by line.
public enum QualityRule: UInt8, CaseIterable, Sendable {
    /// The text is longer than `QualityRules.textLimitBytes` or its like for Chinese; no other rule has looked at it.
    case tooLarge = 0

    // Gopher's rules of repetition.
    case repetitionEmpty = 1
    case duplicateParagraphs = 2
    case duplicateParagraphCharacters = 3
    case duplicateLines = 4
    case duplicateLineCharacters = 5
    case top2Gram = 6
    case top3Gram = 7
    case top4Gram = 8
    case duplicate5Grams = 9
    case duplicate6Grams = 10
    case duplicate7Grams = 11
    case duplicate8Grams = 12
    case duplicate9Grams = 13
    case duplicate10Grams = 14

    // Gopher's rules of quality.
    case shortDocument = 20
    case longDocument = 21
    case shortWords = 22
    case longWords = 23
    case hashes = 24
    case ellipses = 25
    case bullets = 26
    case endEllipses = 27
    case alphabeticWords = 28
    case stopWords = 29

    // C4.
    case loremIpsum = 40
    case curlyBracket = 41
    case sentences = 42

    // FineWeb.
    case fineWebEmpty = 50
    case linePunctuation = 51
    case shortLines = 52
    case duplicateCharacters = 53
    case lists = 54

    // For Chinese; see `ChineseMeasure`.
    case chineseLength = 70
    case chineseHan = 71
    case chinesePunctuationMost = 72
    case chineseSymbols = 73
    case chineseDigits = 74
    case chineseLatin = 75
    case chineseSentenceLengthLeast = 76
    case chineseSentenceLengthMost = 77
    case chineseLineEnds = 78
    case chineseMenuLines = 79
    case chineseDuplicateLines = 80
    case chineseDuplicateSentences = 81
    case chineseTopGram = 82
    case chineseDuplicateGrams = 83
    case chineseBoilerplate = 84
    case chineseMojibake = 85
    case chineseEllipses = 86

    /// Which side of the threshold a value may not be on.
    public enum Bound: Sendable {
        case most
        case least
    }

    /// What decides alike for the same rule and version; it changes when the measure does.
    public var version: UInt16 { 1 }

    public var filter: QualityFilter { facts.filter }

    /// What names the rule within its filter; on English the reason that datatrove 0.10.1 gives.
    public var name: String { facts.name }

    public var bound: Bound { facts.bound }

    /// The published threshold, for the English rules that of datatrove's filter.
    public var defaultThreshold: Double { facts.threshold }

    private typealias Facts = (filter: QualityFilter, name: String, bound: Bound, threshold: Double)

    private var facts: Facts {
        switch self {
        case .tooLarge: (.size, "too_large", .most, Double(QualityRules.textLimitBytes))
        case .repetitionEmpty: (.gopherRepetition, "empty", .least, 1)
        case .duplicateParagraphs: (.gopherRepetition, "dup_para_frac", .most, 0.3)
        case .duplicateParagraphCharacters: (.gopherRepetition, "dup_para_char_frac", .most, 0.2)
        case .duplicateLines: (.gopherRepetition, "dup_line_frac", .most, 0.3)
        case .duplicateLineCharacters: (.gopherRepetition, "dup_line_char_frac", .most, 0.2)
        case .top2Gram: (.gopherRepetition, "top_2_gram", .most, 0.2)
        case .top3Gram: (.gopherRepetition, "top_3_gram", .most, 0.18)
        case .top4Gram: (.gopherRepetition, "top_4_gram", .most, 0.16)
        case .duplicate5Grams: (.gopherRepetition, "duplicated_5_n_grams", .most, 0.15)
        case .duplicate6Grams: (.gopherRepetition, "duplicated_6_n_grams", .most, 0.14)
        case .duplicate7Grams: (.gopherRepetition, "duplicated_7_n_grams", .most, 0.13)
        case .duplicate8Grams: (.gopherRepetition, "duplicated_8_n_grams", .most, 0.12)
        case .duplicate9Grams: (.gopherRepetition, "duplicated_9_n_grams", .most, 0.11)
        case .duplicate10Grams: (.gopherRepetition, "duplicated_10_n_grams", .most, 0.10)
        case .shortDocument: (.gopherQuality, "gopher_short_doc", .least, 50)
        case .longDocument: (.gopherQuality, "gopher_long_doc", .most, 100_000)
        case .shortWords: (.gopherQuality, "gopher_below_avg_threshold", .least, 3)
        case .longWords: (.gopherQuality, "gopher_above_avg_threshold", .most, 10)
        case .hashes: (.gopherQuality, "gopher_too_many_hashes", .most, 0.1)
        case .ellipses: (.gopherQuality, "gopher_too_many_ellipsis", .most, 0.1)
        case .bullets: (.gopherQuality, "gopher_too_many_bullets", .most, 0.9)
        case .endEllipses: (.gopherQuality, "gopher_too_many_end_ellipsis", .most, 0.3)
        case .alphabeticWords: (.gopherQuality, "gopher_below_alpha_threshold", .least, 0.8)
        case .stopWords: (.gopherQuality, "gopher_enough_stop_words", .least, 2)
        case .loremIpsum: (.c4, "lorem_ipsum", .most, 0)
        case .curlyBracket: (.c4, "curly_bracket", .most, 0)
        case .sentences: (.c4, "too_few_sentences", .least, 5)
        case .fineWebEmpty: (.fineWeb, "empty", .least, 1)
        case .linePunctuation: (.fineWeb, "line_punct_ratio", .least, 0.12)
        case .shortLines: (.fineWeb, "short_line_ratio", .most, 0.67)
        case .duplicateCharacters: (.fineWeb, "char_dup_ratio", .most, 0.01)
        case .lists: (.fineWeb, "list_ratio", .most, 0.3)
        default: chineseFacts
        }
    }

    /// Thresholds of our own, set on zh8 so that prose and verse stay and menus, debris and boilerplate go.
    private var chineseFacts: Facts {
        switch self {
        case .chineseLength: (.chinese, "zh_short", .least, 16)
        case .chineseHan: (.chinese, "zh_han_ratio", .least, 0.3)
        case .chinesePunctuationMost: (.chinese, "zh_punctuation_ratio", .most, 0.45)
        case .chineseSymbols: (.chinese, "zh_symbol_ratio", .most, 0.1)
        case .chineseDigits: (.chinese, "zh_digit_ratio", .most, 0.2)
        case .chineseLatin: (.chinese, "zh_latin_ratio", .most, 0.6)
        case .chineseSentenceLengthLeast: (.chinese, "zh_short_sentences", .least, 4)
        case .chineseSentenceLengthMost: (.chinese, "zh_long_sentences", .most, 300)
        case .chineseLineEnds: (.chinese, "zh_line_punctuation", .least, 0.1)
        case .chineseMenuLines: (.chinese, "zh_menu_lines", .most, 0.4)
        case .chineseDuplicateLines: (.chinese, "zh_duplicate_lines", .most, 0.2)
        case .chineseDuplicateSentences: (.chinese, "zh_duplicate_sentences", .most, 0.2)
        case .chineseTopGram: (.chinese, "zh_top_4_gram", .most, 0.15)
        case .chineseDuplicateGrams: (.chinese, "zh_duplicated_10_grams", .most, 0.25)
        case .chineseBoilerplate: (.chinese, "zh_boilerplate", .most, 0.2)
        case .chineseMojibake: (.chinese, "zh_mojibake", .most, 0.005)
        default: (.chinese, "zh_ellipsis_lines", .most, 0.3)
        }
    }
}
