import EventLog
import Foundation
import Interchange
import StoreCore
import Trial

/// Writes what a node holds of a study as an ODM 1.3.2 snapshot.
public struct ODMExport {
    /// What was written.
    public struct Outcome: Hashable, Sendable, Codable {
        /// Participants.
        public var participants = 0
        /// Forms.
        public var forms = 0
        /// Items.
        public var items = 0
        /// Items left empty because their values conflict.
        public var conflicts = 0
        /// Items left empty because their values were dropped by an order.
        public var erased = 0
        /// Participants who are not in the document because they were erased.
        public var erasedParticipants = 0
        /// Participants left out because something about them is of a newer version.
        public var notUnderstood = 0

        /// Nothing yet.
        public init() {}
    }

    private let fold: StudyFold
    private let definition: StudyDefinition

    init(fold: StudyFold, definition: StudyDefinition) {
        self.fold = fold
        self.definition = definition
    }

    /// Writes the document piece by piece.
    ///
    /// - Parameter creationDateTime: ISO 8601; the cut's time where a cut is named, so that the same cut gives the same bytes.
    func write(creationDateTime: String, sink: @escaping ([UInt8]) throws -> Void) throws -> Outcome {
        var header = ODMFileHeader(
            fileOID: "varde.\(fold.study)", creationDateTime: creationDateTime, studyOID: definition.studyOID,
            metaDataVersionOID: definition.metaDataVersionOID)
        header.granularity = "AllClinicalData"
        header.sourceSystem = "Varde"
        var outcome = Outcome()
        var writer = ODMWriter(header: header, sink: sink)
        try writer.begin()
        let records = fold.locations.values.flatMap { location in location.records.values.map { (location, $0) } }
            .sorted { (subjectKey($0.1), $0.1.id) < (subjectKey($1.1), $1.1.id) }
        for (location, record) in records where !record.isRemoved {
            guard location.isFullyUnderstood(record) else {
                outcome.notUnderstood += 1
                continue
            }
            try writer.write(subject(record, &outcome))
        }
        outcome.erasedParticipants = fold.locations.values.reduce(0) {
            $0 + $1.erasedParticipants.values.count { !$0.registrations.isEmpty }
        }
        try writer.finish()
        return outcome
    }

    private func subjectKey(_ record: ParticipantState) -> String {
        let labels = record.labels.filter { !$0.text.isEmpty }
        let label = labels.first { $0.kind == .subject } ?? labels.first
        return label.map { ValueNormaliser.legal($0.text) } ?? record.id.description
    }

    private func subject(_ record: ParticipantState, _ outcome: inout Outcome) -> ODMSubjectData {
        outcome.participants += 1
        let children = ExportedInstances(record, definition)
        let events = children.of(nil, kind: .studyEvent, order: eventOrder).map { id, event in
            ODMStudyEventData(
                event: StudyEventOID(event.shape.oid), repeatKey: children.repeatKeys[id],
                forms: children.of(id, kind: .form, order: formOrder(in: event)).map { id, form in
                    self.form(id, form, record, children, &outcome)
                })
        }
        let site = record.origins[record.id]?.provenance.origin?.location ?? record.location.text
        return ODMSubjectData(subjectKey: subjectKey(record), site: LocationOID(site), events: events)
    }

    private func form(
        _ id: InstanceID, _ form: InstanceState, _ record: ParticipantState, _ children: ExportedInstances,
        _ outcome: inout Outcome
    ) -> ODMFormData {
        outcome.forms += 1
        let groups = children.of(id, kind: .itemGroup, order: groupOrder(in: form))
        let held = groups.flatMap { $0.1.registers.values.compactMap(\.current) }
        let entries = Set(held.map(\.id.entry))
        // One import behind all values gives the form its record; else each item carries its own entry's.
        let shared = entries.count == 1 ? entries.first.flatMap { record.origins[$0] } : nil
        let isOneImport = shared?.provenance.origin != nil
        return ODMFormData(
            form: FormOID(form.shape.oid), repeatKey: children.repeatKeys[id],
            auditRecord: isOneImport ? shared.map(audit) : nil,
            groups: groups.compactMap { id, group in
                let items = items(of: (id, group), record, children.open, ownRecords: !isOneImport, &outcome)
                guard !items.isEmpty else { return nil }
                return ODMItemGroupData(
                    group: ItemGroupOID(group.shape.oid), repeatKey: children.repeatKeys[id], items: items)
            }, position: 0)
    }

    private func items(
        of instance: (id: InstanceID, state: InstanceState), _ record: ParticipantState, _ open: OpenConflicts,
        ownRecords: Bool, _ outcome: inout Outcome
    ) -> [ODMItemData] {
        let group = instance.state
        let order = definition.itemGroups[ItemGroupOID(group.shape.oid)]?.items
        return group.registers.sorted { left, right in
            let places = (order?.position(of: left.key) ?? .max, order?.position(of: right.key) ?? .max)
            return places.0 == places.1 ? left.key < right.key : places.0 < places.1
        }.compactMap { item, register in
            if open.cover(item, of: instance.id) {
                outcome.conflicts += 1
                outcome.items += 1
                return ODMItemData(item: item, value: nil)
            }
            guard let held = register.current else { return nil }
            guard let value = held.value else {
                // Neither missing nor cleared: there is an item, who wrote it and when, and no datum any more.
                outcome.erased += 1
                outcome.items += 1
                return ODMItemData(
                    item: item, value: nil,
                    auditRecord: ownRecords ? record.origins[held.id.entry].map(audit) : nil)
            }
            guard value.kind != .cleared else { return nil }
            outcome.items += 1
            return ODMItemData(
                item: item, value: value.kind == .missing ? nil : ValueNormaliser.legal(value.typed),
                measurementUnit: value.unit.map { MeasurementUnitOID($0) },
                auditRecord: ownRecords ? record.origins[held.id.entry].map(audit) : nil)
        }
    }

    /// The record of an entry: as the imported file had it, else the entry's actor, node and time.
    private func audit(_ origin: EntryOrigin) -> ODMAuditRecord {
        if let imported = origin.provenance.origin, let user = imported.user, let time = imported.time {
            return ODMAuditRecord(
                user: UserOID(user), location: LocationOID(imported.location ?? origin.node.text), dateTimeStamp: time)
        }
        return ODMAuditRecord(
            user: UserOID(origin.authority.actor.description), location: LocationOID(origin.node.text),
            dateTimeStamp: UTCText.iso8601(milliseconds: origin.time.utcMilliseconds))
    }

    private func eventOrder(_ instance: InstanceState) -> Int {
        definition.protocolEvents.position(of: StudyEventOID(instance.shape.oid)) ?? .max
    }

    private func formOrder(in event: InstanceState) -> (InstanceState) -> Int {
        let forms = definition.events[StudyEventOID(event.shape.oid)]?.forms
        return { forms?.position(of: FormOID($0.shape.oid)) ?? .max }
    }

    private func groupOrder(in form: InstanceState) -> (InstanceState) -> Int {
        let groups = definition.forms[FormOID(form.shape.oid)]?.itemGroups
        return { groups?.position(of: ItemGroupOID($0.shape.oid)) ?? .max }
    }
}

/// Times as ISO 8601 text.
package enum UTCText {
    /// `2026-01-31T12:00:00Z`, with milliseconds where there are any.
    package static func iso8601(milliseconds: Int64) -> String {
        let date = Date(timeIntervalSince1970: Double(milliseconds) / 1000)
        return date.formatted(
            Date.ISO8601FormatStyle(includingFractionalSeconds: milliseconds % 1000 != 0, timeZone: .gmt))
    }
}
