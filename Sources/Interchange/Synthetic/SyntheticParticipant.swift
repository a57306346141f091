import Trial

/// Makes up one participant.
///
/// Invariants:
/// - `position` is the number of forms made so far at the participant's location;
/// - `pending` are the reached statuses that no item has shown yet.
struct SyntheticParticipant {
    let outline: SyntheticOutline
    let site: LocationOID
    let user: UserOID
    var generator: SeededGenerator
    private(set) var position: Int

    private var reached: Set<ParticipantStatus> = []
    var pending: Set<ParticipantStatus> = []
    private var inclusionDate = CalendarDate(dayNumber: 0)
    /// The study day on which participation ends.
    private var lastDay = Int.max

    init(outline: SyntheticOutline, site: LocationOID, user: UserOID, generator: SeededGenerator, position: Int) {
        self.outline = outline
        self.site = site
        self.user = user
        self.generator = generator
        self.position = position
    }

    private var definition: StudyDefinition { outline.definition }

    mutating func subject(key: String) -> ODMSubjectData {
        decideFate()
        let span = outline.lastScreening.dayNumber - outline.firstScreening.dayNumber
        let screening = outline.firstScreening.adding(days: generator.number(in: 0...max(span, 0)))
        // Planned days before inclusion are negative: the earliest of them falls on the day of screening.
        let earliest = definition.events.filter { $0.type == .scheduled }.compactMap(\.plannedDay).min() ?? 1
        inclusionDate = screening.adding(days: earliest < 1 ? -earliest : 0)
        var events: [ODMStudyEventData] = []
        var previous = screening
        for event in definition.eventsInOrder {
            events += occurrences(of: event, after: &previous)
        }
        return ODMSubjectData(subjectKey: key, site: site, events: events)
    }

    private mutating func decideFate() {
        reached = [.screened, .consented]
        if outline.canShow(.screenFailure) && generator.happens(percent: 15) {
            reached.insert(.screenFailure)
        } else {
            reached.formUnion([.included, .randomised])
            let draw = generator.number(in: 0...99)
            let ending: ParticipantStatus =
                draw < 76
                ? .completed : draw < 88 ? .treatmentDiscontinued : draw < 95 ? .followUpDiscontinued : .withdrawn
            reached.insert(outline.canShow(ending) ? ending : .completed)
            if !reached.contains(.completed) { lastDay = generator.number(in: 5...75) }
        }
        pending = reached
    }

    // MARK: Visits

    private mutating func occurrences(
        of event: StudyEventDefinition, after previous: inout CalendarDate
    ) -> [ODMStudyEventData] {
        let isFailure = reached.contains(.screenFailure)
        if isFailure && !outline.screeningEvents.contains(event.oid) { return [] }
        var dates: [CalendarDate] = []
        switch (event.type, event.isRepeating) {
        case (.scheduled, false):
            guard let date = scheduledDate(of: event, after: previous) else { return [] }
            previous = date
            dates = [date]
        case (.scheduled, true):
            let days = min(generator.number(in: 7...14), lastDay)
            dates = (1...max(days, 1)).compactMap { day in
                generator.happens(percent: 90) ? inclusionDate.adding(days: day) : nil
            }
        case (.common, _): dates = [inclusionDate.adding(days: generator.number(in: 0...min(lastDay, 30)))]
        case (.unscheduled, let isRepeating):
            let count = generator.happens(percent: 35) ? (isRepeating ? generator.number(in: 1...2) : 1) : 0
            dates = (0..<count).map { _ in inclusionDate.adding(days: generator.number(in: 1...min(lastDay, 80))) }
            dates.sort()
        }
        var found: [ODMStudyEventData] = []
        for date in dates where date <= outline.until {
            let forms = forms(of: event, on: date)
            guard !forms.isEmpty else { continue }
            let key = event.isRepeating ? String(found.count + 1) : nil
            found.append(ODMStudyEventData(event: event.oid, repeatKey: key, forms: forms))
        }
        return found
    }

    /// The day of a planned visit, nil where it is missed.
    private mutating func scheduledDate(of event: StudyEventDefinition, after previous: CalendarDate) -> CalendarDate? {
        let isEnd = outline.endEvents.contains(event.oid)
        let isFirst = outline.screeningEvents.contains(event.oid) || event.oid == outline.inclusionEvent
        guard let day = event.plannedDay else {
            return isFirst ? previous : previous.adding(days: generator.number(in: 10...18))
        }
        // There is no day 0: day 1 is the day of inclusion.
        var offset = day > 0 ? day - 1 : day
        if !isFirst { offset += generator.number(in: -2...2) }
        if offset > lastDay {
            // Whoever stops early still has a visit that says so.
            guard isEnd else { return nil }
            offset = lastDay
        } else if !isFirst && !isEnd && generator.happens(percent: 6) {
            return nil
        }
        return max(inclusionDate.adding(days: offset), previous)
    }

    // MARK: Forms

    private mutating func forms(of event: StudyEventDefinition, on date: CalendarDate) -> [ODMFormData] {
        var forms: [ODMFormData] = []
        for reference in event.forms {
            guard let form = definition.forms[reference.oid], !hasRestrictedItem(form) else { continue }
            let isForced = outline.ruleItems.contains { item in
                SyntheticOutline.holds(form.oid, item, definition) && showsPending(item)
            }
            guard isForced || generator.happens(percent: reference.isMandatory ? 97 : 60) else { continue }
            let count = form.isRepeating ? generator.number(in: 1...3) : 1
            for number in 1...count {
                guard let made = self.form(form, of: event, on: date, key: form.isRepeating ? "\(number)" : nil) else {
                    continue
                }
                forms.append(made)
                position += 1
            }
        }
        return forms
    }

    private func hasRestrictedItem(_ form: FormDefinition) -> Bool {
        form.itemGroups.contains { reference in
            definition.itemGroups[reference.oid]?.items.contains { item in
                if case .restricted = definition.items[item.oid]?.itemClass { return true }
                return false
            } == true
        }
    }

    /// Whether an item would show a status that is reached and not shown yet.
    func showsPending(_ item: ItemOID) -> Bool {
        outline.plan.statusRules.contains { rule in
            if case .item(item, _) = rule.condition { return pending.contains(rule.status) }
            return false
        }
    }

    private mutating func form(
        _ form: FormDefinition, of event: StudyEventDefinition, on date: CalendarDate, key: String?
    ) -> ODMFormData? {
        var groups: [ODMItemGroupData] = []
        let isLog = form.isRepeating || event.type == .common
        for reference in form.itemGroups {
            guard let group = definition.itemGroups[reference.oid] else { continue }
            let isForced = group.items.contains { showsPending($0.oid) }
            guard isForced || generator.happens(percent: reference.isMandatory ? 98 : 70) else { continue }
            let count = group.isRepeating ? generator.number(in: 1...4) : 1
            var number = 0
            for _ in 0..<count {
                let items = items(of: group, on: date, isHistory: isLog || group.isRepeating)
                guard !items.isEmpty else { continue }
                number += 1
                groups.append(
                    ODMItemGroupData(
                        group: group.oid, repeatKey: group.isRepeating ? String(number) : nil, items: items))
            }
        }
        guard !groups.isEmpty else { return nil }
        let minute = generator.number(in: 10...59)
        let hour = generator.number(in: 10...15)
        return ODMFormData(
            form: form.oid, repeatKey: key,
            auditRecord: ODMAuditRecord(
                user: user, location: site, dateTimeStamp: "\(date)T\(hour):\(minute):00Z"), groups: groups,
            position: position)
    }
}
