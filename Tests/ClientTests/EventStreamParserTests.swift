import Core
import Foundation
import Testing

@testable import Client

@Suite struct EventStreamParserTests {
    private let stream = """
        \u{FEFF}retry: 2000

        : a comment
        id: 7
        event: log
        data: {"offset":0,
        data: "text":"é"}

        data:no space
        data

        event: lost

        id: 9\r
        event:end\r
        data: {}\r
        \r

        """

    private let expected = [
        EventStreamParser.Message(event: "log", data: "{\"offset\":0,\n\"text\":\"é\"}", id: "7"),
        .init(event: "message", data: "no space\n", id: "7"), .init(event: "end", data: "{}", id: "9"),
    ]

    @Test("events are found wherever the pieces are cut", arguments: 1...40)
    func cuts(_ size: Int) throws {
        let bytes = Array(stream.utf8)
        var parser = EventStreamParser()
        var found: [EventStreamParser.Message] = []
        for start in stride(from: 0, to: bytes.count, by: size) {
            found += try parser.push(bytes[start..<min(bytes.count, start + size)])
        }
        #expect(found == expected)
    }

    @Test("an event without end is refused")
    func endless() {
        var parser = EventStreamParser()
        #expect(throws: Failure.self) {
            for _ in 0..<10 { _ = try parser.push(repeatElement(UInt8(ascii: "x"), count: 1 << 20)) }
        }
    }

    @Test("a lone carriage return ends a line too")
    func carriageReturns() throws {
        var parser = EventStreamParser()
        #expect(try parser.push(Array("data: a\rdata: b\r\r".utf8)) == [.init(event: "message", data: "a\nb", id: nil)])
    }
}
