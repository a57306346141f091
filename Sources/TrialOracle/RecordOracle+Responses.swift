import EventLog
import Trial

/// Laws M40 to M44 by the words of Protocols/merge.md.
enum OracleResponses {
    /// A form save about an instance of an answer.
    static func isForeign(_ entry: WrittenEntry) -> Bool {
        let table: [InstanceDeclaration]
        switch entry.action?.operation {
        case .formSaved(let save)?: table = save.instances
        case .conflictResolved(let resolution)?: table = resolution.save.instances
        default: return false
        }
        return table.contains { "\($0.identity)".hasPrefix("response(") }
    }
}

extension RecordOracle {
    /// Every version that counts, with the bytes that name its answer.
    var responses: [(entry: WrittenEntry, response: Response, answer: ResponseID)] {
        entries.compactMap { entry in
            guard case .responseReceived(let response)? = entry.action?.operation,
                let client = entry.header?.authority.actor
            else { return nil }
            return (
                entry, response,
                ResponseID(participant: registration.id, client: client, identifier: response.identifier)
            )
        }
    }

    var severalCompleted: [EntryID] {
        let completed = responses.filter { $0.response.status == .completed }
        return completed.filter { one in completed.contains { $0.answer == one.answer && $0.entry.id != one.entry.id } }
            .map(\.entry.id)
    }

    /// Whether every sending of the version names another one as seen.
    private func saw(_ version: EntryID, _ other: EntryID) -> Bool {
        sendings.filter { name($0.id) == version }.allSatisfy { sending in
            guard case .responseReceived(let response)? = sending.action?.operation else { return false }
            return response.seen.map(name).contains(other)
        }
    }

    /// Whether nothing supersedes the version.
    private func stands(
        _ one: (entry: WrittenEntry, response: Response, answer: ResponseID),
        among all: [(entry: WrittenEntry, response: Response, answer: ResponseID)]
    ) -> Bool {
        !isQuarantined(one.entry.id)
            && !all.contains { other in
                guard !isQuarantined(other.entry.id), other.answer == one.answer, other.entry.id != one.entry.id,
                    other.response.status != .completed
                else {
                    return false
                }
                return one.response.status == .completed || saw(other.entry.id, one.entry.id)
            }
    }

    /// The versions of each answer that stand beside each other, with the forms that they stand in.
    var answersWithAlternatives: [(forms: [InstanceID], versions: [EntryID])] {
        let all = responses
        return Set(all.map(\.answer)).compactMap { answer in
            let standing = all.filter { $0.answer == answer && stands($0, among: all) }
            let forms = standing.compactMap { one in
                one.response.instances.firstIndex { $0.kind == .form }.map {
                    id(of: $0, in: one.response.instances, by: one.entry.id)
                }
            }
            return standing.count > 1 ? (forms, standing.map(\.entry.id)) : nil
        }
    }

    /// Whether a version that stands was seen, by every sending, to replace one that is not here.
    func awaits(_ versions: [EntryID]) -> Bool {
        versions.contains { version in
            let seen = sendings.filter { name($0.id) == version }.map { sending -> Set<EntryID> in
                guard case .responseReceived(let response)? = sending.action?.operation else { return [] }
                return Set(response.seen.map(name))
            }
            let common = seen.dropFirst().reduce(seen.first ?? []) { $0.intersection($1) }
            let here = Set(entries.map(\.id)).union([registration.id])
            return !common.isSubset(of: here)
        }
    }

    func enterAnswers(in snapshot: inout RecordSnapshot) {
        let all = responses
        for one in all {
            let isStanding = stands(one, among: all)
            let rivals = all.filter { $0.answer == one.answer && stands($0, among: all) }
            var state: ResponseVersionState = isStanding ? (rivals.count == 1 ? .current : .alternative) : .superseded
            if isQuarantined(one.entry.id) { state = .quarantined }
            snapshot.responses[one.answer, default: [:]][one.entry.id] = state
            for (place, change) in one.response.changes.enumerated() {
                let instance = id(of: change.instance, in: one.response.instances, by: one.entry.id)
                let value = ValueID(entry: one.entry.id, position: UInt64(place))
                var item = snapshot.instances[instance]?.items[change.item] ?? ItemSnapshot()
                if isStanding && one.response.status != .enteredInError {
                    item.values[value] = .some(change.value)
                } else {
                    item.setAside[value] = .some(change.value)
                }
                // An item that holds something of one alternative among several.
                if state == .alternative && !item.values.isEmpty { item.isConflict = true }
                snapshot.instances[instance]?.items[change.item] = item
            }
        }
    }
}
