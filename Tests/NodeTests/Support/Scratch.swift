import Foundation
import Synchronization

/// A folder and the processes of one test; both are gone when the test ends, however it ends.
final class Scratch: Sendable {
    /// The folder. Its path is short, for a node's socket lies below it.
    let path: String
    private let programs = Mutex<[RunningProgram]>([])

    fileprivate init() throws {
        let name = "varde-" + String(UInt32.random(in: 0...UInt32.max), radix: 16)
        path = FileManager.default.temporaryDirectory.appending(path: name).path
        try FileManager.default.createDirectory(
            atPath: path, withIntermediateDirectories: true, attributes: [.posixPermissions: 0o700])
    }

    /// Starts `varde`, which is ended with the test at the latest.
    ///
    /// - Parameter namespace: the network namespace in which it runs; the test's own where it is nil.
    func start(_ arguments: [String], in namespace: String? = nil) throws -> RunningProgram {
        try programs.withLock { programs in
            let program = try RunningProgram(
                arguments, in: namespace, writingTo: path + "/program-\(programs.count)")
            programs.append(program)
            return program
        }
    }

    /// Runs `varde` to its end.
    func varde(_ arguments: String..., withinSeconds seconds: Double = 60) async throws -> ProgramResult {
        try await start(arguments).ended(withinSeconds: seconds)
    }

    fileprivate func end() async {
        let programs = programs.withLock { $0 }
        for program in programs { program.signal(SIGKILL) }
        for program in programs { _ = try? await program.ended(withinSeconds: 10) }
        try? FileManager.default.removeItem(atPath: path)
    }
}

/// Gives `body` a folder of its own.
func withScratch(_ body: (Scratch) async throws -> Void) async throws {
    let scratch = try Scratch()
    do {
        try await body(scratch)
    } catch {
        await scratch.end()
        throw error
    }
    await scratch.end()
}
