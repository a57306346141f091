import MemoryDisk
import Testing
