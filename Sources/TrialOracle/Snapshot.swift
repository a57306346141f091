package import EventLog
package import Trial

/// What a person could find out about a study's state, in a form that the fold and the oracle both can be brought to.
package struct StudySnapshot: Equatable {
    package var founding: EntryID?
    package var participations: [EntryID] = []
    package var acceptances: Set<EntryID> = []
    package var withdrawals: [LocationID: Set<EntryID>] = [:]
    package var delegations: [StudySiteID: [EntryID]] = [:]
    package var definitions: Set<EntryID> = []
    package var plans: Set<EntryID> = []
    package var marks = Marks()
    package var locations: [LocationID: LocationSnapshot] = [:]
    package var labelFindings: [ParticipantLabel: Set<ParticipantPlace>] = [:]
}

/// What became of entries that do not simply count.
package struct Marks: Equatable {
    package var void: [EntryID: VoidRule] = [:]
    package var waiting: [EntryID: Awaited] = [:]
    package var notUnderstood: Set<EntryID> = []
    package var findings: [EntryID: FindingRule] = [:]

    /// Marks entries; where nothing is given, nothing but entries that count.
    package init(
        void: [EntryID: VoidRule] = [:], waiting: [EntryID: Awaited] = [:], notUnderstood: Set<EntryID> = [],
        findings: [EntryID: FindingRule] = [:]
    ) {
        self.void = void
        self.waiting = waiting
        self.notUnderstood = notUnderstood
        self.findings = findings
    }
}

/// One location's stream.
package struct LocationSnapshot: Equatable {
    package var marks = Marks()
    package var records: [EntryID: RecordSnapshot] = [:]
    /// Orders with effect.
    package var orders: Set<EntryID> = []
    /// The entries of everybody who was erased.
    package var erased: [EntryID: Set<EntryID>] = [:]
}

/// One participant.
package struct RecordSnapshot: Equatable {
    package var aliases: Set<EntryID> = []
    package var labels: [ParticipantLabel] = []
    package var labelHistory: Set<GivenLabel> = []
    package var links: [EntryID: LinkState] = [:]
    package var statuses: [EntryID: StatusRecord] = [:]
    package var reached: [StatusRecord] = []
    package var quarantined: Set<EntryID> = []
    package var isRemoved = false
    package var isFullyUnderstood = true
    package var applied: Set<EntryID> = []
    package var instances: [InstanceID: InstanceSnapshot] = [:]
    /// What every version of every answer is worth.
    package var responses: [ResponseID: [EntryID: ResponseVersionState]] = [:]
    /// What is to be decided, one line each, in any order.
    package var conflicts: Set<String> = []
    /// Of which entry which orders took parts.
    package var redactions: [EntryID: Set<EntryID>] = [:]
}

/// One event, form or item group.
package struct InstanceSnapshot: Equatable {
    package var kind = InstanceKind.studyEvent
    package var oid = ""
    package var parent: InstanceID?
    package var isWhole = false
    package var beginnings: Set<Beginning> = []
    package var repeatKey: String?
    package var isRemoved = false
    /// Whether it is, or stands in, a form that was begun wrongly.
    package var isWrong = false
    /// Of a form, whether no person saw its values together.
    package var isMergedUnseen = false
    /// Of a whole, who wrote the versions that stand.
    package var versions: Set<EntryID> = []
    package var items: [ItemOID: ItemSnapshot] = [:]
}

/// One item.
package struct ItemSnapshot: Equatable {
    package var values: [ValueID: Value?] = [:]
    package var isConflict = false
    package var awaited: Set<ValueID> = []
    package var setAside: [ValueID: Value?] = [:]
}

extension StudySnapshot {
    /// Reads a fold by its public interface.
    package init(_ fold: StudyFold) {
        let authority = fold.authority
        founding = authority.founding?.id
        participations = authority.participations.map(\.id)
        acceptances = Set(authority.acceptances.keys)
        withdrawals = authority.withdrawals
        delegations = authority.delegations.mapValues { $0.map(\.id) }
        definitions = Set(authority.definitions.map(\.id))
        plans = Set(authority.plans.map(\.id))
        marks = Marks(
            void: authority.void, waiting: authority.waiting, notUnderstood: authority.notUnderstood,
            findings: authority.findings)
        locations = fold.locations.mapValues(LocationSnapshot.init)
        for finding in fold.labelFindings { labelFindings[finding.label] = Set(finding.participants) }
    }
}

extension LocationSnapshot {
    /// Reads a location's fold by its public interface.
    package init(_ fold: LocationFold) {
        marks = Marks(
            void: fold.void, waiting: fold.waiting, notUnderstood: fold.notUnderstood, findings: fold.findings)
        orders = Set(fold.orders.keys)
        erased = fold.erasedParticipants.mapValues { Set(fold.entries(of: $0)) }
        for record in fold.records.values {
            // No entry is in two places, so nothing is lost when the records' lists are joined to the location's.
            marks.void.merge(record.void) { _, new in new }
            marks.waiting.merge(record.waiting) { _, new in new }
            marks.findings.merge(record.findings) { _, new in new }
            records[record.id] = RecordSnapshot(record, isFullyUnderstood: fold.isFullyUnderstood(record))
        }
    }
}

extension RecordSnapshot {
    init(_ record: ParticipantState, isFullyUnderstood: Bool) {
        aliases = record.aliases
        labels = record.labels
        labelHistory = Set(record.labelHistory)
        links = record.standingLinks
        statuses = record.statuses
        reached = record.reached
        quarantined = record.quarantined
        isRemoved = record.isRemoved
        self.isFullyUnderstood = isFullyUnderstood
        applied = record.applied
        responses = record.responses.mapValues { response in
            Dictionary(uniqueKeysWithValues: response.versions.keys.map { ($0, response.state(of: $0) ?? .superseded) })
        }
        redactions = record.redactions.mapValues { Set($0.orders) }
        let conflicts = record.conflicts
        self.conflicts = Set(record.openConflicts.list.map(\.line))
        for (id, state) in record.instances {
            var instance = InstanceSnapshot(
                kind: state.shape.kind, oid: state.shape.oid, parent: state.shape.parent, isWhole: state.isWhole,
                beginnings: Set(state.beginnings.keys), repeatKey: state.repeatKey,
                isRemoved: record.isRemovedWithin(id), isWrong: record.isWrongWithin(id))
            instance.isMergedUnseen = state.shape.kind == .form && record.isMergedUnseen(id)
            instance.versions = Set(state.versionsHeld)
            for (item, register) in state.registers {
                instance.items[item] = ItemSnapshot(
                    values: Dictionary(register.held.map { ($0.id, $0.value) }) { first, _ in first },
                    isConflict: conflicts.contains { $0.instance == id && $0.item == item },
                    awaited: Set(record.awaited(in: register)),
                    setAside: Dictionary(register.setAside.map { ($0.id, $0.value) }) { first, _ in first })
            }
            instances[id] = instance
        }
    }
}

extension Conflict {
    /// The conflict in one line.
    fileprivate var line: String {
        let sides = sides.map { side in
            let values = side.values.map { "\($0.held.id.entry)/\($0.held.id.position)" }.sorted()
            switch side.name {
            case .value(let value): return "value \(value.entry)/\(value.position)"
            case .version(let entry, _): return "version \(entry) \(values)"
            case .beginning(let beginning): return "beginning \(beginning.entry)/\(beginning.position) \(values)"
            case .removal(let entry): return "removal \(entry)"
            case .restoration(let entry): return "restoration \(entry)"
            case .answer(let entry): return "answer \(entry)"
            }
        }
        return ConflictLine.text(kind, instance, item, sides: sides, decisions: decisions, isWaiting: isWaiting)
    }
}

/// How a conflict is written in a snapshot.
enum ConflictLine {
    static func text(
        _ kind: ConflictKind, _ instance: InstanceID?, _ item: ItemOID?, sides: [String], decisions: [EntryID],
        isWaiting: Bool
    ) -> String {
        "\(kind) \(instance?.description ?? "participant") \(item?.text ?? "-") \(sides.sorted()) "
            + "\(decisions.map(\.description).sorted()) \(isWaiting)"
    }
}

extension StudySnapshot {
    /// Where the two differ, in words; nil where they do not.
    package func difference(from other: StudySnapshot) -> String? {
        if self == other { return nil }
        func of<Field: Equatable>(_ name: String, _ left: Field, _ right: Field) -> String? {
            left == right ? nil : "\(name): \(left) and \(right)"
        }
        let study =
            of("founding", founding, other.founding) ?? of("participations", participations, other.participations)
            ?? of("acceptances", acceptances, other.acceptances) ?? of("withdrawals", withdrawals, other.withdrawals)
            ?? of("delegations", delegations, other.delegations) ?? of("definitions", definitions, other.definitions)
            ?? of("plans", plans, other.plans) ?? of("labels", labelFindings, other.labelFindings)
            ?? marks.difference(from: other.marks)
        if let study { return "study: " + study }
        for location in Set(locations.keys).union(other.locations.keys).sorted() {
            let left = locations[location] ?? LocationSnapshot()
            let right = other.locations[location] ?? LocationSnapshot()
            if let marks = left.marks.difference(from: right.marks) { return "\(location): " + marks }
            if left.orders != right.orders { return "\(location): orders \(left.orders) and \(right.orders)" }
            if left.erased != right.erased { return "\(location): erased \(left.erased) and \(right.erased)" }
            for record in Set(left.records.keys).union(right.records.keys).sorted() {
                guard let one = left.records[record], let two = right.records[record] else {
                    return "\(location): record \(record) only in one"
                }
                if one == two { continue }
                for instance in Set(one.instances.keys).union(two.instances.keys).sorted() {
                    if let text = of(
                        "\(location), record \(record), instance \(instance)", one.instances[instance],
                        two.instances[instance])
                    {
                        return text
                    }
                }
                if let text = of("\(location), record \(record), conflicts", one.conflicts, two.conflicts) {
                    return text
                }
                return "\(location): record \(record): \(one) and \(two)"
            }
        }
        return "a location that is empty in one and absent in the other"
    }
}

extension Marks {
    package func difference(from other: Marks) -> String? {
        if void != other.void { return "void \(void) and \(other.void)" }
        if waiting != other.waiting { return "waiting \(waiting) and \(other.waiting)" }
        if notUnderstood != other.notUnderstood { return "not understood \(notUnderstood) and \(other.notUnderstood)" }
        if findings != other.findings { return "findings \(findings) and \(other.findings)" }
        return nil
    }
}
