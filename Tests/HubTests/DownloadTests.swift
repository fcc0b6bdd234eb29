import Core
import Store
import Testing
import Wire

@testable import Hub

@Suite("Downloads are counted as the Hub counts them")
struct DownloadTests {
    private static func repository(_ shelf: Shelf) async throws -> Repository {
        try await shelf.repositories.repository(.models, shelf.model, for: .see, shelf.alice)
    }

    @Test("of a model what users ask for first, of a dataset everything, of an image nothing")
    func which() {
        for (path, shelf, isCounted) in [
            ("config.json", RepositoryShelf.models, true), ("adapter_config.json", .models, true),
            ("sub/config.json", .models, false), ("weights.bin", .models, false), ("README.md", .models, false),
            ("q4/tiny.gguf", .models, true), ("data/train.csv", .datasets, true), ("README.md", .datasets, true),
            ("config.json", .images, false),
        ] {
            #expect(DownloadCounter.isCounted(path, on: shelf) == isCounted, "\(path) on \(shelf)")
        }
    }

    @Test("what one visitor asks for within five minutes is one download")
    func window() async throws {
        try await withShelf { shelf in
            let model = try await Self.repository(shelf)
            func count(_ visitor: String) {
                shelf.repositories.countDownload(of: "config.json", from: model, by: visitor)
            }
            for _ in 0..<3 { count("user/alice") }
            count("10.0.0.1")
            #expect(try await shelf.repositories.downloads(of: model) == Downloads(recent: 2, total: 2))
            shelf.clock.advance(.seconds(299))
            count("user/alice")
            shelf.clock.advance(.seconds(1))
            count("user/alice")
            #expect(try await shelf.repositories.downloads(of: model) == Downloads(recent: 3, total: 3))
        }
    }

    @Test("they are written down in one event for all repositories, and go from the last thirty days day by day")
    func saved() async throws {
        try await withShelf { shelf in
            let model = try await Self.repository(shelf)
            let second = RepositoryPath(project: shelf.model.project, name: Shelf.name("second"))
            let other = try await shelf.repositories.create(.dataset, second, shelf.alice)
            let before = shelf.store.lastSequence
            shelf.repositories.countDownload(of: "config.json", from: model, by: "a")
            shelf.repositories.countDownload(of: "x.csv", from: other, by: "a")
            shelf.repositories.countDownload(of: "config.json", from: model, by: "b")
            try await shelf.repositories.saveDownloads()
            try await shelf.repositories.saveDownloads()
            #expect(shelf.store.lastSequence == before + 1)
            #expect(try await shelf.repositories.downloads(of: model) == Downloads(recent: 2, total: 2))
            shelf.clock.advance(.seconds(29 * 86_400))
            shelf.repositories.countDownload(of: "config.json", from: model, by: "a")
            try await shelf.repositories.saveDownloads()
            #expect(try await shelf.repositories.downloads(of: model) == Downloads(recent: 3, total: 3))
            shelf.clock.advance(.seconds(86_400))
            #expect(try await shelf.repositories.downloads(of: model) == Downloads(recent: 1, total: 3))
            shelf.clock.advance(.seconds(40 * 86_400))
            shelf.repositories.countDownload(of: "x.csv", from: other, by: "a")
            // What was removed meanwhile is not written down, and holds up nothing.
            shelf.repositories.countDownload(of: "config.json", from: model, by: "a")
            try await shelf.repositories.remove(.models, shelf.model, shelf.alice)
            try await shelf.repositories.saveDownloads()
            try await shelf.store.rebuild()
            #expect(try await shelf.repositories.downloads(of: model) == Downloads())
            #expect(try await shelf.repositories.downloads(of: other) == Downloads(recent: 1, total: 2))
        }
    }

    @Test("lists are in the order of downloads, page by page")
    func order() async throws {
        try await withShelf { shelf in
            var expected: [String] = []
            for index in 0..<5 {
                let name = RepositoryPath(project: shelf.model.project, name: Shelf.name("m\(index)"))
                let made = try await shelf.repositories.create(.model, name, shelf.alice)
                for visitor in 0..<(index * 7 % 5) {
                    shelf.repositories.countDownload(of: "config.json", from: made, by: "\(visitor)")
                }
                if index > 0 { expected.append("m\(index)") }
            }
            try await shelf.repositories.saveDownloads()
            expected.sort { (Int($0.dropFirst()) ?? 0) * 7 % 5 > (Int($1.dropFirst()) ?? 0) * 7 % 5 }
            var search = Repositories.Search()
            (search.order, search.limit) = (.mostDownloaded, 2)
            var found: [String] = []
            repeat {
                let page = try await shelf.repositories.search(.models, search, shelf.alice)
                found += page.found.map(\.repository.path.name.text)
                search.after = page.next.flatMap { SearchPosition("\($0)") }
            } while search.after != nil
            #expect(Array(found.prefix(4)) == expected)
            #expect(Set(found.suffix(2)) == ["m0", "tiny"] && found.count == 6)
        }
    }
}
