import Trial

/// The tables and views of one generation (`Protocols/views.md`): names of tables and columns are a published contract.
enum ViewSchema {
    /// The version of tables, views and reducer; a generation of any other is built anew.
    static let version: UInt64 = 5
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
            study_oid TEXT NOT NULL,
            study_name TEXT NOT NULL,
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
        CREATE TABLE participant_alias (
            participant INTEGER NOT NULL,
            entry_id TEXT NOT NULL,
            PRIMARY KEY (participant, entry_id)
        ) WITHOUT ROWID;
        CREATE TABLE participant_label (
            participant INTEGER NOT NULL,
            entry_id TEXT NOT NULL,
            position INTEGER NOT NULL,
            kind TEXT NOT NULL,
            text TEXT NOT NULL,
            is_corrected INTEGER NOT NULL,
            PRIMARY KEY (participant, entry_id, position)
        ) WITHOUT ROWID;
        CREATE TABLE participant_link (
            participant INTEGER NOT NULL,
            entry_id TEXT NOT NULL,
            other_id TEXT NOT NULL,
            other_location TEXT NOT NULL,
            is_undone INTEGER NOT NULL,
            PRIMARY KEY (participant, entry_id)
        ) WITHOUT ROWID;
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
        CREATE TABLE planned_questionnaire (
            participant INTEGER NOT NULL,
            place INTEGER NOT NULL,
            questionnaire TEXT NOT NULL,
            form_oid TEXT NOT NULL,
            respondent TEXT NOT NULL,
            event_oid TEXT NOT NULL,
            occurrence INTEGER NOT NULL,
            due TEXT,
            window_start TEXT,
            window_end TEXT,
            outcome TEXT NOT NULL,
            answers TEXT NOT NULL,
            is_answered_in_window INTEGER,
            PRIMARY KEY (participant, place)
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
            decisions TEXT NOT NULL,
            entries TEXT NOT NULL,
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

    /// The tables whose rows belong to one participant and begin with the participant's number, beside `form_instance`.
    static let participantTables = [
        "participant", "participant_alias", "participant_label", "participant_link", "participant_status",
        "planned_visit", "planned_questionnaire", "finding", "open_conflict",
    ]

    /// How many columns those have that begin with participant and entry.
    static let columnCounts = [
        "participant_alias": 2, "participant_label": 6, "participant_link": 5, "participant_status": 4,
    ]

    /// Made after the rows, in one pass over each table.
    static let indexes = """
        CREATE UNIQUE INDEX participant_by_id ON participant (participant_id);
        CREATE INDEX participant_by_place ON participant (location, label, participant_id);
        CREATE INDEX participant_in_conflict ON participant (location, label, participant_id) WHERE conflicts > 0;
        CREATE INDEX participant_by_label ON participant (label);
        CREATE INDEX alias_by_entry ON participant_alias (entry_id);
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
                    participant.location, participant.label, form_instance.event_oid, form_instance.event_repeat_key,
                    form_instance.form_oid, form_instance.form_repeat_key, form_instance.form_id AS form_instance,
                    \(isRow ? "rows.group_repeat_key, " : "")\
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
    /// The table behind the view. No name of a view begins so.
    var rowsName: String { DatamartLayout.rowsPrefix + name }
}
