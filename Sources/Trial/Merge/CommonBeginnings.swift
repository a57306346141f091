import EventLog

extension ParticipantState {
    /// Lets every entry that stands for several sendings say of its instances what all of them do (M12): it begins what any of
    /// them begins, and saw the beginnings that every one saw. A form begun at two nodes apart is a conflict although the
    /// command that began it was sent again to a node which held the other beginning by then.
    ///
    /// - Parameters:
    ///   - distinct: the entries that stand.
    ///   - sendings: these, and the entries that they stand for.
    func withCommonBeginnings(_ distinct: [WrittenEntry], _ sendings: [WrittenEntry]) -> [WrittenEntry] {
        let repetitions = Dictionary(
            grouping: sendings.filter { canonical[$0.id] != nil }, by: { standing(for: $0.id) })
        guard !repetitions.isEmpty else { return distinct }
        return distinct.map { entry in
            guard let others = repetitions[entry.id], var action = entry.action,
                var table = action.operation.tableAsSent
            else { return entry }
            for other in others {
                // They say the same but for what is left out, so their tables have the same lines.
                guard let lines = other.action?.operation.tableAsSent, lines.count == table.count else { continue }
                for place in table.indices {
                    let seen = Set(lines[place].seenBeginnings.map { standing(for: $0) })
                    table[place].beginsHere = table[place].beginsHere || lines[place].beginsHere
                    table[place].seenBeginnings.removeAll { !seen.contains(standing(for: $0)) }
                }
            }
            action.operation.tableAsSent = table
            return entry.doing(action)
        }
    }
}

extension Operation {
    /// The table of instances of an operation whose sendings have the same lines; nil of any other.
    fileprivate var tableAsSent: [InstanceDeclaration]? {
        get {
            switch self {
            case .formSaved(let save): save.instances
            case .conflictResolved(let resolution): resolution.save.instances
            case .formConfirmed(let confirmation): confirmation.instances
            case .removed(let removal), .restored(let removal): removal.instances
            default: nil
            }
        }
        set {
            guard let newValue else { return }
            switch self {
            case .formSaved(var save):
                save.instances = newValue
                self = .formSaved(save)
            case .conflictResolved(var resolution):
                resolution.save.instances = newValue
                self = .conflictResolved(resolution)
            case .formConfirmed(var confirmation):
                confirmation.instances = newValue
                self = .formConfirmed(confirmation)
            case .removed(var removal):
                removal.instances = newValue
                self = .removed(removal)
            case .restored(var removal):
                removal.instances = newValue
                self = .restored(removal)
            default: break
            }
        }
    }
}
