import Crypto
import EventLog
import Foundation
public import Node
import Synchronization

/// Lets the node's owner in with a browser: a code that is shown once in the terminal becomes a cookie.
///
/// The code is no secret for long: it is good once, for two minutes, and the node keeps its hash only. It is handed over
/// through a file in the node's owner-only directory, so that whoever can write there can let a browser in, and nobody
/// else.
///
/// Invariants:
/// - A code opens one session at most: whoever removes its file first has used it.
/// - Sessions are forgotten when the node stops, and after eight hours.
public final class BrowserSessions: Sendable {
    /// Seconds for which a code is good.
    public static let codeSeconds = 120
    private static let sessionSeconds = 8 * 3600
    /// Sessions at a time; the oldest ends when one more begins.
    private static let maximumSessions = 32

    private let directory: NodeDirectory
    private let sessions = Mutex<[Hash: ContinuousClock.Instant]>([:])

    /// Keeps the sessions of a node.
    public init(_ directory: NodeDirectory) {
        self.directory = directory
    }

    /// Makes a code in a node's directory, in five groups of five digits and letters.
    ///
    /// - Throws: ``Node/DirectoryError``.
    public static func makeCode(in directory: NodeDirectory) throws -> String {
        // Without those that people take for one another. 31 letters to the 25th are 123 bits.
        let letters = Array("23456789abcdefghjkmnpqrstuvwxyz")
        var generator = SystemRandomNumberGenerator()
        let groups = (0..<5).map { _ in String((0..<5).map { _ in letters.randomElement(using: &generator) ?? "2" }) }
        let code = groups.joined(separator: "-")
        try OwnerOnlyFile.makeDirectory(directory.browserCodes)
        try OwnerOnlyFile.write("\(Int(Date().timeIntervalSince1970))\n", to: file(of: code, in: directory))
        return code
    }

    private static func file(of code: String, in directory: NodeDirectory) -> String {
        let plain = code.lowercased().filter { $0.isASCII && ($0.isLetter || $0.isNumber) }
        return directory.browserCodes + "/" + Hash.sha256([UInt8](plain.utf8)).hex
    }

    /// Uses a code up; gives the new session's secret, or nil where the code is not good.
    func open(code: String) -> String? {
        let path = BrowserSessions.file(of: code, in: directory)
        guard let made = (try? OwnerOnlyFile.readSecret(path, advice: "")).flatMap({ Int($0) }), unlink(path) == 0
        else { return nil }
        let age = Int(Date().timeIntervalSince1970) - made
        guard (0...BrowserSessions.codeSeconds).contains(age) else { return nil }
        let secret = SymmetricKey(size: .bits256).withUnsafeBytes { [UInt8]($0) }.hex
        let now = ContinuousClock.now
        sessions.withLock { sessions in
            sessions = sessions.filter { $0.value > now }
            if sessions.count >= BrowserSessions.maximumSessions,
                let oldest = sessions.min(by: { $0.value < $1.value })?.key
            {
                sessions[oldest] = nil
            }
            sessions[.sha256([UInt8](secret.utf8))] = now + .seconds(BrowserSessions.sessionSeconds)
        }
        return secret
    }

    /// Whether a cookie's secret is that of an open session. Found by its hash, so its own digits are never compared.
    func isOpen(_ secret: String) -> Bool {
        sessions.withLock { $0[.sha256([UInt8](secret.utf8))].map { $0 > ContinuousClock.now } ?? false }
    }

    /// The cookie's name: every node has one of its own, because cookies are shared by all ports of a host.
    var cookieName: String { "varde-" + Hash.sha256([UInt8](directory.path.utf8)).hex.prefix(16) }

    /// The header that gives a browser its cookie.
    func cookie(_ secret: String) -> String {
        "\(cookieName)=\(secret); Path=/; HttpOnly; SameSite=Strict; Max-Age=\(BrowserSessions.sessionSeconds)"
    }
}
