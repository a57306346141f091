import EventLog

extension ParticipantState {
    /// The restorations of a target, which one who removes it names beside earlier removals.
    func restorations(of target: InstanceID?) -> [EntryID] {
        restorations.filter { $0.value == target }.map(\.key).sorted()
    }

    /// What stands at a node in a target: of an event or form everything inside, of the participant everything.
    func held(within target: InstanceID?, _ groups: GroupsOfForms) -> [PlacedValue] {
        guard let target else { return held(in: groups.values.flatMap { $0 }.sorted()) }
        guard let state = instances[target] else { return [] }
        switch state.shape.kind {
        case .itemGroup: return held(in: [target])
        case .form: return held(in: groups[target] ?? [])
        case .studyEvent:
            let forms = instances.filter { $0.value.shape.kind == .form && $0.value.shape.parent == target }
            return held(in: forms.keys.flatMap { groups[$0] ?? [] }.sorted())
        }
    }

    /// What was removed while others wrote in it, or took an earlier removal back: it stays removed until a person decides
    /// (M37).
    func disputedRemovals(_ groups: GroupsOfForms) -> [Conflict] {
        guard !removals.isEmpty else { return [] }
        return Set(removals.values).compactMap { dispute(of: $0, groups) }
    }

    private func dispute(of target: InstanceID?, _ groups: GroupsOfForms) -> Conflict? {
        let standing = standingRemovals(of: target)
        guard !standing.isEmpty else { return nil }
        let sights = standing.compactMap { removalSights[$0] }
        let restored = restorations(of: target).filter { restoration in
            !sights.contains { $0.entries.contains(restoration) }
        }
        let unseen = held(within: target, groups).filter { value in
            !isRemovedInSight(value)
        }
        guard !restored.isEmpty || !unseen.isEmpty else { return nil }
        let sides =
            standing.map { ConflictSide(name: .removal($0), values: []) }
            + restored.map { ConflictSide(name: .restoration($0), values: []) }
            + unseen.map { ConflictSide(name: .value($0.held.id), values: [$0]) }
        let isWaiting = sights.contains { sight in
            sight.values.contains { !applied.contains($0.entry) }
                || sight.entries.contains { !applied.contains($0) }
        }
        return Conflict(
            kind: .removal, instance: target, item: nil, sides: sides, decisions: [], isWaiting: isWaiting)
    }

    /// Whether one who removed something that a value stands in had seen the value.
    private func isRemovedInSight(_ value: PlacedValue) -> Bool {
        removals.contains { entry, target in
            guard !restoredRemovals.contains(entry), removalSights[entry]?.values.contains(value.held.id) == true else {
                return false
            }
            guard let target else { return true }
            return isAround(target, value.group)
        }
    }

    /// Whether `outer` is `inner`, or something that it stands in.
    private func isAround(_ outer: InstanceID, _ inner: InstanceID) -> Bool {
        var step: InstanceID? = inner
        for _ in 0..<3 {
            guard let current = step else { return false }
            if current == outer { return true }
            step = instances[current]?.shape.parent
        }
        return false
    }
}
