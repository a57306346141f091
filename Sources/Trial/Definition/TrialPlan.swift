public import EventLog

/// What kind of study this is; never changes (DESIGN §3, "Study").
public enum StudyMode: String, Sendable, Codable, CaseIterable {
    /// Real participants.
    case live
    /// For learning to use the system.
    case training
    /// For trying the system out.
    case test
}

/// One or more locations under one principal investigator, as the plan arranges them.
public struct StudySitePlan: Hashable, Sendable {
    /// The site's id.
    public let id: StudySiteID
    /// Its name.
    public let name: String
    /// Whether its locations run the trial as one: any may include and follow up any of its participants.
    public let isRegional: Bool
    /// The locations.
    public let locations: [LocationID]
    /// The number of participants it is to include, nil where none is planned.
    public let target: Int?

    /// Plans a site.
    public init(id: StudySiteID, name: String, isRegional: Bool, locations: [LocationID], target: Int?) {
        self.id = id
        self.name = name
        self.isRegional = isRegional
        self.locations = locations
        self.target = target
    }
}

/// When participants are to be included, and how many.
public struct RecruitmentPlan: Hashable, Sendable {
    /// The first day.
    public let start: CalendarDate
    /// The last day.
    public let end: CalendarDate
    /// The number of participants to include in the whole trial.
    public let target: Int

    /// Plans recruitment.
    public init(start: CalendarDate, end: CalendarDate, target: Int) {
        self.start = start
        self.end = end
        self.target = target
    }
}

/// What no ODM file says of a trial: who arranges it, where, how many are wanted, and how a participant's status follows
/// from the data (Protocols/trial-plan.md).
///
/// Invariants, checked by the reader:
/// - site ids are distinct, and no location belongs to two sites;
/// - the rules' statuses may repeat: any rule that is met gives the status;
/// - no event has two visit rules, and no two questionnaires have one canonical URL and version.
public struct TrialPlan: Hashable, Sendable {
    /// The study's OID.
    public let studyOID: StudyOID
    /// What kind of study it is.
    public let mode: StudyMode
    /// The nodes that publish the study, rebuild central views and export.
    public let coordinatingNodes: [NodeID]
    /// The sites.
    public let studySites: [StudySitePlan]
    /// Recruitment, nil where nothing is planned.
    public let recruitment: RecruitmentPlan?
    /// How statuses follow from data.
    public let statusRules: [StatusRule]
    /// When events are due, in the plan's order; empty where nothing is scheduled.
    public let visitRules: [VisitRule]
    /// The questionnaires by which forms are answered from outside.
    public let questionnaires: [QuestionnairePlan]
    /// The identifier system in which partner apps name participants; nil where any is taken.
    public let subjectIdentifierSystem: String?

    /// States a plan.
    public init(
        studyOID: StudyOID, mode: StudyMode, coordinatingNodes: [NodeID], studySites: [StudySitePlan],
        recruitment: RecruitmentPlan?, statusRules: [StatusRule], visitRules: [VisitRule] = [],
        questionnaires: [QuestionnairePlan] = [], subjectIdentifierSystem: String? = nil
    ) {
        self.studyOID = studyOID
        self.mode = mode
        self.coordinatingNodes = coordinatingNodes
        self.studySites = studySites
        self.recruitment = recruitment
        self.statusRules = statusRules
        self.visitRules = visitRules
        self.questionnaires = questionnaires
        self.subjectIdentifierSystem = subjectIdentifierSystem
    }

    /// When an event is due, nil where the plan does not say.
    public func visitRule(of event: StudyEventOID) -> VisitRule? {
        visitRules.first { $0.event == event }
    }

    /// The site a location belongs to, nil where it takes no part.
    public func studySite(of location: LocationID) -> StudySitePlan? {
        studySites.first { $0.locations.contains(location) }
    }
}
