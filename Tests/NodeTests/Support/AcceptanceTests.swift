import Foundation
import Testing

/// What a hospital and an inspector may rely on, driven from outside: real processes, sockets and files.
///
/// One at a time: every test starts nodes, and two would measure each other.
@Suite(
    .serialized, .enabled(if: VardeProgram.path != nil, "varde is not built beside the tests: build the product varde"))
enum AcceptanceTests {}

/// Something that had to be there was not, or did not come in time.
struct TestFailure: Error, CustomStringConvertible {
    let description: String

    init(_ description: String) {
        self.description = description
    }
}

/// Looks again until a condition holds.
///
/// - Parameter what: completes "did not come about: …".
func until(_ what: String, withinSeconds seconds: Double = 60, _ condition: () async throws -> Bool) async throws {
    let deadline = ContinuousClock.now + .seconds(seconds)
    while !(try await condition()) {
        guard ContinuousClock.now < deadline else {
            throw TestFailure("did not come about in \(Int(seconds)) s: \(what)")
        }
        try await Task.sleep(for: .milliseconds(25))
    }
}

/// The value, or an error where there is none: tests do not trap.
func required<Value>(_ value: Value?, _ what: String) throws -> Value {
    guard let value else { throw TestFailure("there is no \(what)") }
    return value
}
