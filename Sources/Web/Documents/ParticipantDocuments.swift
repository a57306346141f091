import EventLog
import Node
import Trial
import Views

/// A participant, as the list shows them.
struct ParticipantDocument: Codable {
    struct Status: Codable {
        var entry: EntryID
        var status: ParticipantStatus
        var eventDate: String
    }

    var participant: EntryID
    var location: LocationID
    var labels: [LabelDocument]
    var statuses: [Status]
    var formCount: Int
    var conflictCount: Int
    var isRemoved: Bool
    var isFullyUnderstood: Bool

    init(_ reading: ParticipantReading) {
        let state = reading.state
        participant = state.id
        location = state.location
        labels = state.labels.map(LabelDocument.init)
        statuses = state.standingStatuses.map {
            Status(entry: $0.entry, status: $0.record.status, eventDate: $0.record.eventDate)
        }
        formCount = state.instances.values.count { $0.shape.kind == .form }
        conflictCount = state.openConflicts.list.count
        isRemoved = state.isRemoved
        isFullyUnderstood = reading.isFullyUnderstood
    }

    init(_ summary: ParticipantSummary) {
        participant = summary.participant
        location = summary.location
        labels = summary.labels.map(LabelDocument.init)
        statuses = summary.statuses.map { Status(entry: $0.entry, status: $0.status, eventDate: $0.eventDate) }
        formCount = summary.forms
        conflictCount = summary.conflicts
        isRemoved = summary.isRemoved
        isFullyUnderstood = summary.isFullyUnderstood
    }
}

/// A number by which people name a participant.
struct LabelDocument: Codable {
    enum Kind: String, Codable {
        case screening, subject, randomisation
    }

    var kind: Kind
    var text: String

    init(_ label: ParticipantLabel) {
        switch label.kind {
        case .screening: kind = .screening
        case .subject: kind = .subject
        case .randomisation: kind = .randomisation
        }
        text = label.text
    }

    var label: ParticipantLabel {
        let number: LabelKind =
            switch kind {
            case .screening: .screening
            case .subject: .subject
            case .randomisation: .randomisation
            }
        return ParticipantLabel(kind: number, text: text)
    }
}

/// A piece of a study's list of participants.
struct ParticipantListDocument: Codable {
    /// Whether everything that had come to this node is in it.
    var isCurrent: Bool
    var participants: [ParticipantDocument]
    /// To be sent as `cursor` for the next piece; absent where this is the last.
    var next: String?

    init(_ reading: ViewReading<ListPiece<ParticipantSummary>>) {
        isCurrent = reading.isCurrent
        participants = reading.contents.elements.map(ParticipantDocument.init)
        next = reading.contents.next.map(Cursor.text)
    }
}

/// A participant with the events and forms of their record.
struct RecordDocument: Codable {
    struct Event: Codable {
        var instance: InstanceID
        var oid: String
        var label: String
        var repeatKey: String?
        var isBegun: Bool
        var isRemoved: Bool
        var forms: [Form]
    }

    struct Form: Codable {
        var instance: InstanceID
        var oid: String
        var label: String
        var repeatKey: String?
        var isBegun: Bool
        var isRemoved: Bool
        /// Absent for one that is not begun.
        var status: FormStatus?
        var conflictCount: Int
    }

    var participant: ParticipantDocument
    var events: [Event]

    init(_ reading: ParticipantReading, _ definition: StudyDefinition?, preferring languages: [String]) {
        participant = ParticipantDocument(reading)
        let outline = RecordOutline(reading.state, definition)
        let statuses = reading.state.formStatuses
        let conflicts = reading.state.openConflicts.list.compactMap {
            $0.instance.flatMap(reading.state.form(around:))
        }
        events = outline.events.map { event in
            Event(
                instance: event.instance, oid: event.oid,
                label: definition?.events[StudyEventOID(event.oid)]?.label(preferring: languages) ?? event.oid,
                repeatKey: event.state?.repeatKey, isBegun: event.state != nil,
                isRemoved: reading.state.isRemovedWithin(event.instance),
                forms: event.forms.map { form in
                    Form(
                        instance: form.instance, oid: form.oid,
                        label: definition?.forms[FormOID(form.oid)]?.label(preferring: languages) ?? form.oid,
                        repeatKey: form.state?.repeatKey, isBegun: form.state != nil,
                        isRemoved: reading.state.isRemovedWithin(form.instance),
                        status: statuses[form.instance],
                        conflictCount: conflicts.count { $0 == form.instance })
                })
        }
    }
}

/// A record's events and forms in the order of the definitions: what stands, and the once-only ones that do not yet.
///
/// Every form in it can be opened by its id, for once-only forms have theirs before anybody begins them (DESIGN §5).
struct RecordOutline {
    struct Event {
        let instance: InstanceID
        let oid: String
        let state: InstanceState?
        var forms: [Form]
    }

    struct Form {
        let instance: InstanceID
        let oid: String
        let state: InstanceState?
    }

    private let record: ParticipantState
    private let children: [InstanceID: [InstanceID]]
    private(set) var events: [Event] = []

    init(_ record: ParticipantState, _ definition: StudyDefinition?) {
        self.record = record
        var children: [InstanceID: [InstanceID]] = [:]
        var standing: [InstanceID] = []
        for (id, state) in record.instances {
            if let parent = state.shape.parent { children[parent, default: []].append(id) } else { standing.append(id) }
        }
        self.children = children
        for event in definition?.eventsInOrder ?? [] where !event.isRepeating && event.type != .unscheduled {
            let id = InstanceID.natural(participant: record.id, parent: nil, kind: .studyEvent, oid: event.oid.text)
            if record.instances[id] == nil { standing.append(id) }
            events.append(outlined(id, event.oid.text, definition))
        }
        let known = Set(events.map(\.instance))
        let places = Dictionary(
            (definition?.eventsInOrder ?? []).enumerated().map { ($1.oid.text, $0) }
        ) { first, _ in first }
        for id in standing where !known.contains(id) {
            guard let state = record.instances[id], state.shape.kind == .studyEvent else { continue }
            events.append(outlined(id, state.shape.oid, definition))
        }
        events.sort {
            (places[$0.oid] ?? .max, Self.order($0.state), $0.instance)
                < (places[$1.oid] ?? .max, Self.order($1.state), $1.instance)
        }
    }

    /// Repeats are shown in the order of their keys, shorter numbers first.
    private static func order(_ state: InstanceState?) -> String {
        let key = state?.repeatKey ?? ""
        return String(repeating: "0", count: max(0, 12 - key.count)) + key
    }

    private func outlined(_ id: InstanceID, _ oid: String, _ definition: StudyDefinition?) -> Event {
        var forms: [Form] = []
        var known: Set<InstanceID> = []
        for reference in definition?.events[StudyEventOID(oid)]?.forms ?? OIDTable() {
            let text = reference.oid.text
            if definition?.forms[reference.oid]?.isRepeating == false {
                let form = InstanceID.natural(participant: record.id, parent: id, kind: .form, oid: text)
                known.insert(form)
                forms.append(Form(instance: form, oid: text, state: record.instances[form]))
            }
        }
        let others = (children[id] ?? []).filter { !known.contains($0) }
            .compactMap { child in record.instances[child].map { (child, $0) } }
            .sorted { ($0.1.shape.oid, Self.order($0.1), $0.0) < ($1.1.shape.oid, Self.order($1.1), $1.0) }
        forms += others.map { Form(instance: $0.0, oid: $0.1.shape.oid, state: $0.1) }
        return Event(instance: id, oid: oid, state: record.instances[id], forms: forms)
    }

    /// The event and the form of a form instance; nil where the record has no such form and can have none.
    func place(of form: InstanceID) -> (event: Event, form: Form)? {
        for event in events {
            if let found = event.forms.first(where: { $0.instance == form }) { return (event, found) }
        }
        return nil
    }

    /// The item groups that stand in a form, rows in the order of their keys.
    func groups(of form: InstanceID) -> [(key: InstanceID, value: InstanceState)] {
        (children[form] ?? []).compactMap { id in record.instances[id].map { (key: id, value: $0) } }
            .sorted {
                ($0.value.shape.oid, Self.order($0.value), $0.key)
                    < ($1.value.shape.oid, Self.order($1.value), $1.key)
            }
    }
}
