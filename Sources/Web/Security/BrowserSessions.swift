import Crypto
import EventLog
import Foundation
public import Node
import Synchronization

/// What tells ``BrowserSessions`` the time.
public struct SessionClock: Sendable {
    /// Seconds since 1970-01-01T00:00:00Z, for codes, which another process makes.
    public var utcSeconds: @Sendable () -> Int64
    /// Seconds that pass whatever people do to the machine's clock, for sessions.
    public var steadySeconds: @Sendable () -> Int64

    /// Tells the time by two clocks.
    public init(utcSeconds: @escaping @Sendable () -> Int64, steadySeconds: @escaping @Sendable () -> Int64) {
        self.utcSeconds = utcSeconds
        self.steadySeconds = steadySeconds
    }

    /// The machine's clocks.
    public static let system = SessionClock {
        Int64(Date().timeIntervalSince1970)
    } steadySeconds: {
        var time = timespec()
        clock_gettime(CLOCK_BOOTTIME, &time)
        return Int64(time.tv_sec)
    }
}

/// Lets the node's owner in with a browser: a code that is shown once in the terminal becomes a cookie.
///
/// The code is no secret for long: it is good once, for two minutes, and the node keeps its hash only. It is handed over
/// through a file in the node's owner-only directory, so that whoever can write there can let a browser in, and nobody
/// else.
///
/// Invariants:
/// - A code opens one session at most: whoever removes its file first has used it.
/// - Sessions are forgotten when the node stops, and after an hour.
/// - Codes that were not used in time are removed when the next is made.
public final class BrowserSessions: Sendable {
    /// Seconds for which a code is good.
    public static let codeSeconds = 120
    /// Seconds after which a session is forgotten.
    package static let sessionSeconds = 3600
    /// Sessions at a time; the oldest ends when one more begins.
    package static let maximumSessions = 32

    private let directory: NodeDirectory
    private let clock: SessionClock
    /// For each session by the hash of its secret the second of the steady clock at which it ends.
    private let sessions = Mutex<[Hash: Int64]>([:])

    /// Keeps the sessions of a node.
    public init(_ directory: NodeDirectory, clock: SessionClock) {
        self.directory = directory
        self.clock = clock
    }

    /// Makes a code in a node's directory, in five groups of five digits and letters.
    ///
    /// - Parameter utcSeconds: now, in seconds since 1970-01-01T00:00:00Z.
    /// - Throws: ``Node/DirectoryError``.
    public static func makeCode(in directory: NodeDirectory, at utcSeconds: Int64) throws -> String {
        // Without those that people take for one another. 31 letters to the 25th are 123 bits.
        let letters = Array("23456789abcdefghjkmnpqrstuvwxyz")
        var generator = SystemRandomNumberGenerator()
        let groups = (0..<5).map { _ in String((0..<5).map { _ in letters.randomElement(using: &generator) ?? "2" }) }
        let code = groups.joined(separator: "-")
        try OwnerOnlyFile.makeDirectory(directory.browserCodes)
        sweep(directory, at: utcSeconds)
        try OwnerOnlyFile.write("\(utcSeconds)\n", to: file(of: code, in: directory))
        return code
    }

    /// Removes the codes that are not good any more.
    private static func sweep(_ directory: NodeDirectory, at utcSeconds: Int64) {
        for name in (try? FileManager.default.contentsOfDirectory(atPath: directory.browserCodes)) ?? [] {
            let path = directory.browserCodes + "/" + name
            let made = (try? OwnerOnlyFile.readSecret(path, advice: "")).flatMap { Int64($0) }
            if let made, isGood(made, at: utcSeconds) { continue }
            unlink(path)
        }
    }

    /// Whether a code made at one second is good at another; a file may say any second there is.
    private static func isGood(_ made: Int64, at now: Int64) -> Bool {
        let (earliest, isBeforeAll) = now.subtractingReportingOverflow(Int64(codeSeconds))
        return made <= now && (isBeforeAll || made >= earliest)
    }

    private static func file(of code: String, in directory: NodeDirectory) -> String {
        let plain = code.lowercased().filter { $0.isASCII && ($0.isLetter || $0.isNumber) }
        return directory.browserCodes + "/" + Hash.sha256([UInt8](plain.utf8)).hex
    }

    /// Uses a code up; gives the new session's secret, or nil where the code is not good.
    package func open(code: String) -> String? {
        let path = BrowserSessions.file(of: code, in: directory)
        guard let made = (try? OwnerOnlyFile.readSecret(path, advice: "")).flatMap({ Int64($0) }), unlink(path) == 0
        else { return nil }
        guard BrowserSessions.isGood(made, at: clock.utcSeconds()) else { return nil }
        let secret = SymmetricKey(size: .bits256).withUnsafeBytes { [UInt8]($0) }.hex
        let second = clock.steadySeconds()
        sessions.withLock { sessions in
            sessions = sessions.filter { $0.value > second }
            if sessions.count >= BrowserSessions.maximumSessions,
                let oldest = sessions.min(by: { $0.value < $1.value })?.key
            {
                sessions[oldest] = nil
            }
            sessions[.sha256([UInt8](secret.utf8))] = second + Int64(BrowserSessions.sessionSeconds)
        }
        return secret
    }

    /// Whether a cookie's secret is that of an open session. Found by its hash, so its own digits are never compared.
    package func isOpen(_ secret: String) -> Bool {
        let second = clock.steadySeconds()
        return sessions.withLock { $0[.sha256([UInt8](secret.utf8))].map { $0 > second } ?? false }
    }

    /// The cookie's name: every node has one of its own, because cookies are shared by all ports of a host. So another
    /// program that listens at this host is shown it too, wherever the browser goes there: one reason why a session is short.
    var cookieName: String { "varde-" + Hash.sha256([UInt8](directory.path.utf8)).hex.prefix(16) }

    /// The header that gives a browser its cookie.
    func cookie(_ secret: String) -> String {
        "\(cookieName)=\(secret); Path=/; HttpOnly; SameSite=Strict; Max-Age=\(BrowserSessions.sessionSeconds)"
    }
}
