import Core
import Corpora
import Curation
import Glibc
import Synchronization

/// One line on a terminal that the next one replaces; nothing where nobody looks.
enum ProgressLine {
    static func show(_ text: String) {
        guard isatty(2) == 1 else { return }
        standardError("\r\u{1B}[K\(text)")
    }

    static func clear() { show("") }
}

/// Progress where it may be a terminal or the log of a job: there a line now and then.
final class ProgressLines: Sendable {
    private let shown = Mutex<Duration>(.zero)

    private static let period = Duration.seconds(30)

    func show(_ text: String, at elapsed: Duration) {
        guard isatty(2) == 0 else { return ProgressLine.show(text) }
        let isDue = shown.withLock { shown in
            guard elapsed - shown >= Self.period else { return false }
            shown = elapsed
            return true
        }
        if isDue { standardError(text + "\n") }
    }
}

func percent(_ part: Int, of whole: Int) -> String { "\(whole > 0 ? part * 100 / whole : 100) %" }

/// A count of bytes in the largest unit that leaves a whole number before the point.
func byteText(_ bytes: Int) -> String {
    var value = Double(bytes)
    for unit in ["B", "kB", "MB", "GB", "TB"] {
        if value < 1000 || unit == "TB" {
            return unit == "B" ? "\(bytes) B" : "\((value * 10).rounded() / 10) \(unit)"
        }
        value /= 1000
    }
    return "\(bytes) B"
}

/// Rows with columns as wide as their widest cell; all but the first column to the right.
func aligned(_ rows: [[String]]) -> String {
    let count = rows.map(\.count).max() ?? 0
    let widths = (0..<count).map { column in rows.map { column < $0.count ? $0[column].count : 0 }.max() ?? 0 }
    return rows.map { row in
        var line = ""
        for (column, cell) in row.enumerated() {
            let space = String(repeating: " ", count: widths[column] - cell.count)
            line += column == 0 ? cell + space : "  " + space + cell
        }
        return line + "\n"
    }.joined()
}

extension RunRecord {
    /// How far it is, how fast, and how long it will still take.
    func progressText(elapsed: Duration) -> String {
        let rate = Double(bytesDone) / max(elapsed.seconds, 0.001)
        var text = "\(stage.rawValue): \(percent(bytesDone, of: bytesTotal)) of \(byteText(bytesTotal))"
        text += ", \(summary.documents.count) documents, \(byteText(Int(rate)))/s"
        if bytesDone > 0, rate > 0 { text += ", \(Int(Double(bytesTotal - bytesDone) / rate)) s left" }
        return text
    }

    /// The whole record for people.
    var text: String {
        var lines = ["pipeline \(pipeline)\(part.map { ", part \($0)" } ?? ""), started \(started.rfc3339)"]
        if let finished {
            lines[0] += ", finished \(finished.rfc3339)"
        } else if let process {
            lines.append("at work (process \(process)): \(stage.rawValue), \(percent(bytesDone, of: bytesTotal))")
        } else {
            lines.append("ended before it was finished, in \(stage.rawValue); run it again and it goes on")
        }
        var rows = [["", "DOCUMENTS", "TEXT"]]
        func row(_ name: String, _ tally: BlockSummary.Tally) {
            rows.append([name, "\(tally.count)", byteText(tally.bytes)])
        }
        row("read", summary.documents)
        for (rule, tally) in summary.dropped.sorted(by: { ($1.value.count, $0.key) < ($0.value.count, $1.key) }) {
            row("  dropped by \(rule)", tally)
        }
        for (kind, tally) in duplicates.sorted(by: { $0.key < $1.key }) { row("  duplicate, \(kind)", tally) }
        row("written", written)
        if summary.contaminated > 0 { rows.append(["with evaluation items", "\(summary.contaminated)", "-"]) }
        if summary.tokens > 0 { rows.append(["tokens kept by the operators", "\(summary.tokens)", "-"]) }
        for (reason, count) in summary.setAside.sorted(by: { $0.key < $1.key }) {
            rows.append(["set aside: \(reason)", "\(count)", "-"])
        }
        lines.append(aligned(rows))
        var there = "\(blocksReused) of them there already"
        if let brought = blocksBrought, brought > 0 { there += ", \(brought) brought from elsewhere" }
        if let damaged = blocksDamaged, damaged > 0 {
            there += "; \(damaged) judged again: what was brought is damaged"
        }
        lines.append("\(blocks) blocks (\(there)), \(parts.count) files")
        return lines.joined(separator: "\n")
    }
}
