import EventLog

/// What a seed draws: how the network is, and what happens when. The same scenario always runs the same way.
public struct Scenario: Sendable, Codable {
    /// The seed.
    public let seed: UInt64
    /// How the links of the nodes lie.
    var topology: Topology
    /// What the network does wrong all the time.
    var network: NetworkFaults
    /// Who sends what no node of ours would send; nil where nobody does. Such a node is left out when all is healed.
    var hostile: NodeID?
    /// What happens, in the order of time.
    var steps: [Step]

    /// How the nodes are connected.
    enum Topology: String, Sendable, Codable {
        /// Everyone with everyone.
        case mesh
        /// Everyone with the coordinating node.
        case star
        /// Everyone with two others.
        case ring
    }

    /// What the network does wrong all the time.
    struct NetworkFaults: Sendable, Codable {
        var dropPercent = 0
        var duplicatePercent = 0
        var reorders = false
        var maximumDelayMilliseconds = 5
        var sendFailurePercent = 0
    }

    /// Something that happens at a time.
    struct Step: Sendable, Codable {
        /// Names the step, also when others are left out.
        let number: Int
        /// Milliseconds after the study was opened.
        let time: UInt64
        /// Where.
        let node: NodeID
        /// What.
        let action: Action
        /// What the step itself draws from.
        var generatorSeed: UInt64 = 0
    }

    /// What may happen.
    enum Action: Sendable, Codable {
        /// Somebody enters something at the node.
        case command
        /// Somebody with authority changes who may do what.
        case authorityCommand
        /// An earlier command is sent again; with another content under the same id where `otherwise`.
        case repeatCommand(otherwise: Bool)
        /// The link to another node fails, in one of several ways, for so long.
        case cut(NodeID, Cut, milliseconds: UInt64)
        /// The node is alone for so long.
        case isolate(Cut, milliseconds: UInt64)
        /// The node is slow for so long.
        case slow(milliseconds: UInt64)
        /// The process ends, or the machine: at once, or in so many operations of the disk; and starts again after so long.
        case crash(isPower: Bool, operations: Int?, downMilliseconds: UInt64)
        /// The disk fails in so many operations; the node is started again on a good one after so long.
        case diskFails(DiskFailure, operations: Int, downMilliseconds: UInt64)
        /// A bit turns over.
        case flipBit
        /// The disk is lost; the node starts with an empty one.
        case replaceDisk(downMilliseconds: UInt64)
        /// A copy is made of all files.
        case backUp
        /// The node goes on with the files of the last copy.
        case restore(Restoring, downMilliseconds: UInt64)
        /// The clock jumps by so many milliseconds.
        case jumpClock(Int64)
        /// The clock stands still for so long.
        case freezeClock(milliseconds: UInt64)
        /// What the node holds is compared with what the oracle says of the same entries.
        case inspect
        /// An administrator brings the next version of the charter to the node, and the node that it admits is started.
        case admit
    }

    /// How a link fails.
    enum Cut: String, Sendable, Codable {
        case noticed, silent, oneWay, flapping, clogged
    }

    /// How a node comes to go on with an earlier state of its files.
    enum Restoring: String, Sendable, Codable {
        /// People restored a backup.
        case backup
        /// A copy takes the place of a machine that is no more.
        case clone
        /// The virtual machine was set back.
        case reverted
    }

    /// How a disk fails.
    enum DiskFailure: String, Sendable, Codable {
        case full, sync, write
    }
}

extension Scenario.Step: CustomStringConvertible {
    var description: String {
        "\(time) ms, \(node): \(action)"
    }
}
