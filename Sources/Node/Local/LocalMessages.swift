public import EventLog
public import Trial
public import Views

/// What a command of this machine's owner asks of a running node, one JSON object a frame (`Protocols/local-socket.md`).
public enum LocalRequest: Sendable, Codable {
    /// Carry this out. Commands of one connection are carried out in their order.
    case command(Command)
    /// Say how things stand.
    case status
    /// Say what the fold holds of one participant, by label.
    case participant(study: StudyID, label: String)
    /// Say which studies are here, by id and OID.
    case studies
    /// Say what was ordered to be dropped from a study.
    case orders(study: StudyID)
    /// Build a study's view anew; answered when the new one is in service.
    case rebuild(study: StudyID)
    /// Say how far the rebuild of a study has come.
    case rebuildProgress(study: StudyID)
    /// Take in this version of the charter: a signed version, in hexadecimal.
    case applyCharter(String)
    /// Stop writing until the charter names the signing key that waits in the node's directory, and close all own logs.
    case closeLogsForNewKey
    /// Make a backup in a new folder of this path; answered when it is checked.
    case backup(to: String)
    /// Say how far the backup has come.
    case backupProgress
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
    /// To a question for the studies: OIDs by id.
    case studies([StudyID: String])
    /// To a question for orders.
    case orders([OrderReport])
    /// A view was built anew.
    case rebuilt(RebuildOutcome)
    /// To a question for the progress; nil where no rebuild of the study runs.
    case rebuildProgress(RebuildProgress?)
    /// The number of the charter's newest version.
    case charter(UInt64)
    /// The logs are closed.
    case logsClosed
    /// A backup was made and checked.
    case backedUp(BackupReport)
    /// To a question for the progress; nil where no backup is made.
    case backupProgress(BackupProgress?)
    /// The node stops.
    case stopping
    /// The request could not be answered; a sentence says why and what to do.
    case failed(String)
}
