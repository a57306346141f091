import EventLog
import Trial

extension AuthorityOracle {
    /// What an entry of a location's stream comes to, by what its header says its writer knew.
    ///
    /// - Parameter stream: every entry of the location's stream.
    func verdict(
        on entry: WrittenEntry, at location: LocationID, in stream: [WrittenEntry]
    ) -> Oracle.Verdict {
        guard let header = entry.header else { return .counts(nil) }
        let known = header.known
        if hasFallen(entry, in: stream, at: location) { return .void(.knewLess) }
        guard known.charter < UInt64(directory.versions.count) else { return .waits(.charter(known.charter)) }
        let version = directory.versions[Int(known.charter)]
        if !version.admitted.contains(entry.writer) { return .void(.writerNotInCharter) }
        if !isAccepted(entry, in: stream) { return .void(.beyondAccepted) }
        if known.participation == 0 { return .void(.streamNotOpen) }
        if known.participation > UInt64(chain.count) { return .waits(.participation(known.participation)) }
        let participation = chain[Int(known.participation) - 1].payload
        switch opening(of: location, by: participation) {
        case .counts: break
        case let other: return other
        }
        let site = participation.sites.first { $0.locations.contains(location) }
        switch place(of: entry.writer, beside: location, in: site, by: participation, hosts: version.hosts) {
        case .counts: break
        case let other: return other
        }
        if OracleRoles.isAboutTheStudy(header.operation) { return .void(.wrongStream) }
        if !OracleRoles.mayDo(header.authority.role, header.operation) { return .void(.roleMayNot) }
        if header.operation == .redactionOrdered || header.operation == .erasureOrdered {
            if let allowed = participation.orders {
                let roles = header.operation == .erasureOrdered ? allowed.erasure : allowed.redaction
                if !roles.contains(header.authority.role) { return .void(.orderNotAllowed) }
            }
            // An institution answers for itself.
            if header.authority.role == .institution { return .counts(nil) }
        }
        guard OracleRoles.isAboutParticipants(header.operation) else { return .counts(nil) }
        guard let site else { return .void(.notDelegated) }
        let verdict = delegation(header, at: site.id, place: entry.place, in: stream)
        if OracleRoles.decidesForOthers(header.operation), verdict == .counts(.delegationHadEnded) {
            return .void(.delegationEnded)
        }
        return verdict
    }

    /// Whether the writer knew less than for an entry before this one in its log. Delegation numbers compare where both
    /// participation numbers put the location into one study site.
    func hasFallen(_ entry: WrittenEntry, in stream: [WrittenEntry], at location: LocationID?) -> Bool {
        guard let mine = entry.header?.known else { return false }
        func site(_ number: UInt64) -> StudySiteID? {
            guard number > 0, number <= UInt64(chain.count), let location else { return nil }
            return chain[Int(number) - 1].payload.sites.first { $0.locations.contains(location) }?.id
        }
        let log = stream.filter { $0.place.log == entry.place.log && $0.header != nil }
        // Of a log with two histories nothing is before anything else.
        if Set(log.map(\.place)).count < log.count { return false }
        return log.contains { other in
            guard other.place.index < entry.place.index,
                let theirs = other.header?.known
            else { return false }
            if theirs.charter > mine.charter || theirs.participation > mine.participation { return true }
            guard location != nil, mine.delegation > 0, theirs.delegation > mine.delegation else { return false }
            return theirs.participation == mine.participation
                || site(theirs.participation) != nil && site(theirs.participation) == site(mine.participation)
        }
    }

    /// Whether the key under which the log was begun still signs, or so much was accepted when it was taken away.
    func isAccepted(_ entry: WrittenEntry, in stream: [WrittenEntry]) -> Bool {
        let log = stream.filter { $0.place.log == entry.place.log && $0.header != nil }
        guard
            let beginning = log.min(by: {
                ($0.place.index, $0.header?.known.charter ?? 0) < ($1.place.index, $1.header?.known.charter ?? 0)
            })?.header?.known.charter,
            beginning < UInt64(directory.versions.count), let newest = directory.versions.last
        else { return true }
        let key = directory.versions[Int(beginning)].signingKeys[entry.writer]
        if newest.admitted.contains(entry.writer), newest.signingKeys[entry.writer] == key { return true }
        return entry.place.index < newest.accepted[entry.writer]?[entry.place.log] ?? 0
    }

    /// Whether the participation opens the location.
    private func opening(of location: LocationID, by participation: Participation) -> Oracle.Verdict {
        let member = participation.members.first { $0.location == location }
        guard let named = member?.acceptance else { return .void(.streamNotOpen) }
        if let answer = acceptances[name(named)] {
            return answer.locations.contains(location) ? .counts(nil) : .void(.streamNotOpen)
        }
        return snapshot.marks.void[named] == nil ? .waits(.acceptance(named)) : .void(.streamNotOpen)
    }

    /// Whether the writer hosts the location, or an open location of the same regional site.
    private func place(
        of writer: NodeID, beside location: LocationID, in site: StudySite?, by participation: Participation,
        hosts: [LocationID: NodeID]
    ) -> Oracle.Verdict {
        if hosts[location] == writer { return .counts(nil) }
        let others = site.map { $0.isRegional ? $0.locations : [] } ?? []
        let openings = others.filter { hosts[$0] == writer }.map { opening(of: $0, by: participation) }
        if openings.contains(.counts(nil)) { return .counts(nil) }
        let waits = openings.first {
            if case .waits = $0 { true } else { false }
        }
        return waits ?? .void(.foreignStream)
    }

    /// Whether the actor held the role, as the writer knew it.
    private func delegation(
        _ header: EntryHeader, at site: StudySiteID, place: EntryAddress, in stream: [WrittenEntry]
    ) -> Oracle.Verdict {
        let chain = delegations[site] ?? []
        let number = header.known.delegation
        guard let named = header.authority.delegation, number > 0 else { return .void(.notDelegated) }
        if number > UInt64(chain.count) { return .waits(.delegation(site, number)) }
        let grant = name(named)
        let knownLinks = Array(chain[..<Int(number)])
        let laterLinks = Array(chain[Int(number)...])
        let isGranted = knownLinks.contains { link in
            link.entry.id == grant && link.payload.ends == nil && link.payload.actor == header.authority.actor
                && link.payload.role == header.authority.role
        }
        func ends(_ link: (entry: WrittenEntry, payload: Delegation)) -> Bool { link.payload.ends.map(name) == grant }
        if !isGranted || knownLinks.contains(where: ends) { return .void(.notDelegated) }
        guard let end = laterLinks.first(where: ends) else { return .counts(nil) }
        // Which of several histories was held, the end does not tell.
        let places = stream.filter { $0.place.log == place.log && $0.header != nil }.map(\.place)
        let isShared = places.contains { shared in
            shared.index <= place.index && places.filter { $0 == shared }.count > 1
        }
        let wasHeld = !isShared && end.payload.held.contains { $0.log == place.log && place.index < $0.size }
        return .counts(wasHeld ? nil : .delegationHadEnded)
    }
}
