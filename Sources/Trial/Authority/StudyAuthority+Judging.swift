import EventLog

extension StudyAuthority {
    /// Whether an entry of a location's stream has effect, judged from what its writer knew (DESIGN §5, "Rights"); the
    /// judgement is remembered by what it depends on.
    ///
    /// - Parameter knowledge: what the writers of the stream's logs knew where.
    func judge(
        _ entry: WrittenEntry, _ knowledge: [LogID: LogKnowledge],
        remembering judgements: inout [JudgementKey: KeyedJudgement]
    ) -> Judgement {
        guard let header = entry.header else { return .effect(nil) }
        let key = JudgementKey(writer: entry.writer, stream: entry.stream, header: header)
        let known = judgements[key] ?? keyedJudgement(of: key)
        judgements[key] = known
        let judgement = known.judgement(
            at: entry.place, forkedFrom: knowledge[entry.place.log]?.forkedFrom, in: self)
        guard let log = knowledge[entry.place.log] else { return judgement }
        if knewLess(header, at: entry.place.index, log) { return .void(.knewLess) }
        switch judgement {
        case .waiting(.charter), .void(.writerNotInCharter): return judgement
        default:
            let isBeyond = isBeyondAccepted(log, entry.place.log, at: entry.place.index)
            return isBeyond ? .void(.beyondAccepted) : judgement
        }
    }

    /// What the key alone says.
    func keyedJudgement(of key: JudgementKey) -> KeyedJudgement {
        let end = unknownEnd(of: key)
        return KeyedJudgement(
            afterEnd: judge(key, isBeforeEnd: false), beforeEnd: end == nil ? nil : judge(key, isBeforeEnd: true),
            end: end)
    }

    /// The first link beyond what the writer knew that ends the grant it relied on.
    private func unknownEnd(of key: JudgementKey) -> EntryID? {
        guard let grant = key.authority.delegation.map(standing(for:)), let location = key.stream.location,
            let site = participation(numbered: key.known.participation)?.site(of: location),
            let chain = delegations[site.id], key.known.delegation < UInt64(chain.count)
        else { return nil }
        return chain.dropFirst(Int(key.known.delegation)).first { $0.payload.ends.map(standing(for:)) == grant }?.id
    }

    /// - Parameter isBeforeEnd: whether the entry is known to stand before the end of its grant, where that has one.
    private func judge(_ key: JudgementKey, isBeforeEnd: Bool) -> Judgement {
        guard let version = directory.version(key.known.charter) else { return .waiting(.charter(key.known.charter)) }
        guard version.admitted.contains(key.writer) else { return .void(.writerNotInCharter) }
        guard case .location(let location) = key.stream.scope else { return .void(.wrongStream) }
        guard key.known.participation > 0 else { return .void(.streamNotOpen) }
        guard let participation = participation(numbered: key.known.participation) else {
            return .waiting(.participation(key.known.participation))
        }
        switch openness(of: location, in: participation) {
        case .open: break
        case .closed: return .void(.streamNotOpen)
        case .waiting(let acceptance): return .waiting(.acceptance(acceptance))
        }
        let sharers = sharers(of: location, in: participation, hosts: version.hosts) {
            openness(of: $0, in: participation) == .open
        }
        guard sharers.contains(key.writer) else {
            let acceptance = acceptance(
                awaitedFor: key.writer, beside: location, in: participation, hosts: version.hosts)
            return acceptance.map { .waiting(.acceptance($0)) } ?? .void(.foreignStream)
        }
        guard let act = RoleTable.act(of: key.operation) else { return .effect(nil) }
        guard act != .manageStudy, act != .answerForInstitution, act != .delegate else { return .void(.wrongStream) }
        guard RoleTable.allows(key.authority.role, act) else { return .void(.roleMayNot) }
        if act == .orderDrop, participation.orders?.allow(key.authority.role, key.operation) == false {
            return .void(.orderNotAllowed)
        }
        guard RoleTable.needsDelegation(act, as: key.authority.role) else { return .effect(nil) }
        guard let site = participation.site(of: location) else { return .void(.notDelegated) }
        let judgement = judgeDelegation(key, at: site.id, isBeforeEnd: isBeforeEnd)
        // What decides for others may not outlive the right to it; what was measured may.
        if RoleTable.decidesForOthers(act), judgement == .effect(.delegationHadEnded) {
            return .void(.delegationEnded)
        }
        return judgement
    }

    /// The acceptance, not here yet, by which `writer` would share `location`'s stream in a regional site.
    private func acceptance(
        awaitedFor writer: NodeID, beside location: LocationID, in participation: Participation,
        hosts: [LocationID: NodeID]
    ) -> EntryID? {
        guard let site = participation.site(of: location), site.isRegional else { return nil }
        for other in site.locations where hosts[other] == writer {
            if case .waiting(let acceptance) = openness(of: other, in: participation) { return acceptance }
        }
        return nil
    }

    private func judgeDelegation(_ key: JudgementKey, at site: StudySiteID, isBeforeEnd: Bool) -> Judgement {
        guard let grant = key.authority.delegation.map(standing(for:)), key.known.delegation > 0 else {
            return .void(.notDelegated)
        }
        let chain = delegations[site] ?? []
        guard key.known.delegation <= UInt64(chain.count) else {
            return .waiting(.delegation(site, key.known.delegation))
        }
        let known = chain.prefix(Int(key.known.delegation))
        let granted = known.contains {
            $0.id == grant && $0.payload.ends == nil && $0.payload.actor == key.authority.actor
                && $0.payload.role == key.authority.role
        }
        guard granted, !known.contains(where: { $0.payload.ends.map(standing(for:)) == grant }) else {
            return .void(.notDelegated)
        }
        // The end came later than what the writer knew: what was measured keeps its effect, and the investigator decides.
        let endedUnknown = chain.dropFirst(known.count).contains { $0.payload.ends.map(standing(for:)) == grant }
        return .effect(endedUnknown && !isBeforeEnd ? .delegationHadEnded : nil)
    }
}
