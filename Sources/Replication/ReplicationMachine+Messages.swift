import EventLog

/// Sending, refusing and reporting.
extension ReplicationMachine {
    /// Sends a message, unless no link is up or the link is blocked: then both sides agree anew later.
    mutating func send(_ message: ReplicationMessage, to peer: NodeID) {
        guard let state = peers[peer], state.phase != .down, !state.isBlocked else { return }
        let bytes = message.bytes
        peers[peer]?.sentBytes += UInt64(bytes.count)
        effects.append(.send(bytes, to: peer))
    }

    /// Tells a peer that its message was not taken; at most once a second, and never in answer to a refusal.
    mutating func refuse(_ peer: NodeID, _ code: RefusalCode, _ text: String) {
        if let last = peers[peer]?.lastRefusal, now < last + 1_000 { return }
        peers[peer]?.lastRefusal = now
        send(.refusal(Refusal(code: code, text: text)), to: peer)
    }

    mutating func refuseUnreadable(_ error: WireError, from peer: NodeID) {
        peers[peer]?.faults += 1
        effects.append(.holdBack(peer, milliseconds: 1_000))
        if case .unknownVersion(let version) = error {
            // The message might itself be a refusal, so it is answered only once for each link: no two nodes of
            // different versions may go on refusing each other's refusals.
            let kind = ReplicationIncident.Kind.unknownProtocolVersion(version)
            guard report(kind, about: peer, isOnce: true) else { return }
            refuse(
                peer, .unknownProtocolVersion,
                "this node speaks replication protocol version \(ReplicationProtocol.version), not \(version): "
                    + "update the older of the two")
        } else {
            report(.unreadableMessage(error), about: peer)
            refuse(peer, .unreadable, "a message cannot be read: \(error)")
        }
    }

    mutating func receive(_ refusal: Refusal, from peer: NodeID) {
        peers[peer]?.refusals += 1
        report(.refusedByPeer(refusal.code, refusal.text), about: peer, isOnce: true)
    }

    /// Reports an incident, within what is allowed for one peer in a minute.
    ///
    /// - Parameter isOnce: whether equal incidents are reported only once while the link is up.
    /// - Returns: false where an equal incident was reported before.
    @discardableResult
    mutating func report(_ kind: ReplicationIncident.Kind, about peer: NodeID, isOnce: Bool = false) -> Bool {
        guard var state = peers[peer] else { return false }
        defer { peers[peer] = state }
        if isOnce {
            guard !state.reportedOnce.contains(kind) else { return false }
            // Beyond this many different incidents of one link, more are counted and no longer told apart.
            if state.reportedOnce.count < 256 { state.reportedOnce.insert(kind) }
        }
        let minute = now / 60_000
        if state.incidentMinute != minute {
            state.incidentMinute = minute
            state.incidentsInMinute = 0
        }
        guard state.incidentsInMinute < configuration.incidentsPerMinute else {
            state.suppressedIncidents += 1
            return true
        }
        state.incidentsInMinute += 1
        effects.append(.report(ReplicationIncident(peer: peer, kind: kind)))
        return true
    }
}
