import EventLog
import Trial

/// A participant's instances by what they stand in, with the repeat keys that an export gives them; those that do not
/// count, removed or begun wrongly, are left out.
///
/// Invariant: siblings of one OID have different repeat keys, and the same record gives the same keys and order.
struct ExportedInstances {
    /// What is to be decided in the record, whose items are written as empty.
    let open: OpenConflicts
    /// The repeat keys; none of what stands once and was imported without one.
    private(set) var repeatKeys: [InstanceID: String] = [:]
    private let children: [InstanceID?: [(id: InstanceID, state: InstanceState)]]

    init(_ record: ParticipantState, _ definition: StudyDefinition) {
        open = record.openConflicts
        children = Dictionary(
            grouping: record.instances.filter { record.counts($0.key) }.map { (id: $0.key, state: $0.value) },
            by: { $0.state.shape.parent }
        ).mapValues { siblings in
            siblings.sorted { left, right in
                let keys = (RepeatKeyRank(left.state.repeatKey), RepeatKeyRank(right.state.repeatKey))
                return keys.0 == keys.1 ? left.id < right.id : keys.0 < keys.1
            }
        }
        for siblings in children.values {
            for same in Dictionary(grouping: siblings, by: { $0.state.shape }).values {
                giveKeys(to: same, isRepeating: same.first.map { definition.repeats($0.state.shape) } ?? false)
            }
        }
    }

    /// The children of a kind: by the given order, then imported repeat key (none before numbers before texts), then id.
    func of(
        _ parent: InstanceID?, kind: InstanceKind, order: (InstanceState) -> Int
    ) -> [(InstanceID, InstanceState)] {
        let siblings = (children[parent] ?? []).filter { $0.state.shape.kind == kind }
        return siblings.enumerated().map { (order($0.element.state), $0.offset, $0.element) }
            .sorted { ($0.0, $0.1) < ($1.0, $1.1) }.map { ($0.2.id, $0.2.state) }
    }

    /// A key as XML can hold it: other software may have written one that it cannot, or an empty one.
    private static func usable(_ key: String?) -> String? {
        key.flatMap { $0.isEmpty ? nil : ValueNormaliser.legal($0) }
    }

    /// Leaves every imported key to the first that has it, and gives all others their place or the next number that is
    /// free: imports of two files can bring the same key, and a computed one must not meet an imported one.
    private mutating func giveKeys(to siblings: [(id: InstanceID, state: InstanceState)], isRepeating: Bool) {
        // What stands once by its definition can be there twice, where a person said that it was two.
        guard isRepeating || siblings.count > 1 else {
            for one in siblings { repeatKeys[one.id] = Self.usable(one.state.repeatKey) }
            return
        }
        var used: Set<String> = []
        for one in siblings {
            guard let key = Self.usable(one.state.repeatKey), used.insert(key).inserted else { continue }
            repeatKeys[one.id] = key
        }
        var number = 0
        for (place, one) in siblings.enumerated() where repeatKeys[one.id] == nil {
            number = max(number, place) + 1
            while !used.insert("\(number)").inserted { number += 1 }
            repeatKeys[one.id] = "\(number)"
        }
    }
}

/// Where an imported repeat key stands among others: none first, then numbers as numbers, then texts.
private struct RepeatKeyRank: Comparable {
    private let kind: Int
    private let number: Int
    private let text: String

    init(_ key: String?) {
        text = key ?? ""
        let read = key.flatMap { Int($0) }
        number = read ?? 0
        kind = key == nil ? 0 : (read == nil ? 2 : 1)
    }

    static func < (left: RepeatKeyRank, right: RepeatKeyRank) -> Bool {
        (left.kind, left.number, left.text) < (right.kind, right.number, right.text)
    }
}

extension StudyDefinition {
    /// Whether instances of a shape repeat by their definition.
    fileprivate func repeats(_ shape: InstanceState.Shape) -> Bool {
        switch shape.kind {
        case .studyEvent: events[StudyEventOID(shape.oid)]?.isRepeating == true
        case .form: forms[FormOID(shape.oid)]?.isRepeating == true
        case .itemGroup: itemGroups[ItemGroupOID(shape.oid)]?.isRepeating == true
        }
    }
}
