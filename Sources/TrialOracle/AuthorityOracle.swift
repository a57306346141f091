import EventLog
import Trial

/// Who holds, writes and does what, by the words of DESIGN §3 and §5.
struct AuthorityOracle {
    let study: StudyID
    let directory: NetworkDirectory
    /// The study's own stream, lowest id first.
    let entries: [WrittenEntry]
    private(set) var snapshot = StudySnapshot()

    private(set) var founder: NodeID?
    private(set) var chain: [(entry: WrittenEntry, payload: Participation)] = []
    private(set) var acceptances: [EntryID: ParticipationAnswer] = [:]
    private(set) var delegations: [StudySiteID: [(entry: WrittenEntry, payload: Delegation)]] = [:]
    /// For an entry that says what a lower one said, by the same command, that one.
    private var repeats: [EntryID: EntryID] = [:]

    init(_ entries: [WrittenEntry], study: StudyID, directory: NetworkDirectory) {
        self.study = study
        self.directory = directory
        self.entries = entries
        let admitted = entries.filter { isAdmitted($0) }
        found(admitted)
        number(admitted)
        answer(admitted)
        for site in Set(admitted.compactMap { delegation($0)?.site }) { delegate(admitted, at: site) }
        publish(admitted)
        for entry in admitted where repeats[entry.id] == nil {
            let reused = admitted.contains {
                $0.id != entry.id && repeats[$0.id] == nil && OracleCommands.haveOneCommand($0, entry)
            }
            if reused { snapshot.marks.findings[entry.id] = .commandRepeatedWithOtherContent }
        }
    }

    func name(_ entry: EntryID) -> EntryID { repeats[entry] ?? entry }

    private mutating func isAdmitted(_ entry: WrittenEntry) -> Bool {
        if entry.content == .unreadable {
            snapshot.marks.void[entry.id] = .unreadable
            return false
        }
        guard let header = entry.header, entry.content != .notUnderstood else {
            snapshot.marks.notUnderstood.insert(entry.id)
            return false
        }
        if hasFallen(entry, in: entries, at: nil) {
            snapshot.marks.void[entry.id] = .knewLess
            return false
        }
        guard header.known.charter < UInt64(directory.versions.count) else {
            snapshot.marks.waiting[entry.id] = .charter(header.known.charter)
            return false
        }
        let rule: VoidRule? =
            if !directory.versions[Int(header.known.charter)].admitted.contains(entry.writer) {
                .writerNotInCharter
            } else if !isAccepted(entry, in: entries) {
                .beyondAccepted
            } else if OracleRoles.isAboutParticipants(header.operation) {
                .wrongStream
            } else if !OracleRoles.mayDo(header.authority.role, header.operation) { .roleMayNot } else { nil }
        snapshot.marks.void[entry.id] = rule
        return rule == nil && entry.action?.operation != .log
    }

    private mutating func found(_ entries: [WrittenEntry]) {
        for entry in entries {
            guard case .studyFounded(let founding)? = entry.action?.operation else { continue }
            let isThis =
                StudyFounding.studyID(network: directory.network, founder: entry.writer, nonce: founding.nonce) == study
            if isThis && snapshot.founding == nil {
                snapshot.founding = entry.id
                founder = entry.writer
            } else {
                snapshot.marks.void[entry.id] = .notTheFounding
            }
        }
    }

    /// Whether a node coordinates by the number that it knew; before the first number the founder does.
    private func coordinates(_ node: NodeID, by number: UInt64) -> Bool {
        if number == 0 { return founder == node }
        return number <= UInt64(chain.count) && chain[Int(number) - 1].payload.coordinatingNodes.contains(node)
    }

    private mutating func number(_ entries: [WrittenEntry]) {
        let numbered: [(WrittenEntry, Participation)] = entries.compactMap { entry in
            if case .participationNumbered(let payload)? = entry.action?.operation { (entry, payload) } else { nil }
        }
        var next: UInt64 = 1
        while true {
            let candidates = numbered.filter { entry, payload in
                payload.number == next && payload.previous.map(name) == chain.last?.entry.id
                    && coordinates(entry.writer, by: next - 1)
            }
            guard let lowest = candidates.min(by: { $0.0.id < $1.0.id }) else { break }
            chain.append((lowest.0, lowest.1))
            for (entry, _) in candidates where entry.id != lowest.0.id && areOneCommand(entry, lowest.0) {
                repeats[entry.id] = lowest.0.id
            }
            next += 1
        }
        snapshot.participations = chain.map(\.entry.id)
        for (entry, payload) in numbered {
            guard !snapshot.participations.contains(entry.id), repeats[entry.id] == nil else { continue }
            if founder == nil || payload.number > next {
                snapshot.marks.waiting[entry.id] = .participation(payload.number > 0 ? payload.number - 1 : 0)
            } else if payload.number == 0 {
                snapshot.marks.void[entry.id] = .misplaced
            } else if payload.number < next {
                snapshot.marks.void[entry.id] = .numberTaken
            } else {
                snapshot.marks.void[entry.id] = coordinates(entry.writer, by: next - 1) ? .misplaced : .notCoordinating
            }
        }
    }

    private func areOneCommand(_ left: WrittenEntry, _ right: WrittenEntry) -> Bool {
        OracleCommands.haveOneCommand(left, right)
            && OracleCommands.text(left, naming: name) == OracleCommands.text(right, naming: name)
    }

    private mutating func answer(_ entries: [WrittenEntry]) {
        var counted: [WrittenEntry] = []
        func isWithdrawal(_ entry: WrittenEntry) -> Bool {
            if case .participationWithdrawn? = entry.action?.operation { true } else { false }
        }
        // An acceptance names withdrawals, so that what repeats what among them is asked first.
        for entry in entries.filter(isWithdrawal) + entries.filter({ !isWithdrawal($0) }) {
            let answer: ParticipationAnswer
            switch entry.action?.operation {
            case .participationAccepted(let payload)?, .participationWithdrawn(let payload)?: answer = payload
            default: continue
            }
            guard let known = entry.header?.known else { continue }
            guard let invitation = chain.first(where: { $0.entry.id == name(answer.invitation) }) else {
                snapshot.marks.waiting[entry.id] = .participation(known.participation)
                continue
            }
            let hosts = directory.versions[Int(known.charter)].hosts
            let invited = invitation.payload.members.map(\.location)
            guard answer.locations.allSatisfy({ hosts[$0] == entry.writer && invited.contains($0) }) else {
                snapshot.marks.void[entry.id] = .notInvited
                continue
            }
            if let lower = counted.first(where: { areOneCommand($0, entry) }) {
                repeats[entry.id] = lower.id
                continue
            }
            counted.append(entry)
            if case .participationAccepted? = entry.action?.operation {
                acceptances[entry.id] = answer
                snapshot.acceptances.insert(entry.id)
            } else {
                for location in answer.locations { snapshot.withdrawals[location, default: []].insert(entry.id) }
            }
        }
    }

    private func delegation(_ entry: WrittenEntry) -> Delegation? {
        if case .delegationNumbered(let payload)? = entry.action?.operation { payload } else { nil }
    }

    private mutating func delegate(_ entries: [WrittenEntry], at site: StudySiteID) {
        var owned: [(WrittenEntry, Delegation)] = []
        for entry in entries {
            guard let payload = delegation(entry), payload.site == site, let known = entry.header?.known else {
                continue
            }
            if known.participation > UInt64(chain.count) {
                snapshot.marks.waiting[entry.id] = .participation(known.participation)
            } else if known.participation == 0
                || !chain[Int(known.participation) - 1].payload.sites.contains(where: {
                    $0.id == site && $0.owner == entry.writer
                })
            {
                snapshot.marks.void[entry.id] = .notOwningDelegations
            } else {
                owned.append((entry, payload))
            }
        }
        var links: [(entry: WrittenEntry, payload: Delegation)] = []
        while true {
            let candidates = owned.filter { _, payload in
                payload.number == UInt64(links.count) + 1 && payload.previous.map(name) == links.last?.entry.id
            }
            guard let lowest = candidates.min(by: { $0.0.id < $1.0.id }) else { break }
            links.append((lowest.0, lowest.1))
            for (entry, _) in candidates where entry.id != lowest.0.id && areOneCommand(entry, lowest.0) {
                repeats[entry.id] = lowest.0.id
            }
        }
        if !links.isEmpty {
            delegations[site] = links
            snapshot.delegations[site] = links.map(\.entry.id)
        }
        let length = UInt64(links.count)
        for (entry, payload) in owned {
            guard !links.contains(where: { $0.entry.id == entry.id }), repeats[entry.id] == nil else { continue }
            if payload.number > length + 1 {
                snapshot.marks.waiting[entry.id] = .delegation(site, payload.number - 1)
            } else {
                let isTaken = payload.number >= 1 && payload.number <= length
                snapshot.marks.void[entry.id] = isTaken ? .numberTaken : .misplaced
            }
        }
    }

    private mutating func publish(_ entries: [WrittenEntry]) {
        var counted: [WrittenEntry] = []
        // Pieces first: a publication sent twice names pieces of its own, which are repetitions of each other.
        let pieces = entries.filter { $0.header?.operation == .contentChunk }
        for entry in pieces + entries.filter({ $0.header?.operation != .contentChunk }) {
            guard let action = entry.action, let known = entry.header?.known else { continue }
            switch action.operation {
            case .contentChunk, .definitionPublished, .planSet: break
            default: continue
            }
            if founder == nil || known.participation > UInt64(chain.count) {
                snapshot.marks.waiting[entry.id] = .participation(known.participation)
            } else if !coordinates(entry.writer, by: known.participation) {
                snapshot.marks.void[entry.id] = .notCoordinating
            } else if let lower = counted.first(where: { areOneCommand($0, entry) }) {
                repeats[entry.id] = lower.id
            } else {
                counted.append(entry)
                if case .definitionPublished = action.operation { snapshot.definitions.insert(entry.id) }
                if case .planSet(document: .some) = action.operation { snapshot.plans.insert(entry.id) }
            }
        }
    }
}
