public import Core

public struct ProjectView: Codable, Sendable, Hashable {
    public var project: Project
    /// What it can spend, in millionths of a credit; negative when it owes.
    public var balance: MicroCredits
    public var reserved: MicroCredits
    /// What it and the projects below it hold: what its quota is held against.
    public var runs: Int
    public var cores: Double
    public var cards: Int
    /// What its repositories and those of the projects below it hold, each repository's bytes once.
    public var stored: Bytes
    /// The caller's own role; `nil` for an operator who is no member.
    public var role: Role?
    public var jobs: [String: Int]

    public init(
        project: Project,
        balance: MicroCredits,
        reserved: MicroCredits,
        runs: Int,
        cores: Double,
        cards: Int,
        stored: Bytes,
        role: Role?,
        jobs: [String: Int]
    ) {
        self.project = project
        self.balance = balance
        self.reserved = reserved
        self.runs = runs
        self.cores = cores
        self.cards = cards
        self.stored = stored
        self.role = role
        self.jobs = jobs
    }
}

extension [ProjectView] {
    /// From the top down: each project behind the one that it is part of, as far as that is among these, with how many
    /// levels of these stand above it. Beside one another by name.
    public var asTree: [(level: Int, view: ProjectView)] {
        let names = Set(map(\.project.name))
        let below = Dictionary(grouping: self) { view in view.project.parent.flatMap { names.contains($0) ? $0 : nil } }
        var lines: [(level: Int, view: ProjectView)] = []
        func add(_ parent: ProjectName?, _ level: Int) {
            for view in (below[parent] ?? []).sorted(by: { $0.project.name < $1.project.name }) {
                lines.append((level, view))
                if level < Project.levelsMax { add(view.project.name, level + 1) }
            }
        }
        add(nil, 0)
        return lines
    }
}

/// A token without its secret.
public struct TokenView: Codable, Sendable, Hashable {
    public var token: TokenID
    public var user: UserName
    public var scopes: [Token.Scope]
    public var project: ProjectName?
    public var label: String
    public var createdAt: Instant
    public var expiresAt: Instant?
    public var revokedAt: Instant?

    public init(_ token: Token) {
        self.token = token.id
        user = token.user
        scopes = token.scopes
        project = token.project
        label = token.label
        createdAt = token.createdAt
        expiresAt = token.expiresAt
        revokedAt = token.revokedAt
    }
}

/// A token just made.
public struct IssuedToken: Codable, Sendable, Hashable {
    public var token: TokenView
    /// Shown once; only its hash is kept.
    public var secret: String

    public init(token: TokenView, secret: String) {
        self.token = token
        self.secret = secret
    }
}

/// Who the caller is.
public struct WhoAmI: Codable, Sendable, Hashable {
    public var user: UserName
    public var `operator`: Bool
    public var scopes: [Token.Scope]
    public var projects: [Membership]

    public init(user: UserName, operator: Bool, scopes: [Token.Scope], projects: [Membership]) {
        self.user = user
        self.operator = `operator`
        self.scopes = scopes
        self.projects = projects
    }
}

public struct LedgerEntryView: Codable, Sendable, Hashable {
    /// The event that booked it.
    public var sequence: Int64
    public var at: Instant
    public var account: String
    public var amount: MicroCredits
    public var memo: String

    public init(sequence: Int64, at: Instant, account: String, amount: MicroCredits, memo: String) {
        self.sequence = sequence
        self.at = at
        self.account = account
        self.amount = amount
        self.memo = memo
    }
}

public struct BalanceView: Codable, Sendable, Hashable {
    public var account: String
    public var amount: MicroCredits

    public init(account: String, amount: MicroCredits) {
        self.account = account
        self.amount = amount
    }
}

/// What one run used.
public struct UsageView: Codable, Sendable, Hashable {
    public var run: RunKey
    public var job: JobID
    public var project: ProjectName
    public var centre: CentreName
    public var meter: Meter
    public var from: Instant
    public var to: Instant
    /// Millionths of the meter's unit.
    public var microUnits: Int64

    public init(
        run: RunKey,
        project: ProjectName,
        centre: CentreName,
        meter: Meter,
        from: Instant,
        to: Instant,
        microUnits: Int64
    ) {
        self.run = run
        job = run.job
        self.project = project
        self.centre = centre
        self.meter = meter
        self.from = from
        self.to = to
        self.microUnits = microUnits
    }
}

public struct EventView: Codable, Sendable, Hashable {
    public var sequence: Int64
    public var at: Instant
    public var project: ProjectName?
    public var subject: String
    public var kind: String
    public var actor: String
    public var payload: JSON

    public init(
        sequence: Int64,
        at: Instant,
        project: ProjectName?,
        subject: String,
        kind: String,
        actor: String,
        payload: JSON
    ) {
        self.sequence = sequence
        self.at = at
        self.project = project
        self.subject = subject
        self.kind = kind
        self.actor = actor
        self.payload = payload
    }
}
