/// The Standard Workload Format of the Parallel Workloads Archive: one job a line, 18 numbers, -1 for unknown;
/// comments from `;` tell of the machine.
///
/// > Source: Chapin et al., "Benchmarks and Standards for the Evaluation of Parallel Job Schedulers" (JSSPP 1999), and
/// > cs.huji.ac.il/labs/parallel/workload/swf.html. Which lines count is the filter of Gaussier et al., "Improving
/// > Backfilling by using Machine Learning to predict Running Times" (SC 2015), so that figures can be compared.
enum SWF {
    private struct Line {
        var submit: Int64
        var run: Int64
        var allocated: Int64
        var requested: Int64
        var seconds: Int64
        var user: Int32
        var group: Int32
        var program: Int32
    }

    /// Skips, counted, what cannot be replayed: jobs that never ran, asked for nothing, or for more than there is. A
    /// job that ran longer than it asked for is cut there, as its machine did.
    static func parse(_ bytes: [UInt8], name: String, processors given: Int?) -> Trace {
        var trace = Trace(name: name, processors: given)
        var nodes: Int?
        var lines: [Line] = []
        var fields = [Double](repeating: -1, count: 18)
        bytes.withUnsafeBufferPointer { bytes in
            var start = 0
            while start < bytes.count {
                var end = start
                while end < bytes.count, bytes[end] != 10 { end += 1 }
                defer { start = end + 1 }
                if bytes[start] == UInt8(ascii: ";") {
                    let text = String(decoding: bytes[start + 1..<min(end, start + 200)], as: UTF8.self)
                    if trace.processors == nil { trace.processors = header("MaxProcs:", in: text) }
                    if nodes == nil { nodes = header("MaxNodes:", in: text) }
                    continue
                }
                let count = numbers(bytes, start, end, into: &fields)
                if count == 0 {
                    if end > start, trace.skipped.isEmpty, lines.isEmpty { trace.skip("line that is no job") }
                    continue
                }
                guard count >= 11 else {
                    trace.skip("cut line")
                    continue
                }
                lines.append(
                    Line(
                        submit: integer(fields[1]),
                        run: integer(fields[3]),
                        allocated: integer(fields[4]),
                        requested: integer(fields[7]),
                        seconds: integer(fields[8]),
                        user: count > 11 ? Int32(clamping: integer(fields[11])) : -1,
                        group: count > 12 ? Int32(clamping: integer(fields[12])) : -1,
                        program: count > 13 ? Int32(clamping: integer(fields[13])) : -1
                    )
                )
            }
        }
        trace.processors = trace.processors ?? nodes
        let most = Int64(trace.processors ?? 1_000_000)
        trace.jobs.reserveCapacity(lines.count)
        for line in lines {
            if line.allocated <= 0, line.requested <= 0 {
                trace.skip("asked for nothing")
            } else if line.allocated > most || line.requested > most {
                trace.skip("larger than the machine")
            } else if line.run <= 0 {
                trace.skip("never ran")
            } else if line.submit < 0 {
                trace.skip("negative time")
            } else if line.seconds <= 0 {
                trace.skip("no time asked for")
            } else {
                trace.jobs.append(
                    TraceJob(
                        submit: line.submit,
                        run: min(line.run, line.seconds),
                        requested: line.seconds,
                        milliCores: Int(line.requested > 0 ? line.requested : line.allocated) * 1000,
                        user: line.user,
                        program: line.program,
                        group: line.group
                    )
                )
            }
        }
        return trace
    }

    private static func header(_ key: String, in text: String) -> Int? {
        let trimmed = text.drop { $0 == " " }
        guard trimmed.hasPrefix(key) else { return nil }
        let digits = trimmed.dropFirst(key.count).drop { $0 == " " || $0 == "\t" }.prefix { $0.isASCII && $0.isNumber }
        return Int(digits).flatMap { (1...1_000_000).contains($0) ? $0 : nil }
    }

    private static func integer(_ value: Double) -> Int64 {
        value.magnitude < 1e12 ? Int64(value) : value < 0 ? -1 : 1_000_000_000_000
    }

    /// The numbers of a line; stops at what is none.
    private static func numbers(
        _ bytes: UnsafeBufferPointer<UInt8>,
        _ start: Int,
        _ end: Int,
        into fields: inout [Double]
    ) -> Int {
        var at = start
        var count = 0
        while count < fields.count {
            while at < end, bytes[at] == 32 || bytes[at] == 9 || bytes[at] == 13 { at += 1 }
            guard at < end, let value = number(bytes, &at, end) else { return count }
            fields[count] = value
            count += 1
        }
        return count
    }

    private static func number(_ bytes: UnsafeBufferPointer<UInt8>, _ at: inout Int, _ end: Int) -> Double? {
        let isNegative = bytes[at] == UInt8(ascii: "-")
        if isNegative { at += 1 }
        var value = 0.0
        var digits = 0
        var unit = 0.0
        while at < end {
            let byte = bytes[at]
            if byte == UInt8(ascii: "."), unit == 0 {
                unit = 1
            } else if byte >= 48, byte <= 57 {
                digits += 1
                if unit == 0 {
                    value = value * 10 + Double(byte - 48)
                } else {
                    unit /= 10
                    value += Double(byte - 48) * unit
                }
            } else {
                break
            }
            at += 1
        }
        return digits > 0 ? (isNegative ? -value : value) : nil
    }
}
