import EventLog
import StoreCore
import Trial

/// A participant who was erased, as the view holds them.
struct ErasedRow: Hashable, Sendable {
    var participant: EntryID
    /// The orders, sorted.
    var orders: [EntryID]
    /// Those of their registrations that are here, sorted.
    var registrations: [EntryID]
    /// Number of their entries here.
    var entries: Int

    /// The rows of everybody who was erased, of whom a registration is here.
    static func list(_ people: some Sequence<ErasedParticipant>) -> [ErasedRow] {
        people.filter { !$0.registrations.isEmpty }.map(ErasedRow.init).sorted { $0.participant < $1.participant }
    }

    func digest(in location: LocationID) -> Hash {
        var writer = WireWriter()
        writer.string(1, "varde/view/erased/0")
        writer.string(2, location.text)
        writer.identifier(3, participant)
        for order in orders { writer.identifier(4, order) }
        for registration in registrations { writer.identifier(5, registration) }
        writer.unsigned(6, UInt64(entries))
        return .sha256(writer.bytes)
    }
}

extension ErasedRow {
    init(_ erased: ErasedParticipant) {
        self.init(
            participant: erased.id, orders: erased.orders, registrations: erased.registrations.sorted(),
            entries: erased.entryCount)
    }
}

extension ViewWriter {
    /// Writes who of a location's participants was erased.
    func setErased(_ rows: [ErasedRow], in location: LocationID) throws {
        let row = try connection.prepare("SELECT digest FROM erased_participant WHERE location = ?1")
        row.bind(1, location.text)
        var standing: Set<Hash> = []
        while try row.step() { if let digest = row.hash(0) { standing.insert(digest) } }
        row.finalize()
        guard standing != Set(rows.map { $0.digest(in: location) }) else { return }
        let removal = try connection.cached("DELETE FROM erased_participant WHERE location = ?1")
        removal.bind(1, location.text)
        try removal.run()
        for old in standing { removeFromDigest(old) }
        for row in rows {
            let statement = try connection.cached("INSERT INTO erased_participant VALUES (?1, ?2, ?3, ?4, ?5, ?6)")
            statement.bind(1, row.participant.hash.hex)
            statement.bind(2, location.text)
            statement.bind(3, utf8: ViewWriter.list(row.orders))
            statement.bind(4, utf8: ViewWriter.list(row.registrations))
            statement.bind(5, Int64(row.entries))
            statement.bind(6, row.digest(in: location))
            try statement.run()
            addToDigest(row.digest(in: location))
        }
    }

    private static func list(_ ids: [EntryID]) -> [UInt8] {
        var json = JSONText()
        json.array { json in for id in ids { json.hex(id.hash) } }
        return json.bytes
    }
}
