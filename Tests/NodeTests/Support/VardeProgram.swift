import Foundation
import Synchronization
import Testing

/// Where the built program is.
enum VardeProgram {
    /// The path of `varde` beside the test bundle, else in the package's release folder; nil where it was not built.
    static let path: String? = {
        let bundle = (try? FileManager.default.destinationOfSymbolicLink(atPath: "/proc/self/exe")) ?? ""
        let package = URL(fileURLWithPath: #filePath).deletingLastPathComponent().deletingLastPathComponent()
            .deletingLastPathComponent().deletingLastPathComponent()
        let candidates = [
            URL(fileURLWithPath: bundle).deletingLastPathComponent().appending(path: "varde").path,
            package.appending(path: ".build/release/varde").path,
        ]
        return candidates.first { FileManager.default.isExecutableFile(atPath: $0) }
    }()
}

/// What a program that ended said.
struct ProgramResult {
    /// 0 for success.
    let status: Int32
    /// Standard output.
    let output: String
    /// Standard error.
    let errors: String

    /// All that a person saw.
    var text: String { output + errors }

    /// Reads standard output as JSON.
    func json<Value: Decodable>(_ type: Value.Type) throws -> Value {
        do {
            return try JSONDecoder().decode(type, from: Data(output.utf8))
        } catch {
            throw TestFailure("the output is not the JSON expected (\(error)):\n\(text.prefix(2000))")
        }
    }
}

/// A started process. What it writes goes into two files.
final class RunningProgram: Sendable {
    let processID: Int32
    private let output: String
    private let errors: String
    private let state: Mutex<State>

    private struct State: ~Copyable {
        /// Kept until it has ended, so that its end is noticed.
        var process: Process?
        var status: Int32?
    }

    /// Starts `varde`, in a network namespace where one is named.
    init(_ arguments: [String], in namespace: String? = nil, writingTo files: String) throws {
        output = files + ".out"
        errors = files + ".err"
        let process = Process()
        let varde = try required(VardeProgram.path, "built varde")
        if let namespace {
            // It becomes varde by exec, so the process id is the node's.
            process.executableURL = URL(fileURLWithPath: try required(NetworkTools.ip, "ip"))
            process.arguments = ["netns", "exec", namespace, varde] + arguments
        } else {
            process.executableURL = URL(fileURLWithPath: varde)
            process.arguments = arguments
        }
        process.standardInput = FileHandle.nullDevice
        let files = (output: try RunningProgram.file(output), errors: try RunningProgram.file(errors))
        process.standardOutput = files.output
        process.standardError = files.errors
        let ended = EndNotice()
        process.terminationHandler = { ended.tell($0.terminationStatus) }
        try process.run()
        // The program has them; kept open here, those of hundreds of programs bring the process to file 1 023, beyond which
        // Foundation misses the end of every further one.
        try files.output.close()
        try files.errors.close()
        processID = process.processIdentifier
        state = Mutex(State(process: process, status: nil))
        ended.listen { [self] status in
            state.withLock {
                $0.status = status
                $0.process = nil
            }
        }
    }

    private static func file(_ path: String) throws -> FileHandle {
        _ = FileManager.default.createFile(atPath: path, contents: nil)
        return try required(FileHandle(forWritingAtPath: path), "file \(path)")
    }

    /// The exit status; nil while it runs.
    var status: Int32? { state.withLock { $0.status } }

    /// What it has written so far.
    func result() -> ProgramResult {
        func text(_ path: String) -> String {
            String(decoding: FileManager.default.contents(atPath: path) ?? Data(), as: UTF8.self)
        }
        return ProgramResult(status: status ?? -1, output: text(output), errors: text(errors))
    }

    /// Sends a signal, by the process's id, unless it has ended.
    func signal(_ signal: Int32) {
        if status == nil { kill(processID, signal) }
    }

    /// Waits for the end.
    func ended(withinSeconds seconds: Double) async throws -> ProgramResult {
        try await until(
            "the end of process \(processID); it wrote \(result().text.suffix(500))", withinSeconds: seconds
        ) {
            status != nil
        }
        return result()
    }
}

/// Joins the end of a process, which may come at once, to who listens for it.
private final class EndNotice: Sendable {
    private struct State {
        var status: Int32?
        var listener: (@Sendable (Int32) -> Void)?
    }

    private let state = Mutex(State())

    func tell(_ status: Int32) {
        let listener = state.withLock { state in
            state.status = status
            return state.listener
        }
        listener?(status)
    }

    func listen(_ body: @escaping @Sendable (Int32) -> Void) {
        let status = state.withLock { state in
            state.listener = body
            return state.status
        }
        if let status { body(status) }
    }
}
