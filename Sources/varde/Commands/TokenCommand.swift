public import ArgumentParser
import EventLog
import Foundation
import Node
public import Trial
import Web

/// `varde token`.
struct TokenCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "token",
        abstract: "Make, list and remove the tokens with which programs use a node's HTTP interface.",
        discussion: """
            A token stands for a person or program and a role. The node keeps its hash only: it is shown once, when it \
            is made. Tokens do until people have accounts; studies in mode live do not take them.

            Example:
              varde token add --dir network/haukeland --name "Kari Nordmann" --role study-nurse \
            --study VARDE.SCIATICA --site haukeland
            """, subcommands: [Add.self, List.self, Remove.self])

    /// `varde token add`.
    struct Add: AsyncParsableCommand {
        static let configuration = CommandConfiguration(
            commandName: "add", abstract: "Make a token and show it once.",
            discussion: """
                With --study the token opens that study only. With --site too, the institution delegates the role at \
                that study site to the token's holder, which takes the running node that owns the site's delegations.

                Example:
                  varde token add --dir network/haukeland --name "Kari Nordmann" --role study-nurse \
                --study VARDE.SCIATICA --site haukeland
                """)

        @OptionGroup var node: NodeOption
        @Option(help: "The holder's name, as the delegation log shows it.")
        var name: String
        @Option(help: "The role: \(RoleName.allCases.map(\.rawValue).joined(separator: ", ")).")
        var role: RoleName
        @Option(help: "The holder's actor id, 32 hexadecimal digits; without it a new one is drawn.")
        var actor: String?
        @Option(help: "The study that the token opens, by id or OID; without it every study.")
        var study: String?
        @Option(help: "The study site at which the role is delegated to the holder.")
        var site: String?
        @Flag(help: "The holder is a program that acts on its own account.")
        var system = false

        func validate() throws {
            guard site == nil || study != nil else { throw ValidationError("--site goes with --study") }
            if let actor, ActorID(hex: actor) == nil {
                throw ValidationError("--actor is 32 hexadecimal digits")
            }
            if let site, StudySiteID(site) == nil { throw ValidationError("--site is the id of a study site") }
        }

        func run() async throws {
            let directory = try node.directory()
            var generator = SystemRandomNumberGenerator()
            let holder = actor.flatMap { ActorID(hex: $0) } ?? ActorID(using: &generator)
            let studies = try study.map { [try OfflineNode(directory: directory).study($0)] }
            // Delegated first: a token whose holder may do nothing helps nobody.
            if let study = studies?.first, let site = site.flatMap({ StudySiteID($0) }) {
                try await delegate(holder, at: site, in: study, directory)
            }
            let token = try TokenFile(directory).add(
                actor: holder, role: role, name: name, isSystem: system, studies: studies)
            Output.note("This token is shown once. Whoever has it acts as \(name), \(role.rawValue), actor \(holder).")
            Output.line(token)
        }

        private func delegate(
            _ holder: ActorID, at site: StudySiteID, in study: StudyID, _ directory: NodeDirectory
        ) async throws {
            var generator = SystemRandomNumberGenerator()
            let institution = Sender(
                actor: ActorID(derivedFrom: .sha256([UInt8]("varde/token/institution".utf8))), role: .institution,
                isSystem: true)
            let command = Command(
                id: CommandID(using: &generator), sender: institution, study: study,
                provenance: Provenance(source: .system),
                request: .delegate(
                    site: site, actor: holder, name: name, role: role, from: today(), to: nil))
            switch try await LocalClient.ask(directory, .command(command)) {
            case .outcome(.recorded): return
            case .outcome(.refused(let refusal)): throw Failure(refusal.explanation)
            case .failed(let reason): throw Failure(reason)
            default: throw LocalClientError.unreadable
            }
        }

        private func today() -> String {
            let parts = Calendar(identifier: .gregorian).dateComponents([.year, .month, .day], from: Date())
            return String(format: "%04d-%02d-%02d", parts.year ?? 0, parts.month ?? 0, parts.day ?? 0)
        }
    }

    /// `varde token list`.
    struct List: AsyncParsableCommand {
        static let configuration = CommandConfiguration(
            commandName: "list", abstract: "Say whose tokens the node accepts; the tokens themselves nobody can see.",
            discussion: """
                Example:
                  varde token list --dir network/haukeland
                """)

        @OptionGroup var node: NodeOption
        @Flag(help: "Print the records as JSON.")
        var json = false

        func run() async throws {
            let tokens = try TokenFile(try node.directory()).tokens()
            if json { return try Output.json(tokens) }
            if tokens.isEmpty { Output.line("no token is accepted; make one with 'varde token add'") }
            for token in tokens {
                let studies = token.studies?.map(\.description).joined(separator: ", ") ?? "every study"
                Output.line(
                    "\(token.sha256.hex.prefix(12))  \(Output.cell(token.role.rawValue, 22))  \(token.name)  "
                        + "actor \(token.actor)  \(studies)")
            }
        }
    }

    /// `varde token remove`.
    struct Remove: AsyncParsableCommand {
        static let configuration = CommandConfiguration(
            commandName: "remove", abstract: "Accept a token no longer, from now on and without a restart.",
            discussion: """
                Example:
                  varde token remove --dir network/haukeland 3f8a12c09b77
                """)

        @OptionGroup var node: NodeOption
        @Argument(help: "The beginning of the token's hash, as 'varde token list' shows it; 8 digits at least.")
        var hash: String

        func validate() throws {
            guard hash.count >= 8 else { throw ValidationError("give 8 digits of the hash at least") }
        }

        func run() async throws {
            let count = try TokenFile(try node.directory()).remove(prefix: hash.lowercased())
            guard count > 0 else { throw Failure("no token's hash begins with \(hash)") }
            Output.line("removed \(count)")
        }
    }
}

extension RoleName: ExpressibleByArgument {}
