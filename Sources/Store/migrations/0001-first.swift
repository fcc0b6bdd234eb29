extension Migration {
    /// The log and the views of the first version. Never edited: what follows is another migration.
    static let first = Migration(
        number: 1,
        name: "first",
        statements: [
            """
            CREATE TABLE event (
                seq {sequence_key}, at BIGINT NOT NULL, project TEXT, subject TEXT NOT NULL, kind TEXT NOT NULL,
                payload TEXT NOT NULL, actor TEXT NOT NULL
            )
            """,
            "CREATE INDEX event_by_project ON event (project, seq)",
            "CREATE INDEX event_by_subject ON event (subject, seq)",
            "CREATE TABLE progress (name TEXT PRIMARY KEY, seq BIGINT NOT NULL)",

            // Tenancy. Users are members here, because `user` is a reserved word in PostgreSQL.
            "CREATE TABLE member (name TEXT PRIMARY KEY, is_operator INTEGER NOT NULL)",
            """
            CREATE TABLE project (
                name TEXT PRIMARY KEY, title TEXT NOT NULL, weight INTEGER NOT NULL, quota_cores BIGINT,
                quota_cards INTEGER, quota_runs INTEGER, metered INTEGER NOT NULL
            )
            """,
            """
            CREATE TABLE membership (
                project TEXT NOT NULL, member TEXT NOT NULL, role TEXT NOT NULL, PRIMARY KEY (project, member)
            )
            """,
            "CREATE INDEX membership_by_member ON membership (member, project)",
            """
            CREATE TABLE token (
                id TEXT PRIMARY KEY, member TEXT NOT NULL, hash TEXT NOT NULL, scopes TEXT NOT NULL, project TEXT,
                label TEXT NOT NULL, created_at BIGINT NOT NULL, expires_at BIGINT, revoked_at BIGINT
            )
            """,
            "CREATE INDEX token_by_member ON token (member, id)",
            "CREATE INDEX token_by_project ON token (project, id) WHERE project IS NOT NULL",
            """
            CREATE TABLE idempotency (
                project TEXT NOT NULL, member TEXT NOT NULL, client_key TEXT NOT NULL, request TEXT NOT NULL,
                resource TEXT NOT NULL, at BIGINT NOT NULL, PRIMARY KEY (project, member, client_key)
            )
            """,

            // Centres.
            """
            CREATE TABLE centre (
                name TEXT PRIMARY KEY, tier TEXT NOT NULL, state TEXT NOT NULL, prices TEXT NOT NULL, agent TEXT,
                key_hash TEXT, capacity TEXT, created_at BIGINT NOT NULL, joined_at BIGINT
            )
            """,
            """
            CREATE TABLE join_token (
                centre TEXT PRIMARY KEY, hash TEXT NOT NULL UNIQUE, expires_at BIGINT NOT NULL
            )
            """,

            // Jobs. What the jobs of one submission share stays in their event; `sequence` says which.
            """
            CREATE TABLE job (
                id TEXT PRIMARY KEY, sequence BIGINT NOT NULL, project TEXT NOT NULL, member TEXT NOT NULL,
                name TEXT NOT NULL, priority INTEGER NOT NULL, state TEXT NOT NULL, run_number INTEGER NOT NULL,
                retries_used INTEGER NOT NULL, not_before BIGINT, cancel_requested INTEGER NOT NULL, workflow TEXT,
                array_id TEXT, array_index INTEGER, unmet INTEGER NOT NULL, centre TEXT,
                submitted_at BIGINT NOT NULL, ended_at BIGINT, detail TEXT
            )
            """,
            "CREATE INDEX job_by_sequence ON job (sequence, id)",
            "CREATE INDEX job_by_state ON job (state, sequence, id)",
            "CREATE INDEX job_by_project ON job (project, state, sequence, id)",
            "CREATE INDEX job_by_array ON job (array_id, sequence, id) WHERE array_id IS NOT NULL",
            "CREATE INDEX job_by_workflow ON job (workflow, sequence, id) WHERE workflow IS NOT NULL",
            "CREATE INDEX job_by_centre ON job (centre, sequence, id) WHERE centre IS NOT NULL",
            """
            CREATE INDEX job_waiting ON job (project, priority DESC, sequence, id) WHERE state = 'queued' AND unmet = 0
            """,
            "CREATE INDEX job_backing_off ON job (not_before) WHERE not_before IS NOT NULL",
            """
            CREATE TABLE job_count (
                project TEXT NOT NULL, state TEXT NOT NULL, n BIGINT NOT NULL, PRIMARY KEY (project, state)
            )
            """,
            """
            CREATE TABLE job_array (
                id TEXT PRIMARY KEY, sequence BIGINT NOT NULL, project TEXT NOT NULL, workflow TEXT,
                queued INTEGER NOT NULL, active INTEGER NOT NULL, succeeded INTEGER NOT NULL, failed INTEGER NOT NULL,
                cancelled INTEGER NOT NULL
            )
            """,
            "CREATE INDEX job_array_by_workflow ON job_array (workflow, sequence) WHERE workflow IS NOT NULL",
            "CREATE TABLE dependency (target TEXT NOT NULL, sequence BIGINT NOT NULL, PRIMARY KEY (target, sequence))",
            """
            CREATE TABLE workflow (
                id TEXT PRIMARY KEY, sequence BIGINT NOT NULL, name TEXT NOT NULL, project TEXT NOT NULL,
                member TEXT NOT NULL, submitted_at BIGINT NOT NULL, queued INTEGER NOT NULL, active INTEGER NOT NULL,
                succeeded INTEGER NOT NULL, failed INTEGER NOT NULL, cancelled INTEGER NOT NULL
            )
            """,
            "CREATE INDEX workflow_by_project ON workflow (project, sequence)",
            "CREATE INDEX workflow_by_sequence ON workflow (sequence)",

            // Runs.
            """
            CREATE TABLE run (
                job TEXT NOT NULL, number INTEGER NOT NULL, project TEXT NOT NULL, centre TEXT NOT NULL,
                state TEXT NOT NULL, lease TEXT NOT NULL, stop TEXT, unseen_since BIGINT, nodes TEXT NOT NULL,
                cores BIGINT NOT NULL, memory BIGINT NOT NULL, cards INTEGER NOT NULL, card TEXT,
                tasks INTEGER NOT NULL, reason TEXT NOT NULL, engine_job TEXT, leased_at BIGINT NOT NULL,
                started_at BIGINT, ended_at BIGINT, outcome TEXT, outcome_code INTEGER, outcome_detail TEXT,
                price_per_hour BIGINT NOT NULL, reserved BIGINT NOT NULL, charged BIGINT,
                PRIMARY KEY (job, number)
            )
            """,
            """
            CREATE INDEX run_live ON run (centre, job, number)
            WHERE state IN ('leased', 'submitting', 'pending', 'running')
            """,
            """
            CREATE TABLE project_usage (
                project TEXT PRIMARY KEY, runs BIGINT NOT NULL, cores BIGINT NOT NULL, cards BIGINT NOT NULL
            )
            """,
            """
            CREATE TABLE artifact (
                job TEXT NOT NULL, number INTEGER NOT NULL, position INTEGER NOT NULL, name TEXT NOT NULL,
                kind TEXT NOT NULL, digest TEXT NOT NULL, size BIGINT NOT NULL, PRIMARY KEY (job, number, position)
            )
            """,
            """
            CREATE TABLE blob_grant (
                project TEXT NOT NULL, digest TEXT NOT NULL, size BIGINT NOT NULL, PRIMARY KEY (project, digest)
            )
            """,
            "CREATE INDEX blob_grant_by_digest ON blob_grant (digest)",

            // Accounts.
            """
            CREATE TABLE usage (
                job TEXT NOT NULL, number INTEGER NOT NULL, meter TEXT NOT NULL, from_at BIGINT NOT NULL,
                to_at BIGINT NOT NULL, micro_units BIGINT NOT NULL, project TEXT NOT NULL, centre TEXT NOT NULL,
                PRIMARY KEY (job, number, meter, from_at)
            )
            """,
            "CREATE INDEX usage_by_time ON usage (to_at, job, number, meter, from_at)",
            "CREATE INDEX usage_by_project ON usage (project, to_at, job, number, meter, from_at)",
            """
            CREATE TABLE usage_hour (
                hour BIGINT NOT NULL, project TEXT NOT NULL, meter TEXT NOT NULL, micro_units BIGINT NOT NULL,
                PRIMARY KEY (hour, project, meter)
            )
            """,
            """
            CREATE TABLE ledger_entry (
                seq BIGINT NOT NULL, position INTEGER NOT NULL, at BIGINT NOT NULL, account TEXT NOT NULL,
                amount BIGINT NOT NULL, project TEXT NOT NULL, kind TEXT NOT NULL, run TEXT, note TEXT,
                PRIMARY KEY (seq, position)
            )
            """,
            "CREATE INDEX ledger_entry_by_account ON ledger_entry (account, seq, position)",
            "CREATE INDEX ledger_entry_by_project ON ledger_entry (project, seq, position)",
            "CREATE INDEX ledger_entry_by_kind ON ledger_entry (kind, seq, position) WHERE kind = 'grant'",
            "CREATE TABLE balance (account TEXT PRIMARY KEY, amount BIGINT NOT NULL)",
        ]
    )
}
