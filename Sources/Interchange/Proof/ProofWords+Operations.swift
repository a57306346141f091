import EventLog
import Trial

extension ProofWords {
    /// What is particular to each operation, beside instances and values.
    mutating func say(_ operation: Trial.Operation) {
        switch operation {
        case .log: break
        case .studyFounded(let founding):
            say("study founded", "\(founding.oid) \(founding.name), mode \(founding.mode)")
        case .contentChunk(let chunk):
            say(
                "piece",
                "\(chunk.position) of the document with SHA-256 \(chunk.document), "
                    + (chunk.bytes.map { "\($0.count) bytes" } ?? "dropped"))
        case .definitionPublished(let publication):
            say(
                "published",
                "\(publication.version) \(publication.name), document with SHA-256 \(publication.content)")
        case .participationNumbered(let participation): say(participation)
        case .participationAccepted(let answer), .participationWithdrawn(let answer):
            say("locations", answer.locations.map(\.text).joined(separator: ", "))
            say("agreement", "\(answer.agreement), approval \(answer.approval), \(answer.date)")
        case .planSet(let document): say("plan", document.map { "document of \($0.count) bytes" } ?? "dropped")
        case .delegationNumbered(let delegation): say(delegation)
        case .participantRegistered(let registration): say(registration.labels)
        case .statusRecorded(let record):
            say("status", "\(record.status.rawValue) on \(record.eventDate)")
            sayReason(record.reason)
        case .formSaved(let save): say(save)
        case .conflictResolved(let resolution):
            for side in resolution.sides {
                say("side", "value \(side.side.position) of entry \(side.side.entry): \(side.verdict)")
            }
            say(resolution.save)
        case .responseReceived(let response):
            say(
                "answer",
                "\(response.identifier.system)|\(response.identifier.value), \(response.status.rawValue), "
                    + "authored \(response.authored), document with SHA-256 \(response.documentSHA256)")
        case .removed(let removal), .restored(let removal): sayReason(removal.reason)
        case .instancesDecided(let decision):
            for verdict in decision.verdicts {
                let beginning = verdict.beginning
                say("beginning", "\(beginning.position) of entry \(beginning.entry): \(verdict.verdict)")
            }
            sayReason(decision.reason)
        case .formConfirmed(let confirmation):
            say("confirmed", "\(confirmation.seen.count) values that were seen together")
        case .labelAssigned(let assignment): say([assignment.label])
        case .participantsLinked(let link), .participantsUnlinked(let link):
            say("other participant", "registered by entry \(link.other) at \(link.otherLocation)")
            sayReason(link.reason)
        case .redactionOrdered(let order), .erasureOrdered(let order): say(order)
        }
    }

    private mutating func sayReason(_ reason: String?) {
        if let reason { say("reason", reason) }
    }

    private mutating func say(_ save: FormSave) {
        sayReason(save.reason)
        if let comment = save.comment { say("comment", comment) }
        for prompt in save.prompts {
            say(
                "prompt",
                "\(prompt.item), \(prompt.check): shown for \"\(prompt.valueAtPrompt)\", "
                    + "answered \"\(prompt.answer)\"")
        }
    }

    private mutating func say(_ labels: [ParticipantLabel]) {
        for label in labels { say("label", "\(label.kind) \(label.text)") }
    }

    private mutating func say(_ participation: Participation) {
        say("participation", "number \(participation.number), sponsor \(participation.sponsor)")
        say("coordinating nodes", participation.coordinatingNodes.map(\.text).joined(separator: ", "))
        for member in participation.members {
            say("member", member.location.text + (member.acceptance.map { ", accepted by entry \($0)" } ?? ", invited"))
        }
    }

    private mutating func say(_ delegation: Delegation) {
        say(
            "delegation",
            "number \(delegation.number) of \(delegation.site): \(delegation.name) as \(delegation.role), actor "
                + "\(delegation.actor), from \(delegation.from)" + (delegation.to.map { " to \($0)" } ?? ""))
    }

    private mutating func say(_ order: DropOrder) {
        switch order.target {
        case .parts(let parts, let entry, let address):
            let places = (0..<FormatLimit.parts).filter { parts.contains(position: $0) }
            say("drops", "parts \(places) of entry \(entry) at \(address)")
        case .participant(let registration, let subject):
            say("erases", "participant \(registration): all entries with subject handle \(subject)")
        }
        say("ground", order.ground)
        say("decided by", order.decidedBy)
        if let reason = order.reason { say("reason", reason) }
    }
}
