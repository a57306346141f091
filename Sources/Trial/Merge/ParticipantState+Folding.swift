package import EventLog

extension ParticipantState {
    /// Computes the record of one participant from all entries that concern it: the only definition of what it is.
    ///
    /// - Parameters:
    ///   - registration: the entry that stands for the registration.
    ///   - location: the location whose stream it stands in.
    ///   - aliases: equal repetitions of the registration.
    ///   - isCommandReused: whether another registration with effect has the same command id and other content.
    ///   - entries: everything that names the registration or a repetition of it, in any order, without what orders drop.
    ///   - redactions: what orders drop of these entries.
    ///   - judge: whether an entry has effect, from what its header says its writer knew.
    package static func fold(
        registration: WrittenEntry, location: LocationID, aliases: [WrittenEntry], isCommandReused: Bool,
        entries: [WrittenEntry], redactions: [EntryID: Redaction] = [:], judge: (WrittenEntry) -> Judgement
    ) -> ParticipantState {
        var state = ParticipantState(
            id: registration.id, location: location, subject: registration.header?.subject)
        state.aliases = Set(aliases.map(\.id))
        state.redactions = redactions
        for alias in aliases { state.canonical[alias.id] = registration.id }
        for sending in [registration] + aliases { state.enterLabels(of: sending) }
        state.applied.insert(registration.id)
        state.noteOrigin(of: registration)
        if case .effect(let finding?) = judge(registration) { state.note(finding, of: registration.id) }
        if isCommandReused { state.note(.commandRepeatedWithOtherContent, of: registration.id) }
        var effective: [WrittenEntry] = []
        for entry in entries.sorted(by: { $0.id < $1.id }) {
            if state.admits(entry, judge: judge) { effective.append(entry) }
        }
        var distinct = state.distinctCommands(effective)
        distinct = state.withCommonBeginnings(distinct, effective)
        for entry in distinct where entry.commandKey == registration.commandKey {
            state.note(.commandRepeatedWithOtherContent, of: registration.id)
            state.note(.commandRepeatedWithOtherContent, of: entry.id)
        }
        // Decisions say in which form a write stands, and statuses which data count, so they come first. Of what is whole
        // and where it stands all entries have a say, so where one that comes later says otherwise everything is applied
        // once more.
        let isFirst = { (entry: WrittenEntry) in
            entry.header?.operation == .instancesDecided || entry.header?.operation == .statusRecorded
        }
        state.noteDecisionSights(effective)
        for entry in distinct where isFirst(entry) { state.apply(entry) }
        var again = state
        var fits = true
        for entry in distinct where !isFirst(entry) { fits = state.apply(entry, settlesWholes: false) && fits }
        if !fits {
            again.instances = state.instances.mapValues(\.emptied)
            for entry in distinct where !isFirst(entry) { again.apply(entry, settlesWholes: false) }
            state = again
        }
        state.settleWholes()
        for entry in effective where state.canonical[entry.id] != nil { state.noteRepetition(entry) }
        return state
    }

    /// Keeps a finding, of two about one entry the graver.
    mutating func note(_ finding: FindingRule, of entry: EntryID) {
        if let known = notedFindings[entry], known.rawValue < finding.rawValue { return }
        notedFindings[entry] = finding
    }

    /// Whether an entry has effect; where not, notes why.
    mutating func admits(_ entry: WrittenEntry, judge: (WrittenEntry) -> Judgement) -> Bool {
        switch judge(entry) {
        case .effect(let finding):
            if entry.action?.operation.writesIntoForeignResponse == true {
                void[entry.id] = .foreignResponse
                return false
            }
            if let finding { note(finding, of: entry.id) }
            return true
        case .void(let rule):
            void[entry.id] = rule
            return false
        case .waiting(let awaited):
            waiting[entry.id] = awaited
            return false
        }
    }

    /// Of entries with one sender, command id and content the lowest stands for all (DESIGN §2, rule 5).
    ///
    /// A repeated command may name what an earlier repeated command began, at each node by another id; so the comparison
    /// is made again, with those ids mapped, until no further repetition shows.
    private mutating func distinctCommands(_ entries: [WrittenEntry]) -> [WrittenEntry] {
        var groups: [CommandKey: [WrittenEntry]] = [:]
        for entry in entries {
            if let key = entry.commandKey { groups[key, default: []].append(entry) }
        }
        // A command names only earlier ones, so that taken by time one pass is mostly enough.
        let repeated = groups.values.filter { $0.count > 1 }.map { group in
            (time: group.compactMap { $0.header?.hybridTime }.min() ?? 0, group: group)
        }.sorted { $0.time < $1.time }.map(\.group)
        guard !repeated.isEmpty else { return entries }
        var found = true
        while found {
            found = false
            for group in repeated {
                var lowest: [Action: EntryID] = [:]
                for entry in group where canonical[entry.id] == nil {
                    guard let action = entry.action.map(mapped) else { continue }
                    if let lower = lowest[action] {
                        canonical[entry.id] = lower
                        found = true
                    } else {
                        lowest[action] = entry.id
                    }
                }
            }
        }
        for id in Array(canonical.keys) { canonical[id] = standing(for: id) }
        for group in repeated { noteOtherPlacements(group) }
        for group in repeated {
            let unequal = group.filter { canonical[$0.id] == nil }
            guard unequal.count > 1 else { continue }
            for entry in unequal { note(.commandRepeatedWithOtherContent, of: entry.id) }
        }
        return entries.filter { canonical[$0.id] == nil }
    }

    /// Notes sendings of one answer that say the same by its document and yet hold other values, or hold them elsewhere: the
    /// plan or the definitions that their nodes knew differ, or one of the nodes is at fault.
    private mutating func noteOtherPlacements(_ sendings: [WrittenEntry]) {
        let places = Dictionary(sendings.map { ($0.id, $0) }, uniquingKeysWith: { first, _ in first })
        for sending in sendings {
            guard case .responseReceived(let response)? = sending.action?.operation,
                let other = canonical[sending.id].flatMap({ places[$0] }),
                case .responseReceived(let standing)? = other.action?.operation,
                !response.isPlaced(as: standing)
            else { continue }
            note(.commandRepeatedWithOtherContent, of: sending.id)
            note(.commandRepeatedWithOtherContent, of: other.id)
        }
    }

    /// The action as sent, with every entry it names called by the one that stands for it.
    private func mapped(_ action: Action) -> Action {
        var action = action.asSent
        switch action.operation {
        case .statusRecorded(var record):
            record.participant = id
            record.replaces = record.replaces.map(standing(for:))
            action.operation = .statusRecorded(record)
        case .formSaved(let save): action.operation = .formSaved(mapped(save))
        case .conflictResolved(var resolution):
            resolution.save = mapped(resolution.save)
            resolution.sides = resolution.sides.map { JudgedSide(mapped($0.side), $0.verdict) }
                .sorted { $0.side < $1.side }
            action.operation = .conflictResolved(resolution)
        case .instancesDecided(var decision):
            decision.participant = id
            decision.instances = decision.instances.map(mapped)
            decision.verdicts = decision.verdicts.map { BeginningVerdict(mapped($0.beginning), $0.verdict) }
                .sorted { $0.beginning < $1.beginning }
            action.operation = .instancesDecided(decision)
        case .formConfirmed(var confirmation):
            confirmation.participant = id
            confirmation.instances = confirmation.instances.map(mapped)
            confirmation.seen = confirmation.seen.map(mapped)
            action.operation = .formConfirmed(confirmation)
        case .responseReceived(var response):
            response.participant = id
            response.instances = response.instances.map(mapped)
            action.operation = .responseReceived(response)
        case .labelAssigned(var assignment):
            assignment.participant = id
            assignment.seen = assignment.seen.map(mapped).sorted()
            action.operation = .labelAssigned(assignment)
        case .participantsLinked(let link): action.operation = .participantsLinked(mapped(link))
        case .participantsUnlinked(let link): action.operation = .participantsUnlinked(mapped(link))
        case .removed(let removal): action.operation = .removed(mapped(removal))
        case .restored(let removal): action.operation = .restored(mapped(removal))
        default: break
        }
        return action
    }

    private func mapped(_ save: FormSave) -> FormSave {
        var save = save
        save.participant = id
        save.instances = save.instances.map(mapped)
        save.seen = save.seen.map(mapped)
        return save
    }

    private func mapped(_ removal: Removal) -> Removal {
        var removal = removal
        removal.participant = id
        removal.instances = removal.instances.map(mapped)
        // Listed by id, and ids differ between the nodes.
        removal.seen = removal.seen.map(standing(for:)).sorted()
        removal.seenValues = removal.seenValues.map(mapped).sorted()
        return removal
    }

    private func mapped(_ link: ParticipantLink) -> ParticipantLink {
        var link = link
        link.participant = id
        link.seen = link.seen.map(standing(for:)).sorted()
        return link
    }

    private func mapped(_ line: InstanceDeclaration) -> InstanceDeclaration {
        var line = line
        if case .begun(let beginning) = line.identity { line.identity = .begun(mapped(beginning)) }
        return line
    }

    private func mapped(_ beginning: Beginning) -> Beginning {
        Beginning(entry: standing(for: beginning.entry), position: beginning.position)
    }

    private func mapped(_ value: ValueID) -> ValueID {
        ValueID(entry: standing(for: value.entry), position: value.position)
    }
}
