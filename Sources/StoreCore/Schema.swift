/// The tables of `events.sqlite` (DESIGN §7).
///
/// Entries and bodies are clustered by (branch, index); nothing is indexed by a hash, because such an index was measured
/// to cut ingest to a tenth. Triggers refuse every change of what was once recorded; they guard against mistakes of ours,
/// the signatures guard against everybody else.
enum Schema {
    /// The format version of the file; any other is refused.
    static let formatVersion: Int64 = 2
    /// "Vard": SQLite's mark of whose file it is.
    static let applicationID: Int64 = 0x5661_7264

    /// Settings that every connection to the file has.
    static let commonPragmas = """
        PRAGMA busy_timeout = 5000;
        PRAGMA trusted_schema = OFF;
        PRAGMA cell_size_check = ON;
        PRAGMA mmap_size = 0;
        PRAGMA temp_store = MEMORY;
        PRAGMA cache_size = -65536;
        """

    /// Settings of the one connection that writes. Without recursive triggers, REPLACE would delete rows unseen.
    static let writerPragmas = """
        PRAGMA foreign_keys = ON;
        PRAGMA recursive_triggers = ON;
        PRAGMA secure_delete = ON;
        PRAGMA synchronous = FULL;
        PRAGMA wal_autocheckpoint = 0;
        """

    static let create = tables + "\n" + guards

    private static let tables = """
        CREATE TABLE meta (
            id INTEGER PRIMARY KEY CHECK (id = 1),
            format INTEGER NOT NULL,
            incarnation BLOB NOT NULL CHECK (length(incarnation) = 16),
            network TEXT NOT NULL,
            node TEXT NOT NULL
        ) STRICT;

        CREATE TABLE logs (
            branch INTEGER PRIMARY KEY,
            -- What arrivals, orders and readers name: the log's id, or that of the branch of a forked log.
            id BLOB NOT NULL UNIQUE CHECK (length(id) = 32),
            log BLOB NOT NULL CHECK (length(log) = 32),
            -- A branch holds the entries from its first index on; those before stand in the rows above it.
            parent INTEGER REFERENCES logs (branch),
            first INTEGER NOT NULL DEFAULT 0 CHECK (first >= 0),
            first_leaf BLOB CHECK (length(first_leaf) = 32),
            node TEXT NOT NULL,
            stream TEXT NOT NULL,
            epoch BLOB NOT NULL CHECK (length(epoch) = 16),
            own INTEGER NOT NULL CHECK (own IN (0, 1)),
            status INTEGER NOT NULL,
            reason INTEGER,
            seen_head BLOB,
            size INTEGER NOT NULL CHECK (size >= 0),
            root BLOB NOT NULL CHECK (length(root) = 32),
            frontier BLOB NOT NULL,
            byte_count INTEGER NOT NULL CHECK (byte_count >= 0),
            hybrid_time INTEGER NOT NULL,
            CHECK ((parent IS NULL) = (first_leaf IS NULL) AND (parent IS NULL) = (id = log) AND size >= first)
        ) STRICT;

        CREATE TABLE entries (
            branch INTEGER NOT NULL REFERENCES logs (branch),
            leaf_index INTEGER NOT NULL,
            header BLOB NOT NULL,
            leaf BLOB NOT NULL CHECK (length(leaf) = 32),
            PRIMARY KEY (branch, leaf_index)
        ) STRICT, WITHOUT ROWID;

        CREATE TABLE bodies (
            branch INTEGER NOT NULL REFERENCES logs (branch),
            leaf_index INTEGER NOT NULL,
            body BLOB NOT NULL,
            PRIMARY KEY (branch, leaf_index)
        ) STRICT, WITHOUT ROWID;

        CREATE TABLE checkpoints (
            branch INTEGER NOT NULL REFERENCES logs (branch),
            size INTEGER NOT NULL,
            note BLOB NOT NULL,
            PRIMARY KEY (branch, size)
        ) STRICT, WITHOUT ROWID;

        CREATE TABLE arrivals (
            arrival INTEGER PRIMARY KEY,
            branch INTEGER NOT NULL REFERENCES logs (branch),
            first INTEGER NOT NULL,
            count INTEGER NOT NULL CHECK (count > 0)
        ) STRICT;

        -- By command first: senders whose ids begin with the time then write to few pages.
        CREATE TABLE commands (
            command BLOB NOT NULL CHECK (length(command) = 16),
            actor BLOB NOT NULL CHECK (length(actor) = 16),
            branch INTEGER NOT NULL REFERENCES logs (branch),
            leaf_index INTEGER NOT NULL,
            digest BLOB NOT NULL CHECK (length(digest) = 32),
            is_request INTEGER NOT NULL CHECK (is_request IN (0, 1)),
            PRIMARY KEY (command, actor)
        ) STRICT, WITHOUT ROWID;

        CREATE TABLE charters (
            version INTEGER NOT NULL,
            hash BLOB NOT NULL CHECK (length(hash) = 32),
            bytes BLOB NOT NULL,
            signatures BLOB NOT NULL,
            PRIMARY KEY (version, hash)
        ) STRICT;

        CREATE TABLE orders (
            number INTEGER PRIMARY KEY,
            log BLOB NOT NULL CHECK (length(log) = 32),
            leaf_index INTEGER NOT NULL,
            stream TEXT NOT NULL,
            kind INTEGER NOT NULL CHECK (kind IN (1, 2)),
            subject BLOB,
            target_log BLOB,
            target_index INTEGER,
            parts INTEGER,
            target_leaf BLOB,
            UNIQUE (log, leaf_index),
            CHECK (kind <> 1 OR length(subject) = 16),
            CHECK (kind <> 2 OR (length(target_log) = 32 AND target_index >= 0 AND parts IS NOT NULL
                AND length(target_leaf) = 32))
        ) STRICT;

        CREATE TABLE drops (
            branch INTEGER NOT NULL REFERENCES logs (branch),
            leaf_index INTEGER NOT NULL,
            order_number INTEGER NOT NULL REFERENCES orders (number),
            PRIMARY KEY (branch, leaf_index, order_number)
        ) STRICT, WITHOUT ROWID;

        CREATE TABLE fork_proofs (
            number INTEGER PRIMARY KEY,
            log BLOB NOT NULL CHECK (length(log) = 32),
            smaller BLOB NOT NULL,
            larger BLOB NOT NULL,
            prefix_root BLOB NOT NULL CHECK (length(prefix_root) = 32),
            path BLOB NOT NULL,
            utc_milliseconds INTEGER NOT NULL
        ) STRICT;

        -- What was found to be altered since it was checked; open until it was repaired.
        CREATE TABLE damage (
            branch INTEGER NOT NULL REFERENCES logs (branch),
            leaf_index INTEGER NOT NULL,
            kind INTEGER NOT NULL CHECK (kind IN (1, 2)),
            found_milliseconds INTEGER NOT NULL,
            text TEXT NOT NULL,
            repaired_milliseconds INTEGER,
            PRIMARY KEY (branch, leaf_index, kind)
        ) STRICT, WITHOUT ROWID;

        CREATE TABLE incidents (
            number INTEGER PRIMARY KEY,
            utc_milliseconds INTEGER NOT NULL,
            kind TEXT NOT NULL,
            peer TEXT,
            log BLOB,
            text TEXT NOT NULL,
            held_head BLOB,
            shown_head BLOB
        ) STRICT;
        """

    /// What may never change once it is there.
    private static let permanent = [
        "meta", "arrivals", "commands", "charters", "orders", "drops", "fork_proofs",
    ]

    private static var guards: String {
        let permanentGuards = permanent.map { table in
            """
            CREATE TRIGGER \(table)_no_update BEFORE UPDATE ON \(table)
            BEGIN SELECT RAISE(ABORT, 'what is recorded in \(table) never changes'); END;
            CREATE TRIGGER \(table)_no_delete BEFORE DELETE ON \(table)
            BEGIN SELECT RAISE(ABORT, 'what is recorded in \(table) is never deleted'); END;
            """
        }
        return (permanentGuards + [repairGuards, bodyGuards, logGuards]).joined(separator: "\n")
    }

    /// What changes only where it was found to be damaged, and only back to what its writer signed.
    private static let repairGuards = [("entries", "leaf_index", 1), ("checkpoints", "size", 2)].map {
        table, key, kind in
        """
        CREATE TRIGGER \(table)_no_update BEFORE UPDATE ON \(table)
        WHEN NEW.branch IS NOT OLD.branch OR NEW.\(key) IS NOT OLD.\(key) OR NOT EXISTS (
            SELECT 1 FROM damage WHERE branch = OLD.branch AND leaf_index = OLD.\(key) AND kind = \(kind)
                AND repaired_milliseconds IS NULL)
        BEGIN SELECT RAISE(ABORT, 'what is recorded in \(table) never changes'); END;
        CREATE TRIGGER \(table)_no_delete BEFORE DELETE ON \(table)
        BEGIN SELECT RAISE(ABORT, 'what is recorded in \(table) is never deleted'); END;
        """
    }.joined(separator: "\n")

    private static let bodyGuards = """
        CREATE TRIGGER bodies_no_delete BEFORE DELETE ON bodies
        BEGIN SELECT RAISE(ABORT, 'what is recorded in bodies is never deleted'); END;
        CREATE TRIGGER bodies_update_under_order BEFORE UPDATE ON bodies
        WHEN NEW.branch IS NOT OLD.branch OR NEW.leaf_index IS NOT OLD.leaf_index
            OR ((length(NEW.body) >= length(OLD.body)
                OR NOT EXISTS (SELECT 1 FROM drops WHERE branch = OLD.branch AND leaf_index = OLD.leaf_index))
            AND NOT EXISTS (SELECT 1 FROM damage WHERE branch = OLD.branch AND leaf_index = OLD.leaf_index AND kind = 1
                AND repaired_milliseconds IS NULL))
        BEGIN SELECT RAISE(ABORT, 'a body only loses parts, and only under a stored order'); END;
        """

    private static let logGuards = """
        CREATE TRIGGER logs_no_delete BEFORE DELETE ON logs
        BEGIN SELECT RAISE(ABORT, 'a log is never deleted'); END;
        CREATE TRIGGER logs_only_grow BEFORE UPDATE ON logs
        WHEN NEW.branch IS NOT OLD.branch OR NEW.id IS NOT OLD.id OR NEW.log IS NOT OLD.log
            OR NEW.parent IS NOT OLD.parent OR NEW.first IS NOT OLD.first OR NEW.first_leaf IS NOT OLD.first_leaf
            OR NEW.node IS NOT OLD.node OR NEW.stream IS NOT OLD.stream OR NEW.epoch IS NOT OLD.epoch
            OR NEW.own IS NOT OLD.own OR NEW.size < OLD.size OR NEW.byte_count < OLD.byte_count
            OR NEW.status < OLD.status
        BEGIN SELECT RAISE(ABORT, 'a log keeps its name, never shrinks and never opens again'); END;
        """
}
