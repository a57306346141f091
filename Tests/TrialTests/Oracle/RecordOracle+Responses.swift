import EventLog
import Trial

/// Laws M40 to M44 by the words of Protocols/merge.md.
enum OracleResponses {
    /// A form save about an instance of an answer.
    static func isForeign(_ entry: WrittenEntry) -> Bool {
        guard case .formSaved(let save)? = entry.action?.operation else { return false }
        return save.instances.contains { "\($0.identity)".hasPrefix("response(") }
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
        !all.contains { other in
            guard other.answer == one.answer, other.entry.id != one.entry.id, other.response.status != .completed else {
                return false
            }
            return one.response.status == .completed || saw(other.entry.id, one.entry.id)
        }
    }

    func enterAnswers(in snapshot: inout RecordSnapshot) {
        let all = responses
        for one in all {
            let isStanding = stands(one, among: all)
            let rivals = all.filter { $0.answer == one.answer && stands($0, among: all) }
            let state: ResponseVersionState = isStanding ? (rivals.count == 1 ? .current : .alternative) : .superseded
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
