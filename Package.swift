// swift-tools-version: 6.2
import PackageDescription

/// What every target of ours is built with: Swift 6 language mode, warnings are errors, imports say what they expose.
let settings: [SwiftSetting] = [
    .swiftLanguageMode(.v6),
    .enableUpcomingFeature("ExistentialAny"),
    .enableUpcomingFeature("InternalImportsByDefault"),
    .enableUpcomingFeature("MemberImportVisibility"),
    .treatAllWarnings(as: .error),
]

let crypto = Target.Dependency.product(name: "Crypto", package: "swift-crypto")
let grdb = Target.Dependency.product(name: "GRDB", package: "GRDB.swift")
let sqlite = Target.Dependency.product(name: "GRDBSQLite", package: "GRDB.swift")
let logging = Target.Dependency.product(name: "Logging", package: "swift-log")
let lifecycle = Target.Dependency.product(name: "ServiceLifecycle", package: "swift-service-lifecycle")
let signals = Target.Dependency.product(name: "UnixSignals", package: "swift-service-lifecycle")
let arguments = Target.Dependency.product(name: "ArgumentParser", package: "swift-argument-parser")
let yams = Target.Dependency.product(name: "Yams", package: "Yams")
let protobuf = Target.Dependency.product(name: "SwiftProtobuf", package: "swift-protobuf")
/// Without its default traits: what they add (a configuration reader, all of Foundation) is not used here.
let hummingbird: [Target.Dependency] = [
    .product(name: "Hummingbird", package: "hummingbird"),
    .product(name: "HummingbirdCore", package: "hummingbird"),
    .product(name: "HTTPTypes", package: "swift-http-types"),
]
let nio: [Target.Dependency] = [
    .product(name: "NIOCore", package: "swift-nio"),
    .product(name: "NIOPosix", package: "swift-nio"),
]

func library(_ name: String, _ dependencies: [Target.Dependency], resources: [Resource] = []) -> Target {
    .target(name: name, dependencies: dependencies, resources: resources, swiftSettings: settings)
}

func tests(_ name: String, _ dependencies: [Target.Dependency], exclude: [String] = []) -> Target {
    .testTarget(name: name, dependencies: dependencies, exclude: exclude, swiftSettings: settings)
}

let package = Package(
    name: "varde",
    products: [
        .executable(name: "varde", targets: ["varde"])
    ],
    dependencies: [
        .package(url: "https://github.com/apple/swift-crypto", exact: "4.5.2"),
        .package(url: "https://github.com/apple/swift-argument-parser", exact: "1.8.2"),
        .package(url: "https://github.com/apple/swift-http-types", exact: "1.8.0", traits: []),
        .package(url: "https://github.com/apple/swift-log", exact: "1.16.2"),
        .package(url: "https://github.com/apple/swift-nio", exact: "2.101.2"),
        // For one test target only: a reader and writer of our wire format that nobody here wrote.
        .package(url: "https://github.com/apple/swift-protobuf", exact: "1.39.0"),
        .package(url: "https://github.com/groue/GRDB.swift", exact: "7.10.0"),
        .package(url: "https://github.com/hummingbird-project/hummingbird", exact: "2.28.1", traits: []),
        .package(url: "https://github.com/jpsim/Yams", exact: "6.2.2"),
        .package(url: "https://github.com/swift-server/swift-service-lifecycle", exact: "2.13.0"),
    ],
    targets: [
        // Dependencies point one way: each line knows only lines above it.
        .systemLibrary(name: "CZeroMQ", providers: [.apt(["libzmq3-dev"])]),
        .systemLibrary(name: "CLinux"),
        library("EventLog", [crypto]),
        library("Trial", ["EventLog"]),
        // What the fold is compared with: the same laws, written slowly and obviously.
        library("TrialOracle", ["Trial", "EventLog"]),
        library("StoreCore", ["EventLog", grdb, sqlite]),
        library("Store", ["StoreCore", "EventLog"]),
        library("Views", ["Store", "StoreCore", "Trial", "EventLog", sqlite]),
        library("Replication", ["EventLog"]),
        library("ZeroMQTransport", ["CZeroMQ", logging]),
        library("Interchange", ["Trial", "EventLog", yams]),
        library(
            "Node",
            [
                "EventLog", "Trial", "StoreCore", "Store", "Views", "Replication", "ZeroMQTransport", "Interchange",
                "CLinux",
                logging,
                lifecycle, signals,
            ] + nio,
            // The trial that ships with Varde, linked from Protocols/Studies into the one binary.
            resources: [
                .embedInCode("Resources/sciatica-study.xml"), .embedInCode("Resources/sciatica-plan.yaml"),
                .embedInCode("Resources/sciatica-sites.csv"),
            ]),
        library(
            "Web",
            ["Node", "Interchange", "Views", "StoreCore", "Trial", "EventLog", crypto, logging, lifecycle] + hummingbird
                + nio,
            resources: [.embedInCode("Page/Resources/page.css"), .embedInCode("Page/Resources/page.js")]),
        // A disk in memory that fails as disks do; and a whole network on such disks in one process.
        library("MemoryDisk", ["StoreCore", sqlite]),
        library(
            "Simulation",
            ["Node", "Interchange", "Replication", "MemoryDisk", "StoreCore", "TrialOracle", "Trial", "EventLog"]),
        .executableTarget(
            name: "varde",
            dependencies: [
                "Web", "Node", "Simulation", "Interchange", "Store", "StoreCore", "Views", "Trial", "EventLog",
                arguments,
                logging,
            ],
            swiftSettings: settings),

        tests("EventLogTests", ["EventLog", crypto]),
        tests("TrialTests", ["TrialOracle", "Trial", "EventLog"]),
        tests("SchemaTests", ["Interchange", "Trial", "Replication", "EventLog", protobuf, crypto]),
        tests(
            "FuzzTests", ["Web", "Node", "Interchange", "Replication", "Trial", "EventLog"], exclude: ["Corpus"]),
        tests("StoreTests", ["Store", "StoreCore", "EventLog", grdb, sqlite]),
        tests("ViewsTests", ["Views", "Store", "StoreCore", "Trial", "EventLog", sqlite]),
        tests("ReplicationTests", ["Replication", "EventLog"]),
        tests("TransportTests", ["ZeroMQTransport", "CZeroMQ"]),
        tests("IncidentTests", ["Node", "Replication", "StoreCore", "Trial", "EventLog"]),
        tests("InterchangeTests", ["Interchange", "Trial", "EventLog", crypto]),
        tests("NodeTests", ["Web", "Node", "Interchange", "Trial", "StoreCore", "Views", "EventLog", logging]),
        .testTarget(
            name: "SimulationTests", dependencies: ["Simulation", "MemoryDisk", "StoreCore", "EventLog"],
            exclude: ["Histories"], swiftSettings: settings),
        tests(
            "WebTests",
            ["Web", "Node", "Interchange", "StoreCore", "Trial", "Views", "EventLog", yams, logging, lifecycle]),
    ]
)
