import EventLog
import Foundation
import Glibc
import Node
import Testing

extension AcceptanceTests {
    /// What programs of this account may send through the local socket, and should not.
    @Suite struct SocketTests {
        @Test func `frames cut off, without end or without sense end one conversation and nothing else`() async throws {
            try await withScratch { scratch in
                let source = try TestStudies.western(participants: 1)
                let network = try TestNetwork(scratch, for: source)
                let node = try required(network.nodes.first, "a node")
                try await network.start(node)
                let path = network.directory(node).socket
                var generator = SystemRandomNumberGenerator()
                func framed(_ text: String) -> [UInt8] {
                    let count = UInt32(text.utf8.count)
                    return (0..<4).map { UInt8(truncatingIfNeeded: count >> UInt32(24 - 8 * $0)) } + Array(text.utf8)
                }
                let noise = (0..<2_000).map { _ in UInt8.random(in: 0...255, using: &generator) }
                let inputs: [[UInt8]] = [
                    [0xFF, 0xFF, 0xFF, 0xFF], [0x7F, 0xFF, 0xFF, 0xFF] + noise, [0x04, 0x00, 0x00, 0x01],
                    [0x04, 0x00, 0x00, 0x00],
                    [0x04, 0x00, 0x00, 0x00] + noise, [0, 0], noise, framed(""), framed("{"), framed("null"),
                    framed(#"{"status":{}}"#) + [0, 0, 0, 9, 0x7B], framed(String(repeating: "[", count: 200_000)),
                    framed(#"{"command":{"_0":{}}}"#), framed(#"{"participant":{"study":"zz","label":1}}"#),
                    framed(#"{"status":{}}"#) + [0xFF, 0xFF, 0xFF, 0xFF] + framed(#"{"stop":{}}"#),
                ]
                for _ in 0..<3 {
                    for input in inputs { try send(input, to: path) }
                }
                let status = try await network.status(node)
                #expect(status.node == node)
                #expect(try residentKiB(scratch, node: network.directory(node)) < 600_000)
                try await network.stop(node)
            }
        }

        /// Memory of the node's process.
        private func residentKiB(_ scratch: Scratch, node: NodeDirectory) throws -> Int {
            let id = try String(contentsOfFile: node.path + "/node.pid", encoding: .utf8)
                .trimmingCharacters(in: .whitespacesAndNewlines)
            let status = try String(contentsOfFile: "/proc/\(id)/status", encoding: .utf8)
            let line = try required(status.split(separator: "\n").first { $0.hasPrefix("VmHWM:") }, "VmHWM")
            return try required(line.split(separator: " ").compactMap { Int($0) }.first, "a number")
        }

        /// Connects, sends, and leaves without waiting for an answer.
        private func send(_ bytes: [UInt8], to path: String) throws {
            let descriptor = socket(AF_UNIX, Int32(SOCK_STREAM.rawValue), 0)
            defer { close(descriptor) }
            var address = sockaddr_un()
            address.sun_family = sa_family_t(AF_UNIX)
            withUnsafeMutableBytes(of: &address.sun_path) { target in
                target.copyBytes(from: path.utf8.prefix(target.count - 1))
            }
            let isConnected = withUnsafePointer(to: &address) { pointer in
                pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) {
                    connect(descriptor, $0, socklen_t(MemoryLayout<sockaddr_un>.size)) == 0
                }
            }
            guard isConnected else { throw TestFailure("\(path) takes no connection") }
            // A node that has ended the conversation already makes this fail, as it should.
            _ = bytes.withUnsafeBytes { Glibc.send(descriptor, $0.baseAddress, $0.count, Int32(MSG_NOSIGNAL)) }
        }
    }
}
