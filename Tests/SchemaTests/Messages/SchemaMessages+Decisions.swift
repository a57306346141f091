import EventLog
import Foundation
import SwiftProtobuf
import Trial

extension SchemaMessages {
    mutating func decided(_ decision: InstanceDecision, _ action: Action) -> Varde_V0_InstancesDecided {
        var message = common(Varde_V0_InstancesDecided.self, action)
        message.participant = data(decision.participant)
        message.instances = decision.instances.map { line($0) }
        for verdict in decision.verdicts {
            var inner = Varde_V0_BeginningVerdict()
            inner.entry = data(verdict.beginning.entry)
            inner.position = verdict.beginning.position
            inner.verdict = code(verdict.verdict.rawValue)
            message.verdicts.append(finished(inner))
        }
        message.seen = decision.seen.map { data($0) }
        return finished(message)
    }

    mutating func resolved(_ resolution: Resolution, _ action: Action) -> Varde_V0_ConflictResolved {
        var message = common(Varde_V0_ConflictResolved.self, action)
        message.participant = data(resolution.save.participant)
        message.instances = resolution.save.instances.map { line($0) }
        message.changes = resolution.save.changes.map { change($0) }
        message.seen = runs(of: resolution.save.seen)
        for side in resolution.sides {
            var inner = Varde_V0_JudgedSide()
            inner.entry = data(side.side.entry)
            inner.position = side.side.position
            inner.verdict = code(side.verdict.rawValue)
            message.sides.append(finished(inner))
        }
        return finished(message)
    }

    mutating func confirmed(_ confirmation: Confirmation, _ action: Action) -> Varde_V0_FormConfirmed {
        var message = common(Varde_V0_FormConfirmed.self, action)
        message.participant = data(confirmation.participant)
        message.instances = confirmation.instances.map { line($0) }
        message.seen = runs(of: confirmation.seen)
        return finished(message)
    }

    mutating func received(_ response: Response, _ action: Action) -> Varde_V0_ResponseReceived {
        var message = common(Varde_V0_ResponseReceived.self, action)
        message.participant = data(response.participant)
        message.instances = response.instances.map { line($0) }
        message.changes = response.changes.map { change($0) }
        message.seen = response.seen.map { data($0) }
        message.system = response.identifier.system
        message.value = response.identifier.value
        message.status =
            switch response.status {
            case .completed: .completed
            case .amended: .amended
            case .enteredInError: .enteredInError
            }
        message.authored = response.authored
        message.documentSha256 = data(response.documentSHA256)
        return finished(message)
    }

    mutating func label(_ label: ParticipantLabel, isIssued: Bool) -> Varde_V0_ParticipantLabel {
        var message = Varde_V0_ParticipantLabel()
        message.kind = code(label.kind.rawValue)
        message.text = label.text
        message.isIssued = isIssued
        return finished(message)
    }

    mutating func assigned(_ assignment: LabelAssignment, _ action: Action) -> Varde_V0_LabelAssigned {
        var message = common(Varde_V0_LabelAssigned.self, action)
        message.participant = data(assignment.participant)
        message.label = label(assignment.label, isIssued: assignment.isIssued)
        for label in assignment.seen {
            var inner = Varde_V0_ValueID()
            inner.entry = data(label.entry)
            inner.position = label.position
            message.seen.append(finished(inner))
        }
        return finished(message)
    }

    mutating func linked<Message: LinkMessage>(_ message: Message, _ link: ParticipantLink) -> Message {
        var message = message
        message.participant = data(link.participant)
        message.other = data(link.other)
        message.otherLocation = link.otherLocation.text
        message.seen = link.seen.map { data($0) }
        return finished(message)
    }
}

protocol LinkMessage: StructureMessage {
    var participant: Data { get set }
    var other: Data { get set }
    var otherLocation: String { get set }
    var seen: [Data] { get set }
}
extension Varde_V0_ParticipantsLinked: LinkMessage {}
extension Varde_V0_ParticipantsUnlinked: LinkMessage {}
