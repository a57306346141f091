import EventLog

/// The days that a date, perhaps partial, may mean (`Protocols/merge.md`, M45).
struct DaySpan: Hashable, Sendable {
    /// The earliest of them.
    let first: CalendarDate
    /// The latest of them.
    let last: CalendarDate

    /// Reads `YYYY`, `YYYY-MM` or `YYYY-MM-DD`, a full date perhaps with a time or zone after it; nil for anything else.
    init?(_ text: String) {
        let date = text.prefix(10)
        if let day = CalendarDate(date) {
            guard text.count == 10 || "TZ+-".contains(text[date.endIndex]) else { return nil }
            (first, last) = (day, day)
            return
        }
        let hasMonth = text.utf8.count == 7
        guard text.utf8.count == 4 || hasMonth, let start = CalendarDate(text + (hasMonth ? "-01" : "-01-01")) else {
            return nil
        }
        let month = hasMonth ? start.month : 12
        guard
            let end = CalendarDate(
                year: start.year, month: month, day: CalendarDate.dayCount(year: start.year, month: month))
        else { return nil }
        (first, last) = (start, end)
    }

    /// The day of a moment by a clock that is `offsetMinutes` east of UTC; nil where there is no such moment.
    init?(utcMilliseconds: Int64, offsetMinutes: Int64) {
        let offset = offsetMinutes.multipliedReportingOverflow(by: 60_000)
        let local = utcMilliseconds.addingReportingOverflow(offset.partialValue)
        guard !offset.overflow, !local.overflow else { return nil }
        let millisecondsOfDay: Int64 = 86_400_000
        let remainder = local.partialValue % millisecondsOfDay
        let day = local.partialValue / millisecondsOfDay - (remainder < 0 ? 1 : 0)
        first = CalendarDate(dayNumber: Int(day))
        last = first
    }
}

/// How data stand to a participant's withdrawals by the date on which they were collected.
enum CollectionTime {
    /// They were collected by the day of every withdrawal, or there is none.
    case beforeWithdrawal
    /// They may have been collected on either side of one.
    case unclear
    /// They were collected after one.
    case afterWithdrawal
}

extension WrittenEntry {
    /// When the data that it records were collected.
    fileprivate var collected: DaySpan? {
        guard let action, let header else { return nil }
        if let span = action.provenance.occurred.flatMap(DaySpan.init) { return span }
        if case .responseReceived(let response) = action.operation, let span = DaySpan(response.authored) {
            return span
        }
        if let time = action.provenance.recorded,
            let span = DaySpan(utcMilliseconds: time.utcMilliseconds, offsetMinutes: time.offsetMinutes)
        {
            return span
        }
        return DaySpan(
            utcMilliseconds: header.nodeTime.utcMilliseconds, offsetMinutes: header.nodeTime.offsetMinutes)
    }
}

extension ParticipantState {
    /// How the data of an entry stand to the withdrawals that nobody corrected.
    func collectionTime(of entry: WrittenEntry) -> CollectionTime {
        let withdrawals = statuses.filter { $0.value.status == .withdrawn && !correctedStatuses.contains($0.key) }
            .compactMap { DaySpan($0.value.eventDate) }
        guard !withdrawals.isEmpty, let collected = entry.collected else { return .beforeWithdrawal }
        if withdrawals.contains(where: { collected.first > $0.last }) { return .afterWithdrawal }
        return withdrawals.contains { collected.last > $0.first } ? .unclear : .beforeWithdrawal
    }

    /// Whether applying the entry alone would not do, because it may change which data count.
    func mayChangeWithdrawals(_ entry: WrittenEntry) -> Bool {
        guard case .statusRecorded(let record)? = entry.action?.operation else { return false }
        return record.status == .withdrawn || statuses.values.contains { $0.status == .withdrawn }
    }

    /// Findings about statuses that stand beside each other.
    func addStatusFindings(to findings: inout [EntryID: FindingRule]) {
        guard !statuses.isEmpty else { return }
        func note(_ finding: FindingRule, of entry: EntryID) {
            if let known = findings[entry], known.rawValue < finding.rawValue { return }
            findings[entry] = finding
        }
        let standing = statuses.filter { !correctedStatuses.contains($0.key) }
        let counts = Dictionary(standing.values.map { ($0.status, 1) }, uniquingKeysWith: +)
        let isFailure = counts[.screenFailure] != nil
        let contradictsFailure = ParticipantStatus.contradictingScreenFailure.contains { counts[$0] != nil }
        for (entry, record) in standing {
            if counts[record.status, default: 0] > 1 { note(.statusRecordedTwice, of: entry) }
            let contradicts =
                record.status == .screenFailure
                ? contradictsFailure
                : isFailure && ParticipantStatus.contradictingScreenFailure.contains(record.status)
            if contradicts { note(.statusesContradict, of: entry) }
            if record.status == .withdrawn, DaySpan(record.eventDate) == nil {
                note(.withdrawalDateUnreadable, of: entry)
            }
        }
    }
}

extension ParticipantStatus {
    /// What nobody reaches who failed screening.
    static let contradictingScreenFailure: Set<ParticipantStatus> = [
        .included, .randomised, .treatmentDiscontinued, .followUpDiscontinued, .completed,
    ]
}
