import Trial

/// The tables and views of one generation (`Protocols/views.md`): names of tables and columns are a published contract.
enum ViewSchema {
    /// The version of tables, views and reducer; a generation of any other is built anew.
    static let version: UInt64 = 4
    /// "Vrdv": SQLite's mark of whose file it is.
    static let applicationID: Int64 = 0x5672_6476

    static let commonPragmas = """
        PRAGMA busy_timeout = 5000;
        PRAGMA trusted_schema = OFF;
        PRAGMA mmap_size = 0;
        PRAGMA temp_store = MEMORY;
        PRAGMA foreign_keys = OFF;
        """

    /// For a file that is not in service: a crash leaves a file that nothing points to.
    static let buildingPragmas = """
        PRAGMA journal_mode = OFF;
        PRAGMA synchronous = OFF;
        PRAGMA locking_mode = EXCLUSIVE;
        PRAGMA cache_size = -32768;
        """

    /// For the file in service. What a loss of power takes is written again from the entries, so NORMAL is enough; what was
    /// overwritten must not lie in free pages.
    static let servingPragmas = """
        PRAGMA synchronous = NORMAL;
        PRAGMA secure_delete = ON;
        PRAGMA wal_autocheckpoint = 0;
        PRAGMA cache_size = -16384;
        """

    static let tables = """
        CREATE TABLE generation (
            id INTEGER PRIMARY KEY CHECK (id = 1),
            version INTEGER NOT NULL,
            study TEXT NOT NULL,
            node TEXT NOT NULL,
            incarnation BLOB NOT NULL,
            arrival INTEGER NOT NULL,
            leaf BLOB NOT NULL,
            shape BLOB NOT NULL,
            charter_versions INTEGER NOT NULL,
            digest BLOB NOT NULL,
            is_complete INTEGER NOT NULL
        );
        CREATE TABLE study_site (
            study_site TEXT PRIMARY KEY,
            name TEXT NOT NULL,
            is_regional INTEGER NOT NULL,
            target INTEGER
        ) WITHOUT ROWID;
        CREATE TABLE location (
            location TEXT PRIMARY KEY,
            name TEXT NOT NULL,
            region TEXT,
            node TEXT,
            study_site TEXT,
            is_open INTEGER NOT NULL
        ) WITHOUT ROWID;
        CREATE TABLE writer (
            location TEXT NOT NULL,
            node TEXT NOT NULL,
            entries INTEGER NOT NULL,
            newest_entry_utc_ms INTEGER NOT NULL,
            PRIMARY KEY (location, node)
        ) WITHOUT ROWID;
        CREATE TABLE participant (
            participant INTEGER PRIMARY KEY,
            participant_id TEXT NOT NULL,
            location TEXT NOT NULL,
            label TEXT NOT NULL,
            screening_number TEXT,
            subject_number TEXT,
            randomisation_number TEXT,
            registered_utc_ms INTEGER,
            registered_at_node TEXT,
            is_removed INTEGER NOT NULL,
            is_fully_understood INTEGER NOT NULL,
            \(statusColumns.map { "\($0) TEXT" }.joined(separator: ",\n    ")),
            forms INTEGER NOT NULL,
            item_values INTEGER NOT NULL,
            conflicts INTEGER NOT NULL,
            findings INTEGER NOT NULL,
            last_entry_utc_ms INTEGER,
            digest BLOB NOT NULL
        );
        CREATE TABLE participant_status (
            participant INTEGER NOT NULL,
            entry_id TEXT NOT NULL,
            status TEXT NOT NULL,
            event_date TEXT NOT NULL,
            PRIMARY KEY (participant, entry_id)
        ) WITHOUT ROWID;
        CREATE TABLE planned_visit (
            participant INTEGER NOT NULL,
            event_oid TEXT NOT NULL,
            occurrence INTEGER NOT NULL,
            due TEXT,
            window_start TEXT,
            window_end TEXT,
            outcome TEXT NOT NULL,
            PRIMARY KEY (participant, event_oid, occurrence)
        ) WITHOUT ROWID;
        CREATE TABLE finding (
            finding INTEGER PRIMARY KEY,
            location TEXT NOT NULL,
            participant INTEGER,
            entry_id TEXT NOT NULL,
            kind TEXT NOT NULL,
            rule TEXT,
            explanation TEXT NOT NULL
        );
        CREATE TABLE open_conflict (
            conflict INTEGER PRIMARY KEY,
            participant INTEGER NOT NULL,
            kind TEXT NOT NULL,
            form_id TEXT,
            instance_id TEXT,
            item_oid TEXT,
            is_waiting INTEGER NOT NULL,
            sides TEXT NOT NULL
        );
        CREATE TABLE erased_participant (
            participant_id TEXT PRIMARY KEY,
            location TEXT NOT NULL,
            orders TEXT NOT NULL,
            registrations TEXT NOT NULL,
            entries INTEGER NOT NULL,
            digest BLOB NOT NULL
        ) WITHOUT ROWID;
        CREATE TABLE form_instance (
            form INTEGER PRIMARY KEY,
            participant INTEGER NOT NULL,
            event_oid TEXT NOT NULL,
            event_repeat_key TEXT,
            event_id TEXT,
            form_oid TEXT NOT NULL,
            form_repeat_key TEXT,
            form_id TEXT NOT NULL,
            state TEXT NOT NULL,
            item_values INTEGER NOT NULL,
            conflicts INTEGER NOT NULL,
            awaited INTEGER NOT NULL,
            first_entry_utc_ms INTEGER,
            last_entry_utc_ms INTEGER,
            entered_at_node TEXT,
            performed_at TEXT,
            entries TEXT NOT NULL,
            cells TEXT NOT NULL,
            digest BLOB NOT NULL
        );
        CREATE TABLE item (
            form_oid TEXT NOT NULL,
            group_oid TEXT NOT NULL,
            item_oid TEXT NOT NULL,
            name TEXT NOT NULL,
            label TEXT NOT NULL,
            data_type TEXT NOT NULL,
            code_list TEXT,
            datamart_table TEXT,
            datamart_column TEXT,
            PRIMARY KEY (form_oid, group_oid, item_oid)
        ) WITHOUT ROWID;
        CREATE TABLE code (
            code_list TEXT NOT NULL,
            code TEXT NOT NULL,
            decode TEXT NOT NULL,
            rank TEXT,
            order_number INTEGER,
            PRIMARY KEY (code_list, code)
        ) WITHOUT ROWID;
        """

    /// Made after the rows, in one pass over each table.
    static let indexes = """
        CREATE UNIQUE INDEX participant_by_id ON participant (participant_id);
        CREATE INDEX participant_by_label ON participant (label);
        CREATE INDEX finding_by_participant ON finding (participant);
        CREATE INDEX open_conflict_by_participant ON open_conflict (participant);
        CREATE INDEX form_by_oid ON form_instance (form_oid);
        CREATE INDEX form_to_be_seen ON form_instance (participant) WHERE state IN ('conflict', 'merged-unseen');
        """

    /// A status as a column of `participant`.
    static func statusColumn(_ status: ParticipantStatus) -> String {
        var name = ""
        for character in status.rawValue {
            name += character.isUppercase ? "_" + character.lowercased() : String(character)
        }
        return name
    }

    static let statusColumns = ParticipantStatus.allCases.map(statusColumn)

    static let views = capture + "\n" + conflict + "\n" + value + "\n" + monitoring + "\n" + regional

    private static let capture = """
        CREATE VIEW capture AS
        SELECT form, location.study_site, participant.location, participant.participant_id, participant.label,
            event_oid, event_repeat_key, event_id, form_oid, form_repeat_key, form_id, state,
            form_instance.item_values, form_instance.conflicts, form_instance.awaited,
            datetime(first_entry_utc_ms / 1000, 'unixepoch') AS first_entry,
            datetime(form_instance.last_entry_utc_ms / 1000, 'unixepoch') AS last_entry,
            entered_at_node, performed_at, entries, cells, lower(hex(form_instance.digest)) AS digest
        FROM form_instance JOIN participant USING (participant) LEFT JOIN location USING (location);
        """

    private static let conflict = """
        CREATE VIEW conflict AS
        SELECT location.study_site, participant.location, participant_id, label, kind, event_oid, form_oid,
            open_conflict.form_id, instance_id, item_oid, is_waiting, sides
        FROM open_conflict JOIN participant USING (participant) LEFT JOIN location USING (location)
            LEFT JOIN form_instance
                ON form_instance.participant = participant.participant AND form_instance.form_id = open_conflict.form_id;
        """

    private static let value = """
        CREATE VIEW value AS
        SELECT study_site, location, participant_id, label, event_oid, event_repeat_key, form_oid, form_repeat_key,
            form_id, group_oid, group_repeat_key, group_id, item_oid,
            CASE WHEN state = 'wrong' THEN 'wrong' WHEN state = 'removed' OR is_removed THEN 'removed'
                WHEN mark = 1 THEN 'conflict' WHEN mark = 2 THEN 'conflict, awaited' WHEN mark = 3 THEN 'set aside'
                WHEN kind = 0 THEN 'dropped' WHEN kind = 12 THEN 'missing' WHEN kind = 13 THEN 'cleared'
                ELSE 'value' END AS status,
            side, normalised, typed, unit, reason,
            (SELECT code.decode FROM item JOIN code USING (code_list)
                WHERE item.form_oid = cell.form_oid AND item.group_oid = cell.group_oid
                    AND item.item_oid = cell.item_oid AND code.code = cell.normalised) AS decode,
            json_extract(entry, '$[0]') AS entry_id, position,
            datetime(json_extract(entry, '$[1]') / 1000, 'unixepoch') AS entered,
            json_extract(entry, '$[2]') AS node, json_extract(entry, '$[3]') AS actor,
            json_extract(entry, '$[4]') AS role,
            CASE WHEN kind = 0 THEN json_extract(entry, '$[6]') END AS dropped_by
        FROM (
            SELECT location.study_site, participant.location, participant_id, label, event_oid, event_repeat_key,
                form_oid, form_repeat_key, form_id, state,
                json_extract(g.value, '$[0]') AS group_oid, json_extract(g.value, '$[1]') AS group_repeat_key,
                json_extract(g.value, '$[2]') AS group_id, json_extract(g.value, '$[3]') AS is_removed,
                json_extract(i.value, '$[0]') AS item_oid, json_extract(i.value, '$[1]') AS mark,
                v.key - 1 AS side, json_extract(v.value, '$[1]') AS position,
                json_extract(v.value, '$[2]') AS kind, json_extract(v.value, '$[3]') AS normalised,
                coalesce(json_extract(v.value, '$[4]'), json_extract(v.value, '$[3]')) AS typed,
                json_extract(v.value, '$[5]') AS unit, json_extract(v.value, '$[6]') AS reason,
                json_extract(form_instance.entries, '$[' || json_extract(v.value, '$[0]') || ']') AS entry
            FROM form_instance JOIN participant USING (participant) LEFT JOIN location USING (location)
                JOIN json_each(form_instance.cells) AS g JOIN json_each(g.value, '$[4]') AS i
                JOIN json_each(i.value) AS v ON v.key >= 2
        ) AS cell;
        """

    private static let monitoring = """
        CREATE VIEW monitoring AS
        SELECT location.study_site, location.location, location.name AS location_name, location.region,
            EXISTS (SELECT 1 FROM writer WHERE writer.location = location.location) AS is_here,
            count(participant.screened) AS screened, count(participant.included) AS included,
            count(participant.screen_failure) AS screen_failures,
            count(participant.participant) AS participants,
            (SELECT count(*) FROM erased_participant WHERE erased_participant.location = location.location) AS erased,
            coalesce(sum(participant.forms), 0) AS forms, coalesce(sum(participant.item_values), 0) AS item_values,
            coalesce(sum(participant.conflicts), 0) AS conflicts,
            (SELECT count(*) FROM finding WHERE finding.location = location.location) AS findings,
            (SELECT count(*) FROM planned_visit JOIN participant AS planned USING (participant)
                WHERE planned.location = location.location AND outcome = 'open' AND window_end < date('now'))
                AS visits_overdue,
            (SELECT datetime(max(newest_entry_utc_ms) / 1000, 'unixepoch') FROM writer
                WHERE writer.location = location.location) AS last_entry,
            (SELECT (unixepoch('now') - max(newest_entry_utc_ms) / 1000) / 86400 FROM writer
                WHERE writer.location = location.location) AS days_since_last_entry
        FROM location LEFT JOIN participant ON participant.location = location.location AND NOT is_removed
        GROUP BY location.location ORDER BY location.study_site, location.location;
        """

    private static let regional = """
        CREATE VIEW regional AS
        SELECT study_site.study_site, study_site.name, study_site.is_regional, study_site.target,
            count(location) AS locations, coalesce(sum(is_here), 0) AS locations_here,
            coalesce(sum(screened), 0) AS screened, coalesce(sum(included), 0) AS included,
            coalesce(sum(screen_failures), 0) AS screen_failures,
            CASE WHEN target > 0 THEN round(100.0 * coalesce(sum(included), 0) / target, 1) END AS percent_of_target
        FROM study_site LEFT JOIN monitoring USING (study_site)
        GROUP BY study_site.study_site ORDER BY study_site.study_site;

        CREATE VIEW performed AS
        SELECT form_instance.form, form_instance.participant, location.study_site,
            participant.location AS included_at,
            CASE WHEN performed_at IS NOT NULL THEN performed_at
                WHEN entered_at_node IS NULL OR entered_at_node = location.node THEN participant.location
                ELSE coalesce(
                    (SELECT min(other.location) FROM location AS other
                        WHERE other.node = entered_at_node AND other.study_site = location.study_site),
                    entered_at_node) END AS performed_at,
            first_entry_utc_ms
        FROM form_instance JOIN participant USING (participant) LEFT JOIN location USING (location)
        WHERE NOT participant.is_removed AND state IN ('entered', 'conflict', 'merged-unseen');

        CREATE VIEW regional_performed AS
        SELECT study_site, included_at, performed_at, count(*) AS forms, count(DISTINCT participant) AS participants
        FROM performed GROUP BY study_site, included_at, performed_at;

        CREATE VIEW regional_member AS
        SELECT location.study_site, location.node,
            max(writer.newest_entry_utc_ms) AS newest_entry_utc_ms,
            datetime(max(writer.newest_entry_utc_ms) / 1000, 'unixepoch') AS newest_entry,
            coalesce(sum(writer.entries), 0) AS entries
        FROM (SELECT DISTINCT study_site, node FROM location WHERE study_site IS NOT NULL AND node IS NOT NULL)
            AS location
        LEFT JOIN location AS streams ON streams.study_site = location.study_site
        LEFT JOIN writer ON writer.location = streams.location AND writer.node = location.node
        GROUP BY location.study_site, location.node;
        """

    /// The tables of the datamart: rows, and the view with names of people, places and forms that goes by the table's name.
    static func datamart(_ layout: DatamartLayout) -> (tables: String, views: String) {
        var tables = ""
        var views = ""
        for table in layout.tables {
            let columns = table.columns.map { "\(quoted($0.name)) \($0.type.rawValue)" }
            let isRow = table.group != nil
            let keys =
                ["\"row\" INTEGER PRIMARY KEY", "\"form\" INTEGER NOT NULL"]
                + (isRow ? ["group_repeat_key TEXT NOT NULL"] : [])
            tables +=
                "CREATE TABLE \(quoted(table.rowsName)) ("
                + (keys + columns + ["\"status\" TEXT"]).joined(separator: ", ") + ");\n"
            views += """
                CREATE VIEW \(quoted(table.name)) AS
                SELECT rows."row", form_instance.form, form_instance.participant, location.study_site,
                    participant.location, participant.label, event_oid, event_repeat_key, form_oid, form_repeat_key,
                    form_id AS form_instance, \(isRow ? "group_repeat_key, " : "")\
                \(table.columns.map { "rows." + quoted($0.name) }.joined(separator: ", ")), rows."status"
                FROM \(quoted(table.rowsName)) AS rows JOIN form_instance USING (form)
                    JOIN participant USING (participant) LEFT JOIN location USING (location);

                """
        }
        return (tables, views)
    }

    static func quoted(_ name: String) -> String { "\"\(name)\"" }
}

extension DatamartLayout.Table {
    /// The table behind the view.
    var rowsName: String { name + "_rows" }
}
