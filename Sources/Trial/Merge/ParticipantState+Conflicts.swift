import EventLog

/// The groups of every form.
typealias GroupsOfForms = [InstanceID: [InstanceID]]

extension ParticipantState {
    /// The groups of every form, in the order of their ids.
    var groupsOfForms: GroupsOfForms {
        var groups: GroupsOfForms = [:]
        for (id, state) in instances where state.shape.kind == .itemGroup {
            if let form = state.shape.parent { groups[form, default: []].append(id) }
        }
        return groups.mapValues { $0.sorted() }
    }

    /// What is to be decided, of all kinds: a function of the state, so the same at every node that holds the same entries.
    ///
    /// What stands in something removed, or in a form begun wrongly, is no work; nor is an item of a form that was begun
    /// twice, or of a whole with alternatives, for the larger decision comes first.
    public var openConflicts: OpenConflicts {
        let groups = groupsOfForms
        let forms = instances.keys.filter { isConflict(form: $0) && counts($0) }
        var emptied = Set(forms)
        var list = forms.map { conflict(form: $0, groups[$0] ?? []) }
        for (id, state) in instances where state.isWhole && state.hasAlternatives && counts(id) {
            guard !forms.contains(id), !(state.shape.parent.map(forms.contains) ?? false) else { continue }
            emptied.insert(id)
            list.append(conflict(whole: id, state))
        }
        for answer in conflictingAnswers {
            emptied.formUnion(answer.forms)
            list.append(answer.conflict)
        }
        var parents: [InstanceID: InstanceID] = [:]
        var items: Set<RegisterPlace> = []
        for (id, state) in instances where state.shape.kind == .itemGroup {
            let conflicting = state.registers.filter(\.value.isConflict)
            let form = state.shape.parent
            // Only what is asked for later is kept; most records have no conflict at all.
            if !conflicting.isEmpty || !emptied.isEmpty { parents[id] = form }
            guard !conflicting.isEmpty, counts(id), !emptied.contains(id), !(form.map(emptied.contains) ?? false) else {
                continue
            }
            for (item, register) in conflicting {
                items.insert(RegisterPlace(instance: id, item: item))
                list.append(
                    Conflict(
                        kind: .item, instance: id, item: item,
                        sides: register.held.map { side(of: $0, in: id, item) }, decisions: [],
                        isWaiting: register.isAwaiting))
            }
        }
        list += disputedRemovals(groups)
        list.sort(by: comesBefore)
        return OpenConflicts(list: list, emptied: emptied, items: items, parents: parents)
    }

    private func comesBefore(_ left: Conflict, _ right: Conflict) -> Bool {
        if left.kind != right.kind { return left.kind.rawValue < right.kind.rawValue }
        if left.instance != right.instance {
            guard let one = left.instance, let other = right.instance else { return left.instance == nil }
            return one < other
        }
        return (left.item?.text ?? "") < (right.item?.text ?? "")
    }

    private func side(of held: HeldValue, in group: InstanceID, _ item: ItemOID) -> ConflictSide {
        ConflictSide(
            name: .value(held.id), values: [PlacedValue(group: group, item: item, held: held)])
    }

    /// The values held in groups, in the order of group, item and id.
    func held(in groups: [InstanceID]) -> [PlacedValue] {
        groups.flatMap { group in
            (instances[group]?.registers ?? [:]).sorted { $0.key < $1.key }.flatMap { item, register in
                register.held.map { PlacedValue(group: group, item: item, held: $0) }
            }
        }
    }

    // MARK: Forms begun more than once

    /// Whether a form has beginnings that nobody decided about, or on which decisions differ (M31, M32).
    func isConflict(form: InstanceID) -> Bool {
        guard let state = instances[form], state.beginnings.count > 1 || rulings[form] != nil,
            state.shape.kind == .form,
            state.identity == .natural
        else { return false }
        let ruling = rulings[form]
        let all = state.beginnings.sorted { $0.key < $1.key }
        if let ruling, all.contains(where: { ruling.disputed.contains($0.key) }) { return true }
        // One who judged all leaves nothing to compare.
        if let ruling,
            ruling.standing.values.contains(where: { decision in
                all.allSatisfy { decision.verdicts[$0.key] != nil }
            })
        {
            return false
        }
        let seen = all.map { Set($0.value.seen) }
        for (place, one) in all.enumerated() {
            for (next, other) in all.enumerated().dropFirst(place + 1) {
                let saw = seen[place].contains(other.key) || seen[next].contains(one.key)
                if !saw, ruling?.judges(one.key, and: other.key) != true { return true }
            }
        }
        return false
    }

    /// Whether a value of a form belongs to a beginning of it: its entry made that beginning, or saw it.
    private func belongs(_ value: ValueID, to beginning: Beginning, of form: InstanceState) -> Bool {
        if let sight = form.sights[value.entry] { return sight.beginnings.contains(beginning) }
        return value.entry == beginning.entry
    }

    private func conflict(form id: InstanceID, _ groups: [InstanceID]) -> Conflict {
        let values = held(in: groups)
        let state = instances[id]
        let sides = (state?.beginnings ?? [:]).keys.sorted().map { beginning in
            ConflictSide(
                name: .beginning(beginning),
                values: values.filter { value in
                    state.map { belongs(value.held.id, to: beginning, of: $0) } ?? false
                })
        }
        let sawElsewhere = (state?.beginnings ?? [:]).values.contains { start in
            start.seen.contains { !applied.contains($0.entry) }
        }
        return Conflict(
            kind: .instance, instance: id, item: nil, sides: sides,
            decisions: rulings[id].map { ruling in
                ruling.standing.filter { decision in
                    ruling.disputed.contains { decision.value.verdicts[$0] != nil }
                }.keys.sorted()
            } ?? [],
            isWaiting: sawElsewhere || isAwaiting(groups))
    }

    /// Whether any writer in groups saw what is not here.
    private func isAwaiting(_ groups: [InstanceID]) -> Bool {
        groups.contains { instances[$0]?.registers.values.contains(where: \.isAwaiting) ?? false }
    }

    private func conflict(whole id: InstanceID, _ state: InstanceState) -> Conflict {
        let held = state.heldVersions
        let sides = held.compactMap { version -> ConflictSide? in
            guard let lowest = version.version.writes.map(\.value.id).min() else { return nil }
            let values = version.content.sorted { ($0.place, $0.value.id) < ($1.place, $1.value.id) }
            return ConflictSide(
                name: .version(version.entry, lowest: lowest),
                values: values.map { PlacedValue(group: $0.place.instance, item: $0.place.item, held: $0.value) })
        }
        return Conflict(
            kind: .whole, instance: id, item: nil, sides: sides, decisions: [],
            isWaiting: state.versions.keys.contains { awaitedSights[$0] != nil })
    }

    // MARK: Answers

    /// Answers that have versions beside each other, with the forms that hold these: versions may name different ones, and
    /// the items of all of them wait for the client's next version.
    private var conflictingAnswers: [(forms: [InstanceID], conflict: Conflict)] {
        responses.values.compactMap { response in
            let versions = response.standing.compactMap { response.versions[$0] }
            guard versions.count > 1 else { return nil }
            let forms = versions.map(\.form).filter(counts)
            guard let form = forms.min() else { return nil }
            let values = versions.reduce(into: Set<InstanceID>()) { $0.formUnion($1.groups) }.sorted()
            let held = held(in: values)
            return (
                forms,
                Conflict(
                    kind: .answer, instance: form, item: nil,
                    sides: versions.map { version in
                        ConflictSide(
                            name: .answer(version.entry), values: held.filter { $0.held.id.entry == version.entry })
                    }, decisions: [], isWaiting: !awaitedVersions(of: response).isEmpty)
            )
        }
    }

    // MARK: Merged, unseen

    /// Whether the values that stand in a form never stood together before a person: no entry about the form wrote or saw
    /// them all (M36).
    public func isMergedUnseen(_ form: InstanceID) -> Bool {
        isMergedUnseen(form, instances.filter { $0.value.shape.parent == form }.map(\.key))
    }

    func isMergedUnseen(_ form: InstanceID, _ groups: [InstanceID]) -> Bool {
        var writers: Set<EntryID> = []
        var values: [ValueID] = []
        for group in groups {
            for register in instances[group]?.registers.values ?? [:].values {
                for held in register.held {
                    writers.insert(held.id.entry)
                    values.append(held.id)
                }
            }
        }
        // What one entry wrote stood on its screen.
        guard writers.count > 1, let state = instances[form] else { return false }
        return !state.sights.contains { entry, sight in
            // Who had seen fewer than stand there had not seen all, which is soon told.
            guard sight.values.count + values.count(where: { $0.entry == entry }) >= values.count else { return false }
            let seen = Set(sight.values)
            return values.allSatisfy { $0.entry == entry || seen.contains($0) }
        }
    }

    // MARK: Forms

    /// How every form stands.
    public var formStatuses: [InstanceID: FormStatus] {
        let groups = groupsOfForms
        let conflicts = openConflicts
        var statuses: [InstanceID: FormStatus] = [:]
        for (id, state) in instances where state.shape.kind == .form {
            statuses[id] = status(ofForm: id, groups: groups[id] ?? [], conflicts)
        }
        return statuses
    }

    /// How a form stands, given its groups and what is to be decided in the record.
    public func status(ofForm id: InstanceID, groups: [InstanceID], _ conflicts: OpenConflicts) -> FormStatus {
        if isWrongWithin(id) { return .wrong }
        if isRemovedWithin(id) { return .removed }
        if conflicts.touch(form: id) { return .conflict }
        if isMergedUnseen(id, groups) { return .mergedUnseen }
        let hasValue = groups.contains { group in
            !isRemovedWithin(group)
                && instances[group]?.registers.values.contains { $0.held.contains { $0.value?.kind != .cleared } }
                    ?? false
        }
        return hasValue ? .entered : .empty
    }
}
