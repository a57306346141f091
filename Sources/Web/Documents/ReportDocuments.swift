import EventLog
import Node
import Trial
import Views

/// How the locations of a study stand.
struct MonitoringDocument: Codable {
    /// Whether everything that had come to this node is counted.
    var isCurrent: Bool
    var locations: [MonitoringRow]
}

/// How a study site stands against its target.
struct RegionalDocument: Codable {
    /// Whether everything that had come to this node is counted.
    var isCurrent: Bool
    var report: RegionalReport
}

/// What people have to decide in a study.
struct ConflictListDocument: Codable {
    /// An item in which values stand that differ.
    struct Conflict: Codable {
        var participant: EntryID
        var location: LocationID
        var labels: [LabelDocument]
        var event: String
        var form: String
        /// To be read with all its sides in sight.
        var formInstance: InstanceID
        var group: String
        var groupInstance: InstanceID
        var item: ItemOID
        /// True while a side has seen something that is not here yet: it may come to nothing, and is not yet work.
        var isWaiting: Bool
        var sides: [ValueDocument]
    }

    var conflicts: [Conflict]
    /// True where there are more participants with conflicts than are listed.
    var isCut: Bool

    init(_ records: [ParticipantReading], limit: Int, _ definition: StudyDefinition?, preferring languages: [String]) {
        isCut = records.count > limit
        conflicts = records.prefix(limit).flatMap { reading in
            let record = reading.state
            return record.conflicts.compactMap { conflict in
                guard let group = record.instances[conflict.instance], let form = group.shape.parent,
                    let formState = record.instances[form], let event = formState.shape.parent
                else { return nil }
                let list = definition?.items[conflict.item].flatMap { definition?.codeList(of: $0) }
                return Conflict(
                    participant: record.id, location: record.location, labels: record.labels.map(LabelDocument.init),
                    event: record.instances[event]?.shape.oid ?? "", form: formState.shape.oid, formInstance: form,
                    group: group.shape.oid, groupInstance: conflict.instance, item: conflict.item,
                    isWaiting: !conflict.register.awaited.isEmpty,
                    sides: conflict.register.held.map { held in
                        ValueDocument(
                            held, record,
                            label: held.value.flatMap {
                                list?.entry(for: $0.normalised)?.label(preferring: languages)
                            })
                    })
            }
        }
    }
}
