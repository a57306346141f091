public import EventLog

/// What kind of thing people entered apart from each other.
public enum ConflictKind: UInt64, Sendable, Codable, CaseIterable {
    /// An item holds values that do not say the same (`Protocols/merge.md`, M18).
    case item = 1
    /// Versions of a whole form or group stand beside each other (M34).
    case whole = 2
    /// A form was begun more than once (M31).
    case instance = 3
    /// Something was removed whose values, or restoration, those who removed it had not seen (M37).
    case removal = 4
}

/// By what a side of a conflict is named.
public enum ConflictSideName: Hashable, Sendable {
    /// A value: of an item, or one that was entered where a removal took place.
    case value(ValueID)
    /// A version of a whole: what an entry wrote, named in a resolution by the lowest of its values.
    case version(EntryID, lowest: ValueID)
    /// A beginning of a form.
    case beginning(Beginning)
    /// A removal that stands.
    case removal(EntryID)
    /// A restoration that those who removed had not seen.
    case restoration(EntryID)

    /// The entry that brought the side; ``ParticipantState/origins`` says who wrote it when and where.
    public var entry: EntryID {
        switch self {
        case .value(let value): value.entry
        case .version(let entry, _), .removal(let entry), .restoration(let entry): entry
        case .beginning(let beginning): beginning.entry
        }
    }
}

/// A value with the place where it stands.
public struct PlacedValue: Hashable, Sendable {
    /// The item group.
    public let group: InstanceID
    /// The item.
    public let item: ItemOID
    /// The value.
    public let held: HeldValue
}

/// One side of a conflict.
public struct ConflictSide: Hashable, Sendable {
    /// What it is.
    public let name: ConflictSideName
    /// Its values, in the order of group, item and id; none of a removal, restoration or empty beginning.
    public let values: [PlacedValue]
}

/// Something that an entitled person is to decide.
public struct Conflict: Hashable, Sendable {
    /// What kind.
    public let kind: ConflictKind
    /// The item group, whole, form or removed instance that it is about; nil where the participant was removed.
    public let instance: InstanceID?
    /// The item, of a conflict of kind ``ConflictKind/item``.
    public let item: ItemOID?
    /// The sides, in the order of their ids; of a removal the removals, then restorations, then values.
    public let sides: [ConflictSide]
    /// The decisions that stand and differ, of a conflict of kind ``ConflictKind/instance``.
    public let decisions: [EntryID]
    /// Whether a side's writer saw something that is not here: it may be decided already, and is not yet work.
    public let isWaiting: Bool
}

/// All that is to be decided in one participant's record (M38).
public struct OpenConflicts: Hashable, Sendable {
    /// The conflicts, in the order of kind, instance and item.
    public let list: [Conflict]
    /// Forms and wholes all of whose items are empty for now.
    let emptied: Set<InstanceID>
    let items: Set<RegisterPlace>
    let parents: [InstanceID: InstanceID]

    /// Whether an item of a group is empty for now, with the status *conflict*.
    public func cover(_ item: ItemOID, of group: InstanceID) -> Bool {
        if list.isEmpty { return false }
        return emptied.contains(group) || parents[group].map(emptied.contains) ?? false
            || items.contains(RegisterPlace(instance: group, item: item))
    }

    /// Whether anything in a form is empty for now.
    public func touch(form: InstanceID) -> Bool {
        if list.isEmpty { return false }
        return emptied.contains(form)
            || emptied.contains { parents[$0] == form } || items.contains { parents[$0.instance] == form }
    }
}

/// How a form stands.
public enum FormStatus: String, Sendable, Codable, CaseIterable {
    /// A person decided that it was begun wrongly.
    case wrong
    /// It was removed, or stands in what was.
    case removed
    /// Something in it is to be decided.
    case conflict
    /// Its values never stood together before a person.
    case mergedUnseen = "merged-unseen"
    /// It has values.
    case entered
    /// It was begun and has no value.
    case empty
}
