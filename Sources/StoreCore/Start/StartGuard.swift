import EventLog

/// Whether a node that starts without hearing a peer may go on with its open logs (DESIGN §4).
public enum StartVerdict: Hashable, Sendable {
    /// The node has no open log of its own: there is nothing that it could fork.
    case noLogYet
    /// Directory, machine, boot and heads are those of the last commit.
    case agrees
    /// Something differs: the directory may be a copy, a restored one, or on a disk that lost writes.
    case differs([StartDifference])
}

/// One thing that is not as the last commit left it.
public enum StartDifference: Hashable, Sendable {
    /// There is no head file.
    case headFileMissing
    /// The head file was not written whole.
    case headFileDamaged
    /// The directory has another device or inode.
    case directory
    /// The machine is another, or has no id.
    case machine
    /// The machine was started anew since, or has no boot id.
    case boot
    /// An own log is not as the head file says; by its id in hexadecimal.
    case head(log: String)
}

extension StartVerdict: CustomStringConvertible {
    /// A few words for people.
    public var description: String {
        switch self {
        case .noLogYet: "no log yet"
        case .agrees: "agrees"
        case .differs(let differences): differences.map(\.description).joined(separator: ", ")
        }
    }
}

extension StartDifference: CustomStringConvertible {
    /// A few words for people.
    public var description: String {
        switch self {
        case .headFileMissing: "no head file"
        case .headFileDamaged: "the head file is damaged"
        case .directory: "another directory"
        case .machine: "another machine, or one without an id"
        case .boot: "the machine was started anew"
        case .head(let log): "another head of log \(log)"
        }
    }
}

/// On what ground a node goes on with its logs after a start.
public enum StartGround: Hashable, Sendable {
    /// The peers were heard, and every own log is held as far as any of them showed it signed, or is suspended or closed.
    case peersHeard
    /// No peer was heard, but the start guard agrees.
    case guardAgrees
    /// No peer was heard and the guard does not agree: every open own log is closed, and new epochs begin.
    case newEpochs
}

/// Compares the head file with the directory, the machine and the database.
enum StartGuard {
    /// Judges a start.
    ///
    /// - Parameters:
    ///   - file: what ``HeadFile/read(_:)`` gave before anything was written.
    ///   - heads: the heads of the node's open own logs in the database.
    ///   - held: the root of a log at an earlier size, where a checkpoint of that size is held.
    static func judge(
        _ file: HeadFile??, directory: DirectoryIdentity, machine: MachineIdentity, heads: [LogID: HeadFile.Head],
        held: (LogID, UInt64) throws -> Hash?
    ) rethrows -> StartVerdict {
        if heads.isEmpty { return .noLogYet }
        guard let file else { return .differs([.headFileMissing]) }
        guard let file else { return .differs([.headFileDamaged]) }
        var differences: [StartDifference] = []
        if file.directory != directory { differences.append(.directory) }
        if machine.machine == nil || file.machine.machine != machine.machine { differences.append(.machine) }
        if machine.boot == nil || file.machine.boot != machine.boot { differences.append(.boot) }
        for log in Set(heads.keys).union(file.heads.keys).sorted() {
            guard let head = heads[log] else {
                // The file knows an own open log that the database has lost, or has closed since.
                differences.append(.head(log: log.hash.hex))
                continue
            }
            guard let said = file.heads[log] else { continue }
            // A process that ended between the commit and the rewriting leaves the database ahead of the file: nothing is
            // lost, so long as the file's head lies in the log's past.
            let isPast = try said == head || (said.size < head.size && held(log, said.size) == said.root)
            if !isPast { differences.append(.head(log: log.hash.hex)) }
        }
        return differences.isEmpty ? .agrees : .differs(differences)
    }
}
