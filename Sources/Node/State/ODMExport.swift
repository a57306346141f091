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
        (record.labels.first { $0.kind == .subject } ?? record.labels.first)?.text ?? record.id.description
    }

    private func subject(_ record: ParticipantState, _ outcome: inout Outcome) -> ODMSubjectData {
        outcome.participants += 1
        let children = ChildInstances(record)
        let events = children.of(nil, kind: .studyEvent, order: eventOrder).map { id, event in
            ODMStudyEventData(
                event: StudyEventOID(event.shape.oid), repeatKey: repeatKey(id, event, children),
                forms: children.of(id, kind: .form, order: formOrder(in: event)).map { id, form in
                    self.form(id, form, record, children, &outcome)
                })
        }
        let site = record.origins[record.id]?.provenance.origin?.location ?? record.location.text
        return ODMSubjectData(subjectKey: subjectKey(record), site: LocationOID(site), events: events)
    }

    private func form(
        _ id: InstanceID, _ form: InstanceState, _ record: ParticipantState, _ children: ChildInstances,
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
            form: FormOID(form.shape.oid), repeatKey: repeatKey(id, form, children),
            auditRecord: isOneImport ? shared.map(audit) : nil,
            groups: groups.compactMap { id, group in
                let items = items(of: (id, group), record, children.open, ownRecords: !isOneImport, &outcome)
                guard !items.isEmpty else { return nil }
                return ODMItemGroupData(
                    group: ItemGroupOID(group.shape.oid), repeatKey: repeatKey(id, group, children), items: items)
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
                item: item, value: value.kind == .missing ? nil : value.typed,
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

    /// The repeat key: an import's, else the place among those of its kind, for what repeats.
    private func repeatKey(_ id: InstanceID, _ instance: InstanceState, _ children: ChildInstances) -> String? {
        if let key = instance.repeatKey { return key }
        let oid = instance.shape.oid
        let isRepeating =
            switch instance.shape.kind {
            case .studyEvent: definition.events[StudyEventOID(oid)]?.isRepeating == true
            case .form: definition.forms[FormOID(oid)]?.isRepeating == true
            case .itemGroup: definition.itemGroups[ItemGroupOID(oid)]?.isRepeating == true
            }
        let (number, count) = children.place(of: id, instance)
        // What stands once by its definition can be there twice, where a person said that it was two.
        return isRepeating || count > 1 ? "\(number)" : nil
    }
}

/// A participant's instances by what they stand in; those that do not count, removed or begun wrongly, are left out.
private struct ChildInstances {
    /// What is to be decided in the record, whose items are written as empty.
    let open: OpenConflicts
    private let record: ParticipantState
    private let children: [InstanceID?: [(InstanceID, InstanceState)]]

    init(_ record: ParticipantState) {
        self.record = record
        open = record.openConflicts
        children = Dictionary(
            grouping: record.instances.filter { record.counts($0.key) }.map { ($0.key, $0.value) },
            by: { $0.1.shape.parent })
    }

    /// The children of a kind: by the given order, then repeat key (numbers as numbers), then id.
    func of(
        _ parent: InstanceID?, kind: InstanceKind, order: (InstanceState) -> Int
    ) -> [(InstanceID, InstanceState)] {
        (children[parent] ?? []).filter { $0.1.shape.kind == kind }.map { (order($0.1), $0) }.sorted { left, right in
            if left.0 != right.0 { return left.0 < right.0 }
            let keys = (left.1.1.repeatKey ?? "", right.1.1.repeatKey ?? "")
            if keys.0 != keys.1 {
                if let first = Int(keys.0), let second = Int(keys.1) { return first < second }
                return keys.0 < keys.1
            }
            return left.1.0 < right.1.0
        }.map(\.1)
    }

    /// The place of an instance among its siblings of the same OID, from 1, and how many there are.
    func place(of id: InstanceID, _ instance: InstanceState) -> (number: Int, count: Int) {
        let siblings = of(instance.shape.parent, kind: instance.shape.kind, order: { _ in 0 })
            .filter { $0.1.shape.oid == instance.shape.oid }
        return ((siblings.firstIndex { $0.0 == id } ?? 0) + 1, siblings.count)
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
