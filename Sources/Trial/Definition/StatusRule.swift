/// A status that a participant reaches (DESIGN §5, "Participant"); the raw value is the key in a trial plan.
public enum ParticipantStatus: String, Sendable, Codable, CaseIterable {
    /// Was looked at as a possible participant.
    case screened
    /// Agreed to take part.
    case consented
    /// Takes part.
    case included
    /// Was allotted a treatment.
    case randomised
    /// Was looked at and does not take part.
    case screenFailure
    /// Takes part without the treatment.
    case treatmentDiscontinued
    /// Is not followed up any more.
    case followUpDiscontinued
    /// May not be contacted any more.
    case contactDiscontinued
    /// Went through the whole trial.
    case completed
    /// Withdrew consent.
    case withdrawn
}

/// How a status follows from data: the first saved form of a visit, or an item with a certain value.
public struct StatusRule: Hashable, Sendable {
    /// What has to be there.
    public enum Condition: Hashable, Sendable {
        /// Any form of this visit.
        case event(StudyEventOID)
        /// This item with this value, in any visit.
        case item(ItemOID, equals: String)
    }

    /// The status.
    public let status: ParticipantStatus
    /// What has to be there.
    public let condition: Condition
    /// The item of the same form that holds the day on which the status was reached; nil for the day it was recorded.
    public let dateItem: ItemOID?

    /// States a rule.
    public init(status: ParticipantStatus, condition: Condition, dateItem: ItemOID? = nil) {
        self.status = status
        self.condition = condition
        self.dateItem = dateItem
    }

    /// Whether a saved form meets the condition.
    /// - Parameters:
    ///   - event: the visit the form belongs to.
    ///   - value: an item's current values in the form, as typed or normalised; empty where it has none.
    public func matches(event: StudyEventOID, value: (ItemOID) -> [String]) -> Bool {
        switch condition {
        case .event(let wanted): event == wanted
        case .item(let item, let wanted): value(item).contains(wanted)
        }
    }
}

/// A status that a saved form implies.
public struct ImpliedStatus: Hashable, Sendable {
    /// The status.
    public let status: ParticipantStatus
    /// The day it was reached as the form gives it, a date or part of one; nil where the form gives none, and the day it
    /// was recorded stands for it.
    public let date: String?

    /// States a status.
    public init(status: ParticipantStatus, date: String?) {
        self.status = status
        self.date = date
    }
}

extension TrialPlan {
    /// The statuses that a saved form implies, each once, in the order of the plan's rules.
    ///
    /// A visit's every form implies the visit's statuses: whoever issues commands from this keeps the first.
    /// - Parameters:
    ///   - event: the visit the form belongs to.
    ///   - value: an item's current values in the form, as typed or normalised; empty where it has none.
    public func impliedStatuses(event: StudyEventOID, value: (ItemOID) -> [String]) -> [ImpliedStatus] {
        var found: [ImpliedStatus] = []
        for rule in statusRules where rule.matches(event: event, value: value) {
            guard !found.contains(where: { $0.status == rule.status }) else { continue }
            let date = rule.dateItem.flatMap { value($0).first }
            found.append(ImpliedStatus(status: rule.status, date: date))
        }
        return found
    }
}
