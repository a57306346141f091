public import EventLog

/// What a version of an answer is worth beside the others.
public enum ResponseVersionState: UInt64, Hashable, Sendable, Codable {
    /// It is the answer.
    case current = 1
    /// Another one has taken its place.
    case superseded = 2
    /// It stands beside others, and none of them counts before the client sends one that saw them.
    case alternative = 3
    /// It was collected after the participant's withdrawal.
    case quarantined = 4
}

/// A version of an answer.
public struct ResponseVersion: Hashable, Sendable {
    /// The entry that stands for it.
    public let entry: EntryID
    /// The form that holds its answers.
    public let form: InstanceID
    /// What the client says of it.
    public let status: ResponseStatus
    /// When it was written, as sent.
    public let authored: String
    /// SHA-256 of the original bytes.
    public let documentSHA256: Hash
    /// Whether it was collected after the participant's withdrawal.
    public let isQuarantined: Bool
    /// The groups and rows that it writes.
    let groups: Set<InstanceID>
    /// For every entry that recorded it, here or elsewhere, the versions that its node held.
    var recordings: [EntryID: Set<EntryID>]

    /// The versions that every node which recorded this one held: a version sent again to a node that meanwhile holds a later
    /// one does not overrule that.
    public var seen: Set<EntryID> {
        var all = recordings.values.makeIterator()
        guard var common = all.next() else { return [] }
        while let other = all.next() { common.formIntersection(other) }
        return common
    }
}

/// An answer to a questionnaire with all its versions (`Protocols/merge.md`, M41).
public struct ResponseState: Hashable, Sendable {
    /// The client system.
    public let client: ActorID
    /// The client's identifier for it.
    public let identifier: ResponseIdentifier
    /// The versions, by the entry that stands for each.
    public internal(set) var versions: [EntryID: ResponseVersion] = [:]

    /// The versions that no other one supersedes, sorted; several are alternatives as wholes.
    public var standing: [EntryID] {
        let counting = versions.values.filter { !$0.isQuarantined }
        // What was amended or entered in error overrules what was merely completed, whenever that comes.
        let later = counting.filter { $0.status != .completed }
        guard !later.isEmpty else { return counting.map(\.entry).sorted() }
        let overruled = later.reduce(into: Set<EntryID>()) { $0.formUnion($1.seen.subtracting([$1.entry])) }
        return later.map(\.entry).filter { !overruled.contains($0) }.sorted()
    }

    /// What a version is worth; nil for one that is not of this answer.
    public func state(of entry: EntryID) -> ResponseVersionState? {
        guard let version = versions[entry] else { return nil }
        if version.isQuarantined { return .quarantined }
        let standing = standing
        guard standing.contains(entry) else { return .superseded }
        return standing.count == 1 ? .current : .alternative
    }

    /// The version that is the answer; nil where there are alternatives, or all of it is quarantined.
    public var current: ResponseVersion? {
        let standing = standing
        return standing.count == 1 ? versions[standing[0]] : nil
    }

    /// Whether the answer reads as entered in error, so that it has no values.
    public var isEnteredInError: Bool { current?.status == .enteredInError }

    /// Whether versions stand beside each other, so that none counts.
    public var isConflict: Bool { standing.count > 1 }

    /// The completed versions, where there are several: each is a finding.
    var severalCompleted: [EntryID] {
        let completed = versions.values.filter { $0.status == .completed }.map(\.entry)
        return completed.count > 1 ? completed : []
    }
}

/// What became of an answer that a client sent; the same for every repetition of the sending.
public enum ResponseOutcome: String, Hashable, Sendable, Codable {
    /// No version of it was here.
    case recorded
    /// It is a version of what was here.
    case recordedAsVersion = "recorded-as-version"
    /// A completed version with other bytes was here: it is kept, is a finding, and is answered as a conflict (HTTP 409).
    case anotherCompleted = "another-completed"
}

extension ParticipantState {
    /// What became of the answer that `entry` recorded; nil where the entry has no effect here, or is no answer.
    public func responseOutcome(of entry: EntryID) -> ResponseOutcome? {
        guard let (response, version) = recording(by: entry), var seen = version.recordings[entry] else { return nil }
        if seen.contains(version.entry) {
            // It was here already, from another node: the answer is the one that the first sending got.
            let first = version.recordings.filter { !$0.value.contains(version.entry) }.min { $0.key < $1.key }
            seen = first?.value ?? seen.subtracting([version.entry])
        }
        let held = seen.compactMap { response.versions[$0] }
        if held.isEmpty { return .recorded }
        let isAnother = version.status == .completed && held.contains { $0.status == .completed }
        return isAnother ? .anotherCompleted : .recordedAsVersion
    }

    private func recording(by entry: EntryID) -> (ResponseState, ResponseVersion)? {
        let id = standing(for: entry)
        for response in responses.values {
            if let version = response.versions[id] { return (response, version) }
        }
        return nil
    }

    /// The answer that a form holds versions of; nil for any other form.
    public func response(in form: InstanceID) -> ResponseState? {
        guard case .response(let named)? = instances[form]?.identity else { return nil }
        return responses[ResponseID(participant: id, client: named.client, identifier: named.identifier)]
    }

    /// The versions that a version's nodes held and that are not here: while there are any, the answer may yet be decided by
    /// what comes.
    public func awaitedVersions(of response: ResponseState) -> [EntryID] {
        let seen = response.standing.compactMap { response.versions[$0]?.seen }.reduce(into: Set()) { $0.formUnion($1) }
        return seen.filter { !applied.contains($0) }.sorted()
    }

    mutating func apply(
        _ response: Response, by entry: WrittenEntry, isQuarantined: Bool, _ table: inout InstancePlaces
    ) {
        guard let client = entry.header?.authority.actor else { return }
        declare(response.instances, &table)
        let ids = table.ids
        guard let form = response.instances.firstIndex(where: { $0.kind == .form }) else { return }
        for (position, change) in response.changes.enumerated() {
            setAside(
                change.value, as: ValueID(entry: entry.id, position: UInt64(position)),
                at: RegisterPlace(instance: ids[change.instance], item: change.item))
        }
        let key = ResponseID(participant: id, client: client, identifier: response.identifier)
        let version = ResponseVersion(
            entry: entry.id, form: ids[form], status: response.status, authored: response.authored,
            documentSHA256: response.documentSHA256, isQuarantined: isQuarantined,
            groups: Set(response.changes.map { ids[$0.instance] }),
            recordings: [entry.id: Set(response.seen.map(standing(for:)))])
        responses[key, default: ResponseState(client: client, identifier: response.identifier)]
            .versions[entry.id] = version
        arrange(key)
    }

    /// Notes what the node of a repetition had held or issued; other operations say the same wherever they are repeated.
    mutating func noteRepetition(_ entry: WrittenEntry) {
        if case .labelAssigned(let assignment)? = entry.action?.operation {
            // Its node may have issued another text, which somebody may have written down.
            givenLabels[ValueID(entry: entry.id, position: 0)] = assignment.label
        }
        guard case .responseReceived(let response)? = entry.action?.operation,
            let client = entry.header?.authority.actor
        else { return }
        let key = ResponseID(participant: id, client: client, identifier: response.identifier)
        let (standing, seen) = (standing(for: entry.id), Set(response.seen.map(standing(for:))))
        responses[key]?.versions[standing]?.recordings[entry.id] = seen
        arrange(key)
    }

    /// Lets the values of the versions that stand count, and sets the others' aside.
    private mutating func arrange(_ key: ResponseID) {
        guard let response = responses[key] else { return }
        let standing = response.standing
        // What should never have been says nothing, whatever it was sent with.
        let counting = Set(standing.filter { response.versions[$0]?.status != .enteredInError })
        let groups = response.versions.values.reduce(into: Set<InstanceID>()) { $0.formUnion($1.groups) }
        for group in groups {
            guard let items = instances[group]?.registers.keys else { continue }
            for item in Array(items) {
                instances[group]?.registers[item]?.arrange(
                    standing: counting, isAlternative: standing.count > 1)
            }
        }
    }

    /// Things to know of entries that keep their effect; of two about one entry the one with the lower number, for it is the
    /// graver.
    public var findings: [EntryID: FindingRule] {
        var findings = notedFindings
        addStatusFindings(to: &findings)
        for response in responses.values {
            for entry in response.severalCompleted
            where (findings[entry]?.rawValue ?? .max) > FindingRule.severalCompletedResponses.rawValue {
                findings[entry] = .severalCompletedResponses
            }
        }
        return findings
    }

    /// The part of the digest that is about answers.
    func writeResponses(into writer: inout WireWriter) {
        for (key, response) in responses.sorted(by: { $0.key < $1.key }) {
            writer.identifier(44, key)
            for (entry, version) in response.versions.sorted(by: { $0.key < $1.key }) {
                writer.message(45) { inner in
                    inner.identifier(1, entry)
                    inner.unsigned(2, version.status.number)
                    inner.unsigned(3, response.state(of: entry)?.rawValue ?? 0)
                    for recording in version.recordings.keys.sorted() { inner.identifier(4, recording) }
                    for seen in version.seen.sorted() { inner.identifier(5, seen) }
                }
            }
        }
    }
}

extension Operation {
    /// Whether it is a save or a resolution that writes into a form which only a client system writes (V16).
    var writesIntoForeignResponse: Bool {
        let table: [InstanceDeclaration]
        switch self {
        case .formSaved(let save): table = save.instances
        case .conflictResolved(let resolution): table = resolution.save.instances
        default: return false
        }
        return table.contains(where: \.identity.isResponse)
    }
}
