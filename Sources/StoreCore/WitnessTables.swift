/// The tables of witnessing: what this node has vouched for, and who vouches for what.
///
/// They are no part of the truth of any study: a file without them is given empty ones. Like everything else in the file
/// they only grow: no row is deleted, and a newest head is only replaced by a larger one.
enum WitnessTables {
    static let create = """
        CREATE TABLE IF NOT EXISTS cosignatures (
            log BLOB NOT NULL CHECK (length(log) = 32),
            node TEXT NOT NULL,
            key_number INTEGER NOT NULL CHECK (key_number > 0),
            size INTEGER NOT NULL CHECK (size > 0),
            root BLOB NOT NULL CHECK (length(root) = 32),
            unix_seconds INTEGER NOT NULL CHECK (unix_seconds >= 0),
            signature BLOB NOT NULL CHECK (length(signature) = 64),
            PRIMARY KEY (log, node, key_number)
        ) STRICT, WITHOUT ROWID;

        CREATE TABLE IF NOT EXISTS witnessed (
            log BLOB PRIMARY KEY CHECK (length(log) = 32),
            writer TEXT NOT NULL,
            size INTEGER NOT NULL CHECK (size > 0),
            root BLOB NOT NULL CHECK (length(root) = 32)
        ) STRICT, WITHOUT ROWID;

        CREATE TABLE IF NOT EXISTS retired_witness_keys (
            public_key BLOB PRIMARY KEY CHECK (length(public_key) = 32),
            reason TEXT NOT NULL,
            utc_milliseconds INTEGER NOT NULL
        ) STRICT, WITHOUT ROWID;

        CREATE TRIGGER IF NOT EXISTS cosignatures_only_grow BEFORE UPDATE ON cosignatures
        WHEN NEW.log IS NOT OLD.log OR NEW.node IS NOT OLD.node OR NEW.key_number IS NOT OLD.key_number
            OR NEW.size <= OLD.size
        BEGIN SELECT RAISE(ABORT, 'a cosignature is only replaced by one over a larger head'); END;
        CREATE TRIGGER IF NOT EXISTS cosignatures_no_delete BEFORE DELETE ON cosignatures
        BEGIN SELECT RAISE(ABORT, 'a cosignature is never deleted'); END;
        CREATE TRIGGER IF NOT EXISTS witnessed_only_grow BEFORE UPDATE ON witnessed
        WHEN NEW.log IS NOT OLD.log OR NEW.writer IS NOT OLD.writer OR NEW.size <= OLD.size
        BEGIN SELECT RAISE(ABORT, 'a witness never vouches for a smaller head'); END;
        CREATE TRIGGER IF NOT EXISTS witnessed_no_delete BEFORE DELETE ON witnessed
        BEGIN SELECT RAISE(ABORT, 'what a witness vouched for is never forgotten'); END;
        CREATE TRIGGER IF NOT EXISTS retired_witness_keys_no_update BEFORE UPDATE ON retired_witness_keys
        BEGIN SELECT RAISE(ABORT, 'a retired key stays retired'); END;
        CREATE TRIGGER IF NOT EXISTS retired_witness_keys_no_delete BEFORE DELETE ON retired_witness_keys
        BEGIN SELECT RAISE(ABORT, 'a retired key stays retired'); END;
        """
}
