public import EventLog

/// A decision on the beginnings of a form (`Protocols/merge.md`, M32).
public struct FormDecision: Hashable, Sendable {
    /// The form, as participant, visit and OID name it.
    public let form: InstanceID
    /// The verdicts.
    public let verdicts: [Beginning: InstanceVerdict]
    /// The earlier decisions that it replaces: those that every sending of it names.
    public let seen: Set<EntryID>
}

/// What the standing decisions on a form come to.
struct Ruling: Hashable, Sendable {
    /// The decisions that no other one replaced.
    let standing: [EntryID: FormDecision]
    /// The verdicts that all standing decisions on a beginning agree in.
    let verdicts: [Beginning: InstanceVerdict]
    /// The beginnings on which standing decisions differ.
    let disputed: Set<Beginning>

    init(_ decisions: [EntryID: FormDecision]) {
        let replaced = Set(decisions.values.flatMap(\.seen))
        let standing = decisions.filter { !replaced.contains($0.key) }
        var given: [Beginning: Set<InstanceVerdict>] = [:]
        for decision in standing.values {
            for (beginning, verdict) in decision.verdicts { given[beginning, default: []].insert(verdict) }
        }
        self.standing = standing
        verdicts = given.compactMapValues { $0.count == 1 ? $0.first : nil }
        disputed = Set(given.filter { $0.value.count > 1 }.keys)
    }

    /// Whether a beginning is the form itself: so decided, not decided, or not decided alike.
    func isSame(_ beginning: Beginning) -> Bool {
        verdicts[beginning] ?? .same == .same
    }

    /// Whether one standing decision judged both.
    func judges(_ one: Beginning, and other: Beginning) -> Bool {
        standing.values.contains { $0.verdicts[one] != nil && $0.verdicts[other] != nil }
    }

    /// Where none of the beginnings that a write belongs to is the form itself, the one whose form it stands in: the lowest
    /// of those apart, else the lowest of the wrong ones (M33).
    func otherForm(of beginnings: [Beginning]) -> Beginning? {
        guard !beginnings.isEmpty, !beginnings.contains(where: isSame) else { return nil }
        return beginnings.filter { verdicts[$0] == .apart }.min() ?? beginnings.min()
    }
}

extension ParticipantState {
    /// Enters a decision, and works out what the standing ones come to.
    mutating func enter(_ decision: InstanceDecision, by entry: EntryID) {
        var id: InstanceID?
        for (position, line) in decision.instances.enumerated() where isOnTheWay(position, decision.instances) {
            switch line.identity {
            case .begun(let beginning): id = .begun(by: standing(for: beginning))
            case .own: id = .begun(by: Beginning(entry: entry, position: UInt64(position)))
            case .natural: id = .natural(participant: self.id, parent: id, kind: line.kind, oid: line.oid)
            case .response(let response):
                id = .response(response, participant: self.id, parent: id, kind: line.kind, oid: line.oid)
            }
        }
        guard let form = id else { return }
        var verdicts: [Beginning: InstanceVerdict] = [:]
        for verdict in decision.verdicts {
            // Two names of one beginning with two verdicts: the graver one, so that the order does not matter.
            let beginning = standing(for: verdict.beginning)
            let known = verdicts[beginning] ?? verdict.verdict
            verdicts[beginning] = known.rawValue > verdict.verdict.rawValue ? known : verdict.verdict
        }
        decisions[entry] = FormDecision(
            form: form, verdicts: verdicts,
            seen: decisionSights[entry] ?? Set(decision.seen.map(standing(for:))))
        rulings[form] = Ruling(decisions.filter { $0.value.form == form })
        homes = [:]
        for (form, ruling) in rulings {
            for beginning in ruling.verdicts.keys.filter(ruling.isSame) + Array(ruling.disputed) {
                homes[beginning] = min(homes[beginning] ?? form, form)
            }
        }
    }

    /// Works out what decisions saw that were sent more than once: a decision sent again to a node that meanwhile holds a
    /// later one does not replace that (M32).
    mutating func noteDecisionSights(_ sendings: [WrittenEntry]) {
        for sending in sendings {
            guard case .instancesDecided(let decision)? = sending.action?.operation else { continue }
            let seen = Set(decision.seen.map(standing(for:)))
            decisionSights[standing(for: sending.id), default: seen].formIntersection(seen)
        }
    }

    /// Whether a line is the last one, or one that it stands in.
    private func isOnTheWay(_ position: Int, _ table: [InstanceDeclaration]) -> Bool {
        var step: Int? = table.indices.last
        while let place = step {
            if place == position { return true }
            step = table[place].parent
        }
        return false
    }

    /// The form that participant, visit and OID name, of which `id` is or was a beginning; else `id`.
    func undividedForm(of id: InstanceID) -> InstanceID {
        rulings.filter { _, ruling in ruling.verdicts.keys.contains { .begun(by: $0) == id } }.keys.min() ?? id
    }

    /// Every beginning of a form that is here or that a standing decision names, lowest first.
    func allBeginnings(of form: InstanceID) -> [Beginning] {
        let judged = rulings[form].map { Set($0.verdicts.keys).union($0.disputed) } ?? []
        return judged.union(instances[form]?.beginnings.keys.map { $0 } ?? []).sorted()
    }

    /// The forms that were decided to be wrong beginnings.
    private var wrongForms: Set<InstanceID> {
        Set(rulings.values.flatMap { $0.verdicts.filter { $0.value == .wrong }.map { .begun(by: $0.key) } })
    }

    /// Whether an instance is, or stands in, a form that was begun wrongly, as a person decided: it is kept and shown, and
    /// does not count.
    public func isWrongWithin(_ id: InstanceID) -> Bool {
        guard !rulings.isEmpty else { return false }
        let wrong = wrongForms
        return wrong.contains(id) || instances[id]?.shape.parent.map(wrong.contains) ?? false
    }
}
