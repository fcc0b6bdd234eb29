/// The main text of HTML pages, and what they say about themselves.
///
/// A page is parsed into a tree, its text cut into blocks (paragraphs, items, cells, headings), every block is weighed by
/// its length, its punctuation (of Latin and of Chinese) and its share of links, and the weights are summed up the tree:
/// the element that gathers most of them close by is the article. What the names of elements and of their classes call
/// navigation, comments, advertising and the like is left out, unless it holds most of the page's text after all.
///
/// Keep one and use it for many pages: its arrays are kept between them. Time is linear in the page's bytes and memory
/// in the budget's nodes, whatever the page holds.
///
/// > Source: the weighing follows the idea of Readability (https://github.com/mozilla/readability) and of Kohlschütter,
/// > Fankhauser and Nejdl, "Boilerplate Detection using Shallow Text Features" (WSDM 2010); the numbers are our own.
public struct PageExtractor: Sendable {
    public var budget: PageBudget

    var parser = HTMLParser()
    /// One for each node of the tree.
    var marks: [Mark] = []
    var blocks: [Block] = []
    var statements = PageStatements()
    var scratch: [UInt8] = []
    /// The element that holds the article.
    var top = 0
    let hintTable = PageHints.Table()
    let phrases = PagePhrases()
    let byteClasses = Self.byteClasses

    public init(budget: PageBudget = PageBudget()) {
        self.budget = budget
    }

    /// What is known of an element; its descendants' text is summed up in it.
    struct Mark {
        var hints: PageHints = []
        /// What this element inherits or is: see the constants.
        var state: State = []
        /// The nearest element that is a block, itself included.
        var block: Int32 = 0
        /// Bytes of text that are no white space.
        var text: Int32 = 0
        var linked: Int32 = 0
        /// Bytes of text in blocks that read like prose.
        var prose: Int32 = 0
        /// How many blocks read like prose, and how many are links for the most part.
        var proseBlocks: Int32 = 0
        var linkBlocks: Int32 = 0
        var score: Float = 0
    }

    struct State: OptionSet {
        let rawValue: UInt16

        static let silent = State(rawValue: 1)
        static let linked = State(rawValue: 2)
        static let preformatted = State(rawValue: 4)
        static let dropped = State(rawValue: 8)
        static let heading = State(rawValue: 16)
        static let item = State(rawValue: 32)
        static let cell = State(rawValue: 64)
        static let quote = State(rawValue: 128)
        static let caption = State(rawValue: 256)
        /// Holds an element that calls itself the article's text and has much of the page's.
        static let holdsBody = State(rawValue: 1024)
        /// Inside an element that calls itself the article's text.
        static let inBody = State(rawValue: 2048)
        /// Where only what reads like prose is kept.
        static let weak = State(rawValue: 512)
    }

    /// A paragraph: the text nodes `first ..< last` that lie in one block element with no other block between.
    struct Block {
        var first: Int32
        var last: Int32
        var element: Int32
        var state: State
        var text: Int32 = 0
        var linked: Int32 = 0
        /// Marks that end or part sentences.
        var stops: Int32 = 0
        var words: Int32 = 0
        var isKept = false
    }

    /// Appends the page's main text as UTF-8 to `text`: paragraphs on lines of their own with an empty line between, items
    /// with "- ", the cells of a table's row with " | " between, preformatted text as it is.
    ///
    /// - Parameter page: The page as UTF-8 (see ``Charset``). Bytes that are not valid UTF-8 pass through as they are.
    public mutating func extract(_ page: Span<UInt8>, into text: inout [UInt8]) -> PageFacts {
        parser.parse(page, budget: budget)
        var facts = PageFacts()
        facts.nodes = parser.tree.nodes.count
        facts.flattened = parser.flattened
        facts.limit = parser.limit
        mark(page)
        cutBlocks(page)
        readFacts(page, &facts)
        choose(page, &facts)
        facts.blocks = blocks.count
        for block in blocks where block.isKept { facts.blocksKept += 1 }
        if facts.blocksKept == 0 { facts.origin = .none }
        if useStatement() {
            writeStatement(into: &text)
            facts.origin = .statement
        } else {
            write(page, into: &text)
        }
        return facts
    }
}
