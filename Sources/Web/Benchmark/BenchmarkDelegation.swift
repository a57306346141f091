import EventLog
import Node
import Trial

/// Gives those who ask in a measurement the right to.
enum BenchmarkDelegation {
    /// Delegates a role to `actor` at study sites whose delegations the node numbers.
    static func delegate(
        to actor: ActorID, _ role: RoleName, in study: StudyID, at sites: [StudySiteID], _ home: NodeDirectory
    ) async throws {
        let institution = Sender(actor: ActorID(RandomName(high: 0xBE, low: 5)), role: .institution, isSystem: true)
        for site in sites {
            var generator = SystemRandomNumberGenerator()
            let command = Command(
                id: CommandID(using: &generator), sender: institution, study: study,
                provenance: Provenance(source: .direct),
                request: .delegate(
                    site: site, actor: actor, name: "benchmark", role: role, from: "2025-01-01", to: nil))
            guard case .outcome(.recorded) = try await LocalClient.ask(home, .command(command)) else {
                throw LoopbackClientError.unreadable
            }
        }
    }
}
