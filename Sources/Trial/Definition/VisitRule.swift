/// From what day a scheduled visit is counted.
public enum ScheduleAnchor: Hashable, Sendable {
    /// The day on which the participant reached a status.
    case status(ParticipantStatus)
    /// The day that an item holds, in a form of an event.
    case event(StudyEventOID, dateItem: ItemOID)
}

/// How often a repeating event is due.
public struct VisitRepetition: Hashable, Sendable {
    /// Days from one occurrence to the next, at least 1.
    public let everyDays: Int
    /// The number of occurrences, at least 1.
    public let occurrences: Int
    /// The item of the event's forms that holds the day an occurrence is about; by it an event that stands in the record
    /// is told to be an occurrence, for repeat keys are for display only.
    public let dateItem: ItemOID

    /// States a repetition.
    public init(everyDays: Int, occurrences: Int, dateItem: ItemOID) {
        self.everyDays = everyDays
        self.occurrences = occurrences
        self.dateItem = dateItem
    }
}

/// When a study event is due, as the plan says it (Protocols/trial-plan.md, "Visit schedule").
public struct VisitRule: Hashable, Sendable {
    /// The greatest distance in days that a plan may name, a hundred years.
    public static let maximumDays = 36_525
    /// The greatest number of occurrences that a plan may name.
    public static let maximumOccurrences = 1_000

    /// The event.
    public let event: StudyEventOID
    /// From what day it is counted.
    public let anchor: ScheduleAnchor
    /// Days from the anchor to the day it is due, that of the first occurrence where it repeats; negative for before.
    public let dueAfterDays: Int
    /// Days by which it may be early.
    public let daysBefore: Int
    /// Days by which it may be late.
    public let daysAfter: Int
    /// How it repeats; nil for an event that is once only.
    public let repetition: VisitRepetition?

    /// States a rule.
    public init(
        event: StudyEventOID, anchor: ScheduleAnchor, dueAfterDays: Int, daysBefore: Int = 0, daysAfter: Int = 0,
        repetition: VisitRepetition? = nil
    ) {
        self.event = event
        self.anchor = anchor
        self.dueAfterDays = dueAfterDays
        self.daysBefore = daysBefore
        self.daysAfter = daysAfter
        self.repetition = repetition
    }

    /// The number of occurrences, 1 for an event that is once only.
    public var occurrences: Int { repetition?.occurrences ?? 1 }

    /// The day an occurrence is due.
    /// - Parameter occurrence: from 1.
    public func due(_ occurrence: Int, after anchor: CalendarDate) -> CalendarDate {
        anchor.adding(days: dueAfterDays + (repetition?.everyDays ?? 0) * (occurrence - 1))
    }

    /// The days on which an event due on `due` may take place.
    public func window(around due: CalendarDate) -> ClosedRange<CalendarDate> {
        due.adding(days: -daysBefore)...due.adding(days: daysAfter)
    }

    /// The occurrence that a day belongs to: of those in whose window it lies the one due nearest to it, of two as near the
    /// earlier; nil where it lies in none.
    public func occurrence(holding day: CalendarDate, after anchor: CalendarDate) -> Int? {
        let closest = occurrence(closestTo: day, after: anchor)
        return window(around: due(closest, after: anchor)).contains(day) ? closest : nil
    }

    /// The occurrence that a day belongs to, or where it lies in no window the one due nearest, of two as near the earlier.
    public func occurrence(closestTo day: CalendarDate, after anchor: CalendarDate) -> Int {
        guard let repetition else { return 1 }
        let offset = day.dayNumber - due(1, after: anchor).dayNumber
        // Of all that are due by that day the last is nearest, of all that are due later the next: no window holds the day
        // where neither of theirs does, for all are equally wide.
        let step = repetition.everyDays
        let last = (offset >= 0 ? offset / step : -((step - 1 - offset) / step)) + 1
        let candidates = [last, last + 1].map { min(max($0, 1), repetition.occurrences) }
        func rank(_ occurrence: Int) -> (Int, Int, Int) {
            let due = due(occurrence, after: anchor)
            return (window(around: due).contains(day) ? 0 : 1, abs(day.dayNumber - due.dayNumber), occurrence)
        }
        return candidates.min { rank($0) < rank($1) } ?? 1
    }
}
