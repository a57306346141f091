import Dispatch
import EventLog
import Foundation
import Node
import Synchronization
import Testing
import Trial
import Web

/// Codes and sessions end with time, whoever turns the machine's clock.
struct SessionTests {
    /// Two clocks that the test turns.
    private final class Hands: Sendable {
        let utc = Mutex<Int64>(1_790_000_000)
        let steady = Mutex<Int64>(5_000)

        var clock: SessionClock {
            SessionClock {
                self.utc.withLock { $0 }
            } steadySeconds: {
                self.steady.withLock { $0 }
            }
        }
    }

    private func withSessions(_ body: (NodeDirectory, Hands, BrowserSessions) throws -> Void) throws {
        let path = NSTemporaryDirectory() + "varde-sessions-" + String(UInt32.random(in: 0...UInt32.max), radix: 16)
        try FileManager.default.createDirectory(
            atPath: path, withIntermediateDirectories: true, attributes: [.posixPermissions: 0o700])
        defer { try? FileManager.default.removeItem(atPath: path) }
        let hands = Hands()
        let directory = NodeDirectory(path)
        try body(directory, hands, BrowserSessions(directory, clock: hands.clock))
    }

    @Test(arguments: [(0, true), (1, true), (120, true), (121, false), (100_000, false), (-1, false)])
    func `a code is good for two minutes, and not before it was made`(_ age: Int64, _ isGood: Bool) throws {
        try withSessions { directory, hands, sessions in
            let code = try BrowserSessions.makeCode(in: directory, at: hands.utc.withLock { $0 })
            hands.utc.withLock { $0 += age }
            #expect((sessions.open(code: code) != nil) == isGood)
            // Good or not, it is used up.
            hands.utc.withLock { $0 -= age }
            #expect(sessions.open(code: code) == nil)
        }
    }

    @Test func `a code whose file states a moment that no clock reaches opens nothing`() throws {
        try withSessions { directory, hands, sessions in
            for moment in [Int64.min, .max] {
                let code = try BrowserSessions.makeCode(in: directory, at: moment)
                #expect(sessions.open(code: code) == nil)
            }
        }
    }

    @Test func `a session ends after an hour, whatever is done to the machine's clock meanwhile`() throws {
        try withSessions { directory, hands, sessions in
            let code = try BrowserSessions.makeCode(in: directory, at: hands.utc.withLock { $0 })
            let secret = try required(sessions.open(code: code), "session")
            #expect(sessions.isOpen(secret))
            hands.utc.withLock { $0 += 10_000_000 }
            hands.steady.withLock { $0 += Int64(BrowserSessions.sessionSeconds) - 1 }
            #expect(sessions.isOpen(secret))
            hands.utc.withLock { $0 -= 20_000_000 }
            hands.steady.withLock { $0 += 1 }
            #expect(!sessions.isOpen(secret))
        }
    }

    @Test func `codes that nobody used are gone when the next is made, and those that are good stay`() throws {
        try withSessions { directory, hands, sessions in
            let now = hands.utc.withLock { $0 }
            let old = try BrowserSessions.makeCode(in: directory, at: now - 121)
            _ = try BrowserSessions.makeCode(in: directory, at: .max)
            let good = try BrowserSessions.makeCode(in: directory, at: now - 60)
            let new = try BrowserSessions.makeCode(in: directory, at: now)
            #expect(try FileManager.default.contentsOfDirectory(atPath: directory.browserCodes).count == 2)
            #expect(sessions.open(code: old) == nil)
            #expect(sessions.open(code: good) != nil)
            #expect(sessions.open(code: new) != nil)
        }
    }

    @Test func `of tokens that are made at once none is lost`() throws {
        try withSessions { directory, _, _ in
            DispatchQueue.concurrentPerform(iterations: 24) { number in
                let tokens = TokenFile(directory)
                let actor = ActorID(RandomName(high: 1, low: UInt64(number)))
                let token = try? tokens.add(actor: actor, role: .monitor, name: "somebody")
                if number % 3 == 0 {
                    _ = try? tokens.remove(prefix: Hash.sha256([UInt8]((token ?? "").utf8)).hex)
                }
            }
            let kept = try TokenFile(directory).tokens()
            #expect(Set(kept.map(\.actor.description)).count == 16 && kept.count == 16)
        }
    }

    @Test func `whoever changes the tokens waits for whoever changes them now`() throws {
        try withSessions { directory, _, _ in
            let actor = ActorID(RandomName(high: 1, low: 1))
            _ = try TokenFile(directory).add(actor: actor, role: .monitor, name: "first")
            let lock = open(directory.tokens + ".lock", O_RDWR | O_CLOEXEC)
            try #require(lock >= 0)
            defer { close(lock) }
            #expect(flock(lock, LOCK_EX) == 0)
            let adding = DispatchGroup()
            DispatchQueue.global().async(group: adding) {
                _ = try? TokenFile(directory).add(actor: actor, role: .monitor, name: "second")
            }
            #expect(adding.wait(timeout: .now() + .milliseconds(300)) == .timedOut)
            #expect(try TokenFile(directory).tokens().map(\.name) == ["first"])
            #expect(flock(lock, LOCK_UN) == 0)
            #expect(adding.wait(timeout: .now() + 60) == .success)
            #expect(try TokenFile(directory).tokens().map(\.name) == ["first", "second"])
        }
    }

    @Test func `when too many are open the one that ends first makes room`() throws {
        try withSessions { directory, hands, sessions in
            var secrets: [String] = []
            for _ in 0...BrowserSessions.maximumSessions {
                let code = try BrowserSessions.makeCode(in: directory, at: hands.utc.withLock { $0 })
                secrets.append(try required(sessions.open(code: code), "session"))
                hands.steady.withLock { $0 += 1 }
            }
            #expect(secrets.map(sessions.isOpen) == [false] + secrets.dropFirst().map { _ in true })
            #expect(Set(secrets).count == secrets.count)
        }
    }
}
