public import EventLog

/// Asking peers for what is damaged here: one range from each place on, compared with what is held like any other that is
/// here already.
extension ReplicationMachine {
    /// Entries of a log or segment are damaged from an index on: a peer that holds them is asked, one after another.
    public mutating func repair(_ log: LogID, from index: UInt64, now: MonotonicMilliseconds) -> [ReplicationEffect] {
        step(now) { machine in
            guard machine.repairs[log]?.contains(index) != true else { return }
            machine.repairs[log, default: []].append(index)
            machine.beginRepairs()
        }
    }

    /// What was asked for from that index on is whole again, or is no more to be asked for.
    public mutating func repaired(_ log: LogID, from index: UInt64, now: MonotonicMilliseconds) -> [ReplicationEffect] {
        step(now) { machine in
            machine.repairs[log]?.removeAll { $0 == index }
            if machine.repairs[log]?.isEmpty == true { machine.repairs[log] = nil }
        }
    }

    /// Asks for the first damaged place of every log of which nothing else is being asked.
    mutating func beginRepairs() {
        for (log, places) in repairs.sorted(by: { $0.key < $1.key }) where pulls[log] == nil {
            guard let from = places.first, let peer = order.first(where: { canRepair(log, from, at: $0) }),
                let name = peers[peer]?.known[log]?.name
            else { continue }
            // With the least credit the range ends at the first checkpoint.
            let pull = Pull(
                name: name, peer: peer, number: nextNumber(), from: from, grantedBytes: 1, lastProgress: now,
                searchedFrom: from)
            pulls[log] = pull
            peers[peer]?.pulling.insert(log)
            sendWant(log, pull)
        }
    }

    private func canRepair(_ log: LogID, _ index: UInt64, at peer: NodeID) -> Bool {
        guard let state = peers[peer], state.isExchanging, let known = state.known[log], known.size > index,
            shares(known.name.stream, with: peer), hasRoom(at: peer, forBytes: 1)
        else { return false }
        return now >= state.backOffs[log]?.until ?? 0
    }

    /// A range that was asked for came and was looked at; where it repaired nothing, another peer is asked later.
    ///
    /// - Returns: false where it was asked for otherwise.
    mutating func finishRepair(_ item: IngestRecord) -> Bool {
        guard let pull = pulls[item.log], pull.number == item.pull, pull.grantedBytes == 1 else { return false }
        endPull(item.log)
        if let places = repairs[item.log], let first = places.first, first == item.start {
            repairs[item.log] = Array(places.dropFirst()) + [first]
            backOff(item.peer, item.log, isFault: false)
        }
        consider(item.log)
        beginRepairs()
        return true
    }
}
