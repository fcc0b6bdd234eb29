import Core
import Entry
import HTTPTypes
import Hummingbird
import Jobs
import Wire

extension APIRoutes {
    static let centreEndpoints: [Endpoint] = [
        Endpoint(.get, "/v1/centres", .user, .read, "List centres", answer: .json([CentreView].self)) { call in
            try call.answer(try await call.point.centres(call.caller()))
        },
        Endpoint(
            .post,
            "/v1/centres",
            .operator,
            .admin,
            "Add a centre; answers the one-time token to join it with",
            body: .json(
                .object(
                    ["name": .name, "tier": .choice(Tier.self), "prices": priceSchema],
                    required: ["name", "tier"]
                )
            ),
            answer: .json(JoinView.self, status: 201)
        ) { call in
            let (name, tier, prices) = try await call.body { reader -> (CentreName, Tier, PriceTable?)? in
                let name = reader.name("name", as: CentreName.self)
                let tier = reader.choice("tier", Tier.self)
                let prices = reader.optionalObject("prices") { priceTable(&$0) }
                guard let name, let tier else { return nil }
                return (name, tier, prices)
            }
            let view = try await call.point.createCentre(name, tier: tier, prices: prices, call.caller())
            return try call.answer(view, status: .created, location: "/v1/centres/\(name)")
        },
        Endpoint(
            .get,
            "/v1/centres/{centre}",
            .user,
            .read,
            "One centre with its nodes",
            answer: .json(CentreView.self)
        ) { call in
            try call.answer(try await call.point.centre(call.path("centre"), call.caller()))
        },
        Endpoint(
            .delete,
            "/v1/centres/{centre}",
            .operator,
            .admin,
            "Remove a centre on which nothing lives",
            answer: .empty
        ) { call in
            try await call.point.removeCentre(call.path("centre"), call.caller())
            call.api.agents.forgetAll()
            return call.noContent()
        },
        Endpoint(
            .post,
            "/v1/centres/{centre}/join",
            .operator,
            .admin,
            "A fresh one-time token to join a centre with",
            answer: .json(JoinView.self, status: 201)
        ) { call in
            let name: CentreName = try call.path("centre")
            let view = try await call.point.renewJoin(name, call.caller())
            return try call.answer(view, status: .created, location: "/v1/centres/\(name)")
        },
        Endpoint(
            .post,
            "/v1/centres/{centre}/drain",
            .operator,
            .admin,
            "Give a centre no new work",
            body: .json(.object(["evict": .boolean]), required: false),
            answer: .json(CentreView.self)
        ) { call in
            let name: CentreName = try call.path("centre")
            let evict = try await call.body(emptyIsObject: true) { reader in reader.optionalBool("evict") ?? false }
            return try call.answer(try await call.point.drainCentre(name, evict: evict, call.caller()))
        },
        Endpoint(
            .post,
            "/v1/centres/{centre}/resume",
            .operator,
            .admin,
            "Give a centre work again",
            answer: .json(CentreView.self)
        ) { call in
            try call.answer(try await call.point.resumeCentre(call.path("centre"), call.caller()))
        },
        Endpoint(
            .put,
            "/v1/centres/{centre}/prices",
            .operator,
            .admin,
            "Set what a centre charges from now on",
            body: .json(priceSchema),
            answer: .json(CentreView.self)
        ) { call in
            let name: CentreName = try call.path("centre")
            let prices = try await call.body { priceTable(&$0) }
            return try call.answer(try await call.point.setPrices(name, prices, call.caller()))
        },
        Endpoint(
            .get,
            "/v1/capacity",
            .user,
            .read,
            "Capacity by tier, centre and project, in four figures",
            answer: .json(CapacityView.self)
        ) { call in
            try call.answer(try await call.point.capacity(call.caller()))
        },
        Endpoint(
            .get,
            "/v1/overview",
            .user,
            .read,
            "Capacity, queue, what runs and what waits for what",
            parameters: [.query("project", .name, "Only this project's jobs.")],
            answer: .json(OverviewView.self)
        ) { call in
            try call.answer(try await call.point.overview(project: call.query("project"), call.caller()))
        },
        Endpoint(
            .get,
            "/v1/accelerators",
            .user,
            .read,
            "The catalogue that PFLOPS are computed from",
            answer: .json([Accelerator].self)
        ) { call in
            try call.answer(Accelerator.catalogue)
        },
    ]

    private static let rates: ClosedRange<Int64> = 0...1_000_000_000_000
    private static let priceSchema = Schema.object(
        [
            "core_hour": .integer("In millionths of a credit.", in: rates),
            "card_hour_default": .integer("For other models.", in: rates),
            "card_hour": .map(of: .integer("In millionths of a credit.", in: rates)),
        ],
        text: "Absent rates are the defaults."
    )

    private static func priceTable(_ reader: inout BodyReader) -> PriceTable {
        var prices = PriceTable()
        if let value = reader.optionalInteger("core_hour", in: rates) { prices.coreHour = MicroCredits(value) }
        if let value = reader.optionalInteger("card_hour_default", in: rates) {
            prices.cardHourDefault = MicroCredits(value)
        }
        let cards = reader.optionalObject("card_hour") { reader in
            reader.entries("an integer from 0 to \(rates.upperBound)") { json in
                json.integerValue.flatMap { rates.contains($0) ? MicroCredits($0) : nil }
            }
        }
        if let cards { prices.cardHour = cards }
        return prices
    }
}
