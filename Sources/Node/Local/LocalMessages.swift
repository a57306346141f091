public import EventLog
public import Trial

/// What a command of this machine's owner asks of a running node, one JSON object a frame (`Protocols/local-socket.md`).
public enum LocalRequest: Sendable, Codable {
    /// Carry this out. Commands of one connection are carried out in their order.
    case command(Command)
    /// Say how things stand.
    case status
    /// Say what the fold holds of one participant, by label.
    case participant(study: StudyID, label: String)
    /// Stop.
    case stop
}

/// A node's answer; answers come in the order of the requests.
public enum LocalReply: Sendable, Codable {
    /// To a command.
    case outcome(CommandOutcome)
    /// To a question for the status.
    case status(NodeStatus)
    /// To a question for a participant; nil where none has the label.
    case participant(ParticipantReport?)
    /// The node stops.
    case stopping
    /// The request could not be answered; a sentence says why and what to do.
    case failed(String)
}
