import Foundation
import Synchronization

/// A real browser without a window, driven over the DevTools protocol by a pair of pipes.
final class Chromium: Sendable {
    static let path = "/usr/bin/chromium"
    /// Whether there is one.
    static var isHere: Bool { FileManager.default.isExecutableFile(atPath: path) }

    private struct State {
        var next = 0
        var waiting: [Int: CheckedContinuation<JSON, any Error>] = [:]
        var complaints: [String] = []
        var isEnded = false
    }

    private let folder: String
    private let process: Mutex<Process>
    private let commands: Int32
    private let answers: Int32
    private let state = Mutex(State())
    private let session = Mutex<String?>(nil)

    /// What the page complained about: errors of the console, exceptions, and what could not be loaded.
    var complaints: [String] { state.withLock { $0.complaints } }

    /// Runs `body` with a browser that shows an empty page.
    static func run(_ body: (Chromium) async throws -> Void) async throws {
        let browser = try Chromium()
        do {
            try await browser.open()
            try await body(browser)
        } catch {
            browser.end()
            throw error
        }
        browser.end()
    }

    private init() throws {
        folder = NSTemporaryDirectory() + "varde-chromium-" + String(UInt32.random(in: 0...UInt32.max), radix: 16)
        try FileManager.default.createDirectory(atPath: folder, withIntermediateDirectories: true)
        for name in ["in", "out"] {
            guard mkfifo(folder + "/" + name, 0o600) == 0 else { throw TestFailure("no pipe can be made in \(folder)") }
        }
        // For reading and writing, so that opening waits for nobody.
        commands = Glibc.open(folder + "/in", O_RDWR | O_CLOEXEC)
        answers = Glibc.open(folder + "/out", O_RDWR | O_CLOEXEC)
        let process = Process()
        process.executableURL = URL(fileURLWithPath: "/bin/sh")
        process.arguments = [
            "-c", "exec \"$0\" \"$@\" 3<'\(folder)/in' 4>'\(folder)/out'", Chromium.path, "--headless",
            "--remote-debugging-pipe", "--no-sandbox", "--disable-gpu", "--disable-dev-shm-usage", "--no-first-run",
            "--disable-background-networking", "--user-data-dir=\(folder)/profile", "about:blank",
        ]
        process.standardOutput = FileHandle.nullDevice
        process.standardError = FileHandle.nullDevice
        process.environment = ["HOME": folder, "PATH": "/usr/bin:/bin", "TMPDIR": folder]
        try process.run()
        self.process = Mutex(process)
        // Reading blocks, so it has a thread of its own.
        Thread.detachNewThread { self.read() }
    }

    private func end() {
        state.withLock { $0.isEnded = true }
        process.withLock { process in
            process.terminate()
            process.waitUntilExit()
        }
        for continuation in state.withLock({ Array($0.waiting.values) }) {
            continuation.resume(throwing: TestFailure("the browser has ended"))
        }
        try? FileManager.default.removeItem(atPath: folder)
    }

    // MARK: Messages

    /// Reads until the browser has ended, and only then closes the pipes: closed by another thread meanwhile, their numbers
    /// could be those of somebody else's files already, from which this one would then read.
    private func read() {
        defer {
            close(commands)
            close(answers)
        }
        var pending: [UInt8] = []
        var buffer = [UInt8](repeating: 0, count: 65_536)
        while !state.withLock({ $0.isEnded }) {
            var waiting = pollfd(fd: answers, events: Int16(POLLIN), revents: 0)
            guard poll(&waiting, 1, 200) > 0 else { continue }
            let count = Glibc.read(answers, &buffer, buffer.count)
            guard count > 0 else { continue }
            pending += buffer[..<count]
            while let end = pending.firstIndex(of: 0) {
                take(Data(pending[..<end]))
                pending.removeSubrange(...end)
            }
        }
    }

    private func take(_ bytes: Data) {
        guard let message = try? JSONDecoder().decode(JSON.self, from: bytes) else { return }
        if let number = message["id"]?.number.map({ Int($0) }) {
            let continuation = state.withLock { $0.waiting.removeValue(forKey: number) }
            if let error = message["error"] {
                continuation?.resume(throwing: TestFailure("the browser refused: \(error)"))
            } else {
                continuation?.resume(returning: message["result"] ?? .null)
            }
            return
        }
        let details = message["params"]
        let complaint: String? =
            switch message["method"]?.text {
            case "Runtime.exceptionThrown": details?["exceptionDetails"].map { "\($0)" }
            case "Runtime.consoleAPICalled" where ["error", "warning", "assert"].contains(details?["type"]?.text):
                details?["args"].map { "\($0)" }
            case "Log.entryAdded" where ["error", "warning"].contains(details?["entry"]?["level"]?.text):
                details?["entry"].map { "\($0["text"]?.text ?? "") \($0["url"]?.text ?? "")" }
            default: nil
            }
        if let complaint { state.withLock { $0.complaints.append(complaint) } }
    }

    /// Sends a command of the protocol, and gives its result.
    @discardableResult
    func send(_ method: String, _ parameters: [String: JSON] = [:]) async throws -> JSON {
        let session = session.withLock { $0 }
        return try await withCheckedThrowingContinuation { continuation in
            let number = state.withLock { state in
                state.next += 1
                state.waiting[state.next] = continuation
                return state.next
            }
            var message: [String: JSON] = [
                "id": .number(Double(number)), "method": .string(method), "params": .object(parameters),
            ]
            if let session { message["sessionId"] = .string(session) }
            let bytes = JSON.object(message).bytes + [0]
            // Shorter than the pipe holds, and the browser reads all the time.
            _ = write(commands, bytes, bytes.count)
        }
    }

    private func open() async throws {
        let target = try await send("Target.createTarget", ["url": .string("about:blank")])["targetId"]
        let attached = try await send(
            "Target.attachToTarget", ["targetId": try required(target, "target"), "flatten": .boolean(true)])
        let id = attached["sessionId"]?.text
        session.withLock { $0 = id }
        for domain in ["Runtime", "Log", "Page"] { try await send(domain + ".enable") }
    }

    // MARK: What a person does

    /// Opens an address.
    func go(to address: String) async throws {
        try await send("Page.navigate", ["url": .string(address)])
        try await until("\(address) is loaded") {
            try await evaluate("document.readyState + location.protocol") == .string("completehttp:")
        }
    }

    /// Lets the page compute something; what it throws is thrown here.
    func evaluate(_ script: String) async throws -> JSON {
        let result = try await send(
            "Runtime.evaluate", ["expression": .string(script), "returnByValue": .boolean(true)])
        if let fault = result["exceptionDetails"] { throw TestFailure("\(script): \(fault)") }
        return result["result"]?["value"] ?? .null
    }

    /// Prefers a colour scheme, `dark` or `light`, as the system's settings say it.
    func prefer(_ scheme: String) async throws {
        let feature = JSON.object(["name": .string("prefers-color-scheme"), "value": .string(scheme)])
        try await send("Emulation.setEmulatedMedia", ["features": .array([feature])])
    }

    /// What the page looks like, as PNG.
    func picture() async throws -> Data {
        let picture = try await send("Page.captureScreenshot", ["captureBeyondViewport": .boolean(true)])
        return Data(base64Encoded: picture["data"]?.text ?? "") ?? Data()
    }
}
