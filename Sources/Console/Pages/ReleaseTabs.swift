import Core
import Entry
import Hub
import Wire

/// What the pages about one release have in common: its name, and the way from one to the other.
struct ReleaseTabs: Sendable {
    enum Tab: Sendable, Hashable, CaseIterable {
        case files, governance, samples, document
    }

    var repository: RepositoryID
    /// Project and name.
    var path: String
    /// As it was asked for: a branch, a tag or a commit.
    var revision: String

    func link(_ tab: Tab, _ fields: [(name: String, value: String)] = []) -> String {
        let base = "/console/repositories/\(repository)"
        let path =
            switch tab {
            case .files: base
            case .governance: base + "/governance"
            case .samples: base + "/samples"
            case .document: base + "/document"
            }
        return Form([("revision", revision)] + fields).on(path)
    }

    /// Of the page on which people judge.
    func judging(_ purpose: String, _ fields: [(name: String, value: String)] = []) -> String {
        Form([("revision", revision)] + fields)
            .on("/console/repositories/\(repository)/samples/\(purpose.percentEncoded)")
    }

    /// A file of the release, to be downloaded.
    func file(_ path: String) -> String {
        Form([("revision", revision), ("path", path)]).on("/console/repositories/\(repository)/file")
    }

    func render(_ w: Words, current: Tab) -> HTML {
        let items = Tab.allCases.html { tab in
            let mark: HTML = tab == current ? " aria-current=\"page\"" : ""
            let title =
                switch tab {
                case .files: w(.files)
                case .governance: w(.governance)
                case .samples: w(.samples)
                case .document: w(.documentLife)
                }
            return "<li><a href=\"\(link(tab))\"\(mark)>\(title)</a></li>"
        }
        return "<nav class=\"tabs\" aria-label=\"\(path)\"><ul>\(items)</ul></nav>"
    }
}

extension Frame {
    /// The faults of something that was uploaded, the first of them.
    func faults(_ violations: [Violation], max: Int = 20) -> HTML {
        guard !violations.isEmpty else { return .empty }
        let items = violations.prefix(max).html { fault in
            let place: HTML = fault.pointer.isEmpty ? "" : "<code>\(String(fault.pointer.prefix(200)))</code> "
            return "<li>\(place)\(spoken(String(fault.message.prefix(500))))</li>"
        }
        return "<ul class=\"faults\">\(items)\(more(violations.count - max))</ul>"
    }

    /// Says of a list how many are left out.
    func more(_ count: Int) -> HTML {
        count > 0 ? "<li class=\"soft\">\(words(.andMoreRows, words.count(count)))</li>" : .empty
    }
}
