import Foundation
import Glibc
import Synchronization

/// What the system offers for networks of our own.
enum NetworkTools {
    /// The program `ip` of iproute2; nil where there is none.
    static let ip: String? = ["/usr/sbin/ip", "/sbin/ip", "/usr/bin/ip"].first {
        FileManager.default.isExecutableFile(atPath: $0)
    }

    /// Why no network of namespaces can be made here; nil where it can.
    static let obstacle: String? = {
        do {
            try VirtualNetwork(count: 1, seed: 0).end()
            return nil
        } catch {
            return "no network of namespaces can be made here (it takes root, iproute2 and /dev/net/tun): \(error)"
        }
    }()

    /// Runs `ip` to its end.
    static func run(_ arguments: String...) throws {
        let process = Process()
        process.executableURL = URL(fileURLWithPath: try required(ip, "program ip of iproute2"))
        process.arguments = arguments
        let errors = Pipe()
        process.standardOutput = FileHandle.nullDevice
        process.standardError = errors
        try process.run()
        let said = errors.fileHandleForReading.readDataToEndOfFile()
        process.waitUntilExit()
        guard process.terminationStatus == 0 else {
            throw TestFailure("ip \(arguments.joined(separator: " ")): \(String(decoding: said, as: UTF8.self))")
        }
    }
}

/// Network namespaces joined by a cable that delays and loses frames and can be cut.
///
/// Each namespace has one TAP interface whose other end is read and written here, so the faults do not depend on what the
/// kernel was built with (`tc netem` is often not), and follow a seed. What is between two programs in different
/// namespaces is the kernel's own TCP, with its retransmissions and time-outs.
///
/// Invariants:
/// - Frames of one direction of one pair arrive in the order in which they were sent.
/// - At most 4 096 frames wait in one direction; further ones are lost.
final class VirtualNetwork: Sendable {
    /// What the cable does to frames.
    struct Faults: Sendable {
        /// How long each frame takes.
        var delay: Duration = .zero
        /// By how much longer it may take.
        var jitter: Duration = .zero
        /// The share of frames that is lost, 0 to 1.
        var loss = 0.0
        /// Directions in which nothing passes.
        var cut: Set<Direction> = []
    }

    /// From one place to another, by their positions.
    struct Direction: Hashable, Sendable {
        let from: Int
        let to: Int
    }

    /// What became of frames.
    struct Counters: Sendable {
        var delivered = 0
        var lost = 0
        var cut = 0
    }

    private struct Waiting {
        let due: ContinuousClock.Instant
        let bytes: [UInt8]
    }

    private struct State {
        var faults = Faults()
        var counters = Counters()
        var isEnding = false
        var hasEnded = false
    }

    private static let maximumFrameBytes = 2_048
    private static let maximumWaiting = 4_096

    /// The names of the namespaces, by position.
    let namespaces: [String]
    private let descriptors: [Int32]
    private let state = Mutex(State())

    /// Makes namespaces with one interface each, and begins to carry frames.
    init(count: Int, seed: UInt64) throws {
        let name = "v" + String(UInt32.random(in: 0...UInt32.max), radix: 36)
        namespaces = (0..<count).map { "\(name)-\($0)" }
        var opened: [Int32] = []
        do {
            for (place, namespace) in namespaces.enumerated() {
                try NetworkTools.run("netns", "add", namespace)
                let interface = namespace
                opened.append(try VirtualNetwork.openTap(interface))
                try NetworkTools.run("link", "set", interface, "netns", namespace)
                try NetworkTools.run("-n", namespace, "link", "set", "lo", "up")
                try NetworkTools.run(
                    "-n", namespace, "address", "add", "\(VirtualNetwork.address(place))/24", "dev", interface)
                try NetworkTools.run("-n", namespace, "link", "set", interface, "up")
            }
        } catch {
            for descriptor in opened { close(descriptor) }
            for namespace in namespaces { try? NetworkTools.run("netns", "delete", namespace) }
            throw error
        }
        descriptors = opened
        let thread = Thread { [self] in carry(SeededGenerator(seed: seed)) }
        thread.name = "cable"
        thread.start()
    }

    /// The IPv4 address of the namespace at a position.
    static func address(_ place: Int) -> String { "10.77.0.\(place + 1)" }

    /// What the cable does.
    var faults: Faults {
        get { state.withLock { $0.faults } }
        set { state.withLock { $0.faults = newValue } }
    }

    /// What became of frames so far.
    var counters: Counters { state.withLock { $0.counters } }

    /// Nothing passes any more between the places of one group and all others, in either direction.
    func part(_ group: Set<Int>) {
        let others = Set(namespaces.indices).subtracting(group)
        state.withLock { state in
            for inside in group {
                for outside in others {
                    state.faults.cut.formUnion([
                        Direction(from: inside, to: outside), Direction(from: outside, to: inside),
                    ])
                }
            }
        }
    }

    /// Everything passes again.
    func heal() { state.withLock { $0.faults.cut = [] } }

    /// Takes the interface of a namespace down or up, as when somebody pulls its plug.
    func setLink(of place: Int, up: Bool) throws {
        try NetworkTools.run("-n", namespaces[place], "link", "set", namespaces[place], up ? "up" : "down")
    }

    /// Ends the cable and removes the namespaces.
    func end() {
        state.withLock { $0.isEnding = true }
        while !state.withLock({ $0.hasEnded }) { usleep(1_000) }
        for descriptor in descriptors { close(descriptor) }
        for namespace in namespaces { try? NetworkTools.run("netns", "delete", namespace) }
    }

    // MARK: The cable

    /// Makes a TAP interface (Linux, Documentation/networking/tuntap.rst) and gives its other end.
    private static func openTap(_ name: String) throws -> Int32 {
        let descriptor = open("/dev/net/tun", O_RDWR | O_NONBLOCK | O_CLOEXEC)
        guard descriptor >= 0 else { throw TestFailure("/dev/net/tun: \(String(cString: strerror(errno)))") }
        // struct ifreq: 16 bytes of name, then the flags IFF_TAP | IFF_NO_PI, and room for the rest of the union.
        var request = [UInt8](repeating: 0, count: 40)
        for (place, byte) in name.utf8.prefix(15).enumerated() { request[place] = byte }
        withUnsafeBytes(of: UInt16(0x1002)) { flags in
            request[16] = flags[0]
            request[17] = flags[1]
        }
        let setInterface: UInt = 0x4004_54CA
        guard ioctl(descriptor, setInterface, &request) == 0 else {
            let reason = String(cString: strerror(errno))
            close(descriptor)
            throw TestFailure("a TAP interface: \(reason)")
        }
        return descriptor
    }

    private func carry(_ seeded: SeededGenerator) {
        var generator = seeded
        var places: [[UInt8]: Int] = [:]
        var waiting: [Direction: [Waiting]] = [:]
        var buffer = [UInt8](repeating: 0, count: VirtualNetwork.maximumFrameBytes)
        while !state.withLock({ $0.isEnding }) {
            var items = descriptors.map { pollfd(fd: $0, events: Int16(POLLIN), revents: 0) }
            // A frame that waits is late by a millisecond at most.
            poll(&items, nfds_t(items.count), waiting.isEmpty ? 20 : 1)
            for (place, item) in items.enumerated() where item.revents & Int16(POLLIN) != 0 {
                // Bounded, so that a flood from one place does not hold up the others.
                for _ in 0..<64 {
                    let count = read(item.fd, &buffer, buffer.count)
                    guard count >= 14 else { break }
                    let frame = Array(buffer[0..<count])
                    places[Array(frame[6..<12])] = place
                    let known = places[Array(frame[0..<6])].map { [$0] }
                    for target in known ?? Array(descriptors.indices) where target != place {
                        take(frame, Direction(from: place, to: target), &waiting, &generator)
                    }
                }
            }
            deliver(&waiting)
        }
        state.withLock { $0.hasEnded = true }
    }

    private func take(
        _ frame: [UInt8], _ direction: Direction, _ waiting: inout [Direction: [Waiting]],
        _ generator: inout SeededGenerator
    ) {
        let chance = Double.random(in: 0..<1, using: &generator)
        let extra = Double.random(in: 0..<1, using: &generator)
        let queued = waiting[direction]?.count ?? 0
        let due: ContinuousClock.Instant? = state.withLock { state in
            if state.faults.cut.contains(direction) {
                state.counters.cut += 1
                return nil
            }
            if chance < state.faults.loss || queued >= VirtualNetwork.maximumWaiting {
                state.counters.lost += 1
                return nil
            }
            return .now + state.faults.delay + state.faults.jitter * extra
        }
        guard let due else { return }
        let last = waiting[direction]?.last?.due ?? due
        waiting[direction, default: []].append(Waiting(due: max(due, last), bytes: frame))
    }

    private func deliver(_ waiting: inout [Direction: [Waiting]]) {
        let now = ContinuousClock.now
        for (direction, frames) in waiting {
            let due = frames.prefix { $0.due <= now }.count
            guard due > 0 else { continue }
            var delivered = 0
            for frame in frames.prefix(due) {
                // An interface that is down takes nothing: what is on the wire then is lost.
                let count = frame.bytes.withUnsafeBytes { write(descriptors[direction.to], $0.baseAddress, $0.count) }
                if count == frame.bytes.count { delivered += 1 }
            }
            state.withLock { state in
                state.counters.delivered += delivered
                state.counters.lost += due - delivered
            }
            waiting[direction] = due == frames.count ? nil : Array(frames.dropFirst(due))
        }
    }
}

/// Gives `body` a network of namespaces; it is gone when `body` ends, however that ends.
func withVirtualNetwork<Result>(
    count: Int, seed: UInt64, _ body: (VirtualNetwork) async throws -> Result
) async throws -> Result {
    let network = try VirtualNetwork(count: count, seed: seed)
    do {
        let result = try await body(network)
        network.end()
        return result
    } catch {
        network.end()
        throw error
    }
}
