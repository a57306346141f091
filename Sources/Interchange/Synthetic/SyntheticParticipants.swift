public import EventLog
public import Trial

/// The made-up participants of one location.
public struct SyntheticSite: Hashable, Sendable {
    /// The location.
    public let location: LocationID
    /// Its participants; forms are numbered from 0.
    public let clinicalData: ODMClinicalData

    /// Names the participants of a location.
    public init(location: LocationID, clinicalData: ODMClinicalData) {
        self.location = location
        self.clinicalData = clinicalData
    }
}

/// Makes up participants for any study, for demonstrations and trials of the software.
///
/// The same definition, plan, division, count and seed give the same participants, on every machine. Values lie within
/// code lists and range checks, visits follow the planned days, some participants fail screening, miss visits or stop
/// early, as far as the plan's status rules tell how that shows. Identifying and restricted items, calculated ones, and
/// forms with restricted items are left out. Nothing is taken from real people.
public enum SyntheticParticipants {
    /// Makes participants, divided over the plan's locations by their study sites' targets.
    /// - Parameters:
    ///   - division: finds the ODM location of each location in the definition.
    ///   - count: how many, at least 0.
    ///   - until: the last day on which anything may have happened; nil for the whole trial.
    /// - Returns: one entry a location, in the plan's order, also for those without participants.
    public static func make(
        definition: StudyDefinition, plan: TrialPlan, division: SiteDivision, count: Int, seed: UInt64,
        until: CalendarDate? = nil
    ) -> [SyntheticSite] {
        let locations = plan.studySites.flatMap(\.locations)
        let counts = shares(of: max(count, 0), in: weights(of: plan))
        let outline = SyntheticOutline(definition: definition, plan: plan, until: until)
        return locations.enumerated().map { index, location in
            let place = definition.locations.first { division.location(of: $0.oid) == location }
            let oid = place?.oid ?? LocationOID("SITE.\(location)")
            let user = definition.users.first { $0.locations.contains(oid) }
            var position = 0
            let subjects = (0..<counts[index]).map { number in
                var maker = SyntheticParticipant(
                    outline: outline, site: oid, user: user?.oid ?? UserOID("USR.\(location)"),
                    generator: SeededGenerator(seed: seed, index, number), position: position)
                let digits = String(number + 1)
                let padded = String(repeating: "0", count: max(3 - digits.count, 0)) + digits
                let subject = maker.subject(key: "\(location)-\(padded)")
                position = maker.position
                return subject
            }
            return SyntheticSite(
                location: location,
                clinicalData: ODMClinicalData(
                    studyOID: definition.studyOID, metaDataVersionOID: definition.metaDataVersionOID,
                    subjects: subjects))
        }
    }

    /// Each location's part of its study site's target, in thousandths.
    private static func weights(of plan: TrialPlan) -> [Int] {
        plan.studySites.flatMap { site in
            let target = min(max(site.target ?? 10, 1), 1_000_000)
            return site.locations.map { _ in max(target * 1_000 / max(site.locations.count, 1), 1) }
        }
    }

    /// Divides `count` by weights: whole parts first, the rest to the largest remainders.
    private static func shares(of count: Int, in weights: [Int]) -> [Int] {
        let sum = weights.reduce(0, +)
        guard sum > 0 else { return [] }
        var shares = weights.map { Int(UInt64($0) * UInt64(min(count, 1_000_000)) / UInt64(sum)) }
        let remainders = weights.enumerated().sorted { left, right in
            let first = left.element * min(count, 1_000_000) % sum
            let second = right.element * min(count, 1_000_000) % sum
            return first != second ? first > second : left.offset < right.offset
        }
        var rest = min(count, 1_000_000) - shares.reduce(0, +)
        for (index, _) in remainders where rest > 0 {
            shares[index] += 1
            rest -= 1
        }
        return shares
    }
}

/// What is the same for all participants of a study.
struct SyntheticOutline {
    let definition: StudyDefinition
    let plan: TrialPlan
    let until: CalendarDate
    let firstScreening: CalendarDate
    let lastScreening: CalendarDate
    /// The visits that a screening failure still has.
    let screeningEvents: Set<StudyEventOID>
    /// The visit of inclusion.
    let inclusionEvent: StudyEventOID?
    /// Items that statuses follow from.
    let ruleItems: Set<ItemOID>
    /// Items that hold the day of a status.
    let dateItems: Set<ItemOID>
    /// Visits with an item that says how participation ended.
    let endEvents: Set<StudyEventOID>

    init(definition: StudyDefinition, plan: TrialPlan, until: CalendarDate?) {
        self.definition = definition
        self.plan = plan
        let start = plan.recruitment?.start ?? CalendarDate(dayNumber: 20_454)
        let end = plan.recruitment?.end ?? start.adding(days: 365)
        self.until = until ?? CalendarDate(dayNumber: Int.max)
        firstScreening = start
        lastScreening = max(start, min(end, self.until))
        let inclusion = plan.statusRules.compactMap { rule -> StudyEventOID? in
            if rule.status == .included, case .event(let event) = rule.condition { return event }
            return nil
        }.first
        inclusionEvent = inclusion
        let planned = definition.eventsInOrder.filter { $0.type == .scheduled && !$0.isRepeating }.map(\.oid)
        let before = planned.prefix { $0 != inclusion }
        screeningEvents = Set(inclusion == nil ? planned.prefix(1) : before)
        ruleItems = Set(
            plan.statusRules.compactMap { rule in
                if case .item(let item, _) = rule.condition { return item }
                return nil
            })
        dateItems = Set(plan.statusRules.compactMap(\.dateItem))
        let endings: Set<ParticipantStatus> = [
            .completed, .treatmentDiscontinued, .followUpDiscontinued, .contactDiscontinued, .withdrawn,
        ]
        let endItems = plan.statusRules.compactMap { rule -> ItemOID? in
            if endings.contains(rule.status), case .item(let item, _) = rule.condition { return item }
            return nil
        }
        endEvents = Set(
            definition.events.filter { event in
                event.forms.contains { form in
                    endItems.contains { SyntheticOutline.holds(form.oid, $0, definition) }
                }
            }.map(\.oid))
    }

    /// Whether a form has an item.
    static func holds(_ form: FormOID, _ item: ItemOID, _ definition: StudyDefinition) -> Bool {
        definition.forms[form]?.itemGroups.contains { group in
            definition.itemGroups[group.oid]?.items.contains(oid: item) == true
        } == true
    }

    /// Whether the plan can show a status.
    func canShow(_ status: ParticipantStatus) -> Bool {
        plan.statusRules.contains { $0.status == status }
    }
}
