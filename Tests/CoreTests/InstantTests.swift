import Core
import Foundation
import Testing

@Suite struct InstantTests {
    @Test("RFC 3339 text round-trips for any millisecond of the years 0 to 9999, and sorts like the time")
    func roundTrip() {
        var generator = seeded("instants")
        var last: Instant?
        for _ in 0..<20_000 {
            let instant = Instant(
                milliseconds: Int64.random(in: -62_167_219_200_000...253_402_300_799_999, using: &generator)
            )
            #expect(Instant(rfc3339: instant.rfc3339) == instant)
            if let last { #expect((last < instant) == (last.rfc3339 < instant.rfc3339)) }
            last = instant
        }
    }

    @Test("the calendar agrees with Foundation's on every first and last of a month of 800 years")
    func calendar() throws {
        var calendar = Calendar(identifier: .iso8601)
        calendar.timeZone = try #require(TimeZone(secondsFromGMT: 0))
        for year in 1600..<2400 {
            for month in 1...12 {
                let date = try #require(calendar.date(from: DateComponents(year: year, month: month, day: 1)))
                let seconds = Int64(date.timeIntervalSince1970.rounded())
                for offset: Int64 in [0, -1] {
                    let instant = Instant(milliseconds: (seconds + offset) * 1000)
                    let parts = calendar.dateComponents(
                        [.year, .month, .day],
                        from: date.addingTimeInterval(Double(offset))
                    )
                    let text = instant.rfc3339
                    #expect(Int(text.prefix(4)) == parts.year)
                    #expect(Int(text.dropFirst(5).prefix(2)) == parts.month)
                    #expect(Int(text.dropFirst(8).prefix(2)) == parts.day)
                    #expect(Instant(rfc3339: text) == instant)
                }
            }
        }
    }

    @Test(
        "known times print and read as the calendar has them",
        arguments: [
            (0, "1970-01-01T00:00:00.000Z"), (-1, "1969-12-31T23:59:59.999Z"),
            (951_782_400_000, "2000-02-29T00:00:00.000Z"), (1_709_164_800_000, "2024-02-29T00:00:00.000Z"),
            (4_107_542_400_000, "2100-03-01T00:00:00.000Z"), (-62_167_219_200_000, "0000-01-01T00:00:00.000Z"),
            (253_402_300_799_999, "9999-12-31T23:59:59.999Z"),
        ] as [(Int64, String)]
    )
    func known(milliseconds: Int64, text: String) {
        #expect(Instant(milliseconds: milliseconds).rfc3339 == text)
        #expect(Instant(rfc3339: text)?.milliseconds == milliseconds)
    }

    @Test("what RFC 3339 cannot write prints as the nearest time that it can, and reads back")
    func bounds() {
        #expect(Instant(milliseconds: .max).rfc3339 == "9999-12-31T23:59:59.999Z")
        #expect(Instant(milliseconds: .min).rfc3339 == "0000-01-01T00:00:00.000Z")
        #expect(Instant(rfc3339: Instant(milliseconds: .max).rfc3339) != nil)
    }

    @Test(
        "offsets, fractions of any length, lower case, a space and a leap second are read",
        arguments: [
            ("2026-01-31T09:30:00Z", 0), ("2026-01-31t09:30:00z", 0), ("2026-01-31 09:30:00Z", 0),
            ("2026-01-31T10:30:00+01:00", 0), ("2026-01-31T04:00:00-05:30", 0), ("2026-02-01T09:29:00+23:59", 0),
            ("2026-01-31T09:30:00-00:00", 0), ("2026-01-31T09:30:00.1Z", 100), ("2026-01-31T09:30:00.1239Z", 123),
            ("2026-01-31T09:30:00.000000001Z", 0), ("2026-01-31T09:29:60Z", 0),
        ] as [(String, Int64)]
    )
    func variants(text: String, milliseconds: Int64) {
        #expect(Instant(rfc3339: text)?.milliseconds == 1_769_851_800_000 + milliseconds, "\(text)")
    }

    @Test(
        "what is no time is refused",
        arguments: [
            "", "2026-01-31", "2026-01-31T09:30:00", "2026-01-31T09:30Z", "2026-13-01T00:00:00Z",
            "2026-00-01T00:00:00Z", "2026-01-00T00:00:00Z", "2026-01-32T00:00:00Z", "2026-02-29T00:00:00Z",
            "2024-02-30T00:00:00Z", "1900-02-29T00:00:00Z", "2026-04-31T00:00:00Z", "2026-01-31T24:00:00Z",
            "2026-01-31T09:60:00Z", "2026-01-31T09:30:61Z", "2026-01-31T09:30:00.Z", "2026-01-31T09:30:00.1",
            "2026-01-31T09:30:00+24:00", "2026-01-31T09:30:00+01:60", "2026-01-31T09:30:00+0100",
            "2026-01-31T09:30:00+01:00Z", "2026-01-31T09:30:00ZZ", "2026/01/31T09:30:00Z", "+026-01-31T09:30:00Z",
            "2026-01-31X09:30:00Z", "２026-01-31T09:30:00Z", "12026-01-31T09:30:00Z",
        ]
    )
    func refusals(text: String) { #expect(Instant(rfc3339: text) == nil) }

    @Test("sums and differences saturate instead of wrapping")
    func saturation() {
        let (least, most) = (Instant(milliseconds: .min), Instant(milliseconds: .max))
        #expect(most + .seconds(1) == most)
        #expect(least - .seconds(1) == least)
        #expect(most - least == .milliseconds(Int64.max))
        #expect(least - most == .milliseconds(Int64.min))
        #expect(most + .seconds(Int64.max) == most)
        #expect(Duration.seconds(Int64.max).milliseconds == .max)
        #expect(Duration.seconds(Int64.min).milliseconds == .min)
        #expect((Duration.seconds(Int64.max / 1000) + .milliseconds(999)).milliseconds == .max)
    }

    @Test("durations are whole milliseconds, truncated towards zero")
    func truncation() {
        #expect(Duration.microseconds(1999).milliseconds == 1)
        #expect(Duration.microseconds(-1999).milliseconds == -1)
        #expect(Instant.start + .microseconds(999) == .start)
        #expect((Instant.after(7) - .start).seconds == 7)
    }

    @Test("mutated text never crashes, and what is accepted is a fixed point")
    func fuzz() {
        var generator = seeded("instant fuzz")
        let alphabet = Array("0123456789-+:.TZtz ".utf8)
        for _ in 0..<20_000 {
            var bytes = Array("2026-01-31T09:30:00.123+01:00".utf8)
            for _ in 0..<Int.random(in: 1...4, using: &generator) {
                let index = Int.random(in: 0..<bytes.count, using: &generator)
                switch Int.random(in: 0..<3, using: &generator) {
                case 0: bytes[index] = alphabet.randomElement(using: &generator) ?? 0
                case 1: bytes.remove(at: index)
                default: bytes.insert(alphabet.randomElement(using: &generator) ?? 0, at: index)
                }
            }
            guard let instant = Instant(rfc3339: String(decoding: bytes, as: UTF8.self)) else { continue }
            #expect(
                Instant(rfc3339: instant.rfc3339) == Instant(rfc3339: Instant(rfc3339: instant.rfc3339)?.rfc3339 ?? "")
            )
        }
    }
}
