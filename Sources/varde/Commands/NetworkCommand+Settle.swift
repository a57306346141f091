import ArgumentParser
import EventLog
import Node

extension NetworkCommand {
    /// `varde network settle`.
    struct Settle: AsyncParsableCommand {
        static let configuration = CommandConfiguration(
            commandName: "settle", abstract: "Propose which of two rival versions of the charter is to hold.",
            discussion: """
                Where more than half of the administrators signed two versions that follow the same one, what any of them \
                revokes counts and what they admit does not, until a version settles between them. 'varde network show --dir' \
                lists them. Nodes that any of them revoked stay revoked in the proposal.

                Example:
                  varde network settle --keep 5b1f --dir network/norcrin --out settled.proposal
                """)

        @Option(
            help:
                "How the hash of the version begins whose contents are to hold; without it, what counts meanwhile holds."
        )
        var keep: String?
        @OptionGroup var node: NodeOption
        @OptionGroup var output: ProposalOutput

        func run() async throws {
            let directory = try node.directory()
            try await output.finish(
                try NetworkAdministration(directory: directory).settle(keeping: keep), at: directory)
        }
    }
}

/// Rival versions in words.
enum DisputeText {
    static func show(_ dispute: CharterDispute) {
        Output.line(
            "in dispute: \(dispute.rivals.count) versions follow version \(dispute.before.charter.number); what any of them "
                + "revokes counts, what they admit does not ('varde network settle')")
        let tips = Set(dispute.tips)
        for signed in dispute.versions {
            Output.line(
                "  version \(signed.charter.number)  \(signed.hash)\(tips.contains(signed) ? "" : "  (followed by another)")"
            )
        }
    }
}
