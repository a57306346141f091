public import EventLog

/// What the writer of a form, or one who confirmed it, had seen.
struct Sight: Hashable, Sendable {
    /// The values.
    let values: [ValueID]
    /// The beginnings that the entry belongs to (`Protocols/merge.md`, M31).
    let beginnings: [Beginning]
}

/// What one who removed something had seen.
struct RemovalSight: Hashable, Sendable {
    /// The values in what was removed.
    let values: Set<ValueID>
    /// Earlier removals and restorations of it.
    let entries: Set<EntryID>
}

/// What one entry wrote in a whole.
struct WholeVersion: Hashable, Sendable {
    /// A value and where it stands.
    struct Write: Hashable, Sendable {
        let place: RegisterPlace
        let value: HeldValue
    }

    /// The values that the writer had seen.
    let seen: [ValueID]
    /// What was written, in the order of the changes.
    var writes: [Write] = []

    init(seen: [ValueID]) {
        self.seen = seen
    }

    /// Whether no item is written twice.
    var writesEachItemOnce: Bool { Set(writes.map(\.place)).count == writes.count }

    /// Whether both hold the same items with values that say the same.
    func says(theSameAs other: WholeVersion) -> Bool {
        let left = Dictionary(grouping: writes, by: \.place)
        let right = Dictionary(grouping: other.writes, by: \.place)
        return left.keys == right.keys
            && left.allSatisfy { place, values in
                let others = right[place] ?? []
                return values.allSatisfy { one in others.allSatisfy { $0.value.says(theSameAs: one.value) } }
            }
    }
}

extension InstanceState {
    /// The versions of a whole that stand, by entry: those of which no other version's writer had seen every value (M34).
    var heldVersions: [(entry: EntryID, version: WholeVersion)] {
        guard versions.count > 1 else { return versions.map { (entry: $0.key, version: $0.value) } }
        let seen = versions.mapValues { Set($0.seen) }
        return versions.filter { entry, version in
            !seen.contains { other, values in
                other != entry && version.writes.allSatisfy { values.contains($0.value.id) }
            }
        }.sorted { $0.key < $1.key }.map { (entry: $0.key, version: $0.value) }
    }

    /// Who wrote the versions of a whole that stand, by id.
    public var versionsHeld: [EntryID] { heldVersions.map(\.entry).sorted() }

    /// Whether versions stand beside each other that do not say the same.
    var hasAlternatives: Bool {
        guard versions.count > 1 else { return false }
        let held = heldVersions
        return held.dropFirst().contains { !$0.version.says(theSameAs: held[0].version) }
    }
}

extension RegisterPlace: Comparable {
    static func < (left: RegisterPlace, right: RegisterPlace) -> Bool {
        left.instance == right.instance ? left.item < right.item : left.instance < right.instance
    }
}

extension ParticipantState {
    /// Works out the registers of a whole from its versions.
    mutating func settleWhole(_ whole: InstanceID) {
        guard let state = instances[whole] else { return }
        // Most wholes have one version, which wrote every item once over nothing.
        if state.versions.count == 1, let version = state.versions.values.first, version.seen.isEmpty,
            version.writesEachItemOnce
        {
            for write in version.writes {
                instances[write.place.instance]?.registers[write.place.item, default: Register()].hold(write.value)
            }
            return
        }
        var held: [RegisterPlace: [HeldValue]] = [:]
        for (_, version) in state.heldVersions {
            for write in version.writes { held[write.place, default: []].append(write.value) }
        }
        var awaited: [RegisterPlace: Set<ValueID>] = [:]
        for version in state.versions.values {
            let absent = version.seen.filter { !applied.contains($0.entry) }
            for write in version.writes { awaited[write.place, default: []].formUnion(absent) }
        }
        for (place, absent) in awaited {
            let aside = instances[place.instance]?.registers[place.item]?.setAside ?? []
            // What was set aside is gone, as elsewhere, once a writer of the same item had seen it.
            let stillAside = aside.filter { value in
                !state.versions.values.contains { version in
                    version.seen.contains(value.id) && version.writes.contains { $0.place == place }
                }
            }
            instances[place.instance]?.registers[place.item] = Register(
                held: held[place] ?? [], setAside: stillAside, awaited: absent)
        }
    }
}
