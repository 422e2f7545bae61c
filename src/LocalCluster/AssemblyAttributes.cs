using System.Runtime.Versioning;

// Processes are told apart by /proc, and started by setsid.
[assembly: SupportedOSPlatform("linux")]
