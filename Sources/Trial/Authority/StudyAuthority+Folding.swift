public import EventLog

extension StudyAuthority {
    /// Folds all entries of the study's own stream, in any order, under the charter's versions.
    public static func fold(
        _ entries: some Collection<WrittenEntry>, study: StudyID, directory: NetworkDirectory
    ) -> StudyAuthority {
        var authority = StudyAuthority(study: study, directory: directory)
        // The id orders them because it is the same everywhere; nothing below depends on when an entry came.
        let judged = authority.judgedByCharter(entries.sorted { $0.id < $1.id })
        authority.takeFounding(judged)
        authority.takeParticipation(judged)
        authority.takeAnswers(judged)
        authority.takeDelegations(judged)
        authority.takeDocuments(judged)
        authority.noteReusedCommands(judged)
        return authority
    }

    /// Leaves out what this software does not understand, what a node outside the charter wrote, what waits for a charter,
    /// and what other entries of its log or a revoked key keep from having effect.
    private mutating func judgedByCharter(_ entries: [WrittenEntry]) -> [WrittenEntry] {
        var knowledge: [LogID: LogKnowledge] = [:]
        for entry in entries {
            guard let header = entry.header else { continue }
            knowledge[entry.place.log, default: LogKnowledge(writer: entry.writer, stream: entry.stream)]
                .note(header, at: entry.place.index)
        }
        return entries.filter { entry in
            guard let header = entry.header, case .action(let action) = entry.content else {
                if entry.content == .unreadable { void[entry.id] = .unreadable } else { notUnderstood.insert(entry.id) }
                return false
            }
            let log = knowledge[entry.place.log]
            if let log, knewLess(header, at: entry.place.index, log) {
                void[entry.id] = .knewLess
                return false
            }
            guard let version = directory.version(header.known.charter) else {
                waiting[entry.id] = .charter(header.known.charter)
                return false
            }
            guard version.admitted.contains(entry.writer) else {
                void[entry.id] = .writerNotInCharter
                return false
            }
            if let log, isBeyondAccepted(log, entry.place.log, at: entry.place.index) {
                void[entry.id] = .beyondAccepted
                return false
            }
            guard let act = RoleTable.act(of: header.operation), !RoleTable.isAboutParticipants(act) else {
                void[entry.id] = .wrongStream
                return false
            }
            guard RoleTable.allows(header.authority.role, act) else {
                void[entry.id] = .roleMayNot
                return false
            }
            return action.operation != .log
        }
    }

    private mutating func takeFounding(_ entries: [WrittenEntry]) {
        for entry in entries {
            guard case .studyFounded(let payload)? = entry.action?.operation else { continue }
            let id = StudyFounding.studyID(network: directory.network, founder: entry.writer, nonce: payload.nonce)
            if founding == nil, id == study {
                founding = ChainLink(id: entry.id, payload: payload)
                founder = entry.writer
            } else {
                void[entry.id] = .notTheFounding
            }
        }
    }

    private mutating func takeParticipation(_ entries: [WrittenEntry]) {
        let numbered: [(entry: WrittenEntry, payload: Participation)] = entries.compactMap { entry in
            if case .participationNumbered(let payload)? = entry.action?.operation { (entry, payload) } else { nil }
        }
        let byNumber = Dictionary(grouping: numbered, by: \.payload.number)
        var taken: Set<EntryID> = []
        while true {
            let number = UInt64(participations.count) + 1
            // Only what may stand is compared: a copy that another node made must not take the place of what it copies.
            let fitting = (byNumber[number] ?? []).filter {
                $0.payload.previous.map(standing(for:)) == participations.last?.id
                    && coordinates($0.entry.writer, knowing: number - 1)
            }
            guard let next = fitting.first else { break }
            participations.append(ChainLink(id: next.entry.id, payload: next.payload))
            let repetitions = fitting.map(\.entry).filter { repeats($0, next.entry) }
            for entry in repetitions where entry.id != next.entry.id { canonical[entry.id] = next.entry.id }
            taken.insert(next.entry.id)
        }
        for (entry, payload) in numbered where !taken.contains(entry.id) && canonical[entry.id] == nil {
            let isNext = payload.number == UInt64(participations.count) + 1
            if founder == nil || payload.number > UInt64(participations.count) + 1 {
                waiting[entry.id] = .participation(payload.number == 0 ? 0 : payload.number - 1)
            } else if payload.number == 0 || isNext && coordinates(entry.writer, knowing: payload.number - 1) {
                void[entry.id] = .misplaced
            } else {
                void[entry.id] = isNext ? .notCoordinating : .numberTaken
            }
        }
    }

    private mutating func takeAnswers(_ entries: [WrittenEntry]) {
        var taken: [SentAction: EntryID] = [:]
        let invitations = Dictionary(participations.map { ($0.id, $0.payload) }) { first, _ in first }
        // Withdrawals first, so that an acceptance sent twice is recognised although each names them by ids of its own.
        for entry in entries.filter({ $0.header?.operation == .participationWithdrawn })
            + entries.filter({ $0.header?.operation == .participationAccepted })
        {
            let answer: ParticipationAnswer
            let withdraws: Bool
            switch entry.action?.operation {
            case .participationAccepted(let payload)?: (answer, withdraws) = (payload, false)
            case .participationWithdrawn(let payload)?: (answer, withdraws) = (payload, true)
            default: continue
            }
            guard let header = entry.header, let version = directory.version(header.known.charter) else { continue }
            guard let invitation = invitations[standing(for: answer.invitation)] else {
                waiting[entry.id] = .participation(header.known.participation)
                continue
            }
            let isInvited = answer.locations.allSatisfy { location in
                version.hosts[location] == entry.writer && invitation.members.contains { $0.location == location }
            }
            guard isInvited else {
                void[entry.id] = .notInvited
                continue
            }
            guard !takeAsRepetition(entry, of: &taken) else { continue }
            if withdraws {
                for location in answer.locations { withdrawals[location, default: []].insert(entry.id) }
            } else {
                acceptances[entry.id] = answer
            }
        }
    }

    private mutating func takeDelegations(_ entries: [WrittenEntry]) {
        var open: [(entry: WrittenEntry, payload: Delegation)] = entries.compactMap { entry in
            if case .delegationNumbered(let payload)? = entry.action?.operation { (entry, payload) } else { nil }
        }
        // Who owns a chain is judged by the participation number that the writer knew.
        open.removeAll { entry, payload in
            let number = entry.header?.known.participation ?? 0
            guard number <= UInt64(participations.count) else {
                waiting[entry.id] = .participation(number)
                return true
            }
            let sites = participation(numbered: number)?.sites ?? []
            guard sites.contains(where: { $0.id == payload.site && $0.owner == entry.writer }) else {
                void[entry.id] = .notOwningDelegations
                return true
            }
            return false
        }
        let taken = chain(Dictionary(grouping: open, by: \.payload.site))
        for (entry, payload) in open where !taken.contains(entry.id) && canonical[entry.id] == nil {
            let next = delegationNumber(of: payload.site) + 1
            if payload.number > next {
                waiting[entry.id] = .delegation(payload.site, payload.number - 1)
            } else {
                void[entry.id] = payload.number == 0 || payload.number == next ? .misplaced : .numberTaken
            }
        }
    }

    /// Puts each site's chain together, number by number; gives what stands in it.
    private mutating func chain(
        _ sites: [StudySiteID: [(entry: WrittenEntry, payload: Delegation)]]
    ) -> Set<EntryID> {
        var taken: Set<EntryID> = []
        for (site, open) in sites.sorted(by: { $0.key < $1.key }) {
            let byNumber = Dictionary(grouping: open, by: \.payload.number)
            while true {
                let candidates = byNumber[delegationNumber(of: site) + 1] ?? []
                let last = delegations[site]?.last?.id
                let next = candidates.first { $0.payload.previous.map(standing(for:)) == last }
                guard let (entry, payload) = next else { break }
                delegations[site, default: []].append(ChainLink(id: entry.id, payload: payload))
                taken.insert(entry.id)
                for extent in payload.held where payload.ends != nil {
                    statedExtents[entry.id, default: [:]][extent.log] = extent.size
                }
                for (other, _) in candidates where other.id != entry.id && repeats(other, entry) {
                    canonical[other.id] = entry.id
                }
            }
        }
        return taken
    }

    /// Definitions, their pieces and plans: by a coordinating node, as of the participation it knew.
    private mutating func takeDocuments(_ entries: [WrittenEntry]) {
        var taken: [WrittenEntry] = []
        var sent: [SentAction: EntryID] = [:]
        // Pieces first, so that a publication sent twice is recognised although each names pieces of its own.
        for entry in entries.filter({ $0.header?.operation == .contentChunk })
            + entries.filter({ $0.header?.operation == .definitionPublished || $0.header?.operation == .planSet })
        {
            let number = entry.header?.known.participation ?? 0
            guard number <= UInt64(participations.count), founder != nil else {
                waiting[entry.id] = .participation(number)
                continue
            }
            guard coordinates(entry.writer, knowing: number) else {
                void[entry.id] = .notCoordinating
                continue
            }
            guard !takeAsRepetition(entry, of: &sent) else { continue }
            taken.append(entry)
        }
        func order(_ entry: WrittenEntry) -> (UInt64, EntryID) { (entry.header?.hybridTime ?? 0, entry.id) }
        for entry in taken.sorted(by: { order($0) < order($1) }) {
            switch entry.action?.operation {
            case .definitionPublished(let payload)?: definitions.append(ChainLink(id: entry.id, payload: payload))
            case .planSet(let document?)?: plans.append(ChainLink(id: entry.id, payload: document))
            default: break
            }
        }
    }
}
