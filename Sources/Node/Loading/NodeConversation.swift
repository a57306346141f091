import EventLog
import Foundation
import Trial

/// Sends commands to one node ahead of the answers, and sends them again where the node went away meanwhile.
///
/// A command that was recorded before the node went is known by its id and recorded once.
struct NodeConversation {
    let directory: NodeDirectory
    /// How long a node may be away before it is given up.
    var patienceSeconds: Double = 120
    /// Commands under way at a time.
    var window = 512

    /// Sends commands in order and gives each one's outcome to `onOutcome`, in the same order.
    ///
    /// - Throws: ``LocalClientError`` where the node stays away or answers a command with a failure; what `onOutcome` throws.
    func perform(_ commands: [Command], onOutcome: (Int, CommandOutcome) throws -> Void) async throws {
        var answered = 0
        var deadline = Date().addingTimeInterval(patienceSeconds)
        while answered < commands.count {
            let before = answered
            do {
                answered = try await perform(commands, from: answered, onOutcome: onOutcome)
            } catch let error as LocalClientError {
                if case .unreadable = error { throw error }
                if answered > before { deadline = Date().addingTimeInterval(patienceSeconds) }
                guard Date() < deadline else { throw error }
                try await Task.sleep(for: .milliseconds(200))
            } catch let error as Interrupted {
                answered = error.answered
                guard Date() < deadline else { throw LocalClientError.ended }
                try await Task.sleep(for: .milliseconds(200))
            }
        }
    }

    /// The conversation broke after some answers.
    private struct Interrupted: Error {
        let answered: Int
    }

    private func perform(
        _ commands: [Command], from start: Int, onOutcome: (Int, CommandOutcome) throws -> Void
    ) async throws -> Int {
        try await LocalClient.converse(with: directory) { conversation in
            var sent = start
            var answered = start
            while answered < commands.count {
                let end = min(commands.count, answered + window)
                if sent < end {
                    let burst = commands[sent..<min(end, sent + 64)]
                    do {
                        try await conversation.send(burst.map(LocalRequest.command))
                    } catch {
                        throw Interrupted(answered: answered)
                    }
                    sent += burst.count
                    if sent < end { continue }
                }
                let reply: LocalReply
                do {
                    reply = try await conversation.reply()
                } catch LocalClientError.unreadable {
                    throw LocalClientError.unreadable
                } catch {
                    throw Interrupted(answered: answered)
                }
                switch reply {
                case .outcome(let outcome): try onOutcome(answered, outcome)
                // The node is stopping, or cannot write: what it will say after a start decides.
                case .failed: throw Interrupted(answered: answered)
                default: throw LocalClientError.unreadable
                }
                answered += 1
            }
            return answered
        }
    }

    /// Sends one command, again and again while the node refuses it for a reason that replication will take away.
    ///
    /// - Throws: ``Trial/Refusal`` where it is refused for another reason, or the time runs out.
    func insist(_ command: Command, while isPassing: (Refusal) -> Bool) async throws -> CommandReceipt {
        let deadline = Date().addingTimeInterval(patienceSeconds)
        while true {
            var outcome: CommandOutcome?
            try await perform([command]) { outcome = $1 }
            switch outcome {
            case .recorded(let receipt)?: return receipt
            case .refused(let refusal)?:
                guard isPassing(refusal), Date() < deadline else { throw refusal }
                try await Task.sleep(for: .milliseconds(30))
            case nil: throw LocalClientError.ended
            }
        }
    }
}
