public import EventLog

/// The digest of one stream's state, with what it covers: only like is compared with like (DESIGN §2, rule 2).
public struct StreamDigest: Hashable, Sendable {
    /// The stream.
    public let stream: StreamID
    /// SHA-256 over the state.
    public let digest: Hash
    /// Number of charter versions known.
    public let charterVersions: UInt64
    /// Digest of the study's own stream, on which every judgement rests.
    public let studyDigest: Hash
    /// The version of the merge rules.
    public let mergeRules: UInt64

    /// Whether two digests may be compared at all.
    public func covers(theSameAs other: StreamDigest) -> Bool {
        stream == other.stream && charterVersions == other.charterVersions && studyDigest == other.studyDigest
            && mergeRules == other.mergeRules
    }
}

/// How much a stream's state holds.
public struct StreamCounts: Hashable, Sendable, Codable {
    /// Registered participants that are not flagged removed.
    public var participants = 0
    /// Form instances with a current value.
    public var forms = 0
    /// Items with a current value.
    public var values = 0
    /// Items that are empty for now because something about them is to be decided.
    public var itemsInConflict = 0
    /// What is to be decided, of all kinds: items, wholes, forms begun more than once, answers, disputed removals.
    public var conflicts = 0
    /// Those of the conflicts that may be decided by what is not here yet.
    public var conflictsWaiting = 0
    /// Forms whose values never stood together before a person.
    public var formsMergedUnseen = 0
    /// Entries without effect, waiting or not understood, and findings.
    public var findings = 0
    /// Saves and answers that do not count, because their data were collected after a withdrawal.
    public var quarantined = 0
    /// Participants that reached a status, by its name.
    public var statuses: [String: Int] = [:]
    /// Participants that were erased: they are in no other count.
    public var erased = 0
    /// Items with a current value whose datum was dropped by an order: they are among the values.
    public var valuesErased = 0

    /// Counts nothing.
    public init() {}

    /// Adds another stream's, or a record's.
    public static func += (left: inout StreamCounts, right: StreamCounts) {
        left.participants += right.participants
        left.forms += right.forms
        left.values += right.values
        left.itemsInConflict += right.itemsInConflict
        left.conflicts += right.conflicts
        left.conflictsWaiting += right.conflictsWaiting
        left.formsMergedUnseen += right.formsMergedUnseen
        left.findings += right.findings
        left.quarantined += right.quarantined
        left.erased += right.erased
        left.valuesErased += right.valuesErased
        left.statuses.merge(right.statuses, uniquingKeysWith: +)
    }

    /// Takes out what was added before.
    static func -= (left: inout StreamCounts, right: StreamCounts) {
        left.participants -= right.participants
        left.forms -= right.forms
        left.values -= right.values
        left.itemsInConflict -= right.itemsInConflict
        left.conflicts -= right.conflicts
        left.conflictsWaiting -= right.conflictsWaiting
        left.formsMergedUnseen -= right.formsMergedUnseen
        left.findings -= right.findings
        left.quarantined -= right.quarantined
        left.erased -= right.erased
        left.valuesErased -= right.valuesErased
        for (status, count) in right.statuses {
            let rest = (left.statuses[status] ?? 0) - count
            left.statuses[status] = rest == 0 ? nil : rest
        }
    }
}

extension StudyFold {
    /// The digest of one of the study's streams.
    public mutating func digest(of stream: StreamID) -> StreamDigest {
        let studyDigest = covering(forksOf: .study(study), authority.digest)
        let digest: Hash
        if let location = stream.location {
            digest = covering(forksOf: stream, locations[location]?.digest() ?? .zero)
        } else {
            digest = studyDigest
        }
        return StreamDigest(
            stream: stream, digest: digest, charterVersions: UInt64(authority.directory.heldVersions),
            studyDigest: studyDigest, mergeRules: FormatVersion.mergeRules)
    }

    /// A digest that covers which logs of the stream are forked, too; as it was where none is.
    private func covering(forksOf stream: StreamID, _ digest: Hash) -> Hash {
        guard let logs = forkedLogs[stream], !logs.isEmpty else { return digest }
        let bytes = [UInt8]("varde/forked/0".utf8) + digest.bytes + logs.sorted().flatMap { $0.hash.bytes }
        return .sha256(bytes)
    }
}

extension StudyAuthority {
    /// SHA-256 over what the study's stream comes to. Entry ids stand for what the entries say.
    var digest: Hash {
        var writer = WireWriter(capacity: 2048)
        writer.string(1, "varde/study/0")
        writer.name(2, study)
        writer.identifier(3, founding?.id)
        for link in participations { writer.identifier(4, link.id) }
        for id in acceptances.keys.sorted() { writer.identifier(5, id) }
        for (location, ids) in withdrawals.sorted(by: { $0.key < $1.key }) {
            writer.string(6, location.text)
            for id in ids.sorted() { writer.identifier(7, id) }
        }
        for id in definitions.map(\.id).sorted() { writer.identifier(8, id) }
        for id in plans.map(\.id).sorted() { writer.identifier(9, id) }
        for (site, chain) in delegations.sorted(by: { $0.key < $1.key }) {
            writer.string(10, site.text)
            for link in chain { writer.identifier(11, link.id) }
        }
        for (entry, rule) in void.sorted(by: { $0.key < $1.key }) {
            writer.identifier(12, entry)
            writer.unsigned(13, rule.rawValue)
        }
        for entry in waiting.keys.sorted() { writer.identifier(14, entry) }
        for entry in notUnderstood.sorted() { writer.identifier(15, entry) }
        for (entry, rule) in findings.sorted(by: { $0.key < $1.key }) {
            writer.identifier(16, entry)
            writer.unsigned(17, rule.rawValue)
        }
        return .sha256(writer.bytes)
    }
}

extension StudyFold {
    /// How much a location's stream holds; nil where nothing of it is here. Only the records that changed since this was last
    /// asked are counted, so asking again and again costs little.
    public mutating func settledCounts(of location: LocationID) -> StreamCounts? {
        // Taken out while it changes, so that nothing in it is copied.
        guard var fold = locations.removeValue(forKey: location) else { return nil }
        defer { locations[location] = fold }
        fold.settleCounts()
        return fold.counts
    }
}

extension ParticipantState {
    /// What the record adds to the counts of its stream.
    var contribution: StreamCounts {
        var counts = StreamCounts()
        counts.findings = void.count + waiting.count + findings.count
        let open = openConflicts
        counts.conflicts = open.list.count
        counts.conflictsWaiting = open.list.count(where: \.isWaiting)
        guard !isRemoved else { return counts }
        counts.participants = 1
        counts.quarantined = quarantined.count
        for status in Set(reached.map(\.status)) { counts.statuses[status.rawValue] = 1 }
        for (form, groups) in groupsOfForms where self.counts(form) {
            let filled = groups.filter { self.counts($0) }
            if count(filled, open, in: &counts) { counts.forms += 1 }
            if isMergedUnseen(form, filled) { counts.formsMergedUnseen += 1 }
        }
        return counts
    }

    /// Counts the items of a form's groups; true where there are any.
    private func count(_ groups: [InstanceID], _ open: OpenConflicts, in counts: inout StreamCounts) -> Bool {
        var hasItems = false
        for group in groups {
            for (item, register) in instances[group]?.registers ?? [:] where !register.held.isEmpty {
                if open.cover(item, of: group) || register.isConflict {
                    counts.itemsInConflict += 1
                } else if register.current?.value?.kind != .cleared {
                    counts.values += 1
                    if register.current?.value == nil { counts.valuesErased += 1 }
                } else {
                    continue
                }
                hasItems = true
            }
        }
        return hasItems
    }
}
