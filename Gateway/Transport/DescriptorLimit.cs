using System.Runtime.InteropServices;

namespace Broker.Gateway.Transport;

/// <summary>How many connections the process's file descriptors are enough for.</summary>
/// <remarks>The runtime does not survive running out of them, so the last ones are not for clients.</remarks>
internal static partial class DescriptorLimit
{
    /// <summary>For the database, the silo's sockets and the runtime itself, when there are plenty; else half of all.</summary>
    private const int Reserve = 512;
    private const int NoFile = 7;

    /// <summary>Connections for which there are descriptors; no bound where the system cannot be asked.</summary>
    /// <remarks>The runtime has raised its soft limit to the hard one when it started.</remarks>
    public static int MostConnections()
    {
        if (!OperatingSystem.IsLinux() || GetLimit(NoFile, out var limit) != 0 || limit.Soft > int.MaxValue) return int.MaxValue;
        var all = (int)limit.Soft;
        return Math.Max(all / 2, all - Reserve);
    }

    /// <summary>The limit of open files that is enough for so many connections.</summary>
    public static long DescriptorsFor(int connections) => (long)connections + Reserve;

    [LibraryImport("libc", EntryPoint = "getrlimit")]
    private static partial int GetLimit(int resource, out Limit limit);

    private readonly struct Limit
    {
        public readonly ulong Soft;
        public readonly ulong Hard;
    }
}
