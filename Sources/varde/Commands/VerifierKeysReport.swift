import EventLog
import Interchange
import Node

/// `varde verify --vkey`: prints the standard verifier keys of logs and witnesses.
struct VerifierKeysReport {
    /// A proof file whose charter is asked; nil for a node's.
    let file: String?
    let directory: NodeDirectory?
    /// The one log that is asked about.
    let log: String?

    /// Prints them, one line each.
    func run(json: Bool) throws {
        let keys = try self.keys()
        if json { return try Output.json(keys) }
        for key in keys.logs {
            Output.line("# log of \(key.node), \(key.stream), key since charter version \(key.charterVersion)")
            Output.line(key.verifierKey)
        }
        for witness in keys.witnesses {
            Output.line("# witness \(witness.node)" + (witness.isCurrent ? "" : ", counts no more"))
            Output.line(witness.verifierKey)
        }
    }

    private func keys() throws -> VerifierKeys {
        if let directory { return try OfflineNode(directory: directory).verifierKeys(ofLog: log) }
        guard let file else { throw Failure("--vkey needs a node (--dir) or a proof file") }
        let read = try ProofFile(bytes: try BoundedFile.read(file, limit: ProofFile.maximumByteCount))
        guard let first = read.proof.charters.first else { throw Failure("\(file) holds no charter") }
        var chain = CharterChain(foundingHash: first.hash)
        for version in read.proof.charters { try chain.insert(version) }
        return try VerifierKeys(logs: [read.proof.entry.log], chain: chain)
    }
}
