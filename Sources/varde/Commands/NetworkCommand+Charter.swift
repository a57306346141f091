import ArgumentParser
import EventLog
import Foundation
import Node

/// Where a proposal goes, and who signs it at once.
struct ProposalOutput: ParsableArguments {
    @Option(name: .customLong("out"), help: "The file to write the proposal to.")
    var path: String
    @Option(help: "The file of an administrator's key, to sign the proposal at once.")
    var key: String?
    @Flag(help: "Apply the proposal at once at the node of --dir, if it has enough signatures.")
    var apply = false

    /// Signs, writes, says what stands in it, and applies.
    func finish(_ proposal: CharterProposal, at directory: NodeDirectory) async throws {
        var proposal = proposal
        if let key { try proposal.sign(with: CharterProposal.administratorKey(file: key)) }
        try proposal.write(to: path)
        ProposalText.show(proposal)
        Output.line("written to \(path)")
        guard apply else { return }
        try await CharterApplication.apply(proposal, at: directory)
    }
}

/// A proposal in words.
enum ProposalText {
    static func show(_ proposal: CharterProposal) {
        let (valid, needed) = proposal.signatures
        Output.line(
            "version \(proposal.version.charter.number) of the charter of \(proposal.version.charter.network), "
                + "signed by \(valid) of the \(needed) administrators needed")
        for change in proposal.changes { Output.line("  \(change)") }
        Output.line("  founding hash \(proposal.chain.foundingHash), to be compared with the one known by other ways")
    }
}

/// Feeds a version of the charter in.
enum CharterApplication {
    static func apply(_ proposal: CharterProposal, at directory: NodeDirectory) async throws {
        let (valid, needed) = proposal.signatures
        guard proposal.isComplete else {
            throw Failure(
                "only \(valid) of the \(needed) administrators needed have signed; collect more with 'varde network sign'"
            )
        }
        do {
            switch try await LocalClient.ask(directory, .applyCharter(proposal.version.bytes.hex)) {
            case .charter(let number):
                Output.line("the charter is at version \(number) at this node, and spreads from here")
            case .failed(let reason): throw Failure(reason)
            default: throw LocalClientError.unreadable
            }
        } catch LocalClientError.notRunning {
            let number = try OfflineCharter.apply(proposal.version, in: directory)
            Output.line("the charter is at version \(number) at this node, and spreads when it runs")
        }
    }
}

extension NetworkCommand {
    /// `varde network join`.
    struct Join: AsyncParsableCommand {
        static let configuration = CommandConfiguration(
            commandName: "join",
            abstract: "Make the directory of a node that is to join a network, and the request to its administrators.",
            discussion: """
                The node makes its own keys; only their public halves stand in the request. The network's founding hash and \
                the address and link key of a node that has the charter are given by hand ('varde network show --dir DIR' at a \
                node prints them). Compare the fingerprint over the telephone with whoever admits the node.

                Example:
                  varde network join --dir /var/lib/varde --network helse --node stolav --name "St. Olavs hospital" \\
                    --region "Helse Midt-Norge" --location "stolav=St. Olavs, nevrologi" --founding HASH \\
                    --listen tcp://0.0.0.0:4700 --peer norcrin=tcp://varde.norcrin.no:4700=LINKKEY --request stolav.request
                """)

        @Option(name: .customLong("dir"), help: "The directory to make.")
        var directory: String
        @Option(help: "The network.")
        var network: String
        @Option(help: "The node's id: a-z, 0-9, '.' and '-'.")
        var node: String
        @Option(help: "The hospital's name.")
        var name: String
        @Option(help: "Its region.")
        var region: String?
        @Option(help: "A location that it hosts, ID=NAME; may be given several times.")
        var location: [String] = []
        @Option(help: "Hash of version 0 of the charter, as it was given by hand.")
        var founding: String
        @Option(help: "Where other nodes reach this one, tcp://ADDRESS:PORT.")
        var listen: String
        @Option(help: "A node to connect to, NODE=ADDRESS or NODE=ADDRESS=LINKKEY; at least one with its link key.")
        var peer: [String]
        @Option(help: "The port of loopback at which the HTTP interface listens.")
        var httpPort: UInt16?
        @Option(help: "The file to write the request to.")
        var request: String

        func run() async throws {
            guard let network = NetworkID(network), let id = NodeID(node) else {
                throw Failure("--network and --node take 1 to 63 of a-z, 0-9, '.' and '-'")
            }
            guard let founding = Hash(hex: founding) else { throw Failure("--founding takes 64 hexadecimal digits") }
            var locations: [JoinRequest.Location] = []
            for text in location {
                let parts = text.split(separator: "=", maxSplits: 1).map(String.init)
                guard parts.count == 2, let location = LocationID(parts[0]) else {
                    throw Failure("--location takes ID=NAME, not '\(text)'")
                }
                locations.append(JoinRequest.Location(id: location, name: parts[1]))
            }
            var peers: [NodeID: (address: String, key: Hash?)] = [:]
            for text in peer {
                let parts = text.split(separator: "=", maxSplits: 2).map(String.init)
                guard parts.count >= 2, let peer = NodeID(parts[0]), parts.count == 2 || Hash(hex: parts[2]) != nil
                else {
                    throw Failure("--peer takes NODE=ADDRESS or NODE=ADDRESS=LINKKEY, not '\(text)'")
                }
                peers[peer] = (parts[1], parts.count == 3 ? Hash(hex: parts[2]) : nil)
            }
            guard peers.values.contains(where: { $0.key != nil }) else {
                throw Failure("give the link key of at least one --peer: from it the node gets the charter")
            }
            let made = try JoiningNode(
                network: network, node: id, name: name, region: region, locations: locations, founding: founding,
                listen: listen, peers: peers, http: httpPort.map { HTTPListener(port: $0) }
            ).make(in: NodeDirectory(directory))
            try made.write(to: request)
            Output.line("made \(directory); send \(request) to the administrators of network \(network)")
            Output.line("fingerprint of the keys: \(made.fingerprint)")
        }
    }

    /// `varde network admit`.
    struct Admit: AsyncParsableCommand {
        static let configuration = CommandConfiguration(
            commandName: "admit", abstract: "Propose to admit the node of a request.",
            discussion: """
                Example:
                  varde network admit stolav.request --dir network/norcrin --out stolav.proposal
                """)

        @Argument(help: "The request that 'varde network join' made.")
        var request: String
        @OptionGroup var node: NodeOption
        @OptionGroup var output: ProposalOutput

        func run() async throws {
            let directory = try node.directory()
            let request = try JoinRequest(file: request)
            let proposal = try NetworkAdministration(directory: directory).admit(request)
            Output.line("fingerprint of the keys, to be compared with the joining hospital: \(request.fingerprint)")
            try await output.finish(proposal, at: directory)
        }
    }

    /// `varde network rotate`.
    struct Rotate: AsyncParsableCommand {
        static let configuration = CommandConfiguration(
            commandName: "rotate", abstract: "Make new keys for this node, and propose them.",
            discussion: """
                Run it at the node itself. With --signing the node, which must run, closes its logs and writes nothing until \
                the proposal was applied: make an appointment with the administrators first. The other keys may take their time.

                Example:
                  varde network rotate --witness --dir network/haukeland --out haukeland.proposal
                """)

        @OptionGroup var node: NodeOption
        @Flag(help: "The key that signs the node's logs.")
        var signing = false
        @Flag(help: "The key that encrypts its links.")
        var curve = false
        @Flag(help: "The key that cosigns the logs of others.")
        var witness = false
        @OptionGroup var output: ProposalOutput

        func validate() throws {
            guard signing || curve || witness else {
                throw ValidationError("say which keys: --signing, --curve or --witness")
            }
        }

        func run() async throws {
            let directory = try node.directory()
            var kinds: Set<NodeKeyKind> = []
            if signing { kinds.insert(.signing) }
            if curve { kinds.insert(.curve) }
            if witness { kinds.insert(.witness) }
            let replacement = KeyReplacement(directory)
            if signing {
                // Before any key is made: a node that does not run cannot close its logs.
                _ = try await LocalClient.status(of: directory)
            }
            try replacement.begin(kinds)
            if signing {
                switch try await LocalClient.ask(directory, .closeLogsForNewKey) {
                case .logsClosed: break
                case .failed(let reason): throw Failure(reason)
                default: throw LocalClientError.unreadable
                }
                Output.line("the node's logs are closed; it writes nothing until the proposal was applied")
            }
            try await output.finish(try NetworkAdministration(directory: directory).rotate(replacement), at: directory)
        }
    }

    /// `varde network revoke`.
    struct Revoke: AsyncParsableCommand {
        static let configuration = CommandConfiguration(
            commandName: "revoke", abstract: "Propose to revoke a node, with how much counts of its logs.",
            discussion: """
                What is held at the node of --dir counts, and what other nodes say to hold ('varde network heads'). What the \
                revoked node wrote beyond is kept everywhere, has no effect, and is a finding.

                Example:
                  varde network revoke fonna --dir network/norcrin --heads haukeland.heads --out fonna.proposal
                """)

        @Argument(help: "The node to revoke.")
        var revoked: String
        @OptionGroup var node: NodeOption
        @Option(help: "A file made by 'varde network heads' at another node; may be given several times.")
        var heads: [String] = []
        @OptionGroup var output: ProposalOutput

        func run() async throws {
            guard let revoked = NodeID(revoked) else { throw Failure("'\(revoked)' is no node's id") }
            let directory = try node.directory()
            var others: [HeldHead] = []
            for path in heads {
                guard let data = FileManager.default.contents(atPath: path),
                    let read = try? JSONDecoder().decode([HeldHead].self, from: data)
                else { throw Failure("\(path) holds no heads; make it with 'varde network heads'") }
                others += read
            }
            try await output.finish(
                try NetworkAdministration(directory: directory).revoke(revoked, beside: others), at: directory)
        }
    }

    /// `varde network heads`.
    struct Heads: AsyncParsableCommand {
        static let configuration = CommandConfiguration(
            commandName: "heads",
            abstract: "Print how far this node holds, or has vouched for, the logs of another, as JSON.",
            discussion: """
                Example:
                  varde network heads fonna --dir network/haukeland > haukeland.heads
                """)

        @Argument(help: "The node that wrote the logs.")
        var writer: String
        @OptionGroup var node: NodeOption

        func run() async throws {
            guard let writer = NodeID(writer) else { throw Failure("'\(writer)' is no node's id") }
            try Output.json(try NetworkAdministration(directory: try node.directory()).heads(of: writer))
        }
    }

    /// `varde network administrators`.
    struct Administrators: AsyncParsableCommand {
        static let configuration = CommandConfiguration(
            commandName: "administrators", abstract: "Make an administrator's key, or propose other administrators.",
            discussion: """
                Every administrator makes a key of their own, on a machine that is no node, and sends the public half.

                Example:
                  varde network administrators --make-key anne.key
                  varde network administrators --add PUBLICKEY --dir network/norcrin --out more.proposal --key first.key
                """)

        @Option(help: "The file to make a new key in; its public half is printed.")
        var makeKey: String?
        @Option(help: "The public key of an administrator to be named; may be given several times.")
        var add: [String] = []
        @Option(help: "The public key of an administrator no longer to be named; may be given several times.")
        var remove: [String] = []
        @Option(name: .customLong("dir"), help: "The data directory of a node that has the charter.")
        var directory: String?
        @Option(name: .customLong("out"), help: "The file to write the proposal to.")
        var path: String?
        @Option(help: "The file of an administrator's key, to sign the proposal at once.")
        var key: String?

        func validate() throws {
            guard makeKey != nil || directory != nil && path != nil && !(add + remove).isEmpty else {
                throw ValidationError("give --make-key, or --dir and --out with --add or --remove")
            }
        }

        func run() async throws {
            if let makeKey {
                let made = try CharterProposal.makeAdministratorKey(file: makeKey)
                Output.line("made \(makeKey); its public half, to be sent to whoever proposes the next version:")
                Output.line("\(made)")
            }
            guard let directory, let path else { return }
            func read(_ texts: [String]) throws -> [AdministratorPublicKey] {
                try texts.map { text in
                    guard let hash = Hash(hex: text) else { throw Failure("'\(text)' is no public key") }
                    return AdministratorPublicKey(hash)
                }
            }
            var proposal = try NetworkAdministration(directory: NodeDirectory(directory)).name(
                try read(add), instead: try read(remove))
            if let key { try proposal.sign(with: CharterProposal.administratorKey(file: key)) }
            try proposal.write(to: path)
            ProposalText.show(proposal)
            Output.line("written to \(path)")
        }
    }

    /// `varde network show`.
    struct Show: AsyncParsableCommand {
        static let configuration = CommandConfiguration(
            commandName: "show", abstract: "Say what a proposal changes, or what the charter of a node says.",
            discussion: """
                Example:
                  varde network show stolav.proposal
                  varde network show --dir network/norcrin
                """)

        @Argument(help: "The proposal.")
        var proposal: String?
        @Option(name: .customLong("dir"), help: "A node's data directory.")
        var directory: String?

        func validate() throws {
            guard (proposal == nil) != (directory == nil) else { throw ValidationError("give a proposal, or --dir") }
        }

        func run() async throws {
            if let proposal { return ProposalText.show(try CharterProposal(file: proposal)) }
            guard let directory else { return }
            let chain = try NetworkAdministration(directory: NodeDirectory(directory)).chain
            Output.line("founding hash \(chain.foundingHash)")
            guard let newest = chain.newest else { return Output.line("no version of the charter has come yet") }
            Output.line(
                "network \(newest.network), charter version \(newest.number), \(newest.administrators.count) administrators, "
                    + "\(newest.signaturesNeeded) of whom sign the next version")
            if let dispute = chain.dispute { DisputeText.show(dispute) }
            for node in newest.nodes {
                Output.line(
                    "  \(Output.cell(node.id.text, 14)) \(node.state == .admitted ? "admitted" : "revoked ") "
                        + "link key \(node.curveKey)  \(node.name)")
            }
        }
    }

    /// `varde network sign`.
    struct Sign: AsyncParsableCommand {
        static let configuration = CommandConfiguration(
            commandName: "sign", abstract: "Sign a proposal as an administrator.",
            discussion: """
                Look at it first ('varde network show'). The key never lies on a machine that runs a node.

                Example:
                  varde network sign stolav.proposal --key anne.key --founding HASH
                """)

        @Argument(help: "The proposal; the signature is added to the file.")
        var proposal: String
        @Option(help: "The file of the administrator's key.")
        var key: String
        @Option(help: "The network's founding hash, as it is known by other ways: another one is refused.")
        var founding: String?

        func run() async throws {
            var read = try CharterProposal(file: proposal)
            if let founding, founding != read.chain.foundingHash.hex {
                throw Failure("the proposal is for a network with founding hash \(read.chain.foundingHash): not signed")
            }
            try read.sign(with: CharterProposal.administratorKey(file: key))
            try read.write(to: proposal)
            ProposalText.show(read)
        }
    }

    /// `varde network apply`.
    struct Apply: AsyncParsableCommand {
        static let configuration = CommandConfiguration(
            commandName: "apply", abstract: "Feed a signed proposal in at a node, running or stopped.",
            discussion: """
                Example:
                  varde network apply stolav.proposal --dir network/norcrin
                """)

        @Argument(help: "The proposal, signed by more than half of the administrators.")
        var proposal: String
        @OptionGroup var node: NodeOption

        func run() async throws {
            try await CharterApplication.apply(try CharterProposal(file: proposal), at: try node.directory())
        }
    }
}
