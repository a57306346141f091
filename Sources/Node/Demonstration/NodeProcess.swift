import EventLog
import Foundation
import Synchronization

/// A node running as a process of its own, started anew whenever it dies.
final class NodeProcess: Sendable {
    let node: NodeID
    let directory: NodeDirectory
    private let executable: String
    private let state = Mutex(State())

    private struct State: ~Copyable {
        var process: Process?
        var isEnding = false
        var restarts = 0
    }

    init(node: NodeID, directory: NodeDirectory, executable: String) {
        self.node = node
        self.directory = directory
        self.executable = executable
    }

    /// How often it was started again after it had died.
    var restarts: Int { state.withLock { $0.restarts } }

    /// Starts the process; its log goes to `node.log` in its directory.
    func start() throws {
        let process = Process()
        process.executableURL = URL(fileURLWithPath: executable)
        process.arguments = ["node", "run", "--dir", directory.path, "--end-with-parent"]
        process.standardInput = FileHandle.nullDevice
        let log = directory.path + "/node.log"
        if !FileManager.default.fileExists(atPath: log) { try OwnerOnlyFile.write("", to: log) }
        guard let output = FileHandle(forWritingAtPath: log) else {
            throw DirectoryError.unwritable(path: log, reason: "it cannot be opened")
        }
        try output.seekToEnd()
        process.standardOutput = output
        process.standardError = output
        process.terminationHandler = { [weak self] ended in self?.ended(status: ended.terminationStatus) }
        try process.run()
        let isEnding = state.withLock { state in
            state.process = process
            return state.isEnding
        }
        if isEnding { process.terminate() }
    }

    private func ended(status: Int32) {
        let restart = state.withLock { state in
            state.process = nil
            if !state.isEnding { state.restarts += 1 }
            return !state.isEnding
        }
        guard restart else { return }
        // A node that cannot start at all is tried again, but not in a busy circle.
        DispatchQueue.global().asyncAfter(deadline: .now() + 0.3) { [self] in
            if !state.withLock({ $0.isEnding }) { try? start() }
        }
    }

    /// Asks the process to end; it is killed where it has not ended after ten seconds.
    func end() async {
        let process = state.withLock { state in
            state.isEnding = true
            return state.process?.processIdentifier
        }
        guard let process else { return }
        kill(process, SIGTERM)
        for _ in 0..<200 {
            if state.withLock({ $0.process == nil }) { return }
            try? await Task.sleep(for: .milliseconds(50))
        }
        kill(process, SIGKILL)
    }
}
