/// How long a job lets shorter ones pass: so many times its own estimated run time, and never longer than two days.
///
/// A place in the queue is the time of arrival plus this. It does not change while a job waits, so a queue stays sorted
/// and whoever comes two days after a job never passes it. docs/decisions/0023-patience-and-promises.md
enum Patience {
    static let factor = 20.0
    static let secondsMax = 48 * 3600

    static func seconds(estimateSeconds: Int) -> Int { Int(min(Double(secondsMax), Double(estimateSeconds) * factor)) }
}
