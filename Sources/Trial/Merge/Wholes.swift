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
    /// Whether the entry says that it writes the whole; where not, its node knew nothing of that and wrote what changed.
    var isWhole = false
    /// What was written, in the order of the changes; at least one.
    var writes: [Write] = []

    init(seen: [ValueID]) {
        self.seen = seen
    }

    /// Whether no item is written twice.
    var writesEachItemOnce: Bool { Set(writes.map(\.place)).count == writes.count }
}

/// A version of a whole that stands.
struct HeldVersion {
    /// The entry that wrote it.
    let entry: EntryID
    /// What it wrote.
    let version: WholeVersion
    /// What it says: what it wrote, and where it does not say that it writes the whole, what else its writer saw there.
    let content: [WholeVersion.Write]

    /// Whether both hold the same items with values that say the same.
    func says(theSameAs other: HeldVersion) -> Bool {
        let left = Dictionary(grouping: content, by: \.place)
        let right = Dictionary(grouping: other.content, by: \.place)
        return left.keys == right.keys
            && left.allSatisfy { place, values in
                let others = right[place] ?? []
                return values.allSatisfy { one in others.allSatisfy { $0.value.says(theSameAs: one.value) } }
            }
    }
}

extension InstanceState {
    /// The versions of a whole that stand, by entry: those of which no other version's writer had seen all that they say
    /// (M34).
    var heldVersions: [HeldVersion] {
        let contents = contents
        var superseded: Set<EntryID> = []
        if versions.count > 1 {
            // Who had seen all had seen the first one too, so that only those are compared of whom it is among the seen.
            let byFirst = Dictionary(
                versions.map { ($0.value.writes[0].value.id, $0.key) }, uniquingKeysWith: { first, _ in first })
            for (entry, version) in versions {
                let candidates = version.seen.compactMap { byFirst[$0] }.filter { $0 != entry }
                guard !candidates.isEmpty else { continue }
                let seen = Set(version.seen)
                for other in Set(candidates).subtracting(superseded)
                where contents[other]?.allSatisfy({ seen.contains($0.value.id) }) == true {
                    superseded.insert(other)
                }
            }
        }
        return versions.filter { !superseded.contains($0.key) }.sorted { $0.key < $1.key }.map { entry, version in
            HeldVersion(entry: entry, version: version, content: contents[entry] ?? version.writes)
        }
    }

    /// What each version says. One that was not written as a whole stands on what its writer saw: what that held of other
    /// items would else be lost with the version that wrote it.
    private var contents: [EntryID: [WholeVersion.Write]] {
        guard versions.count > 1, versions.contains(where: { !$0.value.isWhole && !$0.value.seen.isEmpty }) else {
            return versions.mapValues(\.writes)
        }
        var written: [ValueID: WholeVersion.Write] = [:]
        for version in versions.values {
            for write in version.writes { written[write.value.id] = write }
        }
        return versions.mapValues { version in
            guard !version.isWhole else { return version.writes }
            let own = Set(version.writes.map(\.place))
            let kept = Set(version.seen).compactMap { written[$0] }.filter { !own.contains($0.place) }
            return version.writes + kept
        }
    }

    /// Who wrote the versions of a whole that stand, by id.
    public var versionsHeld: [EntryID] { versions.isEmpty ? [] : heldVersions.map(\.entry) }

    /// Whether versions stand beside each other that do not say the same.
    var hasAlternatives: Bool {
        guard versions.count > 1 else { return false }
        let held = heldVersions
        return held.dropFirst().contains { !$0.says(theSameAs: held[0]) }
    }
}

extension RegisterPlace: Comparable {
    static func < (left: RegisterPlace, right: RegisterPlace) -> Bool {
        left.instance == right.instance ? left.item < right.item : left.instance < right.instance
    }
}

extension ParticipantState {
    /// Works out the registers of all wholes from their versions.
    mutating func settleWholes() {
        for whole in instances.compactMap({ $0.value.versions.isEmpty ? nil : $0.key }) { settleWhole(whole) }
    }

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
        for version in state.heldVersions {
            for write in version.content { held[write.place, default: []].append(write.value) }
        }
        var writers: [RegisterPlace: Set<EntryID>] = [:]
        for (entry, version) in state.versions {
            for write in version.writes { writers[write.place, default: []].insert(entry) }
        }
        let seen = state.versions.mapValues { Set($0.seen) }
        for (place, writers) in writers {
            let aside = instances[place.instance]?.registers[place.item]?.setAside ?? []
            // What was set aside is gone, as elsewhere, once a writer of the same item had seen it.
            let stillAside = aside.filter { value in !writers.contains { seen[$0]?.contains(value.id) ?? false } }
            instances[place.instance]?.registers[place.item] = Register(
                held: held[place] ?? [], setAside: stillAside, awaiting: writers.filter { awaitedSights[$0] != nil })
        }
    }
}
