import Crypto
public import EventLog
import Foundation
public import Node
import Synchronization
public import Trial

/// A bearer token as the node keeps it: never the token, only its hash and whom it stands for.
public struct TokenRecord: Hashable, Sendable, Codable {
    /// SHA-256 of the token's text.
    public var sha256: Hash
    /// The person or system that was given it.
    public var actor: ActorID
    /// The role in which they act.
    public var role: RoleName
    /// The name, for people who look after tokens.
    public var name: String
    /// True for software on its own account.
    public var isSystem: Bool
    /// The studies it opens; nil for every one.
    public var studies: [StudyID]?

    /// States a token.
    public init(
        sha256: Hash, actor: ActorID, role: RoleName, name: String, isSystem: Bool = false, studies: [StudyID]? = nil
    ) {
        self.sha256 = sha256
        self.actor = actor
        self.role = role
        self.name = name
        self.isSystem = isSystem
        self.studies = studies
    }

    /// Who a command by this token's holder is from.
    var sender: Sender { Sender(actor: actor, role: role, isSystem: isSystem) }

    /// Whether the token opens a study.
    func opens(_ study: StudyID) -> Bool { studies?.contains(study) ?? true }
}

/// The owner-only file of the tokens that a node accepts. A running node notices when it changes.
///
/// Whoever changes it holds the lock of a file beside it meanwhile, so that of two changes at once none is lost.
///
/// Invariants:
/// - The file holds no token, so that a copy of it lets nobody in.
/// - `read` is what the file held when it had the stamp `stamp`.
public final class TokenFile: Sendable {
    private struct Contents: Codable {
        var format = 0
        var tokens: [TokenRecord] = []
    }

    private struct Known {
        var stamp: FileStamp?
        var read: [TokenRecord] = []
    }

    private let path: String
    private let known = Mutex(Known())

    /// Names the file of a node; it need not be there.
    public init(_ directory: NodeDirectory) {
        path = directory.tokens
    }

    /// The tokens that are accepted now; none where there is no file.
    ///
    /// - Throws: ``Node/DirectoryError`` where the file is unreadable or others may read it.
    public func tokens() throws -> [TokenRecord] {
        let stamp = FileStamp(of: path)
        if let read = known.withLock({ $0.stamp == stamp && stamp != nil ? $0.read : nil }) { return read }
        guard stamp != nil else { return [] }
        let text = try OwnerOnlyFile.readSecret(path, advice: "make a token with 'varde token add'")
        let contents: Contents = try OwnerOnlyFile.decode(text, of: path) { _ in "it is not a list of tokens" }
        guard contents.format == 0 else {
            throw DirectoryError.unreadable(
                path: path, reason: "it is of format \(contents.format), which this software does not know")
        }
        known.withLock { $0 = Known(stamp: stamp, read: contents.tokens) }
        return contents.tokens
    }

    /// The record of a token; nil where it is none of the node's.
    ///
    /// Takes the same time whichever record matches, and whether one does.
    func record(of token: String) throws -> TokenRecord? {
        let hash = Hash.sha256([UInt8](token.utf8)).bytes
        var found: TokenRecord?
        for record in try tokens() where TokenFile.isSame(record.sha256.bytes, hash) { found = record }
        return found
    }

    /// Whether a token that was let in is let in still.
    func accepts(_ record: TokenRecord) throws -> Bool { try tokens().contains(record) }

    /// Compares in a time that says nothing of where two hashes differ.
    private static func isSame(_ left: [UInt8], _ right: [UInt8]) -> Bool {
        zip(left, right).reduce(UInt8(left.count == right.count ? 0 : 1)) { $0 | ($1.0 ^ $1.1) } == 0
    }

    /// Makes a token, writes its record down, and gives the token: it is shown once and kept nowhere.
    ///
    /// - Throws: ``Node/DirectoryError``.
    public func add(
        actor: ActorID, role: RoleName, name: String, isSystem: Bool = false, studies: [StudyID]? = nil
    ) throws -> String {
        let token = "varde-" + SymmetricKey(size: .bits256).withUnsafeBytes { [UInt8]($0) }.hex
        let record = TokenRecord(
            sha256: .sha256([UInt8](token.utf8)), actor: actor, role: role, name: name, isSystem: isSystem,
            studies: studies)
        try change { $0.append(record) }
        return token
    }

    /// Forgets the tokens whose hash begins with `prefix`, and gives how many those were.
    ///
    /// - Throws: ``Node/DirectoryError``.
    public func remove(prefix: String) throws -> Int {
        try change { tokens in
            let before = tokens.count
            tokens.removeAll { $0.sha256.hex.hasPrefix(prefix) }
            return before - tokens.count
        }
    }

    /// Changes the tokens as they are under the lock; puts a whole new file in the place of the old one, so that a node never
    /// reads half of it. Waits for whoever changes them now, so it is not for a running node's tasks.
    private func change<Result>(_ body: (inout [TokenRecord]) -> Result) throws -> Result {
        let lock = path + ".lock"
        let descriptor = open(lock, O_CREAT | O_RDWR | O_CLOEXEC | O_NOFOLLOW, 0o600)
        guard descriptor >= 0 else {
            throw DirectoryError.unwritable(path: lock, reason: String(cString: strerror(errno)))
        }
        // Closed, it is unlocked.
        defer { close(descriptor) }
        while flock(descriptor, LOCK_EX) != 0 {
            guard errno == EINTR else {
                throw DirectoryError.unwritable(path: lock, reason: String(cString: strerror(errno)))
            }
        }
        let before = try tokens()
        var after = before
        let result = body(&after)
        if after != before { try OwnerOnlyFile.exchange(try OwnerOnlyFile.json(Contents(tokens: after)), at: path) }
        return result
    }
}
