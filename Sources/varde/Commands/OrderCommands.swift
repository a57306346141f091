import ArgumentParser
import EventLog
import Foundation
import Node
import Trial

/// Who orders, on what grounds, at which node.
struct OrderOptions: ParsableArguments {
    @OptionGroup var node: NodeOption
    @Option(help: "The study's id, as 'varde status' shows it in the names of streams.")
    var study: String
    @Option(help: "A label of the participant.")
    var label: String
    @Option(help: "The ground in law, such as 'GDPR art. 17(1)(b)'. Nothing about the participant.")
    var ground: String
    @Option(help: "Who decided: an office or committee, with the number of the decision.")
    var decidedBy: String
    @Option(help: "Why, in a sentence.")
    var reason: String
    @Option(name: .customLong("as"), help: "In what role: institution or principal-investigator.")
    var role = RoleName.institution
    @Option(help: "Who orders, 32 hexadecimal digits; without it the node's institution.")
    var actor: String?
    @Flag(help: "Print the receipt as JSON.")
    var json = false

    func validate() throws {
        guard StudyID(hex: study) != nil else {
            throw ValidationError("--study takes the 32 hexadecimal digits of a study's id, not '\(study)'")
        }
        guard actor.map({ ActorID(hex: $0) != nil }) ?? (role == .institution) else {
            throw ValidationError("--actor takes 32 hexadecimal digits; only the institution is known without it")
        }
    }

    var grounds: OrderGrounds { OrderGrounds(ground: ground, decidedBy: decidedBy, reason: reason) }

    /// The participant with the label, at the running node.
    func participant() async throws -> ParticipantReport {
        guard let id = StudyID(hex: study) else { throw Failure("'\(study)' is no study's id") }
        let reply = try await LocalClient.ask(try node.directory(), .participant(study: id, label: label))
        guard case .participant(let found) = reply, let report = found else {
            throw Failure("no participant of study \(study) has the label \(label) at this node")
        }
        return report
    }

    /// Sends the order to the node and tells what came of it.
    func send(_ request: Request) async throws {
        let directory = try node.directory()
        let configuration = try NodeConfiguration.read(directory)
        let sender = Sender(
            actor: actor.flatMap { ActorID(hex: $0) } ?? StudySetup.institution(at: configuration.node), role: role)
        var generator = SystemRandomNumberGenerator()
        let command = Command(
            id: CommandID(using: &generator), sender: sender, study: StudyID(hex: study),
            provenance: Provenance(source: .direct), request: request)
        switch try await LocalClient.ask(directory, .command(command)) {
        case .outcome(.recorded(let receipt)):
            if json { return try Output.json(receipt) }
            Output.line(
                "ordered by entry \(receipt.entry): dropped here, and at every other node as soon as the order comes there"
            )
        case .outcome(.refused(let refusal)): throw Failure(refusal.explanation)
        case .failed(let reason): throw Failure(reason)
        default: throw LocalClientError.unreadable
        }
    }
}

/// `varde redact`.
struct RedactCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "redact",
        abstract: "Have texts or values of one entry dropped, at every node and for good.",
        discussion: """
            Who wrote what about when and where stays, and so do all proofs; what the values had replaced does not come \
            back. 'varde participant --json' shows entries and positions. Without --text, --comment, --reason-text or \
            --document all values, texts and documents of the entry go.

            Example:
              varde redact --dir network/haukeland --study STUDY-ID --label 01-702-1082 --entry ENTRY-ID --text 3 \
                --ground 'GDPR art. 16' --decided-by 'data protection officer, case 12/25' \
                --reason 'names a neighbour'
            """)

    @OptionGroup var order: OrderOptions
    @Option(help: "The entry, 64 hexadecimal digits.")
    var entry: String
    @Option(help: "Only the free text of the value at this position of the entry.")
    var text: UInt64?
    @Flag(help: "Only the entry's comment.")
    var comment = false
    @Flag(help: "Only the reason that the entry gives.")
    var reasonText = false
    @Flag(help: "Only the original document.")
    var document = false

    func validate() throws {
        guard EntryID(hex: entry) != nil else {
            throw ValidationError("--entry takes the 64 hexadecimal digits of an entry, not '\(entry)'")
        }
        guard [text != nil, comment, reasonText, document].count(where: { $0 }) <= 1 else {
            throw ValidationError("name one of --text, --comment, --reason-text and --document, or none")
        }
    }

    private var scope: RedactionScope {
        if let text { return .text(position: text) }
        if comment { return .comment }
        if reasonText { return .reason }
        return document ? .document : .everything
    }

    func run() async throws {
        guard let id = EntryID(hex: entry) else { return try validate() }
        let participant = try await order.participant()
        try await order.send(
            .redact(
                RedactionEntry(
                    location: participant.location, participant: .registration(participant.participant), entry: id,
                    scope: scope, grounds: order.grounds)))
    }
}

/// `varde erase`.
struct EraseCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "erase",
        abstract: "Have everything about one participant dropped, at every node and for good.",
        discussion: """
            Every part of every entry about the participant goes, also of entries that are still to come. That somebody was \
            here, who wrote when and where, and all proofs stay. This cannot be taken back.

            Example:
              varde erase --dir network/haukeland --study STUDY-ID --label 01-702-1082 \
                --ground 'GDPR art. 17(1)(b)' --decided-by 'data protection officer, case 13/25' \
                --reason 'withdrew consent and asked for erasure'
            """)

    @OptionGroup var order: OrderOptions

    func run() async throws {
        let participant = try await order.participant()
        try await order.send(
            .erase(
                ErasureEntry(
                    location: participant.location, participant: .registration(participant.participant),
                    grounds: order.grounds)))
    }
}

/// `varde orders`.
struct OrdersCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "orders",
        abstract: "List what was ordered to be dropped from a study: what, by whom, when and on which ground.",
        discussion: """
            Example:
              varde orders --dir network/haukeland --study STUDY-ID
            """)

    @OptionGroup var node: NodeOption
    @Option(help: "The study's id, as 'varde status' shows it in the names of streams.")
    var study: String
    @Flag(help: "Print the orders as JSON.")
    var json = false

    func run() async throws {
        guard let id = StudyID(hex: study) else {
            throw ValidationError("--study takes the 32 hexadecimal digits of a study's id, not '\(study)'")
        }
        let reply = try await LocalClient.ask(try node.directory(), .orders(study: id))
        guard case .orders(let orders) = reply else { throw LocalClientError.unreadable }
        if json { return try Output.json(orders) }
        for order in orders {
            let what =
                order.participant.map { "participant \($0) erased" }
                ?? order.entry.map { "parts \(order.parts) of entry \($0) dropped" } ?? ""
            Output.line("\(order.order) at \(order.location): \(what)")
            Output.line(
                "  \(order.ground) · \(order.decidedBy) · \(order.reason ?? "(reason dropped)") · "
                    + "\(order.role ?? "?") at \(order.node?.text ?? "?")")
        }
        if orders.isEmpty { Output.line("nothing was ordered") }
    }
}
