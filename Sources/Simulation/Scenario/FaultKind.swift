/// What can go wrong in a simulation. How often each came about is counted, and over the seeds of a run none may be missing.
public enum FaultKind: String, Hashable, Sendable, CaseIterable, Codable {
    // The network.
    /// A message did not arrive.
    case dropped
    /// A message arrived twice.
    case duplicated
    /// A message overtook an earlier one.
    case reordered
    /// A message took more than 200 ms.
    case delayed
    /// A link held everything back for a while, and then let it through.
    case clogged
    /// The transport did not take a message.
    case sendFailed
    /// Two nodes were cut off from each other, and noticed.
    case linkDown
    /// Two nodes were cut off from each other, and did not notice.
    case partition
    /// One node was cut off from another, but not the other from it.
    case oneWayPartition
    /// A link went down and up again several times.
    case flappingLink
    /// A node was slow to receive and to store.
    case slowNode

    // The process and the machine.
    /// A process ended between two commits.
    case processEnded
    /// A process ended within a commit.
    case processEndedInCommit
    /// A machine lost its power between two commits.
    case powerLost
    /// A machine lost its power within a commit: what was not synced was kept, lost or torn.
    case powerLostInCommit
    /// A clock jumped by years.
    case clockJumped
    /// A clock stood still.
    case clockFrozen

    // The disk.
    /// The disk was full.
    case diskFull
    /// A sync failed.
    case syncFailed
    /// A write failed.
    case writeFailed
    /// One bit turned over on the disk.
    case bitFlipped
    /// A disk was replaced by an empty one.
    case diskReplaced
    /// A node was set back to a backup, in another directory.
    case backupRestored
    /// A copy of a node took its place, on another machine.
    case nodeCloned
    /// A virtual machine was set back, with everything that could tell.
    case machineReverted
    /// A node learnt that the writer of a log signed two histories of it.
    case logForked

    // People and authority.
    /// A command was sent again, to the same or to another node.
    case commandRepeated
    /// Another command was sent under the id of an earlier one.
    case commandIDReused
    /// The charter grew midway, and a node was admitted by it.
    case nodeAdmitted
    /// A node learnt of a delegation, participation or definition only after entries that rest on it.
    case authorityLate
    /// A node learnt of a version of the charter only after entries that rest on it, or last of all.
    case charterLate

    // A hostile peer.
    /// Entries or a checkpoint that nobody signed.
    case hostileForged
    /// An earlier message, sent again at another time or to somebody else.
    case hostileReplayed
    /// Heads of a stream that the receiver may not hold.
    case hostileForeignStream
    /// A message larger than any may be.
    case hostileOversized
    /// Heads larger than there are, or with another root.
    case hostileLyingSize
    /// A want with credit for everything.
    case hostileLyingCredit
    /// Bytes that are no message.
    case hostileGarbage
    /// Another history of a log, signed by its writer.
    case hostileEquivocating
    /// Nothing that came was read.
    case hostileSilent
}
