public import EventLog

/// What a store needs to open its directory.
public struct StoreConfiguration: Sendable {
    /// The data directory; made where it is not there, for the owner only.
    public var directory: String
    /// The network whose logs are held.
    public var network: NetworkID
    /// The node that writes here.
    public var node: NodeID
    /// The seed of the node's Ed25519 signing key, 32 bytes.
    public var signingSeed: [UInt8]
    /// Name and version of the software, written into every header.
    public var software: String
    /// SQLite's virtual file system by name; nil for the system's own.
    public var fileSystem: String?
    /// The machine the store runs on, against which the start guard compares.
    public var machine: MachineIdentity
    /// The files beside the database; the system's, but for a directory that lies in memory.
    package var files: any DirectoryFiles = SystemFiles()

    /// States a configuration.
    public init(
        directory: String, network: NetworkID, node: NodeID, signingSeed: [UInt8], software: String,
        fileSystem: String? = nil, machine: MachineIdentity = .current()
    ) {
        self.directory = directory
        self.network = network
        self.node = node
        self.signingSeed = signingSeed
        self.software = software
        self.fileSystem = fileSystem
        self.machine = machine
    }

    /// The path of the events file in a data directory.
    public static func eventsFile(in directory: String) -> String { directory + "/events.sqlite" }
    /// The path of the head file in a data directory.
    public static func headFile(in directory: String) -> String { directory + "/events.head" }
    /// The path of the lock file in a data directory.
    public static func lockFile(in directory: String) -> String { directory + "/lock" }
}
