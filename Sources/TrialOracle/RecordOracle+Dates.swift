import EventLog
import Foundation
import Trial

/// Laws M45 to M47 by the words of Protocols/merge.md. Days are texts here, which sort as days do.
extension RecordOracle {
    private typealias Days = (earliest: String, latest: String)

    private func days(_ text: String) -> Days? {
        let digits = text.replacing(/[0-9]/, with: "d")
        switch digits {
        case "dddd": return (text + "-01-01", text + "-12-31")
        case "dddd-dd": return (text + "-01", text + "-31")
        default:
            guard digits == "dddd-dd-dd" || digits.hasPrefix("dddd-dd-ddT") else { return nil }
            return (String(text.prefix(10)), String(text.prefix(10)))
        }
    }

    private func days(_ milliseconds: Int64, _ offset: Int64) -> Days? {
        var calendar = Calendar(identifier: .gregorian)
        calendar.timeZone = TimeZone(secondsFromGMT: 0) ?? calendar.timeZone
        let local = Date(timeIntervalSince1970: Double(milliseconds) / 1000 + Double(offset) * 60)
        let parts = calendar.dateComponents([.year, .month, .day], from: local)
        guard let year = parts.year, let month = parts.month, let day = parts.day else { return nil }
        let text = String(format: "%04d-%02d-%02d", year, month, day)
        return (text, text)
    }

    private func collected(_ entry: WrittenEntry) -> Days? {
        guard let action = entry.action, let header = entry.header else { return nil }
        if let found = action.provenance.occurred.flatMap({ days($0) }) { return found }
        if case .responseReceived(let response) = action.operation, let found = days(response.authored) { return found }
        if let time = action.provenance.recorded { return days(time.utcMilliseconds, time.offsetMinutes) }
        return days(header.nodeTime.utcMilliseconds, header.nodeTime.offsetMinutes)
    }

    private var statuses: [(id: EntryID, record: StatusRecord)] {
        entries.compactMap { entry in
            if case .statusRecorded(let record)? = entry.action?.operation { (entry.id, record) } else { nil }
        }
    }

    private var standingStatuses: [(id: EntryID, record: StatusRecord)] {
        let corrected = statuses.flatMap { $0.record.replaces.map(name) }
        return statuses.filter { !corrected.contains($0.id) }
    }

    private func isData(_ entry: WrittenEntry) -> Bool {
        switch entry.action?.operation {
        case .formSaved?, .responseReceived?: true
        default: false
        }
    }

    func isQuarantined(_ id: EntryID) -> Bool { quarantined.contains(id) }

    func wasCollectedAfterWithdrawal(_ id: EntryID) -> Bool {
        guard let entry = entries.first(where: { $0.id == id }), isData(entry), let when = collected(entry) else {
            return false
        }
        return standingStatuses.contains { status in
            guard status.record.status == .withdrawn, let end = days(status.record.eventDate) else { return false }
            return when.earliest > end.latest
        }
    }

    /// Findings F6 to F10.
    var findings: [(EntryID, FindingRule)] {
        var findings: [(EntryID, FindingRule)] = severalCompleted.map { ($0, .severalCompletedResponses) }
        let standing = standingStatuses
        let afterScreening: [ParticipantStatus] = [
            .included, .randomised, .treatmentDiscontinued, .followUpDiscontinued, .completed,
        ]
        for one in standing {
            if standing.contains(where: { $0.id != one.id && $0.record.status == one.record.status }) {
                findings.append((one.id, .statusRecordedTwice))
            }
            for other in standing {
                let pair = [one.record.status, other.record.status]
                if pair.contains(.screenFailure), pair.contains(where: afterScreening.contains) {
                    findings.append((one.id, .statusesContradict))
                }
            }
            if one.record.status == .withdrawn, days(one.record.eventDate) == nil {
                findings.append((one.id, .withdrawalDateUnreadable))
            }
        }
        for entry in entries where isData(entry) && !isQuarantined(entry.id) {
            guard let when = collected(entry) else { continue }
            let isUnclear = standing.contains { status in
                guard status.record.status == .withdrawn, let end = days(status.record.eventDate) else { return false }
                return when.latest > end.earliest
            }
            if isUnclear { findings.append((entry.id, .collectionDateUnclear)) }
        }
        return findings
    }
}
