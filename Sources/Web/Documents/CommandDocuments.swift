import EventLog
import Foundation
import Node
import Trial

/// Where what is entered came from, as a client says it.
struct ProvenanceDocument: Codable {
    enum Kind: String, Codable {
        case direct, paper, electronicHealthRecord, patient, device, imported
    }

    struct Moment: Codable {
        var utcMilliseconds: Int64
        var offsetMinutes: Int64
    }

    var source: Kind?
    var externalIdentifier: String?
    var performedAt: LocationID?
    var occurred: String?
    var recorded: Moment?
    var onBehalfOf: String?
    var language: String?
    var client: String?

    /// What the entry will say; how the sender was known is the node's to say and never the client's.
    var provenance: Provenance {
        let source: Source =
            switch self.source ?? .direct {
            case .direct: .direct
            case .paper: .paper
            case .electronicHealthRecord: .electronicHealthRecord
            case .patient: .patient
            case .device: .device
            case .imported: .imported
            }
        var provenance = Provenance(source: source)
        provenance.externalIdentifier = externalIdentifier
        provenance.performedAt = performedAt?.text
        provenance.occurred = occurred
        provenance.recorded = recorded.map {
            DeviceTime(utcMilliseconds: $0.utcMilliseconds, offsetMinutes: $0.offsetMinutes)
        }
        provenance.onBehalfOf = onBehalfOf
        provenance.language = language
        provenance.client = client
        return provenance
    }
}

/// What every body of a command has.
protocol CommandDocument: Codable, Sendable {
    /// The client's id for it.
    var command: CommandID { get }
    /// Where what it says came from.
    var provenance: ProvenanceDocument? { get }
}

/// Registers a participant.
struct RegistrationDocument: CommandDocument {
    var command: CommandID
    var location: LocationID
    var labels: [LabelDocument]
    var provenance: ProvenanceDocument?
}

/// Records a status.
struct StatusEntryDocument: CommandDocument {
    var command: CommandID
    var status: ParticipantStatus
    var eventDate: String
    var replaces: [EntryID]?
    var provenance: ProvenanceDocument?
}

/// Flags something removed, or takes such a flag back.
struct RemovalDocument: CommandDocument {
    var command: CommandID
    /// The event, form or row; absent for the participant.
    var instance: InstanceID?
    var reason: String
    var provenance: ProvenanceDocument?
}

/// Saves a form.
struct FormEntryDocument: CommandDocument {
    struct Group: Codable {
        var group: SelectorDocument
        var items: [Item]

        func entered() throws -> EnteredGroup {
            EnteredGroup(group: try group.selector(), items: try items.map { try $0.entered() })
        }
    }

    struct Item: Codable {
        var item: ItemOID
        /// As typed; one of the three is there.
        var datum: String?
        var missing: String?
        var cleared: String?
        var unit: String?
        var reasonCode: String?

        func entered() throws -> EnteredItem {
            let value: EnteredValue
            switch (datum, missing, cleared) {
            case (let datum?, nil, nil): value = .datum(datum, unit: unit)
            case (nil, let reason?, nil): value = .missing(reason: reason)
            case (nil, nil, let reason?): value = .cleared(reason: reason)
            default:
                throw Problem.badRequest("item \(item) needs exactly one of datum, missing and cleared")
            }
            return EnteredItem(item: item, value: value, reasonCode: reasonCode)
        }
    }

    var command: CommandID
    var event: SelectorDocument
    var form: SelectorDocument
    var groups: [Group]
    /// Every value that was on the screen.
    var seen: [SeenValue]
    var comment: String?
    var reason: String?
    var provenance: ProvenanceDocument?

    func entry(of participant: EntryID, at location: LocationID) throws -> FormEntry {
        var entry = FormEntry(
            location: location, participant: .registration(participant), event: try event.selector(),
            form: try form.selector(),
            groups: try groups.map { try $0.entered() }, seen: seen)
        entry.comment = comment
        entry.reason = reason
        return entry
    }
}

/// Where a command stands that was recorded.
struct ReceiptDocument: Codable {
    struct Durable: Codable {
        /// This node: it answered when the entry was on its disk.
        var here: NodeID
        /// Other nodes that have said that they hold it.
        var alsoAt: [NodeID]
    }

    var study: StudyID
    var entry: EntryID
    var log: LogID
    var index: UInt64
    /// True where the command had been recorded before.
    var isRepeated: Bool
    var durable: Durable
}

/// An entry and where it is durable.
struct EntryDocument: Codable {
    var study: StudyID
    var entry: EntryID
    var log: LogID
    var index: UInt64
    var location: LocationID?
    var writer: NodeID
    var operation: String?
    var participant: EntryID?
    var forms: [String]
    var utcMilliseconds: Int64?
    var durable: ReceiptDocument.Durable

    init(_ reading: EntryReading, here: NodeID) {
        study = reading.stream.study
        entry = reading.entry
        log = reading.address.log
        index = reading.address.index
        location = reading.stream.location
        writer = reading.writer
        operation = reading.operation?.description
        participant = reading.participant
        forms = reading.forms
        utcMilliseconds = reading.time?.utcMilliseconds
        durable = ReceiptDocument.Durable(here: here, alsoAt: reading.alsoAt)
    }
}
