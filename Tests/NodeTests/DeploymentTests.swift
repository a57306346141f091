import Foundation
import Node
import Testing

/// What `Deployment` hands out fits the program.
struct DeploymentTests {
    private static let folder = URL(fileURLWithPath: #filePath).deletingLastPathComponent().deletingLastPathComponent()
        .deletingLastPathComponent().appending(path: "Deployment")

    private func text(_ name: String) throws -> String {
        try String(contentsOf: Self.folder.appending(path: name), encoding: .utf8)
    }

    @Test func `the example is a configuration that a node reads`() async throws {
        try await withScratch { scratch in
            try Data(text("node.example.json").utf8).write(to: URL(fileURLWithPath: scratch.path + "/node.json"))
            chmod(scratch.path + "/node.json", 0o600)
            let configuration = try NodeConfiguration.read(NodeDirectory(scratch.path))
            #expect(configuration.http?.address == "127.0.0.1")
            #expect(configuration.peers.count == 2)
            // The address that the container opens and the manual names.
            #expect(configuration.listen == "tcp://*:7400")
            #expect(try text("Containerfile").contains("EXPOSE 7400/tcp"))
        }
    }

    @Test func `unit and container run the node, end it as it asks, and bound its memory`() throws {
        let unit = try text("varde.service").split(separator: "\n")
        #expect(unit.contains("ExecStart=/usr/bin/varde node run --dir /var/lib/varde/node"))
        #expect(unit.contains("KillSignal=SIGTERM"))
        #expect(unit.contains { $0.hasPrefix("MemoryMax=") && $0.hasSuffix("G") })
        let container = try text("Containerfile")
        #expect(container.contains("CMD [\"node\", \"run\", \"--dir\", \"/var/lib/varde/node\"]"))
        #expect(container.contains("STOPSIGNAL SIGTERM"))
    }

    @Test(arguments: ["common.sh", "demo.sh", "test.sh", "compare.sh"])
    func `every script is one that bash can read`(name: String) throws {
        let process = Process()
        process.executableURL = URL(fileURLWithPath: "/bin/bash")
        process.arguments = ["-n", Self.folder.appending(path: name).path]
        try process.run()
        process.waitUntilExit()
        #expect(process.terminationStatus == 0)
    }
}
