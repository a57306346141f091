public import EventLog

extension StoreCore {
    /// No more incidents than this are kept: a peer that misbehaves must not fill the disk. The oldest go first.
    public static let maximumIncidents: Int64 = 10_000

    /// Stores a version of the charter; one that is held already stays as it is.
    public func storeCharter(_ charter: CharterRecord) throws {
        try requireWritable()
        let statement = try connection.cached(
            "INSERT INTO charters (version, hash, bytes, signatures) VALUES (?1, ?2, ?3, ?4) ON CONFLICT DO NOTHING")
        statement.bind(1, Int64(bitPattern: charter.version))
        statement.bind(2, charter.hash)
        statement.bind(3, charter.bytes)
        statement.bind(4, charter.signatures)
        try statement.run()
    }

    /// Keeps something that people should hear of.
    public func storeIncident(_ incident: Incident) throws {
        try requireWritable()
        let statement = try connection.cached(
            """
            INSERT INTO incidents (utc_milliseconds, kind, peer, log, text, held_head, shown_head)
            VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7)
            """)
        statement.bind(1, incident.utcMilliseconds)
        statement.bind(2, incident.kind)
        if let peer = incident.peer { statement.bind(3, peer.text) } else { statement.bindNull(3) }
        if let log = incident.log { statement.bind(4, log.hash) } else { statement.bindNull(4) }
        statement.bind(5, incident.text)
        if let head = incident.heldHead { statement.bind(6, head) } else { statement.bindNull(6) }
        if let head = incident.shownHead { statement.bind(7, head) } else { statement.bindNull(7) }
        try statement.run()
        let oldest = try connection.cached(
            "DELETE FROM incidents WHERE number <= (SELECT max(number) FROM incidents) - ?1")
        oldest.bind(1, StoreCore.maximumIncidents)
        try oldest.run()
    }

    /// No more proofs of one log are kept: one says all, others only say it of other heads.
    static let maximumProofsOfALog: Int64 = 16

    /// Keeps the proof of a fork, which the caller has checked, and closes the log where it is this node's own. A proof of
    /// the same two heads adds nothing.
    ///
    /// - Parameter log: the log that was forked.
    public func storeForkProof(_ proof: ForkProof, log: LogID, time: NodeTime) throws {
        try requireWritable()
        if let state = state(of: log), state.isOwn { try giveUp(state, reason: .forked) }
        let known = try connection.cached(
            "SELECT count(*), sum(smaller = ?2 AND larger = ?3) FROM fork_proofs WHERE log = ?1")
        defer { known.reset() }
        known.bind(1, log.hash)
        known.bind(2, proof.smaller.bytes)
        known.bind(3, proof.larger.bytes)
        if try known.step(), known.int64(0) >= StoreCore.maximumProofsOfALog || known.int64(1) > 0 { return }
        let statement = try connection.cached(
            """
            INSERT INTO fork_proofs (log, smaller, larger, prefix_root, path, utc_milliseconds)
            VALUES (?1, ?2, ?3, ?4, ?5, ?6)
            """)
        statement.bind(1, log.hash)
        statement.bind(2, proof.smaller.bytes)
        statement.bind(3, proof.larger.bytes)
        statement.bind(4, proof.prefixRoot)
        statement.bind(5, proof.path.flatMap(\.bytes))
        statement.bind(6, time.utcMilliseconds)
        try statement.run()
    }
}
